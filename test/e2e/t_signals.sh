#!/bin/sh
# shellcheck disable=SC2119
# Signals, and what a supervisor is told.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
notices=$T/notices
unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID

# start_notified [--watchdog USEC]
start_notified() {
	"$TOOLS/notified" "$@" "$notices" "$B/sparktail" -c "$T/conf.yaml" \
		run >>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	PIDS="$PIDS $DAEMON_PID"
	wait_until 10 daemon_runs || fail "the daemon does not run"
}

# told TEXT [TIMES]: was the supervisor told that, at least so often?
told() {
	[ "$(cut -d ' ' -f 2- "$notices" | grep -c "$1")" -ge "${2:-1}" ]
}

# The order of what was told, without what comes again and again.
order() {
	cut -d ' ' -f 2- "$notices" | grep -v -e ^STATUS= -e ^WATCHDOG=1 |
		sed 's/MONOTONIC_USEC=[0-9]*/MONOTONIC_USEC/' | tr '\n' ' '
}

# Does the stamp of the reload lie just before the message's own time?
stamped() {
	sed -n 's/^\([0-9]*\) .*MONOTONIC_USEC=\([0-9]*\).*/\1 \2/p' "$notices" |
		awk '{ age = $1 - $2 / 1000
			if (age < -1 || age > 1000) exit 1; n++ }
		END { exit n == 0 }'
}

# Does each WATCHDOG=1 come within the time that is allowed?
in_time() {
	awk -v most="$1" '$2 == "WATCHDOG=1" {
		if (last && $1 - last > most) { print $1 - last; exit 1 }
		last = $1 }' "$notices"
}

has_datagram_socket() {
	find "/proc/$DAEMON_PID/fd" -lname 'socket:*' -printf '%l\n' |
		tr -dc '0-9\n' >"$T/sockets"
	awk 'NR == FNR { ours[$1]; next } $5 == "0002" && $7 in ours { n++ }
		END { exit n == 0 }' "$T/sockets" "/proc/$DAEMON_PID/net/unix"
}

# reload SIGNALS-SO-FAR: ask for it, and wait until it has been done
reload() {
	kill -HUP "$DAEMON_PID"
	wait_until 10 logged "is in force" "$1"
}

# The number of events in the last batch that was taken.
last_batch() {
	grep '"status":200' "$T/requests" | grep '"POST"' | tail -n 1 |
		json_get - events
}

largest_batch() {
	grep '"status":200' "$T/requests" | tail -n "+$1" |
		sed 's/.*"events":\([0-9]*\).*/\1/' | sort -n | tail -n 1
}

requests() {
	grep -c '"status":200' "$T/requests"
}

told_and_reloaded() {
	{ header && rows 1 100; } >"$acct"
	start_notified
	step "READY=1 comes first" is "$(head -n 1 "$notices" |
		cut -d ' ' -f 2-)" READY=1
	step "then a status" wait_until 5 told "^STATUS=..*files"
	step "rows arrive" here_once 5 1-100
	step "SIGHUP reloads" reload 1
	step "... RELOADING=1 with its time, then READY=1" wait_until 5 is_reloaded
	step "... the time is now" stamped
	step "nobody watches: no WATCHDOG=1" is \
		"$(grep -c WATCHDOG "$notices")" 0
	step "it holds the supervisor's socket" has_datagram_socket
	step "it ends" stop_daemon
	step "... with STOPPING=1" wait_until 5 is_stopped
}

is_reloaded() {
	is "$(order)" "READY=1 RELOADING=1|MONOTONIC_USEC READY=1 "
}

is_stopped() {
	is "$(order)" \
		"READY=1 RELOADING=1|MONOTONIC_USEC READY=1 STOPPING=1 "
}

watched() {
	start_notified --watchdog 1500000
	step "watched: WATCHDOG=1 comes again and again" wait_until 10 \
		told "^WATCHDOG=1" 5
	step "... always in time" in_time 1500
	rows 101 120 >>"$acct"
	step "... while rows arrive as well" here_once 5 1-120
	faults '*:stall=60000'
	rows 121 130 >>"$acct"
	step "a service that is silent" wait_until 15 told "^WATCHDOG=1" 10
	step "... does not stop it" in_time 1500
	faults
	step "... and then all of it goes" here_once 10 1-130
	step "it ends" stop_daemon
	export WATCHDOG_PID=1 WATCHDOG_USEC=300000
	start_notified
	unset WATCHDOG_PID WATCHDOG_USEC
	rows 131 140 >>"$acct"
	step "somebody else is watched: rows arrive" here_once 5 1-140
	step "... and no WATCHDOG=1" is "$(grep -c WATCHDOG "$notices")" 0
	step "it ends" stop_daemon
}

reloads() {
	: >"$T/daemon.log"
	start_daemon
	step "without NOTIFY_SOCKET nobody is told" eval '! has_datagram_socket'
	n=$(requests)
	write_config 'batch.max_events: 10'
	step "a smaller batch" reload 1
	rows 141 230 >>"$acct"
	step "... is in force" here_once 5 1-230
	step "... for all that follows" is "$(largest_batch $((n + 1)))" 10

	write_config 'batch.max_delay: 1h'
	step "a longer delay" reload 2
	rows 231 240 >>"$acct"
	write_config 'batch.max_delay: 200ms' 'mapping:
  default: {ship: true}
  vmta:
    internal: {ship: false}
'
	step "a mapping and a shorter delay" reload 3
	rows 241 250 hidden internal >>"$acct"
	rows 251 260 >>"$acct"
	step "... are in force" here_once 5 1-240 251-260
	step "... and counted" wait_until 5 is_counted 10

	mkdir "$T/more"
	{ header && rows 1 30 more; } >"$T/more/acct.csv"
	SOURCES="  - path: \"$T/log/*.csv\"
  - path: \"$T/more/*.csv\""
	write_config
	step "one more source" reload 4
	step "... is read" here_once 5 1-240 251-260 1-30:more
	rows 31 40 more >>"$T/more/acct.csv"
	rows 261 270 >>"$acct"
	step "... and followed, as the old one" here_once 5 1-240 251-270 \
		1-40:more

	write_config 'batch.max_events: many' 'batch.max_dealy: 5s'
	kill -HUP "$DAEMON_PID"
	step "a broken file" wait_until 5 logged "stays in force"
	step "... each mistake is said" logged "conf.yaml:" 2
	step "... with what was meant" logged max_delay
	rows 271 280 >>"$acct"
	step "... the old one stays in force" here_once 5 1-240 251-280 \
		1-40:more

	(umask 077 && echo wrong >"$T/api.key")
	write_config
	step "a wrong key" reload 5
	rows 281 290 >>"$acct"
	step "... is not hidden" wait_until 5 state_is key-refused
	(umask 077 && echo "$KEY" >"$T/api.key")
	step "the right key" reload 6
	step "... is tried at once" here_once 5 1-240 251-290 1-40:more

	step "thirty reloads more" often 7 36
	step "... leave no descriptor behind" between -8 "$descriptors" 0
	step "... and no memory" between -4096 "$kilobytes" 1024
	rows 291 300 >>"$acct"
	step "... all is followed as before" here_once 5 1-240 251-300 \
		1-40:more

	kill -USR1 "$DAEMON_PID"
	step "SIGUSR1 logs the status" wait_until 5 logged \
		"status: 2 files, 340 rows read"
	step "nothing was sent twice" is "$(stats events.duplicate)" 0
	step "the ledger agrees" wait_until 5 agrees
	step "it ends" stop_daemon
}

# often FIRST LAST: reload; what it has more afterwards, in $descriptors and
# $kilobytes.  Sanitizers keep what was freed for a while.
often() {
	descriptors=$(find "/proc/$DAEMON_PID/fd" -type l | wc -l)
	kilobytes=$(resident)
	for i in $(seq "$1" "$2"); do
		reload "$i" || return 1
	done
	wait_until 5 state_is idle
	descriptors=$(($(find "/proc/$DAEMON_PID/fd" -type l | wc -l) -
		descriptors))
	kilobytes=$(($(resident) - kilobytes))
	echo "  $kilobytes KiB"
	is_plain || kilobytes=0
}

resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON_PID/status"
}

is_counted() {
	status rows.read >/dev/null
	is "$(sed -n 's/.*"not_shipped":{[^}]*:\([0-9]*\)}.*/\1/p' \
		"$T/status")" "$1"
}

start_standin
write_config 'ingest.timeout: 2s'
told_and_reloaded
watched
reloads
