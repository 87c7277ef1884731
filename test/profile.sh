#!/bin/sh
# Where the time goes: perf(1) over "once" of d rows, the functions that cost
# most to a file.
#
#	B=build/rel sh test/profile.sh [FILE]	(or: make profile)
#
# ROWS=1000000; FILE is $B/profile.txt.  Does nothing where there is no perf.
ROWS=${ROWS:-1000000}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"
command -v perf >/dev/null || skip "no perf"
setup
out=${1:-$B/profile.txt}
generate --rows "$ROWS" --seed 1 --types d=1
start_standin --fast --keep-bodies 0
write_config 'events.injection: records' "threads: ${THREADS:-1}"
perf record -q -F 1999 -o "$T/perf.data" \
	"$B/sparktail" -q -c "$T/conf.yaml" once >"$T/daemon.log" 2>&1 ||
	skip "perf does not work here: $(tail -n 1 "$T/daemon.log")"
stop_standin
perf report -q --stdio -i "$T/perf.data" --percent-limit 0.5 \
	--sort dso,symbol 2>/dev/null | sed 's/[[:blank:]]*$//' >"$out"
head -n 20 "$out"
echo "all of it: $out"
