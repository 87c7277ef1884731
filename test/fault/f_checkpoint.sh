#!/bin/sh
# shellcheck disable=SC2119
# A checkpoint that is missing, damaged, of another version, of another time or
# of another machine; and strangers' files in the spool.  Nothing is at the
# service twice, nothing is lost, what is not ours stays.
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/e2e/expect.sh
setup

# A spool with everything in it: rows 1-100 were sent, 101-300 wait in batches
# of 50, half of row 301 is in the file.  (Old: the checkpoint of row 100.)
a_world() {
	rm -rf "$T/spool" "$T/accepted" "$T/old.json"
	rm -f "$T"/log/*
	[ -z "${STANDIN_PID:-}" ] || stop_standin
	start_standin
	write_config 'batch.max_events: 50'
	acct=$T/log/acct-1.csv
	{ header && rows 1 50; } >"$T/log/acct-0.csv"
	{ header && rows 51 100; } >"$acct"
	exits 0 sparktail once || fail "the first rows are not sent"
	cp "$T/spool/checkpoint.json" "$T/old.json"
	faults '*:503,retry-after=60'
	rows 101 300 >>"$acct"
	rows 301 301 | head -c 60 >>"$acct"
	exits 75 sparktail once || fail "the batches do not wait"
	is "$(ready)" 4 || fail "there are not 4 batches"
	faults
	check=$T/spool/checkpoint.json
}

# The rest of the row and more arrive.
world_goes_on() {
	rows 301 301 | tail -c +61 >>"$acct"
	rows 302 320 >>"$acct"
}

# All is there once, after a start; and again after another, with its own.
is_whole() {
	world_goes_on
	exits 0 within 60 "$B/sparktail" -c "$T/conf.yaml" once &&
		each_once 1-320 && agrees &&
		exits 0 within 60 "$B/sparktail" -c "$T/conf.yaml" once &&
		says_nothing && each_once 1-320 && agrees
}

# Nothing was read that had been read before.
read_once() {
	is "$(status rows.read)" 320 &&
		is "$(stats duplicate.delivery)" 0
}

damaged() {
	a_world
	cat >"$T/bad"
	cp "$T/bad" "$check"
	world_goes_on
	step "$1: once" exits 0 within 60 "$B/sparktail" -c "$T/conf.yaml" once
	step "... says it" says "the checkpoint was damaged: set aside as \
$T/spool/checkpoint.damaged"
	step "... keeps it" cmp "$T/bad" "$T/spool/checkpoint.damaged"
	step "... each row is there once" each_once 1-320
	step "... the ledger agrees" agrees
	step "... and is whole from now on" exits 0 sparktail once
	step "... without a word" says_nothing
}

whole() {
	a_world
	step "a spool as it was left" is_whole
	step "... nothing was read again" read_once
}

missing() {
	a_world
	rm "$check"
	step "no checkpoint: each row is there once" is_whole
	a_world
	rm -r "$T/spool"
	mkdir "$T/spool"
	step "an empty spool: each row is there once" is_whole
}

cut_short() {
	a_world
	cp "$check" "$T/good.json"
	size=$(stat -c %s "$check")
	for length in 0 1 16 200 $((size / 2)) $((size - 3)) $((size - 2)); do
		[ "$length" -ge 0 ] || continue
		head -c "$length" "$T/good.json" >"$T/cut.json"
		damaged "cut to $length of $size bytes" <"$T/cut.json"
	done
}

garbage() {
	awk 'BEGIN { srand(7); for (i = 0; i < 5000; i++)
		printf "%c", 1 + int(rand() * 254) }' >"$T/garbage"
	damaged "garbage" <"$T/garbage"
	a_world
	sed 's/"seq":"[0-9]*"/"seq":"many"/' "$check" >"$T/garbage"
	damaged "words where numbers belong" <"$T/garbage"
	a_world
	sed 's/"offset":[0-9]*/"offset":-5/' "$check" >"$T/garbage"
	damaged "negative offsets" <"$T/garbage"
	echo '{"version":0,"seq":"9","offset":12}' >"$T/garbage"
	damaged "of a version before the first" <"$T/garbage"
	echo '[]' >"$T/garbage"
	damaged "another kind of JSON" <"$T/garbage"
}

# A later version of us has more members, and may not be read by this one.
listing() {
	(cd "$T/spool" && find . ! -type d -exec cksum {} + | sort &&
		find . -printf '%p %m %T@ %l\n' | sort)
}

untouched() {
	listing >"$T/listing"
	step "$1: refused" exits 78 sparktail once
	step "... which is said" says "was written by a later version"
	step "... run too" exits 78 within 10 "$B/sparktail" \
		-c "$T/conf.yaml" run
	[ -e "$T/spool/checkpoint.next" ] ||
		step "... status too" exits 78 sparktail status
	listing >"$T/listing.after"
	sed 's/^\(\.\/lock [0-9]*\) [^ ]*/\1/; s/^[0-9]* [0-9]* \.\/lock$//' \
		"$T/listing" >"$T/listing.1"
	sed 's/^\(\.\/lock [0-9]*\) [^ ]*/\1/; s/^[0-9]* [0-9]* \.\/lock$//' \
		"$T/listing.after" >"$T/listing.2"
	step "... nothing was touched" cmp "$T/listing.1" "$T/listing.2"
}

newer() {
	a_world
	cp "$check" "$T/good.json"
	: >"$T/spool/tmp/unfinished"
	sed 's/"version":1/"version":2,"soul":{"a":[1,{}]}/' "$T/good.json" \
		>"$check"
	untouched "of a later version"
	echo '{"soul":1,"seq":"x","ledger":"none","version":99}' >"$check"
	untouched "of a version far away"
	cp "$T/good.json" "$check"
	sed 's/"version":1/"version":2/' "$T/good.json" \
		>"$T/spool/checkpoint.next"
	untouched "the next one of a later version"
	rm "$T/spool/checkpoint.next"
	step "with its own: each row is there once" is_whole
	a_world
	sed 's/"version":1/"version":1,"soul":{"a":[1,{}]}/
		s/"state":/"mood":[true,null],"state":/' "$check" >"$T/bad"
	cp "$T/bad" "$check"
	step "members nobody knows" is_whole
	step "... nothing was read again" read_once
}

# The spool and the files were copied to another machine.
moved() {
	a_world
	sed 's/"dev":"[0-9]*"/"dev":"4711"/
		s/"ino":"\([0-9]*\)"/"ino":"9\1"/' "$check" >"$T/bad"
	cp "$T/bad" "$check"
	step "other devices and inodes" is_whole
	step "... nothing was read again" read_once
	a_world
	sed 's/"dev":"[0-9]*"/"dev":"4711"/' "$check" >"$T/bad"
	cp "$T/bad" "$check"
	write_config 'batch.max_events: 50' 'node_name: other.test'
	step "other devices, and another node" is_whole
	step "... nothing was read again" read_once
	a_world
	rm "$check"
	write_config 'batch.max_events: 50' 'node_name: other.test'
	step "no checkpoint, and another node" is_whole
}

# Restored from yesterday: what left since then is read again, and dropped by
# the service.
old() {
	a_world
	cp "$T/old.json" "$check"
	step "an old copy: the batches are beyond it" is_whole
	step "... nothing was read again" is "$(stats duplicate.delivery)" 0
	a_world
	world_goes_on
	exits 0 sparktail once || fail "the batches are not sent"
	cp "$T/old.json" "$check"
	step "an old copy, and the batches are gone" exits 0 sparktail once
	step "... each row is there once" each_once 1-320
	step "... the ledger agrees" agrees
	a_world
	sed 's/"seq":"[0-9]*"/"seq":"4000000000"/' "$check" >"$T/bad"
	cp "$T/bad" "$check"
	step "one that knows more than there is" is_whole
	a_world
	sed 's/"offset":[0-9]*/"offset":99999999/' "$check" >"$T/bad"
	cp "$T/bad" "$check"
	step "offsets behind the end" is_whole
}

# Something else in its place must not be waited for.
other_things() {
	for name in checkpoint.json checkpoint.next; do
		a_world
		mv "$check" "$T/good.json"
		[ $name = checkpoint.json ] || cp "$T/good.json" "$check"
		mkfifo "$T/spool/$name"
		odd "a fifo as $name"
		mkdir "$T/spool/$name"
		odd "a directory as $name"
		ln -s "$T/good.json" "$T/spool/$name"
		odd "a symbolic link as $name"
		cp "$T/good.json" "$check"
		step "... and all is well" is_whole
	done
}

# It may be refused or passed over, but is not hung on, or written through.
odd() {
	cp "$T/good.json" "$T/good.copy"
	within 10 "$B/sparktail" -c "$T/conf.yaml" status >"$T/out" 2>"$T/err"
	step "$1: status ends by itself" test $? -ne 124
	step "... refused" exits 73 within 10 "$B/sparktail" \
		-c "$T/conf.yaml" once
	step "... by name" says "$name"
	step "... nothing is written through it" cmp "$T/good.json" \
		"$T/good.copy"
	rm -rf "${T:?}/spool/$name"
}

# --- Strangers ---

# strangers DIRECTORY: files of every kind, with names of every kind
strangers() {
	one=$(find "$T/spool/ready" -name '*.gz' -printf '%f\n' | sort |
		head -n 1)
	for stranger in README .hidden "two words" '-rf' \
		"$(printf 'line\nbreak')" "$(printf 'bad\377utf')" \
		"${one%.gz}" "$one~" "x$one" "${one#0}" ".$one.tmp" \
		"$(echo "$one" | tr a-f A-F | sed s/NDJSON.GZ/ndjson.gz/)" \
		"$(echo "$one" | sed 's/_b[0-9a-f]*/_b/')" \
		"$(echo "$one" | sed 's/_e[0-9.]*/_e1.2.3/')" \
		"$(echo "$one" | sed 's/^0*/ffffffffffffffffff/')"; do
		[ "$stranger" = "$one" ] || echo mine >"$1/$stranger"
	done
	mkdir "$1/directory" "$1/directory.ndjson.gz"
	echo mine >"$1/directory/file"
	ln -s "$T/conf.yaml" "$1/link"
	ln -s "$T/conf.yaml" "$1/link.ndjson.gz"
	ln -s /nowhere "$1/nowhere"
	mkfifo "$1/fifo" "$1/fifo.ndjson.gz"
}

strange_listing() {
	(cd "$T/spool" && find . \( -name '*~' -o -type l -o -type p -o -type d \
		-o -exec grep -qx mine {} \; \) -print | sort)
}

company() {
	for room in . ready sent refused; do
		a_world
		strangers "$T/spool/$room"
		strange_listing >"$T/strange"
		step "strangers in $room/" is_whole
		step "... nothing was read again" read_once
		strange_listing >"$T/strange.after"
		step "... they stay" cmp "$T/strange" "$T/strange.after"
	done
	a_world
	strangers "$T/spool/tmp"
	world_goes_on
	step "strangers in tmp/" exits 0 within 60 \
		"$B/sparktail" -c "$T/conf.yaml" once
	step "... are said in one line at most" test \
		"$(wc -l <"$T/err")" -le 1
	step "... each row is there once" each_once 1-320
	step "... directories stay" test -e "$T/spool/tmp/directory/file"
	step "... the ledger agrees" agrees
	step "... where links pointed to nothing has changed" \
		test -s "$T/conf.yaml"
}

says_few() {
	[ "$(wc -l <"$T/err")" -le 3 ] || {
		head -n 5 "$T/err"
		return 1
	}
}

# Something else with the name of a batch that was never sealed.
impostors() {
	a_world
	one=$(find "$T/spool/ready" -name '*.gz' -printf '%f\n' | sort |
		tail -n 1)
	for kind in mkfifo mkdir "ln -s $T/conf.yaml"; do
		a_world
		$kind "$T/spool/ready/00000000000000ff_${one#*_}"
		world_goes_on
		within 30 "$B/sparktail" -c "$T/conf.yaml" once \
			>"$T/out" 2>"$T/err"
		step "a batch by its name, in truth by ${kind%% *}: it ends" \
			test $? -ne 124
		step "... each row is there once" each_once 1-320
		step "... is said in few lines" says_few
		rm -rf "$T/spool/ready/00000000000000ff_${one#*_}"
	done
}

# A batch that cannot be opened is tried again, not once but until it can be.
unopened() {
	a_world
	one=$(find "$T/spool/ready" -name '*.gz' | sort | head -n 1)
	cp "$one" "$T/safe.gz"
	echo more >>"$one"
	world_goes_on
	start_daemon
	step "a batch is not what was sealed: the others go" \
		here_once 10 1-100 151-320
	step "... it is said" logged "cannot open"
	# Some tries more.
	sleep 4
	step "... and nothing else" is "$(grep -c expired "$T/daemon.log")" 0
	cp "$T/safe.gz" "$one"
	step "when it is right again it goes" here_once 10 1-320
	step "... the ledger agrees" wait_until 10 agrees
	step "it ends" stop_daemon
}

[ $# -gt 0 ] || set -- whole missing cut_short garbage newer moved old \
	other_things company impostors unopened
for part in "$@"; do
	$part
done
