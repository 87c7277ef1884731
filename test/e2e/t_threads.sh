#!/bin/sh
# shellcheck disable=SC2119
# Several threads shape blocks: a backlog in several files, and files that grow
# and roll over meanwhile.  What arrives, and in which order, is what one thread
# makes of the same files.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

ROWS=60000
is_plain || ROWS=20000

once() {
	sparktail once >>"$T/daemon.log" 2>&1
}

# What "once" makes with so many threads: its batches, as they were sealed, and
# their events, which delivery may bring in another order.
ship_with() {
	rm -rf "$T/spool" "$T/accepted" "$T/daemon.log"
	start_standin
	write_config "threads: $1" "$2" 'log.verbose: true'
	step "once, threads: $1, $2" once
	step "... nothing is lost, nothing twice" check_all
	stop_standin
	{ grep 'sealed: ' "$T/daemon.log" && sort "$T/accepted"; } >"$T/with-$1"
}

all_there() {
	[ "$(stats events.accepted)" -ge "$events" ] && status_idle
}

threads() {
	find "/proc/$DAEMON_PID/task" -mindepth 1 -maxdepth 1 | wc -l
}

has_threads() {
	[ "$(threads)" -ge "$1" ]
}

generate --seed 41 --rows "$ROWS" --roll-every $((ROWS * 2 / 5)) --hostile 5
# Batches of the bytes that make a block, and such as are full before.
for batch in 10000 300; do
	ship_with 1 "batch.max_events: $batch"
	ship_with 4 "batch.max_events: $batch"
	step "... as one thread makes them" cmp "$T/with-1" "$T/with-4"
done

rm -rf "$T/spool" "$T/accepted"
start_standin
write_config 'threads: 4'
start_daemon
step "run, threads: 4" has_threads 5
generate --seed 42 --rows $((ROWS / 4)) --base live --rate $((ROWS / 12)) \
	--torn --roll-every $((ROWS / 12)) &
writer=$!
PIDS="$PIDS $writer"
wait_until 20 test -s "$T/accepted"
write_config 'threads: 2' 'batch.max_events: 1000'
kill -HUP "$DAEMON_PID"
step "other threads after a reload" wait_until 10 logged "is in force"
wait "$writer"
events=$(expected)
step "all of it arrives" wait_until 60 all_there
step "... nothing is lost, nothing twice" check_all
step "the ledger agrees" agrees
step "it ends" stop_daemon
