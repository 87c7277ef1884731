# shellcheck shell=sh disable=SC2034,SC2154
# certs - a CA of our own, and certificates that it signs; after lib.sh
#
#	make_ca				$T/ca.pem, which curl(1) then trusts
#	make_signed good 86400		$T/good.pem, $T/good-key.pem: for these
#					names, and so many seconds from now
#	start_standin_tls good ...

CERT_NAME=ingest.sparktail.test
CERT_ADDRESS=10.111.0.2

make_ca() {
	command -v certtool >/dev/null || skip "no certtool (gnutls-bin)"
	cat >"$T/ca.template" <<-END
		cn = CA
		expiration_days = 2
		ca
		cert_signing_key
	END
	{ certtool --generate-privkey --key-type ecdsa \
		--outfile "$T/ca-key.pem" 2>/dev/null &&
		certtool --generate-self-signed --template "$T/ca.template" \
			--load-privkey "$T/ca-key.pem" \
			--outfile "$T/ca.pem" 2>/dev/null; } ||
		fail "certtool makes no CA"
	export CURL_CA_BUNDLE="$T/ca.pem"
}

cert_date() {
	date -u -d "$1 seconds" '+%Y-%m-%d %H:%M:%S UTC'
}

make_signed() {
	cat >"$T/$1.template" <<-END
		cn = $1
		dns_name = localhost
		dns_name = $CERT_NAME
		ip_address = 127.0.0.1
		ip_address = $CERT_ADDRESS
		activation_date = "$(cert_date -60)"
		expiration_date = "$(cert_date "$2")"
		signing_key
		tls_www_server
	END
	{ certtool --generate-privkey --key-type ecdsa \
		--outfile "$T/$1-key.pem" 2>/dev/null &&
		certtool --generate-certificate --template "$T/$1.template" \
			--load-privkey "$T/$1-key.pem" \
			--load-ca-certificate "$T/ca.pem" \
			--load-ca-privkey "$T/ca-key.pem" \
			--outfile "$T/$1.pem" 2>/dev/null; } ||
		fail "certtool makes no certificate"
}

start_standin_tls() {
	SCHEME=https
	start_standin_tls_name=$1
	shift
	start_standin --tls-cert "$T/$start_standin_tls_name.pem" \
		--tls-key "$T/$start_standin_tls_name-key.pem" "$@"
}
