#!/bin/sh
# shellcheck disable=SC2119
# The daemon: how soon a row is there, and that nothing but time is lost when
# it dies at any moment.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
DELAY=500
RATE=700
is_plain || RATE=300

# One row: the milliseconds until the service took it.
soon() {
	soon_begin=$(now_ms)
	rows "$1" "$1" >>"$acct"
	wait_until 10 here "$1" || return 1
	soon_took=$(($(tail -n 1 "$T/requests" | json_get - time_ms) - soon_begin))
	echo "  $soon_took ms"
	between 0 "$soon_took" $((DELAY + 1000))
}

# A stream of rows does not put off the first one.
stream() {
	stream_begin=$(now_ms)
	generate --base stream --rate 200 --rows 500 --types d=1 &
	wait_until 10 here "$1" || return 1
	stream_took=$(($(tail -n 1 "$T/requests" | json_get - time_ms) -
		stream_begin))
	wait $!
	between 0 "$stream_took" $((DELAY + 1000))
}

alive() {
	kill -0 "$1" 2>/dev/null && ! gone "$1"
}

# A moment between 0 and MOST milliseconds, to kill at.
moment() {
	sleep "$(od -An -N2 -tu2 /dev/urandom |
		awk -v most="$1" '{ print $1 / 65536 * most / 1000 }')"
}

start_quickly() {
	"$B/sparktail" -c "$T/conf.yaml" run >>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	PIDS="$PIDS $DAEMON_PID"
}

# Some die while they start, some in the middle of their work.
deaths() {
	for death in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		if [ $((death % 4)) = 0 ]; then
			start_quickly
			moment 60
		else
			start_daemon
			moment 500
		fi
		kill_daemon
	done
	start_daemon
}

rows_total() {
	cat "$T"/log/*.csv | grep -vc '^type,'
}

events_made() {
	for type in reception delivery inband tempfail outofband feedback; do
		json_get "$T/status" "events.$type"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

# Is every row in the ledger once, and was every event sent once?
ledger_is_full() {
	agrees && is "$(status rows.read)" "$(rows_total)" &&
		is "$(status rows.malformed)" 0 &&
		is "$(status spool.batches)" 0 &&
		is "$(json_get "$T/status" upload.events)" "$(events_made)"
}

start_standin
write_config "batch.max_delay: ${DELAY}ms"
header >"$acct"
start_daemon
for n in 1 2 3 4 5; do
	step "a row is there in max_delay and a second" soon "$n"
done
step "so is the first one of a stream" stream 6
stop_daemon
stop_standin

rm -rf "$T/spool" "$T/accepted" "$T"/log/*
start_standin
write_config
start_daemon
step "rows come in halves, files roll over" generate --seed 11 --rate 1500 \
	--rows 4000 --roll-every 350 --halves
step "... all of it arrives" wait_until 20 all_arrived "$(expected)"
step "... nothing is lost, nothing twice" check_all
step "... and the ledger agrees" wait_until 5 ledger_is_full
stop_daemon
stop_standin

rm -rf "$T/spool" "$T/accepted" "$T"/log/*
start_standin
write_config 'batch.max_events: 150'
generate --seed 12 --rate "$RATE" --rows 8000 --roll-every 900 --halves &
generator=$!
PIDS="$PIDS $generator"
step "it is killed fifteen times while rows arrive" deaths
step "rows still came at the end" alive "$generator"
wait "$generator"
step "... all of it arrives" wait_until 30 all_arrived "$(expected)"
step "... nothing is lost, nothing twice" check_all
step "... the ledger knows every row and event once" wait_until 10 \
	ledger_is_full
echo "  $(stats events.duplicate) duplicates were dropped"
step "it ends in peace" stop_daemon
