#!/bin/sh
# Whatever stands in an accounting file costs nothing but itself: the rows
# around it are shipped, it is counted, and it is kept in refused/rows.csv.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

NOW=$(date +%s)
SEED=0
ALL=r=4,d=4,b=2,t=2,rb=1,f=1

# begin: some good rows that no case had before, in two halves; a new spool
begin() {
	SEED=$((SEED + 1))
	rm -rf "$T/log" "$T/spool" "$T/good"
	mkdir "$T/log" "$T/good"
	"$TOOLS/generator" --out "$T/good" --seed "$SEED" --rows 40 \
		--types "$ALL" --base good "$@"
	cat "$T"/good/good* >"$T/good.csv"
	head -n 1 "$T/good.csv" >"$T/header"
	head -n 21 "$T/good.csv" >"$T/first"
	tail -n +22 "$T/good.csv" >"$T/second"
	rows=$(($(wc -l <"$T/good.csv") - 1))
	seen=$(wc -l <"$T/accepted")
}

# around FILE: the good rows with its bytes between them, as log/bad.csv
around() {
	cat "$T/first" "$1" "$T/second" >"$T/log/bad.csv"
}

# What identifies an event wherever its row stood in the file.
mails() {
	grep -aoE '"(type|message_id|timestamp|rcpt_to|rcpt_hash)":"[^"]*"' |
		paste - - - - | sort
}

# arrived FILE: are the events that FILE's rows make those of this case that
# the service has, and no others?
arrived() {
	sparktail -q convert "$1" 2>/dev/null | mails >"$T/want"
	tail -n "+$((seen + 1))" "$T/accepted" | mails >"$T/have"
	diff -u "$T/want" "$T/have" | head -n 20
	cmp -s "$T/want" "$T/have"
}

converted() {
	sparktail -q convert "$T/good.csv" | mails >"$T/want"
	mails <"$T/out" >"$T/have"
	diff -u "$T/want" "$T/have" | head -n 20
	cmp -s "$T/want" "$T/have"
}

# counted NAME NUMBER: in the ledger, whose sums agree
counted() {
	sparktail status --json >"$T/status" || return 1
	is "$(json_get "$T/status" ledger.agrees)" true &&
		is "$(json_get "$T/status" "$1")" "$2"
}

# kept NUMBER REASON: as many rows of log/bad.csv, for that reason
kept() {
	if [ "$1" -eq 0 ]; then
		[ ! -s "$T/spool/refused/rows.csv" ]
		return
	fi
	is "$(grep -ac "^$T/log/bad.csv,[0-9]*,$2," \
		"$T/spool/refused/rows.csv")" "$1"
}

# harmless WHAT MALFORMED REASON: log/bad.csv has the good rows and some bad
harmless() {
	step "$1: convert goes on" exits 0 sparktail convert "$T/log/bad.csv"
	step "... with the events of the others" converted
	step "... and counts" says " $2 malformed; "
	step "... once ships" exits 0 within 20 "$B/sparktail" \
		-c "$T/conf.yaml" once
	step "... just these" arrived "$T/good.csv"
	step "... $2 rows are malformed" counted rows.malformed "$2"
	step "... and kept" kept "$2" "$3"
	step "... once more there is nothing to do" exits 0 sparktail once
	step "... the ledger is the same" counted rows.malformed "$2"
	step "... nothing was kept twice" kept "$2" "$3"
}

# repeat N CHARACTER
repeat() {
	head -c "$1" /dev/zero | tr '\0' "$2"
}

# row RCPT: a good row by the generator's header, without its line end
row() {
	printf 'd,%s,%s,news@shop.example,%s' "$NOW" "$((NOW - 5))" "$1"
}

# Also for convert: the good rows and this file's.
good_too() {
	cat "$T/first" "$1" "$T/second" >"$T/good.csv"
}

files() {
	begin
	: >"$T/log/empty.csv"
	cp "$T/header" "$T/log/header.csv"
	cp "$T/good.csv" "$T/log/good.csv"
	mkdir "$T/log/directory.csv"
	mkfifo "$T/log/fifo.csv"
	step "empty files, directories, fifos: convert" exits 0 \
		sparktail convert "$T/log/empty.csv" "$T/log/header.csv"
	step "... makes nothing of nothing" prints_nothing
	step "... once ships" exits 0 within 20 "$B/sparktail" \
		-c "$T/conf.yaml" once
	step "... the file among them" arrived "$T/good.csv"
	step "... the directory is said to be none" says \
		"ignored: $T/log/directory.csv: not a regular file"
	step "... nothing is malformed" counted rows.malformed 0
	step "... and all rows are read" counted rows.read "$rows"

	begin
	cp "$T/good.csv" "$T/log/good.csv"
	head -c 200000 "$B/sparktail" >"$T/log/binary.csv"
	step "a binary file: convert says that it has no header" exits 65 \
		sparktail convert "$T/log/binary.csv"
	step "... once" exits 0 within 20 "$B/sparktail" -c "$T/conf.yaml" once
	step "... says it too" says "$T/log/binary.csv"
	step "... and ships the others" arrived "$T/good.csv"
	step "... status does not count its rows" counted rows.read "$rows"
	step "... and says that it is set aside" grep -q '"state":"set-aside"' "$T/status"

	begin
	{
		cat "$T/first"
		head -c 200000 "$B/sparktail"
		echo
		cat "$T/second"
	} >"$T/log/bad.csv"
	step "binary bytes amid rows: convert" exits 0 \
		sparktail convert "$T/log/bad.csv"
	step "... goes on" converted
	step "... and so does once" exits 0 within 20 "$B/sparktail" \
		-c "$T/conf.yaml" once
	step "... just these" arrived "$T/good.csv"
	step "... the ledger agrees" counted events.expired 0
}

long_rows() {
	# Its column has no meaning, so that the event is small.
	begin
	{
		row big@example.net
		printf ','
		repeat 1048000 x
		echo
	} >"$T/bad"
	around "$T/bad"
	good_too "$T/bad"
	harmless "a row of nearly a megabyte" 0 ""

	begin
	{
		row big@example.net
		printf ','
		repeat 1048576 x
		echo
	} >"$T/bad"
	around "$T/bad"
	harmless "a row of more than a megabyte" 1 "too long"

	begin
	{
		row big@example.net
		printf ',"'
		yes 'line,with breaks, and ""quotes""' | head -n 90000
		echo '"'
	} >"$T/bad"
	around "$T/bad"
	step "three megabytes in quotes: convert" exits 0 \
		sparktail convert "$T/log/bad.csv"
	step "... goes on" converted
	step "... once ships" exits 0 within 20 "$B/sparktail" \
		-c "$T/conf.yaml" once
	step "... just these" arrived "$T/good.csv"
	step "... the ledger agrees" counted events.expired 0

	begin
	{
		row wide@example.net
		repeat 10000 ,
		echo
	} >"$T/bad"
	around "$T/bad"
	good_too "$T/bad"
	harmless "10,000 columns, most without a name" 0 ""

	begin
	{
		row wide@example.net
		repeat 20000 ,
		echo
	} >"$T/bad"
	around "$T/bad"
	harmless "20,000 columns" 1 "too many fields"

	begin
	repeat 10000 , | paste -d , "$T/header" - >"$T/wide"
	tail -n +2 "$T/good.csv" | cat "$T/wide" - >"$T/log/bad.csv"
	harmless "a header of 10,000 columns" 0 ""
}

quotes() {
	begin
	{
		row 'lost1@example.net'
		echo ',"and no end'
	} >"$T/bad"
	around "$T/bad"
	harmless "a lost quote" 1 "broken quoting"

	begin
	{
		cat "$T/header"
		row 'lost1@example.net'
		echo ',"first'
		tail -n +2 "$T/first"
		row 'lost2@example.net'
		echo ',second"'
		cat "$T/second"
	} >"$T/log/bad.csv"
	harmless "in the first row, and in another" 2 "broken quoting"

	begin
	{
		row '"stray"@example.net'
		echo
		row 'a"b@example.net'
		echo
	} >"$T/bad"
	around "$T/bad"
	harmless "stray quotes" 2 "broken quoting"
}

bytes() {
	begin
	{
		row 'nul@example.net'
		printf ',a\000b\n'
		row 'n\000l@example.net' | sed 's/\\000/\x00/'
		printf ',\000\n'
	} >"$T/bad"
	around "$T/bad"
	good_too "$T/bad"
	harmless "NUL bytes" 0 ""

	begin
	printf '%s,%s\n' "$(row "$(printf 'b\374cher@example.net')")" \
		"$(printf '\377\376\300\257')" >"$T/bad"
	around "$T/bad"
	good_too "$T/bad"
	harmless "bytes that are not UTF-8" 0 ""
	step "... they are U+FFFD" grep -q 'b�cher@example.net' \
		"$T/accepted"

	begin
	printf '\n\n\r\n,,,,\n\n' >"$T/bad"
	around "$T/bad"
	step "blank lines and commas" exits 0 sparktail convert \
		"$T/log/bad.csv"
	step "... are no events" converted

	begin --crlf
	cp "$T/good.csv" "$T/log/bad.csv"
	harmless "CRLF" 0 ""

	begin
	printf '\357\273\277' | cat - "$T/good.csv" >"$T/log/bad.csv"
	harmless "a byte order mark" 0 ""

	begin --crlf
	{
		printf '\357\273\277'
		cat "$T/first"
		printf '\357\273\277'
		cat "$T/header" "$T/second"
	} >"$T/log/bad.csv"
	harmless "two of them, with CRLF and a second header" 0 ""
}

types() {
	begin
	seq 1 500 | sed "s/.*/x&,$NOW,$NOW,a@example.net,b@example.net/" \
		>"$T/bad"
	around "$T/bad"
	harmless "500 unknown types" 0 ""
	step "... are skipped" counted rows.skipped.unknown-type 500
	begin
	{
		row ''
		echo
		row @
		echo
		echo "d,yesterday,,a@example.net,b@example.net"
		echo "d"
	} >"$T/bad"
	around "$T/bad"
	harmless "rows without recipient or time" 4 "no [a-z]*"
}

# In a file that may grow a last line waits for its end.
unfinished() {
	begin
	cp "$T/good.csv" "$T/log/bad.csv"
	row 'late@example.net' >>"$T/log/bad.csv"
	step "a last line without end: convert takes it" exits 0 \
		sparktail convert "$T/log/bad.csv"
	step "... as a row" prints late@example.net
	step "... once" exits 0 sparktail once
	step "... lets it wait" arrived "$T/good.csv"
	step "... uncounted" counted rows.read "$rows"
	echo >>"$T/log/bad.csv"
	step "with its end it is shipped" exits 0 sparktail once
	step "... like the others" arrived "$T/log/bad.csv"
	step "... and counted" counted rows.read $((rows + 1))
}

# So does an open quote: it may be a field with line breaks.
unclosed() {
	begin
	{
		cat "$T/first"
		row 'lost@example.net'
		echo ',"and no end'
	} >"$T/log/bad.csv"
	step "a lost quote in the last row: convert" exits 0 \
		sparktail convert "$T/log/bad.csv"
	step "... calls it malformed" says " 1 malformed; "
	step "... once" exits 0 sparktail once
	step "... lets it wait" counted rows.malformed 0
	step "... and ships those before" arrived "$T/first"
	cat "$T/second" >>"$T/log/bad.csv"
	step "when others follow" exits 0 sparktail once
	step "... they are shipped" arrived "$T/good.csv"
	step "... and it is malformed" counted rows.malformed 1
	step "... and kept" kept 1 "broken quoting"
}

shows_no_recipient() {
	! { cat "$T/said" && zcat -f "$T"/spool/*/* "$T"/spool/*.json; } |
		grep -aiE 'secret[0-9]'
}

privacy() {
	write_config 'events.privacy: sha1' 'spool.keep_sent: 1d'
	begin
	{
		row 'secret1@example.net'
		echo ',"lost secret2@example.net'
		row 'secret3@example.net,' | sed 's/^d,[0-9]*,[0-9]*/d,,/'
		echo
		echo 'secret4@example.net,secret5=example.net@bounce.example'
		row 'secret6@example.net'
		repeat 20000 ,
		echo
		row 'secret7@example.net'
		repeat 1100000 ,
		echo
	} >"$T/bad"
	around "$T/bad"
	step "with privacy: once" exits 0 sparktail -v once
	cp "$T/err" "$T/said"
	step "... ships the others" arrived "$T/good.csv"
	step "... counts four" counted rows.malformed 4
	step "... keeps them" kept 4 "[a-z ]*"
	step "... and shows no recipient" shows_no_recipient
}

start_standin
write_config 'log.verbose: true'
files
long_rows
quotes
bytes
types
unfinished
unclosed
privacy
