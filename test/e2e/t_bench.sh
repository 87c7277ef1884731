#!/bin/sh
# The bench prints each of its figures, and loses nothing.  How fast, nobody
# asks here.
. test/e2e/lib.sh
. test/e2e/rows.sh
is_plain || skip "a sanitizer's figures are none"
setup

# has NAME ...: is there a figure of each name, and is it a number?
has() {
	for name in "$@"; do
		grep -Eqx "$name [0-9]+(\.[0-9]+)?" "$T/figures" || {
			echo "no $name"
			return 1
		}
	done
}

# costs CASE ...: what a case that reads files has
costs() {
	for case in "$@"; do
		for what in cpu_s_per_million_rows user_s sys_s wall_s \
			rows_per_s mb_in_per_s mb_out_per_s peak_kb events \
			standin_cpu_s ratio_to_limits; do
			has "$case.$what" || return 1
		done
		grep -qx "$case.lost 0" "$T/figures" || {
			echo "$case has lost events"
			return 1
		}
	done
}

bench() {
	ROWS=3000 BENCH_QUICK=1 TMPDIR=$T sh test/bench.sh >"$T/figures" || {
		cat "$T/figures"
		return 1
	}
}

# Each of them, or the word that there is but one thread.
threads() {
	for n in 2 4; do
		has "one.threads$n.skipped" 2>&1 ||
			has "one.threads$n.wall_s" "one.threads$n.speedup" ||
			return 1
	done
}

step "a short bench" bench
step "each line is a figure" test "$(grep -Evcx \
	'[a-z0-9._]+ ([0-9]+(\.[0-9]+)?|yes)' "$T/figures")" -eq 0
step "files that are read to their end" costs one cold mix privacy mapped
step "threads" threads
step "limits" has read.cpu_s_per_million_rows json.cpu_s_per_million_rows \
	deflate.cpu_s_per_million_rows mix.json.cpu_s_per_million_rows \
	mix.to_one
# follows CASE
follows() {
	for what in cpu_percent wakeups_per_s latency_p50_ms latency_p99_ms \
		latency_max_ms peak_kb events standin_cpu_s; do
		has "$1.$what" || return 1
	done
	grep -qx "$1.lost 0" "$T/figures"
}

step "a file that grows" follows follow5000
step "files that grow at once" follows follow_many
step "rest" has idle.cpu_percent idle.wakeups_per_s
step "many files" has files.wall_s files.live_ms files.live_lost
step "many batches" has spool.first_upload_ms spool.status_s \
	spool.status_json_s spool.peak_kb
step "none is missed" grep -qx "spool.lost 0" "$T/figures"
step "the same events in each way" grep -qx "same.events yes" "$T/figures"
step "it knows its cases" test "$(BENCH=banana sh test/bench.sh)" = \
	"FAILED: no such case: banana"
