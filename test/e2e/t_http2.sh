#!/bin/sh
# shellcheck disable=SC2119
# HTTP/2, with a server that offers it: batches arrive over one connection that
# is kept, the answers are understood, and a stop is quick.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
PATH=$PATH:/usr/sbin
command -v nghttpd >/dev/null || skip "no nghttpd (nghttp2-server)"

# A file is what nghttpd answers with, whatever is posted: an answer of the
# service's.  It says on standard output what it gets.
serve() {
	mkdir -p "$T/www/api/v1/ingest"
	echo '{"results":{"id":"11111111-2222-4333-8444-555555555555"}}' \
		>"$T/www/api/v1/ingest/events"
	PORT=$(free_port)
	nghttpd -v --address=127.0.0.1 --htdocs="$T/www" "$PORT" \
		"$T/cert-key.pem" "$T/cert.pem" >"$T/nghttpd" 2>&1 &
	PIDS="$PIDS $!"
	URL=https://127.0.0.1:$PORT
	wait_until 10 curl -sS -o /dev/null "$URL/api/v1/ingest/events"
	: >"$T/nghttpd"
}

# A port that was free a moment ago: nghttpd does not say which it took.
free_port() {
	start_standin >/dev/null
	stop_standin
	echo "$PORT"
}

# Each POST is a stream of its own: its header frame names the method.
posts() {
	grep -c ':method: POST' "$T/nghttpd"
}

# The connections that they came over.
connections() {
	awk '/recv \(stream_id=.*:method: POST/ { print $1 }' "$T/nghttpd" |
		sort -u | wc -l
}

sent_are() {
	[ "$(status upload.events)" -ge "$1" ] && status_idle
}

many_batches() {
	for batch in 1 2 3 4 5 6 7 8; do
		rows $((batch * 10 + 1)) $((batch * 10 + 10)) >>"$acct"
		wait_until 10 sent_are $((batch * 10 + 10)) || return 1
	done
}

stops_soon() {
	begin=$(date +%s)
	stop_daemon && [ $(($(date +%s) - begin)) -le 30 ]
}

make_cert
serve
write_config "ingest.ca_file: $T/cert.pem" 'ingest.connections: 2'
{ header && rows 1 10; } >"$acct"
start_daemon
step "a batch is sent" wait_until 10 sent_are 10
step "... over HTTP/2" grep -q ':method: POST' "$T/nghttpd"
step "and more of them, one by one" many_batches
step "... nine at least" [ "$(posts)" -ge 9 ]
step "... over one connection" is "$(connections)" 1
step "... which nobody complained about" is "$(status upload.failures)" 0
step "it stops in time" stops_soon
