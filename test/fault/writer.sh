# shellcheck shell=sh disable=SC2034,SC2154
# writer - somebody who writes rows all the time, as PowerMTA does; after
# lib.sh and rows.sh
#
#	writer_start live $T/log/a.csv
#	mv ...; writer_tell open $T/log/b.csv
#	writer_stop			how many rows: $WRITTEN
#	here_once 10 "1-$WRITTEN:live"
#
# It keeps its file open, as PowerMTA does, wherever the file's name goes, and
# goes to another when it is told so.  It is told by a file, and has done it
# when writer_tell returns:
#
#	open FILE	write there from now on; a header if the file is empty
#	roll PREFIX N	N new files PREFIX-1.csv ..., two rows each, at once
#	hold, go	pause between two rows, and go on
#	stop
#
# $PACE: seconds between rows (0.01).

writer_row() {
	writer_n=$((writer_n + 1))
	printf 'd,%s,%s,news@example.net,%s%d@example.com,relayed,2.0.0 (success),smtp;250 Ok %x,success,smtp,smtp,198.51.100.7,4711,mta1,spring,pool,<%s%d.1@example.net>,Hello there %d,\n' \
		"$writer_now" "$writer_now" "$writer_name" "$writer_n" \
		"$writer_n" "$writer_name" "$writer_n" "$writer_n" >&8
}

writer_open() {
	exec 8>>"$1"
	[ -s "$1" ] || printf '%s\n' "$HEADER" >&8
}

writer_roll() {
	writer_i=0
	writer_begin=$(now_ms)
	while [ "$writer_i" -lt "$2" ]; do
		writer_i=$((writer_i + 1))
		writer_open "$1-$writer_i.csv"
		writer_row
		writer_row
	done
	echo $(($(now_ms) - writer_begin)) >"$T/writer.took"
}

writer_obey() {
	read -r verb word count <"$T/writer.todo"
	case $verb in
	open) writer_open "$word" ;;
	roll) writer_roll "$word" "$count" ;;
	hold) writer_held=yes ;;
	go) writer_held= ;;
	esac
	rm "$T/writer.todo"
	[ "$verb" != stop ]
}

# What runs in the background.
writer_loop() {
	trap - EXIT HUP INT TERM
	writer_name=$1
	writer_n=0
	writer_now=$(date -u +%Y-%m-%d\ %H:%M:%S+0000)
	writer_held=
	writer_open "$2"
	while :; do
		if [ -e "$T/writer.todo" ]; then
			writer_obey || break
		fi
		[ -n "$writer_held" ] || writer_row
		sleep "${PACE:-0.01}"
	done
	echo "$writer_n" >"$T/writer.count"
}

# writer_start NAME FILE
writer_start() {
	rm -f "$T/writer.todo" "$T/writer.count"
	writer_loop "$@" &
	WRITER_PID=$!
	PIDS="$PIDS $WRITER_PID"
}

writer_obeyed() {
	[ ! -e "$T/writer.todo" ]
}

writer_tell() {
	echo "$@" >"$T/writer.wish"
	mv "$T/writer.wish" "$T/writer.todo"
	wait_until 20 writer_obeyed || fail "the writer does not hear"
}

writer_stop() {
	writer_tell stop
	wait "$WRITER_PID"
	WRITTEN=$(cat "$T/writer.count")
}
