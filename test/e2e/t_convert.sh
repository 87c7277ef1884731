#!/bin/sh
# convert prints the events of rows, and does nothing else.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

FIX=test/fixtures/e2e
URL=http://127.0.0.1:9

golden() {
	"$B/sparktail" -c "$FIX/types.yaml" convert "$@"
}

golden_quiet() {
	"$B/sparktail" -q -c "$FIX/types.yaml" convert "$@"
}

through_a_pipe() {
	while read -r line; do
		printf '%s\n' "$line"
	done <"$FIX/types.csv" | golden
}

to_a_full_disk() {
	golden "$FIX/types.csv" >/dev/full
}

to_nowhere() {
	golden "$FIX/types.csv" >&-
}

# More than a pipe holds, so that it must notice.
to_a_short_reader() {
	generate --rows 2000 --base long
	{
		golden "$T"/log/long*
		echo $? >"$T/ended"
	} | head -n 1
	return "$(cat "$T/ended")"
}

in_its_directory() (
	cd "$T/log" && sparktail convert headless.csv
)

all_lines_are_json() {
	while read -r line; do
		printf '%s\n' "$line" | json_get - msys.message_event.type ||
			return 1
	done <"$T/out" >"$T/types"
	is "$(wc -l <"$T/types")" "$(wc -l <"$T/out")"
}

# Does nothing in the outputs look like a recipient of the fixture?
shows_no_recipient() {
	! grep -iE '(ann|bob|cy|dan|eve|fay)"?(@|=|%40)' "$T/out" "$T/err"
}

inputs() {
	step "a file" exits 0 golden "$FIX/types.csv"
	step "... makes these events" prints_file "$FIX/types.ndjson"
	step "... each a line of JSON" all_lines_are_json
	step "... of six types" is "$(tr '\n' ' ' <"$T/types")" \
		"reception delivery inband tempfail outofband feedback "
	step "the rows are counted" says "14 rows: 6 shipped, 5 skipped, \
1 not shipped, 2 malformed; 6 events"
	step "the first malformed one is named" says \
		"2 malformed rows: first at offset $(grep -b -m 1 \
			'^d,[^,]*,[^,]*,[^,]*,,' "$FIX/types.csv" |
			cut -d : -f 1): no recipient"
	step "an unknown type is named" says 'unknown type "zz"'
	step "the events are old, which is said" says \
		"6 events are older than events.max_age (24 h)"

	step "standard input as -" exits 0 golden - <"$FIX/types.csv"
	step "... is the same" prints_file "$FIX/types.ndjson"
	step "standard input without a name" exits 0 golden <"$FIX/types.csv"
	step "... is the same" prints_file "$FIX/types.ndjson"
	step "a pipe" exits 0 through_a_pipe
	step "... is the same" prints_file "$FIX/types.ndjson"

	cat "$FIX/types.ndjson" "$FIX/types.ndjson" "$FIX/types.ndjson" \
		>"$T/thrice"
	cp "$FIX/types.csv" "$T/copy of it"
	cp "$FIX/types.csv" "$T/another"
	step "several files" exits 0 golden "$T/copy of it" - "$T/another" \
		<"$FIX/types.csv"
	step "... one after the other, with the same ids" \
		prints_file "$T/thrice"

	step "with -q" exits 0 golden_quiet "$FIX/types.csv"
	step "... it warns only" says_lines 2
	step "... and prints the same" prints_file "$FIX/types.ndjson"
}

faults() {
	sed 1d "$FIX/types.csv" >"$T/headless"
	step "no header: 65" exits 65 golden "$T/headless"
	step "... which is said" says "$T/headless: rows but no header line"
	step "... with a remedy" says "sources[].columns"
	step "... once, not line by line" is "$(grep -c header "$T/err")" 1
	step "... and nothing is printed" prints_nothing
	step "no such file: 65" exits 65 golden "$T/none"
	step "... which is said" says "$T/none: cannot open: No such file"
	step "a directory: 65" exits 65 golden "$T"
	step "... which is said" says "$T: is a directory"
	step "the others are converted all the same" exits 65 \
		golden "$T/none" "$T/headless" "$FIX/types.csv"
	step "... as ever" prints_file "$FIX/types.ndjson"
	step "a full disk: 74" exits 74 to_a_full_disk
	step "... which is said" says "cannot write: No space left on device"
	step "standard output is closed: 74" exits 74 to_nowhere
	step "... which is said" says "cannot write: Bad file descriptor"
	step "standard input is closed: 74" exits 74 golden <&-
	step "... which is said" says "standard input: cannot read"
	step "a reader that has enough: 74" exits 74 to_a_short_reader
	step "... which is said" says "cannot write: Broken pipe"
}

ages() {
	rm "$T"/log/*
	generate --rows 200 --base young
	write_config
	step "young events" exits 0 sparktail convert "$T"/log/young*
	step "... are as many as the rows make" prints_lines "$(expected)"
	step "... and not called old" is "$(grep -c older "$T/err")" 0
	write_config 'events.max_age: 0'
	step "with max_age 0" exits 0 sparktail convert "$FIX/types.csv"
	step "... none is called old" is "$(grep -c older "$T/err")" 0
}

# The columns of the fixture as a list for the configuration.
columns() {
	head -n 1 "$FIX/types.csv"
}

configured_columns() {
	SOURCES="  - path: \"$T/log/*.csv\"
    columns: [$(columns)]"
	write_config
	step "columns from the configuration" exits 0 \
		sparktail convert "$T/headless"
	step "... give as many events" prints_lines 7
	step "... for standard input too" exits 0 sparktail convert \
		<"$T/headless"
	step "... as many" prints_lines 7
	SOURCES="  - path: \"$T/log/*.csv\"
    columns: [$(columns)]
  - path: \"$T/other/*.csv\""
	mkdir "$T/other"
	cp "$T/headless" "$T/log/headless.csv"
	cp "$T/headless" "$T/other/headless.csv"
	write_config
	step "with two sources" exits 0 sparktail convert "$T/log/headless.csv"
	step "... the path decides" exits 65 sparktail convert \
		"$T/other/headless.csv"
	step "... however it is written" exits 0 in_its_directory
	SOURCES=
}

no_configuration() {
	if [ -e /etc/sparktail/sparktail.yaml ]; then
		echo "- (there is a configuration on this machine)"
		return
	fi
	step "without a configuration" exits 0 "$B/sparktail" convert \
		"$FIX/types.csv"
	step "... all rows are shipped" prints_lines 7
	step "... under the host's name" prints "\"node_name\":\"$(uname -n)\""
	step "one that is named has to be there: 78" exits 78 \
		"$B/sparktail" -c "$T/none.yaml" convert "$FIX/types.csv"
}

privacy() {
	write_config 'events.privacy: sha1'
	step "with privacy" exits 0 sparktail -v convert "$FIX/types.csv"
	step "... there is an event for each row as before" prints_lines 7
	step "... each a line of JSON" all_lines_are_json
	step "... with a hash" prints \
		'"rcpt_hash":"TwDZEuQiRIquo7eRafeqj2axaZ0="'
	step "... and the domain" prints '"rcpt_domain":"example.org"'
	step "... but no address anywhere" shows_no_recipient
	step "... not even of a broken file" exits 65 sparktail -v convert \
		"$T/headless"
	step "... anywhere" shows_no_recipient
}

inputs
faults
ages
configured_columns
no_configuration
privacy
