#!/bin/sh
# shellcheck disable=SC2119
# What each answer of the service does to a batch, and to those behind it.
# What is refused for what it holds has a test of its own, t_refused.sh.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
n=0

# So many rows more, which make one batch.
more() {
	rows $((n + 1)) $((n + $1)) >>"$acct"
	n=$((n + $1))
}

all() {
	here_once 15 "1-$n"
}

tried() {
	[ "$(stats faults)" -ge "$1" ]
}

waiting() {
	find "$T/spool/ready" -name '*.ndjson.gz' -exec zcat {} + | wc -l
}

# shows STATE WORDS: regular expressions
shows() {
	status upload.state | grep -qx -e "$1" &&
		json_get "$T/status" upload.last_error | grep -q -e "$2"
}

# stays WHAT RULE STATE WORDS [TRIES]: an answer that takes nothing.  The batch
# stays whole, status says why, and when the fault is gone it goes once.
stays() {
	stays_faults=$(stats faults)
	stays_duplicates=$(stats events.duplicate)
	stays_accepted=$(accepted)
	faults "*:$2"
	more 20
	step "$1: it is tried again" wait_until 15 tried \
		$((stays_faults + ${5:-3}))
	step "... the batch stays whole" is "$(waiting)" 20
	step "... the state is $3" wait_until 5 shows "$3" "$4"
	step "... nothing was taken" is "$(accepted)" "$stays_accepted"
	faults
	step "... then all of it goes" all
	step "... once" is "$(stats events.duplicate)" "$stays_duplicates"
}

# parks WHAT RULE WORDS SAID: the same, and the log says it once
parks() {
	: >"$T/daemon.log"
	stays "$1" "$2" key-refused "$3"
	step "... it was said once" logged "$4" 1
	step "... and that it is over" logged "uploads work again" 1
	step "... nothing was refused" is "$(ls "$T/spool/refused")" ''
}

# repeats WHAT RULE: an answer that gets lost after the batch was taken
repeats() {
	repeats_duplicates=$(stats events.duplicate)
	faults "$(($(stats posts) + 1)):$2"
	more 20
	step "$1: all of it is there" all
	step "... was sent again, and dropped" wait_until 15 repeated \
		$((repeats_duplicates + 20))
	step "... and nothing waits" wait_until 5 ready_empty
}

repeated() {
	is "$(stats events.duplicate)" "$1"
}

# The milliseconds between the last answer CODE and the next upload.
gap() {
	grep '"path":"/api/v1/ingest/events"' "$T/requests" |
		sed 's/.*"time_ms":\([0-9]*\),"status":\([0-9]*\).*/\1 \2/' |
		awk -v code="$1" 'last { gap = $1 - last; last = 0 }
			$2 == code { last = $1 }
			END { print gap }'
}

# waits CODE[,RETRY-AFTER] LEAST MOST: milliseconds until the next upload
waits() {
	faults "$(($(stats posts) + 1)):$1"
	more 5
	step "$1: all of it goes" all
	step "... $(gap "${1%%,*}") ms later" between "$2" \
		"$(gap "${1%%,*}")" "$3"
}

transient() {
	stays "a page" html waiting "status 200"
	stays "no id" noid waiting "status 200"
	stays 408 408 waiting "status 408"
	stays 500 500 waiting "status 500"
	stays 502 502 waiting "status 502"
	stays 503 503 waiting "status 503"
	stays "a reset" reset-before waiting .
	stays "silence" stall=1500 "waiting\|sending" "timed out"
	stays 420 420 waiting "status 420" 1
}

configured() {
	parks 401 401 "status 401" "API key refused"
	parks 403 403 "status 403" "API key refused"
	parks 404 404 "status 404" "request refused"
	parks 405 405 "status 405" "request refused"
	parks 406 406 "status 406" "request refused"
	parks 415 415 "status 415" "request refused"
}

patient() {
	waits 429,retry-after=2 2000 3500
	waits 420,retry-after=2 2000 3500
	waits 503,retry-after=2 2000 3500
	waits 429,retry-after=date+3 2000 4500
	waits 429 1000 3500
}

lost() {
	repeats "a reset after it was taken" reset-after
	repeats "an answer that ends in its JSON" truncated
	repeats "an answer that ends before its length" short
	repeats "an answer that takes too long" slow=4000
	lost_posts=$(stats posts)
	faults "*:slow=300"
	more 20
	step "a slow answer: all of it is there" all
	step "... sent once" is "$(stats posts)" $((lost_posts + 1))
	step "... and nothing waits" wait_until 5 ready_empty
}

unreachable() {
	stop_standin
	more 20
	step "nobody listens" wait_until 5 shows waiting .
	step "... the batch stays whole" is "$(waiting)" 20
	start_standin
	step "... and goes when somebody does" all
}

# The rows by hand make no injections, those of the generator do.
anew() {
	stop_daemon || return 1
	stop_standin
	rm -rf "$T/accepted" "$T/spool" "$T/log"
	mkdir "$T/log"
	start_standin
}

storm() {
	faults p0.04:503 p0.01:429,retry-after=0 p0.04:408 p0.04:html \
		p0.04:noid p0.05:reset-before p0.05:reset-after \
		p0.04:truncated p0.04:short p0.02:stall=1500 p0.02:401
	generate --seed 21 --rows 5000 --roll-every 900
	start_daemon
	step "a third of all answers is a fault: all of it arrives" \
		wait_until 60 all_arrived "$(expected)"
	faults
	step "... nothing is lost, nothing twice" check_all
	step "... nothing waits" wait_until 10 status_idle
	step "... nothing was refused" is "$(status spool.refused_events)" 0
}

start_standin
write_config 'ingest.timeout: 1s' 'ingest.retry_min: 50ms' \
	'ingest.retry_max: 300ms' 'batch.max_events: 100'
header >"$acct"
more 20
start_daemon
step "a good answer: it goes" all
step "... and the batch is gone" wait_until 5 ready_empty
transient
configured
patient
lost
unreachable
step "the ledger agrees" wait_until 5 agrees
step "it ends" anew
storm
step "the ledger agrees" wait_until 5 agrees
