# shellcheck shell=sh disable=SC2154
# once - cases that read files to their end, and the limits

# rows_of KIND: make $T/rows/KIND once, and let it be $T/log
rows_of() {
	rm -rf "$T/log"
	if [ ! -d "$T/rows/$1" ]; then
		room $((ROWS * 7 / 10000 + 100))
		mkdir -p "$T/rows/$1"
		ln -s "$T/rows/$1" "$T/log"
		case $1 in
		mix) generate --rows "$ROWS" --seed 2 --columns default ;;
		*) generate --rows "$ROWS" --seed 1 --types d=1 ;;
		esac
		# Who wrote them has to wait for the disk, not who reads.
		sync "$T"/log/*.csv
	else
		ln -s "$T/rows/$1" "$T/log"
	fi
}

# measured CASE ROWS: what measure wrote to $T/measured
measured() {
	awk -v name="$1" -v rows="$2" '{
		cpu = $1 + $2
		printf "%s.cpu_s_per_million_rows %.3f\n", name, cpu * 1e6 / rows
		printf "%s.user_s %.3f\n%s.sys_s %.3f\n", name, $1, name, $2
		printf "%s.wall_s %.3f\n", name, $3
		if ($3 > 0) printf "%s.rows_per_s %.0f\n", name, rows / $3
		printf "%s.peak_kb %d\n", name, $4
	}' "$T/measured" >>"$T/raw"
}

# mb_per_s NAME BYTES
mb_per_s() {
	figure "$1" "$(awk -v bytes="$2" \
		'{ printf "%.1f", $3 ? bytes / 1e6 / $3 : 0 }' "$T/measured")"
}

# lost CASE EVENTS: below 0 they came again, as an injection does that rows of
# two batches are about; the service drops it, the fast stand-in counts it
lost() {
	figure "$1.lost" $(($2 > 0 ? $2 : 0))
	[ "$2" -ge 0 ] || figure "$1.again" $((0 - $2))
}

# The spool of the run before is put aside, and goes at the end: ext4 without a
# journal passes each inode that was freed in the last minutes when it looks for
# one, which would be counted as the program's time.
clear() {
	mkdir -p "$T/old"
	[ ! -d "$T/spool" ] || mv "$T/spool" "$T/old/$((clears += 1))"
	rm -rf "$T/summary" "$T/accepted" "$T/requests" "$T/times"
}
clears=0

# run_once [SETTING ...]: over all of $T/log, into a service that unpacks one
# batch of fifty, and hardly checks that: two cores have to do for both
run_once() {
	clear
	start_standin --fast --sample "${SAMPLE:-50}" --keep-bodies 0
	write_config 'batch.max_delay: 1s' "$@"
	"$TOOLS/measure" "$B/sparktail" -q -c "$T/conf.yaml" once \
		3>"$T/measured" >"$T/daemon.log" 2>&1 ||
		fail "sparktail once ended with $?"
	stop_standin
}

# shipped CASE ROWS EVENTS [SETTING ...]: run_once, and its figures
shipped() {
	shipped_case=$1
	shipped_rows=$2
	shipped_events=$3
	shift 3
	run_once "$@"
	measured "$shipped_case" "$shipped_rows"
	mb_per_s "$shipped_case.mb_in_per_s" "$(bytes_of "$T"/log/*.csv)"
	mb_per_s "$shipped_case.mb_out_per_s" "$(json_get "$T/summary" bytes)"
	events=$(status upload.events)
	[ "$(status upload.batches)" = "$(json_get "$T/summary" batches)" ] ||
		fail "the stand-in has not as many batches as were sent"
	figure "$shipped_case.events" "$events"
	lost "$shipped_case" $((shipped_events - events))
	figure "$shipped_case.standin_cpu_s" "$(json_get "$T/summary" cpu_ms |
		awk '{ printf "%.3f", $1 / 1000 }')"
}

# warm CASE ROWS EVENTS [SETTING ...]: shipped, of rows that the system has in
# its cache as it has those that were just written; the run before gave them
# back, and the limits are measured so.
warm() {
	cat "$T"/log/*.csv >/dev/null
	shipped "$@"
}

case_one() {
	rows_of one
	repeat warm one "$ROWS" "$ROWS" 'events.injection: records'
}

cold() {
	"$TOOLS/measure" --forget "$T"/log/*.csv
	shipped cold "$ROWS" "$ROWS" 'events.injection: records'
}

case_cold() {
	rows_of one
	repeat cold
}

case_mix() {
	rows_of mix
	repeat warm mix "$ROWS" "$(expected --injection synthesize)" \
		'events.injection: synthesize'
}

case_privacy() {
	rows_of one
	warm privacy "$ROWS" "$ROWS" 'events.injection: records' \
		'events.privacy: sha1'
	print_medians
}

# A filter that all rows are held against, and that lets all of them pass.
mapping() {
	echo 'mapping:'
	echo '  default: { ship: Many }'
	echo '  vmta:'
	echo '    "promo-*": { ip_pool: promotional, subaccount: 7 }'
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		echo "    mta$n: { ip_pool: pool-$n, subaccount: $n }"
	done
	echo '  vmta_pool:'
	echo '    transactional: { subaccount: 100 }'
	echo '    promo*: { sending_ip: 192.0.2.10 }'
	echo '  filters:'
	echo '    Many:'
	n=0
	while [ $((n += 1)) -lt 500 ]; do
		echo "      \"mail.customer$n.example\": { subaccount: $n }"
	done
	echo '      "*": { ship: true }'
}

case_mapped() {
	rows_of one
	warm mapped "$ROWS" "$ROWS" 'events.injection: records' "$(mapping)"
	print_medians
}

# can_thread N: does the program take so many threads?
can_thread() {
	URL=http://127.0.0.1:1 write_config "threads: $1"
	sparktail check >/dev/null 2>&1
}

case_threads() {
	rows_of one
	for n in 2 4; do
		if can_thread "$n"; then
			repeat warm "one.threads$n" "$ROWS" "$ROWS" \
				'events.injection: records' "threads: $n"
		else
			figure "one.threads$n.skipped" 1
			print_medians
		fi
	done
}

# limit PREFIX ROWS WHAT ARGUMENT ...: $T/limit is what measure prints
limit() {
	limit_prefix=$1
	limit_rows=$2
	limit_what=$3
	shift 3
	"$TOOLS/measure" "--$limit_what" "$@" 3>"$T/measured" >"$T/limit" ||
		fail "measure --$limit_what ended with $?"
	measured "$limit_prefix$limit_what" "$limit_rows"
}

# limits PREFIX: of what is in $T/log; JSON and packing for some rows, as
# events are larger than rows
limits() {
	limit "$1" "$ROWS" read "$T"/log/*.csv
	limit "$1" "$some" json "$T/some.json"
	limit "$1" "$some" deflate "${LEVEL:-1}" "$T/some.json"
	json=$(bytes_of "$T/some.json")
	figure "${1}json.bytes_per_row" $((json / some))
	figure "${1}deflate.ratio" "$(over "$json" "$(cat "$T/limit")")"
}

# some_events INJECTION: in $T/some.json, of the first rows of $T/log
some_events() {
	some=$ROWS
	[ "$some" -le 100000 ] || some=100000
	head -n $((some + 1)) "$T"/log/*.csv >"$T/some.csv"
	URL=http://127.0.0.1:1 write_config "events.injection: $1"
	sparktail -q convert "$T/some.csv" >"$T/some.json" 2>"$T/convert.err" ||
		fail "convert: $(cat "$T/convert.err")"
}

case_limits() {
	rows_of one
	some_events records
	repeat limits ''
	rows_of mix
	some_events synthesize
	repeat limits mix.
	rm -f "$T/some.csv" "$T/some.json"
}

# sum_of BINARIES [SETTING ...]: of the events that are accepted, in any order
sum_of() {
	sum_with=$1
	shift
	clear
	start_standin
	write_config 'events.injection: records' 'batch.max_events: 3000' "$@"
	"$sum_with/sparktail" -q -c "$T/conf.yaml" once >"$T/daemon.log" 2>&1 ||
		fail "sparktail once ended with $?"
	stop_standin
	check_all --injection records >"$T/checked" ||
		fail "not each event once: $(cat "$T/checked")"
	LC_ALL=C sort -u "$T/accepted" | sha256sum >>"$T/sums"
}

case_same() {
	same_rows=$ROWS
	[ "$same_rows" -le 100000 ] || same_rows=100000
	rm -rf "$T/log" "$T/sums"
	mkdir "$T/log"
	generate --rows "$same_rows" --seed 3 --types d=1
	sum_of "$B"
	"$TOOLS/measure" --forget "$T"/log/*.csv
	sum_of "$B"
	! can_thread 4 || sum_of "$B" 'threads: 4'
	zlib=$(dirname "$B")/zlib
	[ ! -x "$zlib/sparktail" ] || sum_of "$zlib"
	figure same.ways "$(wc -l <"$T/sums")"
	if [ "$(sort -u "$T/sums" | wc -l)" -eq 1 ]; then
		figure same.events yes
	else
		figure same.events no
	fi
	print_medians
}

case_backlog() {
	backlog=${ROWS_BACKLOG:-20000000}
	part=1000000
	[ "$part" -le "$backlog" ] || part=$backlog
	room $((backlog * 6 / 10000 + 100))
	rm -rf "$T/log"
	mkdir "$T/log"
	seed=0
	while [ $((seed * part)) -lt "$backlog" ]; do
		seed=$((seed + 1))
		generate --rows "$part" --seed "$((100 + seed))" --types d=1
	done
	shipped backlog $((seed * part)) $((seed * part)) \
		'events.injection: records'
	print_medians
	rm -rf "$T/log"
}
