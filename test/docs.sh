#!/bin/sh
# docs.sh SPARKTAIL KEYS
#
# Hold the documents against the code: every configuration key that KEYS prints
# stands in the sample (commented or not) with its default, and has an entry in
# sparktail.yaml(5), and these name no other; every command that "SPARKTAIL
# help" prints and every key of "status --json" stand in sparktail(8); every
# test that sparktail-promises(7) names is there; and README's map of modules is
# the headers'.
set -u

sparktail=$1
keys=$2
sample=etc/sparktail.yaml
page5=man/sparktail.yaml.5
page8=man/sparktail.8
page7=man/sparktail-promises.7
bad=0

complain()
{
	echo "docs: $*"
	bad=1
}

for file in "$sparktail" "$keys" "$sample" "$page5" "$page8" "$page7"; do
	[ -f "$file" ] || complain "$file is missing"
done
[ "$bad" = 0 ] || exit 1

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# The sample as lines "key<TAB>value".  "# " begins prose, any other "#" a line
# that could be taken as it is.  What mapping holds is names, not keys.
sample_keys()
{
	sed -n 's/^# [^ ].*//; s/^# *$//; s/^#//; /^ *[a-z_-]/p' "$sample" | awk '
	{
		item = $0 ~ /^ *- /
		match($0, /^ *(- )?/)
		depth = RLENGTH
		line = substr($0, RLENGTH + 1)
		if (!match(line, /^[a-z_]+:/)) next
		name = substr(line, 1, RLENGTH - 1)
		value = substr(line, RLENGTH + 1)
		sub(/^ +/, "", value); sub(/ +#.*$/, "", value)
		if (depth == 0) { top = name; mark = "" }
		if (top == "mapping" && depth) next
		if (depth && item) mark = "[]"
		key = depth ? top mark "." name : name
		if (value != "" || key == "mapping") print key "\t" value
	}'
}

# The keys that have an entry in the page: ".It Ic KEY : ..."
page_keys()
{
	sed -n 's/^\.It Ic \([^ ]*\) :.*/\1/p' "$page5"
}

# first_without FILE OTHER: lines of FILE that OTHER has not
first_without()
{
	sort -u "$1" >"$dir/1"
	sort -u "$2" >"$dir/2"
	comm -23 "$dir/1" "$dir/2"
}

"$keys" >"$dir/table" || complain "$keys failed"
cut -f 1 "$dir/table" >"$dir/code"
[ -s "$dir/code" ] || complain "$keys knows no keys"
sample_keys >"$dir/sample_table"
cut -f 1 "$dir/sample_table" >"$dir/sample"
page_keys >"$dir/page"

for key in $(first_without "$dir/code" "$dir/sample"); do
	complain "$sample lacks $key"
done
for key in $(first_without "$dir/sample" "$dir/code"); do
	complain "$sample has $key, which the program does not know"
done
for key in $(first_without "$dir/code" "$dir/page"); do
	complain "$page5 lacks $key"
done
for key in $(first_without "$dir/page" "$dir/code"); do
	complain "$page5 has $key, which the program does not know"
done

# A default is a promise; where there is none the sample shows an example.
wrong=$(awk -F '\t' '
	FNR == NR { preset[$1] = $2; next }
	preset[$1] == "" || preset[$1] ~ /^[[{]/ { next }
	preset[$1] != $2 { print $1 " as " $2 ", the default is " preset[$1] }
	' "$dir/table" "$dir/sample_table")
[ -z "$wrong" ] || complain "$sample shows $wrong"

# A command has an entry; one that is still to come is at least named.
"$sparktail" help | awk '/^  [a-z]/' >"$dir/help"
[ -s "$dir/help" ] || complain "$sparktail help names no commands"
sed '/not yet/d; s/^  \([^ ]*\).*/\1/' "$dir/help" >"$dir/commands"
sed -n 's/^\.It Ic \([^ ]*\).*/\1/p' "$page8" >"$dir/entries"
for command in $(first_without "$dir/commands" "$dir/entries"); do
	complain "$page8 has no entry for the command $command"
done
sed -n '/not yet/s/^  \([^ ]*\).*/\1/p' "$dir/help" >"$dir/later"
grep -E '^\.(It )?Ic ' "$page8" | tr -s ' ,' '\n' >"$dir/words"
for command in $(first_without "$dir/later" "$dir/words"); do
	complain "$page8 does not name the command $command"
done

# The keys of "status --json", of a spool on which nothing but a header was read.
status_keys()
{
	mkdir "$dir/log"
	echo type,rcpt,timeLogged >"$dir/log/acct.csv"
	(umask 077 && echo 0123456789 >"$dir/key")
	cat >"$dir/c.yaml" <<-END
	ingest: { url: "http://127.0.0.1:9/", api_key_file: "$dir/key" }
	sources: [ { path: "$dir/log/*.csv" } ]
	spool: { directory: "$dir/spool" }
	END
	"$sparktail" -q -c "$dir/c.yaml" once &&
		"$sparktail" -c "$dir/c.yaml" status --json |
		grep -o '"[a-z_]*":' | tr -d '":'
}

status_keys >"$dir/keys"
[ "$(wc -l <"$dir/keys")" -gt 50 ] || complain "status --json has no keys"
tr -cs 'a-z_' '\n' <"$page8" >"$dir/words"
for key in $(first_without "$dir/keys" "$dir/words"); do
	complain "$page8 does not name $key, which status --json has"
done

# What holds the promises, as lines "LINE KIND TEST", and what is behind each
# test, as "LINE KIND TEST WORDS", LINE being the one that the reader sees.
promised()
{
	awk '
	/^\.D1 / {
		line = FNR
		sub(/^\.D1 /, "")
		n = split($0, kinds, /; /)
		for (i = 1; i <= n; i++) {
			split(kinds[i], half, /: /)
			m = split(half[2], tests, /, /)
			for (k = 1; k <= m; k++)
				print line " " half[1] " " tests[k]
		}
	}
	/^\.\\" (unit|e2e|fault|lint): / {
		kind = $2; test = $3
		sub(/:$/, "", kind); sub(/:$/, "", test)
		sub(/^[^ ]* [^ ]* [^ ]* /, "")
		print line " " kind " " test " " $0
	}
	/^\.(It$|El)/ {
		if (since && line < since) print since " - -"
		since = /^\.It$/ ? FNR : 0
	}' "$page7"
}

# test_file KIND TEST
test_file()
{
	case $1 in
	unit) echo "test/unit/check_$2.c" ;;
	lint) echo "test/$2.sh" ;;
	*) echo "test/$1/$2.sh" ;;
	esac
}

# behind FILE WORDS: a test's function is there twice, also in its suite.
behind()
{
	case $1:$2 in
	*.c:*[!a-z0-9_]* | *.sh:*) grep -qF -e "$2" "$1" ;;
	*) [ "$(grep -cwF -e "$2" "$1")" -ge 2 ] ;;
	esac
}

promised | tee "$dir/shown" >"$dir/promised"
[ "$(wc -l <"$dir/promised")" -gt 100 ] || complain "$page7 is not read"
while read -r line kind test words; do
	file=$(test_file "$kind" "$test")
	at="$page7: line $line"
	if [ "$kind" = - ]; then
		complain "$at: a promise without a test"
	elif [ ! -f "$file" ]; then
		complain "$at: there is no $file"
	elif [ -z "$words" ]; then
		grep -q "^$line $kind $test ." "$dir/shown" ||
			complain "$at: nothing is said to be in $kind: $test"
	elif ! behind "$file" "$words"; then
		complain "$at: $file has not: $words"
	elif ! grep -qx "$line $kind $test" "$dir/shown"; then
		complain "$at: $kind: $test is not shown"
	fi
done <"$dir/promised"

if [ -f test/modmap.sh ]; then
	sh test/modmap.sh README || complain "README's map is old: test/modmap.sh -w README"
fi
exit "$bad"
