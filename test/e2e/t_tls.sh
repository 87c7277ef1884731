#!/bin/sh
# shellcheck disable=SC2119
# TLS: the certificate decides whether anything is sent.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv

says_why() {
	state_is waiting && status upload.last_error | grep -qi certificate
}

# Batches wait, and no request has ever come through.
refuses() {
	wait_until 10 says_why && is "$(stats posts)" "$1" &&
		is "$(stats batches)" "$2" && ! ready_empty >/dev/null
}

is_well() {
	is "$(status upload.last_error)" '' && ready_empty
}

make_cert other
make_cert
SCHEME=https
start_standin --tls-cert "$T/cert.pem" --tls-key "$T/cert-key.pem"

write_config "ingest.ca_file: $T/cert.pem"
{ header && rows 1 50; } >"$acct"
start_daemon
step "a certificate of a known CA: delivered" here_once 10 1-50
step "it ends" stop_daemon
posts=$(stats posts)
batches=$(stats batches)

write_config "ingest.ca_file: $T/other.pem"
rows 51 60 >>"$acct"
start_daemon
step "an unknown CA: nothing is sent, and status says why" refuses "$posts" \
	"$batches"
step "... the log says so once" logged "certificate not trusted" 1
step "... nothing is lost" is "$(status spool.events)" 10
write_config "ingest.ca_file: $T/cert.pem"
kill -HUP "$DAEMON_PID"
step "the right CA and SIGHUP: delivered" here_once 10 1-60
step "... the trouble is over" wait_until 5 is_well
step "it ends" stop_daemon

write_config
rows 61 70 >>"$acct"
start_daemon
step "the system's CAs do not know it either" refuses "$(stats posts)" \
	"$(stats batches)"
step "it ends" stop_daemon

# The name in the certificate counts as well.
sed -i '/ip_address/d' "$T/template"
certtool --generate-self-signed --template "$T/template" \
	--load-privkey "$T/cert-key.pem" --outfile "$T/named.pem" 2>/dev/null
stop_standin
export CURL_CA_BUNDLE="$T/named.pem"
start_standin --tls-cert "$T/named.pem" --tls-key "$T/cert-key.pem"
URL=https://localhost:$PORT
write_config "ingest.ca_file: $T/named.pem" \
	"ingest.url: https://127.0.0.1:$PORT/api/v1/ingest/events"
start_daemon
step "a certificate for another name" refuses 0 0
write_config "ingest.ca_file: $T/named.pem"
kill -HUP "$DAEMON_PID"
step "the right name and SIGHUP: delivered" here_once 10 1-70
step "the ledger agrees" wait_until 5 agrees
