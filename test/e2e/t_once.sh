#!/bin/sh
# `once`, as cron runs it: again and again over a file that grows.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

once() {
	sparktail once >>"$T/daemon.log" 2>&1
	is $? "$1"
}

wrong_key() {
	(umask 077 && tr 0-9 9 <"$T/api.key" >"$T/other.key")
	mv "$T/other.key" "$T/api.key"
}

right_key() {
	(umask 077 && echo "$KEY" >"$T/api.key")
}

# What there is in the directory of PowerMTA: inodes, modes, sizes, times, bytes.
looks() {
	find "$T/log" -printf '%P %i %m %s %T@ %C@\n' | sort
	cat "$T"/log/* | cksum
}

start_standin
write_config
acct=$T/log/acct-2026-01-31-0000.csv

{ header && rows 1 300; } >"$acct"
before=$(looks)
step "the first run ships what is there" once 0
step "... the accounting files are as they were" is "$(looks)" "$before"
step "... each row once" each_once 1-300
step "... and leaves nothing behind" ready_empty
rows 301 350 >>"$acct"
step "the next one ships what was added" once 0
step "... each row once" each_once 1-350
rows 351 351 | head -c 100 >>"$acct"
step "half a row at the end" once 0
step "... waits" each_once 1-350
rows 351 351 | tail -c +101 >>"$acct"
step "with its other half" once 0
step "... it is a row" each_once 1-351
{ header && rows 352 360; } >"$T/log/acct-2026-01-31-0001.csv"
rows 361 365 >>"$acct"
step "two files at a time" once 0
step "... are both read" each_once 1-365
step "without anything new" once 0
step "... nothing is sent" is "$(stats duplicate.delivery)" 0
step "the ledger agrees" agrees

# The next try is so far away that no run waits for it.
stop_standin
write_config 'ingest.retry_min: 1h' 'ingest.retry_max: 1h'
rows 366 400 >>"$acct"
step "the service is away: 75" once 75
step "... said in words" logged "still waiting"
step "... a batch waits" is "$(ready)" 1
rows 401 420 >>"$acct"
step "... still away" once 75
step "... two batches wait" is "$(ready)" 2
step "... the ledger agrees" agrees
start_standin
step "when it is back" once 0
step "... all of it goes" each_once 1-420
step "... and nothing is left" ready_empty

wrong_key
rows 421 440 >>"$acct"
step "a wrong key: 77" once 77
step "... nothing was taken" each_once 1-420
step "... nothing is lost" is "$(status spool.events)" 20
step "... the ledger agrees" agrees
right_key
rows 441 450 >>"$acct"
step "with the right one" once 0
step "... all of it goes" each_once 1-450
step "... and nothing is left" ready_empty

# One event that is refused may be the service's fault: it is not waited for.
faults '*:refuse-if=poison'
rows 1 1 bad mta1 poison >>"$acct"
begin=$(now_ms)
step "one event is refused: 75" once 75
step "... soon" between 0 $(($(now_ms) - begin)) 6000
step "... nothing is in refused/" is "$(ls "$T/spool/refused")" ''
rows 451 455 >>"$acct"
step "with others that are accepted" once 0
step "... it was the data" is "$(status spool.refused_events)" 1
step "... these are there" each_once 1-455
faults

rm -r "$T/spool"
SOURCES="  - path: \"$T/log/*.csv\"
    start: end"
write_config
step "a first start at the end" once 0
step "... is remembered" once 0
rows 456 460 >>"$acct"
step "the next one ships what was added" once 0
step "... and nothing else" is "$(status rows.read)" 5
step "... each row once" each_once 1-460
rm -r "$T/spool"
start_daemon
step "so it is with a first start that is killed" wait_until 5 \
	test -s "$T/spool/checkpoint.json"
kill_daemon
rows 461 470 >>"$acct"
step "the next one ships what was added" once 0
step "... each row once" each_once 1-470

start_daemon
begin=$(now_ms)
step "a second copy on the same spool: 75" once 75
step "... at once" between 0 $(($(now_ms) - begin)) 2000
step "... and says why" logged "$DAEMON_PID"
step "the first one is not disturbed" stop_daemon
step "the ledger agrees" agrees
