#!/bin/sh
# safe-job-id: names made safe for PowerMTA's X-Job header.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

safe() {
	"$B/sparktail" safe-job-id "$@" </dev/null
}

filter() {
	"$B/sparktail" safe-job-id
}

# Each of the characters U+0020 to U+00FF, one a line, in UTF-8.
latin1() {
	i=32
	while [ "$i" -lt 256 ]; do
		if [ "$i" -lt 128 ]; then
			printf '%b\n' "$(printf '\\0%03o' "$i")"
		else
			printf '%b\n' "$(printf '\\0%03o\\0%03o' \
				$((192 + i / 64)) $((128 + i % 64)))"
		fi
		i=$((i + 1))
	done
}

# The same, each as an argument.
latin1_arguments() {
	set --
	while IFS= read -r character; do
		set -- "$@" "$character"
	done <"$T/latin1"
	safe "$@"
}

# becomes TEXT SAFE: as an argument, and as a line
becomes() {
	is "$(safe "$1")" "$2" && is "$(printf '%s\n' "$1" | filter)" "$2"
}

# bytes_become BYTES SAFE: without line end, with octal escapes
bytes_become() {
	is "$(printf '%b' "$1" | filter)" "$2"
}

keeps() {
	grep -vc '^_$' "$T/out"
}

# eightfold FROM TO: three times over, 512 copies
eightfold() {
	cp "$1" "$2"
	for _ in 1 2 3; do
		cat "$2" "$2" "$2" "$2" "$2" "$2" "$2" "$2" >"$2.more"
		mv "$2.more" "$2"
	done
}

characters() {
	latin1 >"$T/latin1"
	step "the characters U+0020 to U+00FF" exits 0 filter <"$T/latin1"
	step "... are 224 again" prints_lines 224
	step "... of one byte each" is "$(wc -c <"$T/out")" 448
	step "... 92 kept, and the underscore" is \
		"$(keeps)$(grep -c '^_$' "$T/out")" 91133
	paste "$T/latin1" "$T/out" | LC_ALL=C awk -F '\t' \
		'$1 != $2 && $2 != "_"' >"$T/changed"
	step "... the others are underscores" test ! -s "$T/changed"
	cp "$T/out" "$T/filtered"
	step "the same as arguments" exits 0 latin1_arguments
	step "... is the same" prints_file "$T/filtered"
}

names() {
	step "a plain name stays" becomes "Spring-2025_news.v1" \
		"Spring-2025_news.v1"
	step "a blank" becomes "spring sale" "spring_sale"
	step "quotes" becomes "a\"b'c\`d" "a_b'c_d"
	step "an umlaut is one character" becomes "Grüße" "Gr__e"
	step "... and so is a face" becomes "hi 😀!" "hi__!"
	step "a tab" becomes "a	b" "a_b"
	step "what looks like an option" becomes "-v --json" "-v_--json"
	step "nothing" becomes "" ""
	step "each argument has its line" exits 0 safe one "two three" four
	printf 'one\ntwo_three\nfour\n' >"$T/want"
	step "... in order" prints_file "$T/want"
	step "a line end within an argument" is "$(safe "a
b")" "a_b"
}

bytes() {
	step "invalid bytes are one each" bytes_become 'a\0377\0376b' "a__b"
	step "a character that is cut" bytes_become 'a\0303' "a_"
	step "... before another" bytes_become 'a\0342\0202b' "a__b"
	step "NUL" bytes_become 'a\0000b' "a_b"
	step "no line end, none made" is "$(printf 'a b' | filter | wc -c)" 3
	printf 'a b\r\n\r\nc\rd\n' | filter >"$T/crlf"
	step "CRLF stays a line end" is "$(od -An -c "$T/crlf" | tr -d ' ')" \
		'a_b\r\n\r\nc_d\n'
	head -c 300000 /dev/zero | tr '\0' ' ' >"$T/long"
	step "a long line" exits 0 filter <"$T/long"
	step "... is as long" is "$(tr -d _ <"$T/out" | wc -c),$(wc -c \
		<"$T/out")" 0,300000
	eightfold "$T/latin1" "$T/many"
	eightfold "$T/filtered" "$T/want"
	step "more than is read at once" exits 0 filter <"$T/many"
	step "... has the same characters" prints_file "$T/want"
	step "nothing in, nothing out" is "$(printf '' | filter | wc -c)" 0
	step "a full disk: 74" exits 74 to_a_full_disk
	step "... is said" says "No space left on device"
}

to_a_full_disk() {
	safe name >/dev/full
}

# A program that asks line by line gets its answer at once.
answers_at_once() {
	mkfifo "$T/ask" "$T/answer"
	filter <"$T/ask" >"$T/answer" &
	PIDS="$PIDS $!"
	exec 3>"$T/ask" 4<"$T/answer"
	for word in one two; do
		echo "$word $word" >&3
		IFS= read -r reply <&4
		is "$reply" "${word}_$word" || return 1
	done
	exec 3>&- 4<&-
}

characters
names
bytes
step "it answers line by line" answers_at_once
