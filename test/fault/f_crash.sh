#!/bin/sh
# The program dies at each of its crash points: at the first pass, at later
# ones, and a second time while it gets up again.  The dead spool's sums agree,
# and after a start without fault everything is at the service once.
#	f_crash.sh [POINT ...]	default: all there are in src
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/fault/bench.sh
setup

BUSY='*:503,retry-after=60'

# The scenarios in which a point is reached.  A new one needs a line here.
scenarios() {
	case $1 in
	seal.* | depart.* | settle.*) echo plain full many ;;
	save.* | accept.* | answer.accepted) echo plain ;;
	append.*) echo plain malformed ;;
	rows.*) echo malformed ;;
	answer.refused | refuse.* | cut.*) echo refused ;;
	evict.first) echo no_block ;;
	evict.*) echo full expired ;;
	heal.*) echo heal ;;
	recover.wiped) echo leftover ;;
	recover.placed) echo half_placed ;;
	recover.renamed) echo unfinished half_placed ;;
	recover.moved) echo unfinished half_placed damaged ;;
	recover.aside) echo damaged ;;
	recover.settled)
		echo fresh_start leftover unfinished half_placed damaged
		;;
	*) return 1 ;;
	esac
}

# --- Scenarios: what is there before, and what is asked of the run that dies

configure() {
	write_config 'batch.max_events: 10' 'ingest.retry_min: 20ms' \
		'ingest.retry_max: 200ms' 'spool.min_free_space: 0' "$@"
}

plain_before() {
	more_rows 35
}

# A few rows in each of many files: one commit for all of them.
many_before() {
	more_rows 12
	for file in 1 2 3 4 5; do
		ACCT=$T/log/acct-2026-01-31-000$file.csv
		header >"$ACCT"
		more_rows 3
	done
}

fresh_start_before() {
	more_rows 35
}

# Rows that are not to be used, between others.
malformed_before() {
	more_rows 15
	echo 'd,2026-01-31 10:00:00+0000,,,,relayed' >>"$ACCT"
	more_rows 15
	echo 'd,yesterday,,a@example.net,b@example.net,relayed' >>"$ACCT"
	more_rows 5
}

# One event of a batch is turned down; it stays so.
refused_before() {
	faults '*:refuse-if=poison'
	more_rows 14
	more_rows 1 poison
	more_rows 20
	refused=1
}

# The spool takes a few batches, and the service nothing.
full_before() {
	configure 'spool.max_size: 64K' 'batch.max_bytes: 64K'
	faults "$BUSY"
	bulky_rows 180
	busy=1
}

# ... and the disk has no block left for the first one that is to leave.
no_block_before() {
	full_before
	once_with SPARKTAIL_CRASH=evict.left SPARKTAIL_CALLS="$T/calls"
	is "$ENDED" "$DIED" || fail "nothing was evicted"
	nth=$(awk '$1 == "renameat" { print $2 }' "$T/calls")
	fresh
	bulky_rows 180
	also=SPARKTAIL_FAULT=renameat:$nth:ENOSPC
}

# Some of it was evicted, and now there is room.
heal_before() {
	full_before
	once_with
	is "$ENDED" 75 || fail "nothing waits"
	between 1 "$(status spool.open_gap_events)" 180 ||
		fail "nothing was evicted"
	busy=0
	faults
	configure
}

# All that waits becomes too old to be sent.
expired_before() {
	faults "$BUSY"
	more_rows 35
	once_with
	is "$ENDED" 75 || fail "nothing waits"
	faults
	echo 90000 >"$T/clock"
	also=SPARKTAIL_CLOCK=$T/clock
}

leftover_before() {
	more_rows 35
	once_with SPARKTAIL_CRASH=seal.written:2
	is "$ENDED" "$DIED" || fail "no batch was written"
}

unfinished_before() {
	more_rows 35
	once_with SPARKTAIL_CRASH=seal.placed:2
	is "$ENDED" "$DIED" || fail "no batch was placed"
}

# Of a commit of many two batches were placed.
half_placed_before() {
	many_before
	once_with SPARKTAIL_CRASH=seal.placed:2
	is "$ENDED" "$DIED" || fail "no second batch was placed"
}

# Batches wait, some have left, and the checkpoint is not to be read.
damaged_before() {
	faults "$BUSY"
	more_rows 35
	once_with
	is "$ENDED" 75 || fail "nothing waits"
	faults
	once_with SPARKTAIL_CRASH=depart.synced
	is "$ENDED" "$DIED" || fail "nothing was sent"
	echo '{"version": 1, "ledger": [' >"$T/spool/checkpoint.json"
}

# --- One death

# There is nothing to look at before the first start has made it.
dead_is_sound() {
	[ -s "$T/spool/checkpoint.json" ] ||
		[ -n "$(ls "$T/spool/ready")" ] || return 0
	dead_agrees
}

begin() {
	fresh
	faults
	configure
	refused=0 busy=0 also=SPARKTAIL_NOSYNC=1
	"$1_before"
}

# Ended as it was asked to, or well: a later pass may not come.
ended_somehow() {
	case $ENDED in
	0 | 75 | "$DIED") return 0 ;;
	74) [ "$scenario" != no_block ] || return 0 ;;
	esac
	echo "exit status $ENDED"
	return 1
}

# die POINT SCENARIO PASS
die() {
	begin "$2"
	once_with "SPARKTAIL_CRASH=$1:$3" "$also"
	if [ "$3" = 1 ]; then
		is "$ENDED" "$DIED" || return 1
	else
		ended_somehow || return 1
	fi
	dead_is_sound || return 1
	# Getting up, it stumbles over the same stone.
	once_with "SPARKTAIL_CRASH=$1" "$also"
	ended_somehow && dead_is_sound || return 1
	[ "$busy" = 0 ] || {
		faults
		configure
	}
	more_rows 7
	once_with
	is "$ENDED" 0 || return 1
	case $2 in
	expired) balanced && rows_counted ;;
	# What the checkpoint knew of rows is gone.
	damaged) balanced "$refused" ;;
	*) balanced "$refused" && rows_counted ;;
	esac
}

# every POINT: each of its scenarios, each pass
every() {
	found=$(scenarios "$1") || {
		echo "no scenario reaches this crash point: add one here"
		return 1
	}
	for scenario in $found; do
		for pass in $PASSES; do
			die "$1" "$scenario" "$pass" || {
				echo "in scenario $scenario, pass $pass"
				return 1
			}
			deaths=$((deaths + 1))
		done
	done
}

PASSES='1 2'
[ "$LONG" != 1 ] || PASSES='1 2 3 4 5 6 7'
deaths=0
start_standin
points=$(grep -rhoE 'crash_point\("[^"]+"' src | cut -d '"' -f 2 | sort)
step "there are crash points" test -n "$points"
step "each has a name of its own" is "$(echo "$points" | uniq -d)" ''
[ $# -eq 0 ] || points=$*
for point in $points; do
	step "$point" every "$point"
done
echo "$deaths deaths"
