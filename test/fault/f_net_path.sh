#!/bin/sh
# shellcheck disable=SC2034,SC2119
# The way to the service: resets, silence, a proxy that dies, a certificate
# that expires, a name that is not known for a while.  Everything arrives once,
# and nothing has to be started again.
if [ -z "${NET_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	NET_OWN_MOUNTS=1 exec unshare -m --propagation private sh "$0" "$@"
fi
. test/e2e/lib.sh
. test/e2e/rows.sh
setup
. test/fault/wire.sh
. test/fault/certs.sh

SILENCE=5	# seconds
ROWS=3000
if [ "${LONG:-}" = 1 ]; then
	SILENCE=60
	ROWS=50000
fi

# configure ['section.key: value' ...]
configure() {
	write_config 'ingest.timeout: 2s' 'ingest.connect_timeout: 2s' \
		"ingest.ca_file: $T/ca.pem" "$@"
}

# It ends, and the next begins with nothing.
anew() {
	step "the ledger agrees" wait_until 5 agrees
	step "it ends" stop_daemon
	stop_standin
	no_wire
	WIRE_PORT=0
	rm -rf "$T/spool" "$T/accepted" "$T/log"
	mkdir "$T/log"
	: >"$T/daemon.log"
	N=0
}

# --- Resets by the dozen, and a long way ---

resets() {
	start_standin_tls good
	wire --reset-rate 0.1 --seed "${SEED:-1}" --delay-ms 3 --jitter
	configure "ingest.url: https://$WIRE/api/v1/ingest/events" \
		'batch.max_events: 100' 'ingest.retry_max: 200ms'
	generate --seed "${SEED:-1}" --rows "$ROWS" --roll-every 900
	start_daemon
	step "resets anywhere: all of it arrives" \
		wait_until $((ROWS / 30)) all_arrived "$(expected)"
	step "... and nothing waits" wait_until 30 status_idle
	step "... nothing is lost, nothing twice" check_all
	step "... there were resets" wait_until 5 failed 10
	echo "  $(failures) failed uploads, $(stats posts) were seen whole," \
		"$(stats events.duplicate) events came again"
	anew
}

# --- Silence in the middle ---

# A batch that is ready is on its way at once; its answer takes a while.
sending() {
	[ "$(ready)" -ge 1 ]
}

silence() {
	start_standin_tls good
	wire --delay-ms 300
	configure "ingest.url: https://$WIRE/api/v1/ingest/events"
	start_daemon
	more 50
	step "a slow way: rows arrive" all
	more 50
	step "... in the middle of an upload" wait_until 5 sending
	kill -STOP "$WIRE_PID"
	sleep "$SILENCE"
	more 50
	step "silence: uploads fail" failed 1
	step "... the state is waiting" wait_until 5 shows \
		"waiting\|sending" "timed out\|time-out\|timeout"
	kill -CONT "$WIRE_PID"
	step "the way is back: all of it goes, once" all 10
	step "... and nothing waits" wait_until 5 ready_empty
	anew
}

# --- A proxy ---

proxies() {
	start_standin_tls good
	wire --connect --capture "$T/captured"
	configure "ingest.url: https://127.0.0.1:$PORT/api/v1/ingest/events" \
		"ingest.proxy: http://$WIRE"
	start_daemon
	more 20
	step "by a proxy: rows arrive" all
	step "... which was asked" grep -aq "^CONNECT 127.0.0.1:$PORT " \
		"$T/captured"
	no_wire
	more 20
	step "the proxy dies: uploads fail" wait_until 10 failed 2
	step "... the state is waiting" wait_until 5 shows \
		"waiting\|sending" "connect"
	step "... the batch waits" is "$(waiting)" 20
	wire --connect --stall
	proxies_failures=$(failures)
	step "it takes connections and says nothing: they fail" \
		wait_until 15 failed $((proxies_failures + 2))
	wire --connect --capture "$T/captured"
	step "it is well: all of it goes, once" all 10
	step "... and nothing waits" wait_until 5 ready_empty
	stop_standin
	more 20
	proxies_failures=$(failures)
	step "it cannot reach the service: uploads fail" \
		wait_until 15 failed $((proxies_failures + 2))
	step "... status says so" wait_until 5 shows "waiting\|sending" 502
	start_standin_tls good
	step "it can: all of it goes, once" all 10
	step "the key was not shown to it" test "$(grep -aci \
		-e authorization -e "$KEY" "$T/captured")" = 0
	anew
}

# --- A certificate that expires ---

# The second of its end is a good one still.
expired() {
	[ "$(date +%s)" -gt "$until" ]
}

certificates() {
	until=$(($(date +%s) + 7))
	make_signed brief 6
	start_standin_tls brief
	configure
	start_daemon
	more 20
	step "a certificate for six seconds: rows arrive" all
	step "... it expires" wait_until 10 expired
	stop_standin
	start_standin_tls brief
	: >"$T/daemon.log"
	more 20
	step "... status says so" wait_until 10 shows waiting certificate
	step "... the log as well" wait_until 5 logged \
		"certificate not trusted"
	step "... in the words of the second connection" \
		test "$(grep -c "recv error" "$T/daemon.log")" = 0
	step "... once" logged "certificate not trusted" 1
	step "... nothing is lost" is "$(waiting)" 20
	stop_standin
	start_standin_tls good
	step "a new one: all of it goes, once" all 10
	step "... the log says that it is over" logged "uploads work again"
	anew
}

# --- A name ---

names() {
	[ -n "${NET_OWN_MOUNTS:-}" ] || {
		echo "- names: left out, no namespaces"
		return
	}
	grep -q '^hosts:.*files.*dns' /etc/nsswitch.conf 2>/dev/null || {
		echo "- names: left out, /etc/hosts is not asked first"
		return
	}
	cat >"$T/resolv.conf" <<-END
		nameserver 127.0.0.153
		options timeout:1 attempts:1
	END
	echo "127.0.0.1 localhost" >"$T/hosts"
	{ mount --bind "$T/resolv.conf" /etc/resolv.conf &&
		mount --bind "$T/hosts" /etc/hosts; } ||
		fail "cannot mount in a namespace of our own"
	start_standin_tls good
	configure \
		"ingest.url: https://$CERT_NAME:$PORT/api/v1/ingest/events"
	start_daemon
	more 20
	step "a name that nobody knows: uploads fail" wait_until 15 failed 3
	step "... status says so" wait_until 5 shows "waiting\|sending" resolv
	step "... the log once" logged "no answer" 1
	step "... the batch waits" is "$(waiting)" 20
	echo "127.0.0.1 $CERT_NAME" >>"$T/hosts"
	step "it is known: all of it goes, once" all 10
	echo "127.0.0.1 localhost" >"$T/hosts"
	more 20
	step "forgotten again: what is open is used" all 10
	umount /etc/hosts /etc/resolv.conf
	anew
}

make_ca
make_signed good 86400
resets
silence
proxies
certificates
names
