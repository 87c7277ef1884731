#!/bin/sh
# shellcheck disable=SC2119,SC2120
# The generator repeats itself, and the checker finds what is wrong.
. test/e2e/lib.sh
setup

ALL=d=60,b=10,t=20,r=1,rb=3,f=3,tq=2,rs=1

same() {
	mkdir "$T/again" && generate --seed 7 --now 1700000000 "$@" &&
		"$TOOLS/generator" --out "$T/again" --seed 7 \
			--now 1700000000 "$@" && diff -r "$T/log" "$T/again"
}

clear() {
	rm -rf "$T/again" "$T/log" "$T/accepted"
	mkdir "$T/log"
}

# Rows by the checker's own reading, and by what the generator says of them.
agree() {
	clear
	generate --seed 9 --rows 3000 --manifest "$T/manifest" "$@" &&
		"$TOOLS/checker" --emit "$T"/log/*.csv >"$T/accepted" &&
		check_all && "$TOOLS/checker" --manifest "$T/manifest" \
		--dir "$T/log" --accepted "$T/accepted"
}

# finds WHAT: the checker must fail and name it
finds() {
	finds_what=$1
	shift
	check_all "$@" >"$T/found" 2>&1 && return 1
	grep -q "$finds_what" "$T/found"
}

files() {
	set -- "$1" "$T"/log/*
	[ $# -eq $(($1 + 1)) ]
}

lines() {
	[ "$(cat "$T"/log/*.csv | wc -l)" -eq "$1" ]
}

step "the same seed gives the same bytes" same --rows 2000 --types "$ALL"
clear
step "so it does with odd rows" same --rows 2000 --hostile 200 --halves
clear
step "another seed gives others" generate --seed 8 --now 1700000000 --rows 9
cp -r "$T/log" "$T/again"
rm "$T"/log/*
generate --seed 9 --now 1700000000 --rows 9
step "... indeed" test -n "$(diff -r "$T/log" "$T/again")"
clear
step "it rolls over" generate --rows 1000 --roll-every 250 --types d=1
step "... to new names" files 4
step "... each with a header" lines 1004
clear
step "with torn rows it writes the same" generate --seed 7 --now 1700000000 \
	--rows 300 --rate 1000 --torn --base torn
generate --seed 7 --now 1700000000 --rows 300 --rate 1000 --base whole
step "... in the end" cmp "$T"/log/torn* "$T"/log/whole*
clear
step "it keeps to a rate" timeout 30 "$TOOLS/generator" --out "$T/log" \
	--rows 100 --rate 1000 --types d=1
step "... and to a count" lines 101

step "plain rows are explained" agree
step "all types" agree --types "$ALL"
step "d columns alone" agree --columns d --types d=1
step "default columns" agree --columns default
step "CRLF and epoch times" agree --crlf --epoch
step "odd rows" agree --hostile 200 --roll-every 500
step "odd rows of all types" agree --hostile 200 --crlf --types "$ALL"

agree >/dev/null
cp "$T/accepted" "$T/good"
sed 17d "$T/good" >"$T/accepted"
step "a removed event is lost" finds " 1 lost, 0 twice, 0 unexplained"
sed 17p "$T/good" >"$T/accepted"
step "a doubled event is twice" finds " 0 lost, 1 twice, 0 unexplained"
sed '17{p;s/"event_id":"[0-9]*"/"event_id":"77"/;}' "$T/good" >"$T/accepted"
step "an invented event is unexplained" finds \
	" 0 lost, 0 twice, 1 unexplained"
cp "$T/good" "$T/accepted"
step "and nothing is wrong otherwise" check_all
step "... nor out of order" check_all --in-order
sed '18{h;d;};31G' "$T/good" >"$T/accepted"
step "an event that came late is no loss" check_all
step "... but out of order" finds "before an earlier row" --in-order
printf '{"accepted":%s}\n' 40 0 6000 >"$T/requests"
step "... within a request" finds "^1 out of order" --requests "$T/requests"
printf '{"accepted":%s}\n' 30 0 6000 >"$T/requests"
step "... not across two" check_all --requests "$T/requests"
cp "$T/good" "$T/accepted"
for f in "$T"/log/*.csv; do
	gzip "$f"
done
step "packed files are the same" "$TOOLS/checker" --accepted "$T/accepted" \
	"$T"/log/*.csv.gz
