#!/bin/sh
# One shipper for each spool: a second one ends at once and says why; a lock
# that a dead one left does not matter.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

# Would it wait, it would be ended and give 124.
once() {
	within 5 "$B/sparktail" -c "$T/conf.yaml" once
}

run() {
	within 5 "$B/sparktail" -c "$T/conf.yaml" run
}

kill_daemon() {
	stop_daemon KILL
	[ $? -eq 137 ]
}

arrived() {
	check_all && status_idle
}

taken() {
	start_daemon
	step "once, while a daemon runs: 75" exits 75 once
	step "... says who has the spool" says \
		"another sparktail (pid $DAEMON_PID) holds $T/spool/lock"
	step "... on one line" says_lines 1
	step "run: 75" exits 75 run
	step "... says the same" says "(pid $DAEMON_PID) holds"
	step "status may look" exits 0 sparktail status
	step "... and knows the daemon" prints "runs with pid $DAEMON_PID"
	step "check may run" exits 0 sparktail check
	step "the daemon does not mind" wait_until 10 arrived
	step "... and has nothing to say of it" is \
		"$(grep -c another "$T/daemon.log")" 0
	write_config "spool.directory: $T/spool2"
	step "another spool is free" exits 0 once
	write_config
	step "the daemon ends" stop_daemon
	step "then once may" exits 0 once
}

left_behind() {
	generate --rows 100 --base second
	start_daemon
	step "a daemon" wait_until 10 arrived
	step "... is killed" kill_daemon
	step "... its lock stays" is "$(cat "$T/spool/lock")" "$DAEMON_PID"
	step "status does not believe it" is "$(status running)" false
	step "... nor does once" exits 0 once
	generate --rows 100 --base third
	for text in $$ 1 -7 nonsense ''; do
		echo "$text" >"$T/spool/lock"
		step "a lock that says \"$text\"" exits 0 once
	done
	step "... is none" arrived
	rm "$T/spool/lock"
	step "without one" exits 0 once
	step "... there is one again" test -e "$T/spool/lock"
}

# Many at a time: each ends with 0 or 75, and one of them did it all.
crowd() {
	crowd_pids=
	for i in 1 2 3 4 5 6 7 8; do
		once 2>>"$T/crowd.err" &
		crowd_pids="$crowd_pids $!"
	done
	crowd_done=0
	for i in $crowd_pids; do
		wait "$i"
		case $? in
		0) crowd_done=$((crowd_done + 1)) ;;
		75) ;;
		*) return 1 ;;
		esac
	done
	[ "$crowd_done" -gt 0 ]
}

at_once() {
	generate --rows 1000 --base fourth
	step "eight at a time" crowd
	step "... do it once" arrived
	step "... and agree" exits 0 sparktail status
}

start_standin
write_config
generate --rows 100
taken
left_behind
at_once
