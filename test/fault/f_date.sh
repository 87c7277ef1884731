#!/bin/sh
# shellcheck disable=SC2119
# A date that leaps a day ahead while it runs: what waits and what is read
# meanwhile does not expire, for it may be a slip.
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/fault/bench.sh
setup

DAY=90000 # seconds, and some

# The date of everything that is started from now on.
clock() {
	echo "$1" >"$T/clock.next"
	mv "$T/clock.next" "$T/clock"
}

is_waiting() {
	is "$(status spool.events)" "$1"
}

expired() {
	status spool.expired_events >/dev/null
	echo $(($(json_get "$T/status" spool.expired_events) +
		$(json_get "$T/status" events.expired)))
}

start_standin
write_config
clock 0
SPARKTAIL_CLOCK=$T/clock
export SPARKTAIL_CLOCK
fresh
faults '*:503'
start_daemon
more_rows 20
step "a batch waits" wait_until 10 is_waiting 20
clock "$DAY"
step "the date leaps: said" wait_until 10 logged "ahead: it is not believed" 1
more_rows 20
step "... what is read does not expire" wait_until 10 is_waiting 40
faults
step "... nor does what waits: all of it is sent" here_once 10 1-40
step "... nothing expired" is "$(expired)" 0
faults '*:503'
more_rows 20
wait_until 10 is_waiting 20
clock 0
step "the date is right again: said" wait_until 10 logged \
	"as it was before it leapt" 1
faults
step "... all of it is sent, once" here_once 10 1-60
step "... nothing expired" is "$(expired)" 0
step "... the ledger agrees" wait_until 5 agrees
clock -7200
more_rows 20
step "the date goes back: rows are sent" here_once 10 1-80
step "... without a word" logged "leapt" 2
step "it ends" stop_daemon
