#!/bin/sh
# shellcheck disable=SC2119
# 400, 413, 422: the data's fault, or not.  The guilty events are found, kept,
# and named; nobody else suffers for them.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv

refused_events() {
	find "$T/spool/refused" -name '*.ndjson.gz' -exec zcat {} +
}

# refused N TEXT: so many events there, each with TEXT, each with its words
refused() {
	refused_events >"$T/refused"
	is "$(wc -l <"$T/refused")" "$1" &&
		is "$(grep -cF "$2" "$T/refused")" "$1" &&
		is "$(find "$T/spool/refused" -name '*.json' | wc -l)" "$1"
}

# Does the file beside the event say what the service said?
says() {
	find "$T/spool/refused" -name '*.json' -newer "$T/before" \
		-exec cat {} + >"$T/says"
	is "$(json_get "$T/says" status)" "$1" && grep -qF "$2" "$T/says"
}

# Is this row there, as it was written, with its file and its offset?
kept_row() {
	kept_at=$(grep -abo "^.*$1.*$" "$acct" | cut -d : -f 1)
	grep -F "$(grep -F "$1" "$acct")" "$T/spool/refused/rows.csv" |
		grep -F "$acct" | grep -qF ",$kept_at,"
}

posts_at_least() {
	[ "$(stats posts)" -ge "$1" ]
}

contents() {
	find "$T/spool/ready" -name '*.ndjson.gz' -exec cksum {} +
}

nothing_refused() {
	is "$(ls "$T/spool/refused")" '' &&
		is "$(status spool.refused_events)" 0
}

whatever_is_sent() {
	faults '*:400'
	{ header && rows 1 40; } >"$acct"
	start_daemon
	step "400 to all: sending stops" wait_until 10 state_is key-refused
	contents >"$T/ready"
	step "... the batch is there" grep -q ndjson "$T/ready"
	step "... it is tried again" wait_until 10 posts_at_least 20
	step "... and stays as it was" is "$(contents)" "$(cat "$T/ready")"
	rows 41 41 >>"$acct"
	step "a batch of one event joins it" wait_until 10 is_ready 2
	step "... it is tried again" wait_until 10 posts_at_least 30
	step "... it stays" is "$(ready)" 2
	step "... nothing was refused" nothing_refused
	step "... and it was said once" logged "refused whatever is sent" 1
	step "... with the service's words" logged "status 400" 1
	step "... the ledger agrees" agrees
	faults
	step "it was not the data: all of it goes" here_once 10 1-41
	step "... nothing was refused" nothing_refused
	step "... nothing was sent twice" is "$(stats events.duplicate)" 0
	step "... nothing waits" wait_until 5 ready_empty
}

is_ready() {
	is "$(ready)" "$1"
}

guilty() {
	: >"$T/before"
	faults '*:refuse-if=poison'
	{ rows 42 60 && rows 1 1 bad mta1 poison && rows 61 90; } >>"$acct"
	step "one guilty event of fifty: the others are there" \
		here_once 10 1-90
	step "... it is kept alone" wait_until 5 refused 1 bad1@example.com
	step "... with the service's words" says 400 "Bad Request"
	step "... and its row" wait_until 5 kept_row bad1@example.com
	step "... it is counted" wait_until 5 counted 1
	{ rows 2 2 bad mta1 poison && rows 91 120 &&
		rows 3 4 bad mta1 poison && rows 121 121 &&
		rows 5 5 bad mta1 poison; } >>"$acct"
	step "four more, at both ends and side by side" here_once 10 1-121
	step "... are kept" wait_until 5 refused 5 poison
	step "... with their rows" wait_until 5 kept_rows 5
	: >"$T/before"
	posts=$(stats posts)
	rows 6 6 bad mta1 poison >>"$acct"
	step "one that is alone in its batch" wait_until 10 posts_at_least \
		$((posts + 3))
	step "... is held back" refused 5 poison
	step "... without alarm" eval '! state_is key-refused >/dev/null'
	rows 122 122 >>"$acct"
	step "... until something else is accepted" wait_until 10 \
		refused 6 poison
	step "... is counted" wait_until 5 counted 6
	{ rows 7 9 bad mta1 poison && rows 123 130; } >>"$acct"
	step "a batch with many of them" here_once 10 1-130
	step "... ends as well" wait_until 10 refused 9 poison
	faults
}

kept_rows() {
	is "$(grep -c poison "$T/spool/refused/rows.csv")" "$1"
}

counted() {
	agrees && is "$(json_get "$T/status" spool.refused_events)" "$1"
}

other_codes() {
	for code in 413 422; do
		: >"$T/before"
		faults "*:$code,if=odd$code@"
		{ rows "$code" "$code" odd && rows "$code" "$((code + 4))"; } \
			>>"$acct"
		step "$code for one event" wait_until 10 refused_one "$code"
		step "... with the service's words" says "$code" "$code"
		step "... and its row" wait_until 5 kept_row \
			"odd$code@example.com"
	done
	faults
	step "nothing else is missing" here_once 5 1-130 413-417 422-426
	step "all are counted" wait_until 5 counted 11
}

refused_one() {
	refused_events | grep -qF "odd$1@example.com"
}

too_large() {
	stop_standin
	start_standin --max-bytes 2500
	rows 131 330 >>"$acct"
	step "413 for a batch, but not for its parts: all is there" \
		here_once 10 1-330 413-417 422-426
	step "... no more is refused" wait_until 5 counted 11
	step "... said once" logged "200 events: status 413" 1
	step "... nothing waits" wait_until 5 ready_empty
}

start_standin
write_config 'ingest.retry_min: 50ms' 'ingest.retry_max: 300ms'
whatever_is_sent
guilty
other_codes
too_large
step "it ends" stop_daemon
start_daemon
step "it starts again" wait_until 5 counted 11
step "... without sending anything twice" is "$(accepted)" 340
