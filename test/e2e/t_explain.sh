#!/bin/sh
# explain says of each row what becomes of it and why, and of each value
# where it came from.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

FIX=test/fixtures/e2e
URL=http://127.0.0.1:9

explain() {
	"$B/sparktail" -c "$FIX/types.yaml" explain "$@"
}

# Lines of an event: four blanks, name, value, two blanks, origin.
each_value_has_an_origin() {
	grep '^    [a-z]' "$T/out" >"$T/values" || return 1
	! grep -vE '^    [a-z_]+ +[^ ].*  (column|columns|mapping|rule|default|'\
'node_name)' "$T/values"
}

# How many attributes do the events of the fixture have?
attributes() {
	grep -o '"[a-z_]*":["0-9]' "$FIX/types.ndjson" | wc -l
}

# value NAME VALUE ORIGIN: is there such a line?
value() {
	tr -s ' ' <"$T/out" | grep -qxF " $1 $2 $3" && return
	echo "no line: $1 $2 $3"
	grep "^    $1 " "$T/out"
	return 1
}

# verdict TYPE WORDS: on the line of a row of that type?
verdict() {
	grep -qE "^$FIX/types.csv: offset [0-9]+: $1: $2\$" "$T/out" && return
	echo "no row of type $1 is $2"
	grep '^[^ ]' "$T/out"
	return 1
}

verdicts() {
	step "a file" exits 0 explain "$FIX/types.csv"
	step "its header" verdict type header
	step "... and each of its rows has a line" is \
		"$(grep -c '^[^ ]' "$T/out")" "$(wc -l <"$FIX/types.csv")"
	step "... with its offset" is "$(grep -m 1 ': d:' "$T/out" |
		cut -d ' ' -f 3)" "$(grep -b -m 1 '^d' "$FIX/types.csv" |
		cut -d : -f 1):"
	step "tq is skipped" verdict tq "skipped: tq"
	step "rs is skipped" verdict rs "skipped: rs"
	step "what went to a file is skipped" verdict d "skipped: dlv-type"
	step "an unknown code is skipped" verdict zz "skipped: unknown-type"
	step "praise is skipped" verdict f "skipped: not-spam"
	step "a row without recipient is malformed" verdict row \
		"malformed: no recipient"
	step "a row with a stray quote is malformed" verdict row \
		"malformed: broken quoting"
	step "the mapping says what is not shipped" verdict d \
		"not shipped: vmta:internal-\\*"
	step "the others have expired" verdict b expired
	step "... each event is marked" is "$(grep -c \
		'^  event [a-z]*, too old: would not be sent$' "$T/out")" 6
}

values() {
	step "each value has an origin" each_value_has_an_origin
	step "... and each attribute a line" is "$(wc -l <"$T/values")" \
		"$(attributes)"
	step "a column" value rcpt_to bob@example.org "column rcpt"
	step "the mapping's pool" value ip_pool Transactional \
		"mapping vmta_pool:pool-a"
	step "the mapping's VirtualMTA" value subaccount_id 3 \
		"mapping vmta:mta2"
	step "a header before the mapping" value subaccount_id 7 \
		"column header_x-sp-subaccount-id"
	step "a bounce category" value bounce_class 10 "rule 4.1 bounceCat"
	step "a default" value delv_method esmtp default
	step "the node" value node_name node.test node_name
}

young() {
	generate --rows 100
	write_config
	step "young rows" exits 0 sparktail explain "$T"/log/*.csv
	step "... are shipped" prints ": shipped"
	step "... none is too old" is "$(grep -c 'too old' "$T/out")" 0
	step "... every event is there" is "$(grep -c '^  event [a-z]*$' "$T/out")" \
		"$(expected)"
	step "... and says where its values came from" each_value_has_an_origin
	printf 'type,timeLogged,timeQueued,rcpt\n%s\n%s\n' \
		"d,$(date +%s),$(($(date +%s) - 9)),a@example.net" \
		"b,$(date +%s),$(($(date +%s) - 9)),a@example.net" >"$T/two"
	step "two rows of a message" exits 0 sparktail explain "$T/two"
	step "... make one injection" is "$(grep -c '^  event reception$' \
		"$T/out")" 1
	step "... and the other one is marked" prints \
		"event reception, made by an earlier row already"
}

faults() {
	printf 'type,timeLogged,rcpt,header_Subject,jobId\r\n%s%b\r\n' \
		'd,1700000000,a@example.net,' \
		'"x\n\r\0001\0033[2Jy",z\0302\0233' >"$T/odd"
	step "control characters" exits 0 sparktail explain "$T/odd"
	step "... are shown as such" value subject 'x\n\r\x01\x1b[2Jy' \
		"column header_Subject"
	step "... in whatever form" value campaign_id 'z\x9b' "column jobId"
	sed 1d "$FIX/types.csv" >"$T/headless"
	step "no header: 65" exits 65 explain "$T/headless"
	step "... which is said" says "no header line"
	step "no such file: 65" exits 65 explain "$T/none"
	step "standard input" exits 0 explain <"$FIX/types.csv"
	step "... is called that" prints "standard input: offset 0: type: header"
	step "a full disk: 74" exits 74 to_a_full_disk
	step "... which is said" says "cannot write: No space left on device"
}

to_a_full_disk() {
	explain "$FIX/types.csv" >/dev/full
}

shows_no_recipient() {
	! grep -iE '(ann|bob|cy|dan|eve|fay)"?(@|=|%40)' "$T/out" "$T/err"
}

privacy() {
	write_config 'events.privacy: sha1'
	step "with privacy" exits 0 sparktail -v explain "$FIX/types.csv"
	step "... there is a hash" value rcpt_hash \
		TwDZEuQiRIquo7eRafeqj2axaZ0= "rule 4.2 SHA-1 of rcpt"
	step "... but no address anywhere" shows_no_recipient
	step "... and every value has an origin" each_value_has_an_origin
	printf 'type,timeLogged,rcpt\nann@example.net,,ann@example.net\n%s\n' \
		'd,,"ann@example.net' >"$T/broken"
	step "broken rows" exits 0 sparktail -v explain "$T/broken"
	step "... show none either" shows_no_recipient
}

verdicts
values
young
faults
privacy
