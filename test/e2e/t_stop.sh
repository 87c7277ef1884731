#!/bin/sh
# shellcheck disable=SC2119
# SIGTERM: a quick end that keeps every row.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
QUICK=1000
GRACE=10000
is_plain || QUICK=3000

# How many events wait in ready/?
waiting() {
	find "$T/spool/ready" -name '*.ndjson.gz' -exec zcat {} + | wc -l
}

# ends LEAST MOST: with status 0, in so many milliseconds
ends() {
	ends_begin=$(now_ms)
	stop_daemon || return 1
	ends_took=$(($(now_ms) - ends_begin))
	echo "  $ends_took ms"
	between "$1" "$ends_took" "$2"
}

seen() {
	[ "$(status "sources[].path" | head -n 1)" = "$acct" ] &&
		[ "$(status rows.read)" -ge "$1" ]
}

# Is somebody asking who gets no answer?
is_asked() {
	[ "$(stats posts)" -gt "$1" ]
}

start_standin
write_config 'batch.max_delay: 1h'
{ header && rows 1 100; } >"$acct"
start_daemon
step "rows wait for max_delay" is "$(accepted)" 0
step "SIGTERM: it ends at once" ends 0 "$QUICK"
step "... the rows are sealed or sent" is $(($(accepted) + $(waiting))) 100
step "... nothing else is left in the spool" is "$(ls "$T/spool/tmp")" ''
step "... the ledger agrees" agrees
write_config
start_daemon
step "the next start has sent all of them" here_once 5 1-100
rows 101 150 >>"$acct"
step "more arrive" here_once 5 1-150
step "SIGTERM when idle: it ends at once" ends 0 "$QUICK"
step "... with two lines in the log" logged stopped 2
start_daemon
kill -INT "$DAEMON_PID"
step "SIGINT does the same" wait "$DAEMON_PID"

write_config 'batch.max_delay: 1h'
start_daemon
rows 151 160 >>"$acct"
rows 161 161 | head -c 60 >>"$acct"
step "half a row is not sealed" ends 0 "$QUICK"
step "... the rows before it are" is $(($(accepted) + $(waiting))) 160
rows 161 161 | tail -c +61 >>"$acct"

write_config
faults '*:stall=60000'
posts=$(stats posts)
start_daemon
step "the service takes the call and is silent" wait_until 5 is_asked "$posts"
step "... rows are read on" wait_until 5 seen 161
step "SIGTERM: it ends within the grace" ends 0 $((GRACE + QUICK))
step "... nothing of it is lost" is $(($(accepted) + $(waiting))) 161
step "... the ledger agrees" agrees
faults
start_daemon
step "the next start sends all of it once" here_once 10 1-161
step "... and nothing waits" wait_until 5 status_idle
step "... the ledger agrees" agrees
step "it ends" ends 0 "$QUICK"
