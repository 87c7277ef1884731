#!/bin/sh
# CPU seconds for a million rows, and the limits beside them.
#
#	B=build/rel sh test/bench.sh	(or: make bench)
#
# ROWS=1000000 rows from a seed; THREADS=1 goes into the configuration.  One
# figure a line, "case.what value", so that two runs can be joined and
# compared.  Needs about 1.5 GB in $TMPDIR for a million rows; nothing is
# written anywhere else.  Cases:
#
#	one	d rows, one event each (injection: records)
#	mix	all types, injections made from d, b and t rows
#	read	reading the rows of "one", nothing else
#	deflate	packing its events, nothing else (level 1)
ROWS=${ROWS:-1000000}
THREADS=${THREADS:-1}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"
setup

# figures CASE BYTES: what measure wrote to $T/measured, for a million rows
figures() {
	awk -v name="$1" -v rows="$ROWS" -v bytes="$2" '{
		cpu = $1 + $2
		printf "%s.cpu_s_per_million_rows %.3f\n", name, cpu * 1e6 / rows
		printf "%s.user_s %.3f\n%s.sys_s %.3f\n", name, $1, name, $2
		printf "%s.wall_s %.3f\n", name, $3
		if ($3 > 0) {
			printf "%s.rows_per_s %.0f\n", name, rows / $3
			printf "%s.mb_per_s %.1f\n", name, bytes / 1e6 / $3
		}
		printf "%s.peak_kb %d\n", name, $4
	}' "$T/measured"
}

bytes_of() {
	cat "$@" | wc -c
}

# shipped CASE: "once" over all of $T/log, into a stand-in that hardly checks
shipped() {
	rm -rf "$T/spool" "$T/summary" "$T/accepted" "$T/requests"
	start_standin --fast --keep-bodies 0
	write_config "threads: $THREADS" "$2"
	"$TOOLS/measure" "$B/sparktail" -q -c "$T/conf.yaml" once \
		3>"$T/measured" >"$T/daemon.log" 2>&1 ||
		fail "sparktail once ended with $?"
	stop_standin
	figures "$1" "$(bytes_of "$T"/log/*.csv)"
	events=$(json_get "$T/summary" events.accepted)
	echo "$1.events $events"
	echo "$1.gzip_bytes $(json_get "$T/summary" bytes)"
	echo "$1.standin_cpu_s $(json_get "$T/summary" cpu_ms |
		awk '{ printf "%.3f", $1 / 1000 }')"
}

# Of at most 100,000 rows: events are larger than rows, and disks are slow.
limits() {
	cat "$T"/log/*.csv >/dev/null
	set -- "$T"/log/*.csv
	"$TOOLS/measure" --read "$1" 3>"$T/measured"
	figures read "$(bytes_of "$1")"
	head -n 100001 "$1" >"$T/some.csv"
	[ "$ROWS" -le 100000 ] || ROWS=100000
	"$B/sparktail" -q -c "$T/conf.yaml" convert "$T/some.csv" \
		>"$T/some.json" 2>"$T/convert.err" || return 0
	"$TOOLS/measure" --deflate 1 "$T/some.json" 3>"$T/measured" \
		>"$T/packed"
	figures deflate "$(bytes_of "$T/some.json")"
	echo "deflate.json_bytes_per_event $(($(bytes_of "$T/some.json") / ROWS))"
	echo "deflate.ratio $(awk -v json="$(bytes_of "$T/some.json")" \
		'{ printf "%.2f", json / $1 }' "$T/packed")"
}

echo "rows $ROWS"
generate --rows "$ROWS" --seed 1 --types d=1
shipped one 'events.injection: records'
all=$ROWS
limits
ROWS=$all
rm -f "$T"/log/*.csv "$T/some.csv" "$T/some.json"
generate --rows "$ROWS" --seed 2 --columns default
shipped mix 'events.injection: auto'
