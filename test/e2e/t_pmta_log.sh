#!/bin/sh
# shellcheck disable=SC2119
# Finished files are compared with what PowerMTA's log says of them, once, and
# nothing is compared that cannot be.  A file is finished a minute after another
# took over; to wait for that by the clock, LONG=1.  Otherwise the checkpoint is
# told so between two runs.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct
pmta=$T/pmta.log

# says_moved NUMBER RECORDS: as PowerMTA might say it
says_moved() {
	echo "2026-11-22 12:16:38 moved $acct-$1.csv to /done/acct-$1.csv," \
		"$2 records" >>"$pmta"
}

# finish NUMBER ...: the checkpoint has these as finished
finish() {
	for number in "$@"; do
		sed -i "/acct-$number.csv/s/\"following\"/\"finished\"/" \
			"$T/spool/checkpoint.json"
	done
}

# counted NUMBER RECORDS: does status say so?
counted() {
	sparktail status --json >"$T/status"
	is "$(grep -o "\"path\":\"$acct-$1.csv\",[^}]*" "$T/status" |
		grep -o '"pmta_rows":[-0-9]*')" "\"pmta_rows\":$2"
}

# In the checkpoint, and not only in what runs?
saved() {
	grep -q "acct-$1.csv.*\"pmta_rows\":$2," "$T/spool/checkpoint.json"
}

quiet_about() {
	! grep -q "acct-$1.csv: PowerMTA" "$T/daemon.log"
}

compared() {
	logged "agrees: $acct-1.csv: PowerMTA counted 10 records" 1 &&
		logged "differs: $acct-2.csv: PowerMTA counted 21 records, 20 rows" 1
}

# One more than there are rows, and a file that is not finished.
first() {
	for n in 1 2 3; do
		{ header && rows 1 $((n * 10)) "n$n"; } >"$acct-$n.csv"
	done
	start_daemon
	step "files are read" here_once 10 1-10:n1 1-20:n2 1-30:n3
	step "... and no log, as long as none is finished" \
		is "$(grep -c "cannot read: $pmta" "$T/daemon.log")" 0
	stop_daemon
	finish 1 2
	says_moved 1 10
	says_moved 2 21
	says_moved 3 999
	start_daemon
	step "finished ones are compared" wait_until 10 compared
	step "... one that is not is not" quiet_about 3
	step "... status has what agrees" wait_until 5 counted 1 10
	step "... and what does not" counted 2 21
	step "... and nothing of the other" counted 3 -1
	sparktail status >"$T/text"
	step "status for people names the one that differs" \
		grep -q "acct-2.csv: 20 rows, .*; PowerMTA COUNTED 21" "$T/text"
	step "... and only that" is "$(grep -c COUNTED "$T/text")" 1
	step "... and the ledger agrees" agrees
	step "it is in the checkpoint" wait_until 5 saved 2 21
}

again() {
	stop_daemon
	start_daemon
	step "after a restart status has it" counted 2 21
	rows 31 40 n3 >>"$acct-3.csv"
	step "... rows are read" here_once 10 1-10:n1 1-20:n2 1-40:n3
	step "... and nothing is said twice" compared
	stop_daemon
	rows 21 21 n2 >>"$acct-2.csv"
	start_daemon
	here_once 10 1-10:n1 1-21:n2 1-40:n3
	step "one that grew is not finished any more" wait_until 5 counted 2 -1
	stop_daemon
	finish 2
	start_daemon
	step "... and agrees when it is again" wait_until 10 logged \
		"agrees: $acct-2.csv: PowerMTA counted 21 records" 1
}

# Rows that were left alone cannot be counted.
from_the_end() {
	stop_daemon
	rm -r "$T/spool"
	SOURCES="  - path: \"$T/log/*.csv\"
    start: end
    pmta_log: \"$pmta\""
	write_config 'log.verbose: true'
	: >"$T/daemon.log"
	start_daemon
	rows 11 12 n1 >>"$acct-1.csv"
	step "start: end: later rows are read" here_once 10 \
		1-12:n1 1-21:n2 1-40:n3
	stop_daemon
	finish 1
	says_moved 1 12
	start_daemon
	wait_until 5 logged "started" 2
	rows 41 41 n3 >>"$acct-3.csv"
	step "... what is behind them is not compared" here_once 10 \
		1-12:n1 1-21:n2 1-41:n3
	step "... nor said" quiet_about 1
	step "... nor shown" counted 1 -1
}

# A reload brings another log, which cannot be read.
reloaded() {
	{ header && rows 1 5 n4; } >"$acct-4.csv"
	here_once 10 1-12:n1 1-21:n2 1-41:n3 1-5:n4
	stop_daemon
	finish 4
	SOURCES="  - path: \"$T/log/*.csv\"
    pmta_log: \"$T/nowhere\""
	write_config 'log.verbose: true'
	start_daemon
	step "a log that cannot be read is said" wait_until 10 \
		logged "cannot read: $T/nowhere: what PowerMTA counted" 1
	says_moved 4 6
	SOURCES="  - path: \"$T/log/*.csv\"
    pmta_log: \"$pmta\""
	write_config
	kill -HUP "$DAEMON_PID"
	step "a reload brings another" wait_until 10 \
		logged "differs: $acct-4.csv: PowerMTA counted 6 records, 5" 1
	step "... and what is there stays" agrees
}

# By the clock: finished after a minute, looked at within another, and so is a
# line that comes later.
by_the_clock() {
	for n in 5 6 7; do
		{ header && rows 1 10 "n$n"; } >"$acct-$n.csv"
	done
	says_moved 5 11
	mkdir "$T/done"
	wait_until 10 counted 7 -1
	mv "$acct-6.csv" "$T/done/"
	step "a file is finished and compared" wait_until 150 \
		logged "differs: $acct-5.csv: PowerMTA counted 11 records, 10" 1
	step "... one that moved away is not yet" quiet_about 6
	says_moved 6 9
	step "a line that comes later is read" wait_until 130 \
		logged "differs: $acct-6.csv: PowerMTA counted 9 records, 10" 1
}

SOURCES="  - path: \"$T/log/*.csv\"
    pmta_log: \"$pmta\""
start_standin
write_config 'log.verbose: true'
first
again
from_the_end
reloaded
[ "${LONG:-}" != 1 ] || by_the_clock
step "it ends" stop_daemon
