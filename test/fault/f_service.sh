#!/bin/sh
# shellcheck disable=SC2119
# A service that behaves as none should, and one that is away: everything
# arrives once, within retry_max of its return.  What a plain answer does is in
# e2e/t_answers.sh.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup
. test/fault/wire.sh

RETRY_MAX=2000	# ms
AWAY=8		# seconds
[ "${LONG:-}" != 1 ] || AWAY=60

# odd WHAT RULE STATE WORDS: the batch stays, status says why, and when the
# fault is gone it goes
odd() {
	faults "*:$2"
	odd_failures=$(($(failures) + 2))
	more 20
	step "$1: it is tried again" wait_until 20 failed $odd_failures
	step "... the state is $3" wait_until 5 shows "$3" "$4"
	step "... the batch waits" is "$(waiting)" 20
	faults
	step "... then all of it goes, once" all
	step "... and nothing waits" wait_until 5 ready_empty
}

oddly() {
	odd "a head and no more" stall-head=5000 "waiting\|sending" "timed out"
	odd "what is no HTTP" garbage "waiting\|sending" .
	odd "a page that never ends" huge=1000000000 "waiting\|sending" .
}

masses() {
	masses_peak=$(peak_kb)
	odd "masses" huge=30000000 "waiting\|sending" "status 200"
	! is_plain || step "... are not kept" between 0 $(($(peak_kb) - masses_peak)) 4096
}

# A refused configuration is tried each retry_max: the key goes nowhere else.
redirected() {
	redirected_to=$WIRE_PORT
	WIRE_PORT=0
	redirected_pid=$WIRE_PID
	WIRE_PID=
	wire --log "$T/elsewhere.log" --capture "$T/elsewhere"
	odd "a redirection" "redirect=http://$WIRE/api/v1/ingest/events" \
		key-refused "status 307"
	step "... nobody followed it" test ! -s "$T/elsewhere.log"
	no_wire
	WIRE_PORT=$redirected_to
	WIRE_PID=$redirected_pid
}

# by_wire WHAT WORDS OPTIONS ...: the same, for a fault of the wire
by_wire() {
	by_wire_what=$1
	by_wire_words=$2
	shift 2
	wire "$@"
	by_wire_failures=$(($(failures) + 2))
	more 20
	step "$by_wire_what: it is tried again" \
		wait_until 20 failed $by_wire_failures
	step "... and status says so" \
		wait_until 5 shows "waiting\|sending" "$by_wire_words"
	wire
	step "... then all of it goes, once" all
	step "... and nothing waits" wait_until 5 ready_empty
}

wires() {
	by_wire "taken, never answered" "timed out" --stall
	by_wire "reset at once" . --refuse
	by_wire "reset in the middle of the request" . --cut-after 300
	wire --trickle
	wires_failures=$(failures)
	more 20
	step "byte by byte: all of it goes, once" all
	step "... and nothing waits" wait_until 5 ready_empty
	step "... at once" is "$(failures)" "$wires_failures"
	wire --delay-ms 200 --jitter
	wires_failures=$(failures)
	more 20
	step "far away: all of it goes, once" all
	step "... and nothing waits" wait_until 5 ready_empty
	step "... at once" is "$(failures)" "$wires_failures"
}

# Nothing waits for "100 Continue": it would come late, or never.
unasked() {
	wire --capture "$T/captured"
	more 3000
	step "a large batch goes" all
	step "... asks for no permission first" test "$(grep -aci '^expect' \
		"$T/captured")" = 0
	step "... (was seen)" grep -aqi '^content-length' "$T/captured"
}

# The milliseconds between tries, one a line.
gaps() {
	awk 'NR > 1 { print $1 - last } { last = $1 }' "$T/tries"
}

# Of the gaps from the $1-th on, is none above $2 ms, and some above $3?
gaps_within() {
	gaps | awk -v from="$1" -v most="$2" -v some="$3" '
		NR >= from && $1 > most { bad = $1 }
		NR >= from && $1 > some { grown = 1 }
		END {
			if (bad) print "waited " bad " ms"
			if (!grown) print "never waited " some " ms"
			exit bad || !grown
		}'
}

# Waits grow, differ, are never longer than retry_max, and one tries for all.
patient() {
	rm -f "$T/tries"
	wire --refuse --log "$T/tries"
	more 50
	sleep "$AWAY"
	patient_tries=$(wc -l <"$T/tries")
	patient_most=$((AWAY * 1000 / (RETRY_MAX / 4) + 10))
	echo "  $patient_tries tries in $AWAY s, ms between:" \
		"$(gaps | head -n 20 | tr '\n' ' ')"
	step "away: tried neither always nor never" between \
		$((AWAY * 1000 / RETRY_MAX)) "$patient_tries" "$patient_most"
	step "... waits grow to retry_max and not beyond" \
		gaps_within 2 $((RETRY_MAX + 500)) $((RETRY_MAX / 4))
	step "... no two are alike" between 3 "$(gaps | sort -u | wc -l)" 1000
	step "... the log says it once" logged "no answer" 1
}

# back [FOR]: nobody listens; somebody does again
back() {
	no_wire
	: >"$T/daemon.log"
	more 30
	back_failures=$(($(failures) + 5))
	step "nobody listens: tried and tried" wait_until 20 failed \
		$back_failures
	more 30
	wire
	back_ms=$(now_ms)
	step "somebody does: all of it goes, once" all 10
	back_ms=$(($(now_ms) - back_ms))
	echo "  after $back_ms ms"
	step "... within retry_max" between 0 $back_ms $((RETRY_MAX + 1000))
	step "... the log says that it is over" logged "uploads work again" 1
}

start_standin
wire
write_config "ingest.url: http://$WIRE/api/v1/ingest/events" \
	'ingest.timeout: 2s' 'ingest.retry_min: 100ms' \
	"ingest.retry_max: ${RETRY_MAX}ms" 'batch.max_events: 5000'
more 20
start_daemon
step "a good service: it goes" all
oddly
masses
redirected
wires
unasked
: >"$T/daemon.log"
patient
back
step "the ledger agrees" wait_until 5 agrees
step "... nothing was refused" is "$(status spool.refused_events)" 0
