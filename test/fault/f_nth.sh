#!/bin/sh
# The n-th call of each kind fails, in each way it can fail; or the program dies
# just before it.  It goes on, or ends and says why; the sums agree; and after a
# run without fault everything is at the service once.
#	SEED=1 SAMPLE=160	which, and how many; LONG=1: all of them
#	WORKERS=16		at the same time, for most of them wait
#	f_nth.sh --work FILE	the worker: a line is "HOW FAULT", HOW one of
#		once, run	all is well but for the fault
#		evict		the spool is small and the service busy
#		heal		so it was, and now there is room
#		many, many_run	once and run over many small files, whose
#				batches are committed together
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/fault/bench.sh
setup

SEED=${SEED:-1}
SAMPLE=${SAMPLE:-160}
WORKERS=${WORKERS:-16}
ROWS=20
BULKY=130 # are more than a small spool takes
FILES=40
MANY=52 # rows in so many files: one each, the rest in the first of them

# --- One fault

# Rows of which one is not to be used; @@ is for what makes them this run's.
templates() {
	bad='d,yesterday,,a@example.net,@@@example.net,relayed'
	for count in "$ROWS" "$MANY"; do
		{
			header
			rows 1 "$count" @@x
			echo "$bad"
		} >"$T/template.$count"
	done
	{
		header
		bulky 1 "$BULKY" | sed 's/,u\([0-9]*@\)/,@@x\1/'
		echo "$bad"
	} >"$T/template.bulky"
}

# deal FILES: a row to each, and what is left to the first
deal() {
	awk -v dir="$T/log" -v files="$1" '
	NR == 1 { header = $0; next }
	{
		n = NR - 1
		file = sprintf("%s/acct-%02d.csv", dir, n > files ? 1 : n)
		if (n <= files) print header >file
		print >file
	}'
}

next_files() {
	runs=$((runs + 1))
	files=1
	case $1 in
	evict | heal) wanted=$BULKY from=$T/template.bulky ;;
	many*) wanted=$MANY files=$FILES from=$T/template.$MANY ;;
	*) wanted=$ROWS from=$T/template.$ROWS ;;
	esac
	rm -rf "$T/spool" "$T"/log/*
	sed "s/@@/r$runs/g" "$from" | deal "$files"
	: >"$T/accepted"
}

small_and_busy() {
	faults '*:503,retry-after=60'
	cp "$T/conf.small" "$T/conf.yaml"
}

roomy() {
	faults
	cp "$T/conf.roomy" "$T/conf.yaml"
}

# Ended well, or with a status of its own and a word about it.
ended_in_words() {
	case $ENDED in
	0 | "$DIED") return 0 ;;
	6[4-9] | 7[0-9]) [ ! -s "$T/said" ] || return 0 ;;
	esac
	echo "exit status $ENDED, saying: $(cat "$T/said")"
	return 1
}

# There may be no spool yet.
sums_agree() {
	sparktail status >"$T/status" 2>&1
	case $? in
	0) return 0 ;;
	74) ! grep -q 'nothing has run on it yet\|No such file' "$T/status" ||
		return 0 ;;
	esac
	cat "$T/status"
	return 1
}

once_quietly() {
	timeout -k 5 60 "$B/sparktail" -c "$T/conf.yaml" once 2>"$T/said"
	ENDED=$?
	cat "$T/said" >>"$T/daemon.log"
	return 0
}

here_or_gone() {
	here "$wanted" || gone "$DAEMON_PID"
}

# The daemon, until all is there or it has given up.  What it cannot read it
# tries again with the next rescan, after a minute.
run_quietly() {
	"$B/sparktail" -c "$T/conf.yaml" run 2>"$T/said" &
	DAEMON_PID=$!
	PIDS="$STANDIN_PID $DAEMON_PID"
	wait_until 75 here_or_gone || return 1
	kill -TERM "$DAEMON_PID" 2>/dev/null
	wait "$DAEMON_PID"
	ENDED=$?
	cat "$T/said" >>"$T/daemon.log"
}

many_quietly() {
	once_quietly
}

many_run_quietly() {
	run_quietly
}

evict_quietly() {
	small_and_busy
	once_quietly
}

heal_quietly() {
	roomy
	once_quietly
}

each_is_there_once() {
	"$TOOLS/checker" --accepted "$T/accepted" "$T"/log/*.csv \
		>"$T/check.out" 2>&1 &&
		grep -q "^rows *$((wanted + 1)) read" "$T/status" && return
	cat "$T/status"
	cat "$T/check.out"
	return 1
}

# What is to be there before the fault strikes.
before() {
	next_files "$1"
	roomy
	if [ "$1" = heal ]; then
		evict_quietly
		is "$ENDED" 75 || return 1
	fi
}

# strike HOW FAULT
strike() {
	before "$1" || return 1
	export SPARKTAIL_FAULT="$2"
	"${1}_quietly" || return 1
	unset SPARKTAIL_FAULT
	ended_in_words && sums_agree || return 1
	roomy
	once_quietly
	is "$ENDED" 0 && sums_agree && each_is_there_once
}

prepare() {
	runs=0
	start_standin
	set -- 'ingest.retry_min: 5ms' 'ingest.retry_max: 50ms' \
		'spool.min_free_space: 0'
	write_config "$@" 'batch.max_events: 15' 'spool.max_size: 64K' \
		'batch.max_bytes: 64K'
	mv "$T/conf.yaml" "$T/conf.small"
	write_config "$@" 'batch.max_events: 5'
	mv "$T/conf.yaml" "$T/conf.roomy"
	templates
}

if [ "${1:-}" = --work ]; then
	prepare
	while read -r how fault; do
		: >"$T/daemon.log"
		strike "$how" "$fault" || fail "$how with the fault $fault"
	done <"$2"
	exit 0
fi

# --- Which faults, and the workers

# all_faults HOW: every one that a run without any has room for.
all_faults() {
	before "$1" || fail "$1"
	export SPARKTAIL_CALLS="$T/calls"
	"$1_quietly"
	unset SPARKTAIL_CALLS
	if ! is "$ENDED" "$2" || ! sums_agree; then
		fail "$1 without a fault"
	fi
	echo "  $1: $(tr '\n' ' ' <"$T/calls")" >&2
	awk '
	function all(call, n, what) { print call ":" n ":" what }
	$1 == "any" {
		for (n = 1; n <= $2; n++) all($1, n, "exit")
		next
	}
	{
		for (n = 1; n <= $2; n++) {
			all($1, n, "EIO")
			all($1, n, "ENOSPC")
			all($1, n, "EINTR")
			all($1, n, "EIO:3")
			if ($1 ~ /write|read/) all($1, n, "short")
		}
	}' "$T/calls"
}

# some COUNT: of the lines, in a random order
some() {
	awk -v seed="$SEED" 'BEGIN { srand(seed) } { print rand(), $0 }' |
		sort | cut -d ' ' -f 2- | head -n "$1"
}

# choose HOW FROM COUNT: so many faults of those that FROM has
choose() {
	some "$3" <"$T/faults.$2" | sed "s/^/$1 /"
}

# choose_all ONCE FOREVER RUN EVICT HEAL MANY MANY_RUN: so many for each
choose_all() {
	choose once once "$1"
	# A call that never works again; what waits for it may take its time.
	sed -n 's/:ENOSPC$/:ENOSPC:0/p' "$T/faults.once" >"$T/faults.forever"
	choose once forever "$2"
	choose run once "$3"
	choose evict evict "$4"
	choose heal heal "$5"
	choose many many "$6"
	choose many_run many "$7"
}

work() {
	split -n "r/$WORKERS" "$T/chosen" "$T/part."
	printf '%s\n' "$T"/part.* | TMPDIR=$T xargs -P "$WORKERS" -I '{}' \
		sh test/fault/f_nth.sh --work '{}'
}

prepare
all_faults evict 75 >"$T/faults.evict"
step "a small spool evicts" between 20 "$(status spool.evicted_events)" \
	$((BULKY - 20))
all_faults heal 0 >"$T/faults.heal"
step "what was evicted comes all the same" each_is_there_once
all_faults many 0 >"$T/faults.many"
step "many small files are shipped, too" each_is_there_once
# Two renames a batch, when it is committed and when it leaves; a third would
# be the checkpoint's.
step "... and committed together" between $((2 * FILES)) \
	"$(awk '$1 == "renameat" { print $2 }' "$T/calls")" $((5 * FILES / 2))
all_faults once 0 >"$T/faults.once"
step "a run without fault ships all" each_is_there_once
step "... and makes calls of all kinds" is \
	"$(awk '$2 > 0' "$T/calls" | wc -l)" 10
every=$(cat "$T"/faults.* | wc -l)
if [ "$LONG" = 1 ]; then
	choose_all "$every" 80 200 600 600 "$every" 400 >"$T/chosen"
else
	choose_all "$SAMPLE" 4 12 16 16 80 8 >"$T/chosen"
fi
count=$(wc -l <"$T/chosen")
begun=$(now_ms)
step "$count runs, of $every faults there can be" work
took=$(($(now_ms) - begun))
echo "  $((took / 1000)) s, $((count * 10000 / took)) in 10 s"
