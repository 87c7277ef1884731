#!/bin/sh
# shellcheck disable=SC2119
# Two hundred thousand rows at once, and a backlog: everything arrives, in
# batches of the size that was asked for, and memory stays small.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

ROWS=200000
MEMORY=49152	# KiB
LIMIT=4000
is_plain || ROWS=40000
TOTAL=$((ROWS + ROWS / 2))

peak() {
	awk '/^VmHWM/ { print $2 }' "/proc/$DAEMON_PID/status"
}

memory_is_small() {
	echo "  $(peak) KiB"
	! is_plain || between 0 "$(peak)" "$MEMORY"
}

largest_batch() {
	sed 's/.*"events":\([0-9]*\).*/\1/' "$T/requests" | sort -n | tail -n 1
}

# The generator's rows each make one event, without injections.
all_there() {
	here "$1" && status_idle
}

exactly() {
	"$TOOLS/checker" --injection off --accepted "$T/accepted" "$T"/log/*.csv
}

has_read_all() {
	is "$(status rows.read)" "$1"
}

start_standin
write_config 'events.injection: off' "batch.max_events: $LIMIT"
start_daemon
begin=$(now_ms)
generate --seed 31 --rows "$ROWS" --types d=90,b=5,t=5 --roll-every 90000
step "$ROWS rows arrive" wait_until 90 all_there "$ROWS"
echo "  after $(($(now_ms) - begin)) ms"
step "... nothing is lost, nothing twice" exactly
step "... no batch is too large" between $((LIMIT / 8)) "$(largest_batch)" \
	"$LIMIT"
step "... memory stays small" memory_is_small

stop_standin
generate --seed 32 --rows "$((ROWS / 2))" --types d=90,b=5,t=5 --base late
step "the service is away: all is read" wait_until 60 has_read_all \
	"$TOTAL"
step "... and waits" between $((ROWS / 2 / LIMIT)) "$(status spool.batches)" \
	"$ROWS"
step "... memory stays small" memory_is_small
stop_daemon
start_daemon
step "... it starts with the backlog" is "$(status spool.events)" \
	$((ROWS / 2))
start_standin
step "the service is back: all of it goes" wait_until 90 all_there \
	"$TOTAL"
step "... nothing is lost, nothing twice" exactly
step "... memory stays small" memory_is_small
step "the ledger agrees" agrees
step "it ends" stop_daemon
