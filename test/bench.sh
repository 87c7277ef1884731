#!/bin/sh
# What the program costs, and the limits beside it.
#
#	B=build/rel sh test/bench.sh	(or: make bench)
#	BENCH="one mix" RUNS=5 make bench
#	BENCH=backlog make bench
#	join -a 1 -a 2 before after	(two outputs, sorted, side by side)
#
# One figure a line, "case.what value".  Rows are made from seeds, the service
# is the stand-in, which counts all batches and looks into one of SAMPLE (50);
# its own CPU time is not in cpu_s but in standin_cpu_s.  All is in $TMPDIR, about 1.6 GB for a
# million rows, and goes at the end.  Without anything it takes 3 minutes.
#
#	ROWS=1000000	rows of a case that reads files
#	RUNS=1		5: medians of five for one, cold, mix, threads and limits
#	BENCH=...	which cases; without it all but backlog
#	BENCH_QUICK=1	do all cases, but short ones: is nothing lost?
#	ROWS_BACKLOG=20000000	rows of backlog; BACKLOG=1 adds it to the others
#
# Cases:
#
#	one	d rows, one event each (injection: records), once; here and below
#		the rows are in the system's cache, as if just written
#	cold	the same, with the file dropped from the system's cache before
#	mix	all types, injections made from d, b and t rows
#	privacy	one, with hashed recipients
#	mapped	one, with 20 entries of a mapping and a filter of 500 domains
#	threads	one, with 2 and 4 threads ("skipped 1" where there is but one)
#	limits	of one and of mix, alone: read (and cut rows into fields), json
#		(write the events), deflate (pack them).  Then
#		CASE.ratio_to_limits is its cpu_s over the sum of the three
#	follow	5,000 and 50,000 rows a second (RATES) for FOLLOW_S (20) seconds: CPU
#		share of a core, wake-ups a second, and from the write of a row
#		to the arrival of its event with batch.max_delay 1s
#	follow_many	the same for 8 files at once, together 5,000 rows a second,
#		with injections made; seven have all types, and one, whose
#		latency it is, d rows alone.  Here the stand-in looks into
#		every batch, and counts an event that comes again once
#	idle	IDLE_S (30) seconds without anything to do
#	files	10,000 files of a row (FILES), and then one that is written to
#	spool	100,000 batches wait at start (BATCHES): until the first comes,
#		and for status
#	same	the same events from 1 and 4 threads, cold and warm, igzip and
#		zlib (if build/zlib is there: make B=build/zlib IGZIP=0)?
#	backlog	20 million rows in files of a million: needs 12 GB and minutes
#
# Ends with 1 when an event is lost, or "same" finds others.
ROWS=${ROWS:-1000000}
RUNS=${RUNS:-1}
ROWS_BACKLOG=${ROWS_BACKLOG:-${BACKLOG:+20000000}}
if [ "${BENCH_QUICK:-}" = 1 ]; then
	FOLLOW_S=1 RATES=5000 IDLE_S=1 FILES=100 BATCHES=500
fi
# test/bench/ reads these.
# shellcheck disable=SC2034
FOLLOW_S=${FOLLOW_S:-20} RATES=${RATES:-5000 50000} IDLE_S=${IDLE_S:-30}
FILES=${FILES:-10000} BATCHES=${BATCHES:-100000}
here=$(dirname "$0")
# shellcheck source=test/e2e/lib.sh
. "$here/e2e/lib.sh"
# shellcheck source=test/bench/figures.sh
. "$here/bench/figures.sh"
# shellcheck source=test/bench/once.sh
. "$here/bench/once.sh"
# shellcheck source=test/bench/live.sh
. "$here/bench/live.sh"
setup
: >"$T/figures"

cases='one cold mix privacy mapped threads limits'
cases="$cases follow follow_many idle files spool same"
for name in ${BENCH:-$cases ${ROWS_BACKLOG:+backlog}}; do
	case " $cases backlog " in
	*" $name "*) ;;
	*) fail "no such case: $name" ;;
	esac
	"case_$name"
done
ratios
! grep -Eq '\.lost [^0]|^same\.events no' "$T/figures"
