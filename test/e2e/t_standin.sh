#!/bin/sh
# The stand-in checks what it is sent, tells what became of it, and fails as
# it is told to.
. test/e2e/lib.sh
setup

NOW=$(date +%s)

# event TYPE ID [MORE]: one line; MORE is put before the closing braces.
event() {
	printf '{"msys":{"message_event":{"type":"%s","event_id":"%s",' "$1" "$2"
	printf '"message_id":"m%s","timestamp":"%s","rcpt_to":"u@example.com",' \
		"$2" "$NOW"
	printf '"recv_method":"esmtp","delv_method":"esmtp"%s}}}\n' "${3:-}"
}

pack() {
	gzip -n >"$T/batch.gz"
}

is() {
	[ "$1" = "$2" ] || {
		echo "is \"$1\", not \"$2\""
		return 1
	}
}

# answer STATUS [KEY [TYPE [ENCODING [METHOD]]]]
answer() {
	answer_want=$1
	shift
	is "$(post "$T/batch.gz" "$@")" "$answer_want"
}

# no_answer CODE: curl(1) ends with that code
no_answer() {
	post "$T/batch.gz" >/dev/null 2>&1
	is $? "$1"
}

# outcome QUERY PATH VALUE: of the first batch that the query finds
outcome() {
	curl -sS -H "Authorization: $KEY" \
		"$URL/api/v1/events/ingest?$1" >"$T/outcomes"
	is "$(json_get "$T/outcomes" "results[].$2" | head -n 1)" "$3"
}

batch_id() {
	json_get "$T/answer" results.id
}

# verdict TYPE SUCCEEDED FAILED DUPLICATES: of the batch posted last
verdict() {
	verdict_id=$(batch_id)
	if [ "$1" = success ]; then
		outcome "batch_ids=$verdict_id" type success || return 1
	else
		outcome "batch_ids=$verdict_id" error_type "$1" &&
			outcome "batch_ids=$verdict_id" number_failed "$3" ||
			return 1
	fi
	outcome "batch_ids=$verdict_id" number_succeeded "$2" &&
		outcome "batch_ids=$verdict_id" number_duplicates "$4"
}

failures() {
	curl -sS -H "Authorization: $KEY" \
		"$URL/api/v1/ingest/events/failures/$(batch_id)" | gzip -dc
}

failure_says() {
	failures | grep -qF "$1"
}

checks() {
	event delivery 1 | pack
	step "no key: 401" answer 401 ''
	step "a wrong key: 401" answer 401 1234
	step "another type: 415" answer 415 "$KEY" text/plain
	step "not marked as gzip: 415" answer 415 "$KEY" \
		application/x-ndjson identity
	step "another method: 405" answer 405 "$KEY" \
		application/x-ndjson gzip PUT
	step "errors have words" is \
		"$(json_get "$T/answer" 'errors[].message')" \
		"Method Not Allowed"
	head -c 6000000 /dev/urandom >"$T/large"
	step "over 5,000,000 bytes: 413" is "$(post "$T/large")" 413
	step "a long address: 414" is "$(curl -sS -o /dev/null -w '%{http_code}' \
		-H "Authorization: $KEY" \
		"$URL/api/v1/events/ingest?batch_ids=$(head -c 4096 /dev/zero |
			tr '\0' a)")" 414
	step "nothing was taken" is "$(stats batches)" 0
}

verdicts() {
	event delivery 1 | pack
	step "a good batch" answer 200
	step "... succeeds" verdict success 1 0 0
	step "the same again" answer 200
	step "... is a duplicate" verdict duplicate_batch 0 0 1
	{ event delivery 1 && event delivery 2; } | pack
	step "one event of two again" answer 200
	step "... is dropped alone" verdict success 1 0 1
	{ event banana 3 && event delivery 4 && echo '{}' && echo nonsense &&
		event delivery 5 ',"rcpt_hash":"x"'; } | pack
	step "one good of five" answer 200
	step "... is accepted alone" verdict validation 1 4 0
	step "... the type is named" failure_says "Unknown event type"
	step "... what is no JSON too" failure_says \
		'{"line":"nonsense","error":"Invalid JSON"}'
	step "... rcpt_hash needs its domain" failure_says \
		"Missing rcpt_domain on event with rcpt_hash"
	event feedback 6 | pack
	step "a complaint without fbtype" answer 200
	step "... lacks it" failure_says "attribute fbtype"
	NOW=$((NOW - 90000)) event delivery 7 | pack
	step "an old event" answer 200
	step "... is too old" failure_says "too old"
	event delivery 8 | sed 's/message_event/track_event/' | pack
	step "another wrapper" answer 200
	step "... is wrong" failure_says "Wrong wrapper"
	printf '' | pack
	step "nothing at all" answer 200
	step "... is an empty batch" verdict empty_batch 0 0 0
	printf '\037\213\010\000' >"$T/batch.gz"
	step "four bytes of gzip" answer 200
	step "... do not unpack" verdict decompress 0 0 0
	step "outcomes come in pages" outcome "per_page=2&cursor=2&events=error" \
		error_type validation
	step "outcomes need the key" is "$(curl -sS -o /dev/null \
		-w '%{http_code}' "$URL/api/v1/events/ingest")" 401
	step "three were accepted" is "$(stats events.accepted)" 3
	step "the accepted file agrees" is "$(wc -l <"$T/accepted")" 3
}

faulty() {
	event delivery 20 | pack
	faults '*:429,retry-after=3'
	step "429" answer 429
	step "... with Retry-After" grep -qi '^retry-after: 3' "$T/head"
	faults '*:503,retry-after=date+5'
	step "503" answer 503
	step "... with a date" grep -qi '^retry-after: .* GMT' "$T/head"
	faults '*:reset-before'
	step "a reset before" no_answer 56
	faults '*:stall=100'
	step "a stall" no_answer 56
	faults '*:html'
	step "a page" answer 200
	step "... is no JSON" is "$(head -c 1 "$T/answer")" '<'
	faults '*:noid'
	step "no id" answer 200
	faults '*:refuse-if="event_id":"20"'
	step "a refused text" answer 400
	faults '*:422,if="event_id":"20"'
	step "a refused text, in other words" answer 422
	faults '*:422,if="event_id":"21"'
	event delivery 19 | pack
	step "none of another text" answer 200
	event delivery 20 | pack
	step "none was taken but that" is "$(stats accepted.delivery)" 4
	faults '*:system'
	step "a failure inside" answer 200
	step "... is told later" verdict system 0 0 0
	step "... as retryable" outcome "batch_ids=$(batch_id)" retryable true
	faults '*:short'
	step "a short answer" no_answer 18
	event delivery 21 | pack
	faults '*:reset-after'
	step "a reset after" no_answer 56
	event delivery 22 | pack
	faults '*:truncated'
	step "a cut answer" answer 200
	event delivery 23 | pack
	faults '*:slow=50'
	step "a slow answer" answer 200
	step "these were taken" is "$(stats accepted.delivery)" 8
	event delivery 24 ',"subject":"poison"' | pack
	faults '*:reject-if=poison'
	step "a rejected text" answer 200
	step "... fails alone" verdict validation 0 1 0
	faults
	event delivery 25 | pack
	step "no fault any more" answer 200
}

start_standin
checks
verdicts
faulty
step "it ends at once" stop_standin
step "the summary agrees" is \
	"$(json_get "$T/summary" events.accepted)" "$(wc -l <"$T/accepted")"
step "the log has every request" is "$(wc -l <"$T/requests")" \
	"$(json_get "$T/summary" requests)"

# any_answers N: how many kinds, of N requests
any_answers() {
	i=0
	while [ "$i" -lt "$1" ]; do
		event delivery 99 ",\"rcpt_meta\":{\"n\":\"$i\"}" | pack
		post "$T/batch.gz" 2>/dev/null
		echo " $?"
		i=$((i + 1))
	done | sort -u | wc -l
}

start_standin --fault '*:any' --seed 3
step "any trouble comes in many kinds" test "$(any_answers 25)" -ge 6
step "... the same event with other bytes is found" test \
	"$(stats events.changed)" -gt 0
step "... it ends" stop_standin
rm "$T/requests"
start_standin --fault 2-3:500 --outcome-status 403
event delivery 25 | pack
step "started again, it remembers" answer 200
step "... what it had accepted" is "$(stats duplicate.delivery)" 1
step "the second fails" answer 500
step "the third too" answer 500
step "the fourth does not" answer 200
step "outcomes can be forbidden" is "$(curl -sS -o /dev/null \
	-w '%{http_code}' -H "Authorization: $KEY" \
	"$URL/api/v1/events/ingest")" 403
stop_standin

make_cert
SCHEME=https
start_standin --tls-cert "$T/cert.pem" --tls-key "$T/cert-key.pem"
event delivery 26 | pack
step "it speaks https" answer 200
faults '*:reset-after'
step "... and resets" test "$(post "$T/batch.gz" 2>"$T/err")" = 000
step "it ends" stop_standin
