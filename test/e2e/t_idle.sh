#!/bin/sh
# shellcheck disable=SC2119
# A daemon with nothing to do does nothing, however many files lie beside it.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

WINDOW=12	# seconds; a rescan may fall into it, and no more than 0.1 % of a core
SWITCHES=4
TICKS=1
FILES=10000
MEMORY=32768	# KiB

# How often all its threads gave up the processor by themselves.
switches() {
	cat /proc/"$DAEMON_PID"/task/*/status |
		awk '/^voluntary_ctxt/ { sum += $2 } END { print sum }'
}

# User and system time, in ticks; the name before them has no blank.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$DAEMON_PID/stat"
}

# Has it put everything away, and not touched the checkpoint for 2 s?
settled() {
	ready_empty &&
		[ $(($(date +%s) - $(stat -c %Y "$T/spool/checkpoint.json"))) -gt 2 ]
}

knows() {
	is "$(status 'sources[].path' | wc -l)" "$1"
}

# The one wait that is for a time: it is what is measured.
idle() {
	wait_until 30 settled || return 1
	idle_switches=$(switches)
	idle_ticks=$(ticks)
	sleep "$WINDOW"
	idle_switches=$(($(switches) - idle_switches))
	idle_ticks=$(($(ticks) - idle_ticks))
	echo "  $idle_switches switches, $idle_ticks ticks in $WINDOW s"
	between 0 "$idle_switches" "$SWITCHES" && between 0 "$idle_ticks" "$TICKS"
}

old_files() {
	header >"$T/header"
	rows 1 "$FILES" old | awk -v dir="$T/log" -v header="$T/header" '
		BEGIN { getline head <header }
		{ file = dir "/old-" NR ".csv"; print head "\n" $0 >file
			close(file) }'
	touch -d '2 hours ago' "$T"/log/old-*.csv
}

memory_is_small() {
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$DAEMON_PID/status")
	echo "  $peak KiB"
	! is_plain || between 0 "$peak" "$MEMORY"
}

reload() {
	kill -HUP "$DAEMON_PID"
	wait_until 10 logged "is in force" 1
}

is_plain || TICKS=$((TICKS * 10))
is_plain || FILES=2000
# The thread sanitizer has a thread of its own that wakes ten times a second.
case $B in
*tsan*) SWITCHES=$((WINDOW * 12)) ;;
esac
start_standin
write_config 'spool.keep_sent: 1h'
{ header && rows 1 100; } >"$T/log/live.csv"
start_daemon
step "a hundred rows arrive" here_once 5 1-100
step "then it is idle" idle
rows 101 101 >>"$T/log/live.csv"
step "... and awake at once" here_once 5 1-101

stop_daemon
old_files
touch "$T/log/live.csv"
rm -rf "$T/spool"
SOURCES="  - path: \"$T/log/*.csv\"
    start: end"
write_config 'threads: 3'
start_daemon
step "$FILES files are known" wait_until 60 knows $((FILES + 1))
step "with them beside it, it is idle too" idle
rows 102 102 >>"$T/log/live.csv"
step "... and awake at once" here_once 5 1-102
step "... memory stays small" memory_is_small
step "it takes over all of them at a reload" reload
rows 103 103 >>"$T/log/live.csv"
step "... and goes on" here_once 5 1-103
step "... memory stays small" memory_is_small
step "the ledger agrees" wait_until 5 agrees
