#!/bin/sh
# status: the ledger of a running or stopped shipper, for people and programs.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

# These names are an interface: what exists keeps its name.
KEYS="version running pid since node
rows.read rows.shipped rows.malformed rows.expired
events.reception events.delivery events.inband events.tempfail
events.outofband events.feedback events.expired
spool.batches spool.events spool.bytes spool.oldest_event spool.deadline
spool.free_bytes spool.evicted_batches spool.evicted_events
spool.expired_batches spool.expired_events spool.open_gaps
spool.healed_events spool.refused_batches spool.refused_events
upload.state upload.window upload.batches upload.events upload.bytes
upload.failures upload.last_success upload.last_error upload.next_try
outcome.confirmed_events outcome.rejected_events outcome.duplicate_events
outcome.unconfirmed_batches
ledger.agrees ledger.difference"
FILE_KEYS="path state offset size lag_bytes lag_seconds rows pmta_rows"
SKIPS="tq rs unknown-type dlv-type sparkpost-queue inbound-domain not-spam
delay-off injection-off"

ALL=d=60,b=10,t=20,r=10,rb=3,f=3,tq=3,rs=2

value() {
	json_get "$T/status.json" "$1"
}

has_all_keys() {
	for key in $KEYS; do
		value "$key" >/dev/null || {
			echo "no $key"
			return 1
		}
	done
	for key in $FILE_KEYS; do
		is "$(value "sources[].$key" | wc -l)" "$1" || return 1
	done
}

# sum KEY ...: of those that are there
sum() {
	total=0
	for key in "$@"; do
		for n in $(value "$key"); do
			total=$((total + n))
		done
	done
	echo "$total"
}

# Not as the program says it, but added up here.
sums_agree() {
	skipped=0
	for reason in $SKIPS; do
		skipped=$((skipped + $(sum "rows.skipped.$reason")))
	done
	is "$(value rows.read)" "$((skipped + $(sum rows.shipped \
		rows.malformed rows.expired \
		rows.not_shipped.vmta:internal rows.not_shipped.default)))" &&
		is "$(sum events.reception events.delivery events.inband \
			events.tempfail events.outofband events.feedback)" \
			"$(sum spool.events upload.events \
				spool.refused_events spool.evicted_events \
				spool.expired_events)" &&
		is "$(sum 'sources[].rows')" "$(value rows.read)" &&
		is "$(value ledger.agrees)" true
}

# look: the state as it is now
look() {
	sparktail status --json >"$T/status.json"
}

# state NAME: of the upload, now
state() {
	look && [ "$(value upload.state)" = "$1" ]
}

# window N: so many uploads may be in flight at once, now
window() {
	look && [ "$(value upload.window)" = "$1" ]
}

no_spool() {
	step "no spool: 74" exits 74 sparktail status
	step "... is said" says "cannot read the spool $T/spool: No such file"
	step "no spool: --json as well" exits 74 sparktail status --json
	step "... prints nothing" prints_nothing
	step "a configuration with mistakes: 78" exits 78 \
		"$B/sparktail" -c "$T/log" status
}

stopped() {
	generate --rows 500 --types "$ALL"
	printf 'd,nonsense\nzz,1\n' >>"$(echo "$T"/log/*.csv)"
	echo "no header" >"$T/log/headless.csv"
	step "once" exits 0 sparktail once
	step "status --json" exits 0 sparktail status --json
	cp "$T/out" "$T/status.json"
	step "... is one line" prints_lines 1
	step "... has all keys" has_all_keys 2
	step "... its sums agree" sums_agree
	step "... nothing runs" is "$(value running) $(value pid)" "false 0"
	step "... so nothing may be in flight" is "$(value upload.window)" 0
	step "... the node is known" is "$(value node)" node.test
	step "... all rows were read" is "$(value rows.read)" 502
	step "... one was malformed" is "$(value rows.malformed)" 1
	step "... one of a type that nobody knows" is \
		"$(value rows.skipped.unknown-type)" 1
	step "... and the service has it" is "$(value upload.events)" \
		"$(stats events.accepted)"
	step "... in as many bytes" test "$(value upload.bytes)" -gt 1000
	step "... just now" test "$(value upload.last_success)" -gt \
		"$(($(date +%s) - 60))"
	step "... its file is followed" is "$(value 'sources[].state' |
		sort | tr '\n' ' ')" "following set-aside "
	step "... to its end" is "$(value 'sources[].lag_bytes' | head -n 1)" 0

	step "status for people" exits 0 sparktail status
	step "... says that nothing runs" prints "does not run"
	step "... how many rows were read" prints "502 read: "
	step "... why some were skipped" prints "unknown-type"
	step "... that nothing waits" prints "0 batches with 0 events wait"
	step "... where files are" prints "rows, read to its end"
	step "... that no file is left out" prints "set-aside  $T/log/headless"
	step "... that it agrees" prints "every row and event has its account"
	step "... and nothing else is said" says_nothing
	step "a full disk: 74" exits 74 to_a_full_disk
	step "... is said" says "No space left on device"
}

to_a_full_disk() {
	sparktail status --json >/dev/full
}

not_all() {
	rm "$T/log/headless.csv"
	generate --rows 200 --base mapped --seed 5
	write_config 'mapping: {default: {ship: false}}' \
		'events.max_age: 1s'
	step "once more, with nothing to ship" exits 0 sparktail once
	step "... is counted" look
	step "... by the entry that said so" test \
		"$(value rows.not_shipped.default)" -gt 100
	step "... and agrees" sums_agree
	rm "$T"/log/mapped*
	write_config 'events.max_age: 1s'
	generate --rows 100 --base old --seed 6
	step "events that are too old" exits 0 sparktail once
	look
	step "... have expired" test "$(value rows.expired)" -gt 50
	step "... all of them" test "$(value events.expired)" -gt 100
	step "... and it agrees" sums_agree
	step "a file that went away is gone" is "$(value 'sources[].state' |
		sort | tr '\n' ' ')" "following following gone "
}

running() {
	write_config
	start_daemon
	step "a daemon" look
	step "... has all keys" has_all_keys 3
	step "... its pid" is "$(value running) $(value pid)" \
		"true $DAEMON_PID"
	step "... since when" test "$(value since)" -gt \
		"$(($(date +%s) - 60))"
	step "... one upload at a time, to begin with" is \
		"$(value upload.window)" 1
	step "... for people too" exits 0 sparktail status
	step "... by its pid" prints "runs with pid $DAEMON_PID"
	step "... one at a time" prints "upload     idle, up to 1 at once: "

	faults '*:503,retry-after=30'
	generate --rows 300 --base late --seed 7
	step "while the service is away it waits" wait_until 10 state waiting
	step "... until a time" test "$(value upload.next_try)" -gt \
		"$(date +%s)"
	step "... says why" is "$(value upload.last_error)" \
		"status 503: Service Unavailable"
	step "... counts it" test "$(value upload.failures)" -ge 1
	step "... has a backlog" test "$(value spool.events)" -gt 100
	step "... whose deadline is a day after its oldest event" is \
		"$(($(value spool.deadline) - $(value spool.oldest_event)))" \
		86400
	step "... and agrees" sums_agree
	step "... people see it" exits 0 sparktail status
	step "... with the reason" prints "last error: status 503"
	step "... and the deadline" prints ", to be sent before 20"
	faults '*:401'
	kill -HUP "$DAEMON_PID"
	step "a key that is refused is told apart" wait_until 20 \
		state key-refused
	step "... and agrees" sums_agree
	faults
	kill -HUP "$DAEMON_PID"
	step "when it is accepted all goes" wait_until 20 state idle
	wait_until 10 status_idle
	step "... and what was accepted lets two go at once" window 2
	faults '*:503,retry-after=30'
	generate --rows 10 --base hard --seed 9
	step "trouble" wait_until 10 state waiting
	step "... halves that" window 1
	step "... and it agrees" sums_agree
	faults
	kill -HUP "$DAEMON_PID"
	wait_until 20 status_idle
	printf 'd,unfinished' >>"$(echo "$T"/log/late*.csv)"
	step "half a row is lag" wait_until 10 lags 12
	echo >>"$(echo "$T"/log/late*.csv)"
	step "... until it is whole" wait_until 10 lags 0
	step "... and then a malformed one" is "$(value rows.malformed)" 2
}

lags() {
	look && [ "$(sum 'sources[].lag_bytes')" -eq "$1" ]
}

# Every look at a busy daemon finds sums that agree.
busy() {
	rm "$T"/log/*
	generate --rows 8000 --rate 4000 --roll-every 1000 --base busy \
		--seed 8 &
	generator=$!
	PIDS="$PIDS $generator"
	looks=0
	until gone "$generator"; do
		look || return 1
		[ $((looks % 10)) -ne 5 ] || sums_agree || return 1
		looks=$((looks + 1))
	done
	wait "$generator" || return 1
	echo "looked $looks times"
	[ "$looks" -gt 5 ]
}

quiet_again() {
	status_idle && look && [ "$(sum 'sources[].lag_bytes')" -eq 0 ]
}

start_standin
write_config
no_spool
stopped
not_all
running
step "while rows come and go the sums agree at all times" busy
step "in the end" wait_until 20 quiet_again
step "... too" sums_agree
step "the daemon ends" stop_daemon
