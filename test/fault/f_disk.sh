#!/bin/sh
# shellcheck disable=SC2119
# Disks that fill up, while the service is away: what leaves the spool, what
# does not, and what is left of it when there is room again.
[ "$(id -u)" -eq 0 ] || {
	echo "skipped: mounts need root"
	exit 77
}
if [ -z "${OWN_MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || {
		echo "skipped: no mounts of our own"
		exit 77
	}
	OWN_MOUNTS=1 exec unshare -m sh "$0" "$@"
fi
. test/e2e/lib.sh
. test/e2e/rows.sh
setup
trap disk_cleanup EXIT

# What is mounted goes before the temp dir.
disk_cleanup() {
	disk_status=$?
	for pid in $PIDS; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait
	umount -l "$T/spool" "$T/log" 2>/dev/null
	(exit $disk_status)
	cleanup
}

MIB=1048576
STALL='1:stall=600000'

small() {
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2" none "$1" || skip "no tmpfs can be mounted"
}

free_of() {
	stat -f -c '%a %S' "$1" | awk '{ printf "%d\n", $1 * $2 }'
}

# The event is one of those that are at the service: sent u17
sent() {
	grep -qF "\"$1@example.com\"" "$T/accepted"
}

empty_spool() {
	rm -f "$T"/log/* "$T/accepted" "$T/daemon.log"
	start_standin "$@"
}

# --- Filled by others, and freed again ---

# A line each time: free space, the others' bytes, the first batch that waits
# and whether the one in flight is there.
sample_once() {
	# shellcheck disable=SC2012
	sample_first=$(ls "$T/spool/ready" | head -n 1)
	sample_second=$(find "$T/spool/ready" -name '*.gz' ! -name '*01_*' \
		-printf '%f\n' 2>/dev/null | sort | head -n 1)
	sample_moves=$(cat "$T/moves")
	sample_free=$(free_of "$T/spool")
	sample_others=$(stat -c %s "$T/spool/others")
	# Their bytes are gone before their file has its size.
	case $sample_moves in
	*begin) sample_others=moving ;;
	esac
	[ "$sample_moves" = "$(cat "$T/moves")" ] || sample_others=moving
	echo "$sample_free $sample_others" \
		"${sample_first%%_*} ${sample_second%%_*}"
}

sample_loop() {
	trap - EXIT HUP INT TERM
	sample_left=6000
	while [ ! -e "$T/sampled" ] && [ $sample_left -gt 0 ]; do
		sample_once 2>/dev/null
		sample_left=$((sample_left - 1))
		sleep 0.02
	done >"$T/samples"
}

sample_start() {
	rm -f "$T/sampled"
	sample_loop &
	SAMPLER_PID=$!
	PIDS="$PIDS $SAMPLER_PID"
}

sample_stop() {
	: >"$T/sampled"
	wait "$SAMPLER_PID"
	echo "  $(wc -l <"$T/samples") samples, least free" \
		"$(sort -n "$T/samples" | head -n 1 | cut -d ' ' -f 1)"
}

# Below the limit it may get by others, not by us.  A checkpoint, which says
# that something was evicted, is not counted.
keeps_free() {
	awk -v least="$1" -v slack=131072 '
	NF == 4 && $2 == others && $2 != "moving" && $1 < least - slack && $1 < before {
		print "line " NR ": free " before " to " $1
		bad++
	}
	{ before = $1; others = $2 }
	END { exit bad > 0 }' "$T/samples"
}

# The one in flight stays, of the others the oldest goes first.
oldest_first() {
	awk -v flying="$1" '
	$3 != flying { print "line " NR ": in flight, but gone"; bad++ }
	$4 != "" && $4 < before { print "line " NR ": " $4 " is back"; bad++ }
	$4 != "" { before = $4 }
	END { exit bad > 0 }' "$T/samples"
}

others() {
	echo "$1 begin" >"$T/moves"
	fallocate -l "$1" "$T/spool/others"
	echo "$1" >"$T/moves"
}

all_read() {
	[ "$(status rows.read)" -ge "$1" ] && agrees
}

log_evicted() {
	grep -o 'evicted [0-9]* batches with [0-9]* events' "$T/daemon.log" |
		awk '{ sum += $5 } END { printf "%d\n", sum }'
}

# Enough is free again, by itself.
has_free() {
	[ "$(free_of "$T/spool")" -ge "$1" ]
}

ready_events() {
	find "$T/spool/ready" -name '*.ndjson.gz' -exec zcat {} + | wc -l
}

filled() {
	small "$T/spool" 16m
	: >"$T/spool/others"
	empty_spool --fault "$STALL"
	write_config 'batch.max_events: 200' 'spool.min_free_space: 4M' \
		'ingest.connections: 1' 'ingest.timeout: 1h'
	acct=$T/log/acct-1.csv
	{ header && bulky 1 200; } >"$acct"
	start_daemon
	step "a batch is in flight" wait_until 20 asked 1
	sample_start
	bulky 201 20000 >>"$acct"
	others 2M
	step "others take 2 MiB: more is read than there is room for" \
		wait_until 60 all_read 20000
	step "... something was evicted" test "$(status spool.evicted_events)" \
		-gt 0
	evicted=$(status spool.evicted_events)
	others 6M
	step "others take 4 MiB more: it gives way" \
		wait_until 30 has_free $((4 * MIB))
	bulky 20001 24000 >>"$acct"
	step "... and goes on" wait_until 60 all_read 24000
	step "... with less in the spool" test \
		"$(status spool.evicted_events)" -gt "$evicted"
	sample_stop
	step "the limit was kept" keeps_free $((4 * MIB))
	step "the oldest went first, but not the one in flight" \
		oldest_first 0000000000000001
	evicted=$(status spool.evicted_events)
	echo "  $evicted events of 24000 evicted"
	step "log and status agree" is "$(log_evicted)" "$evicted"
	step "... with what is there" is $((evicted + $(ready_events))) 24000
	stop_standin
	start_standin
	: >"$T/spool/others"
	healed
	step "the ledger agrees" wait_until 10 agrees
	step "it ends" stop_daemon
	umount "$T/spool"
}

asked() {
	[ "$(stats posts)" -ge "$1" ]
}

no_gaps() {
	[ "$(status spool.open_gaps)" = 0 ] &&
		[ "$(status spool.open_gap_events)" = 0 ] && status_idle
}

healed() {
	step "with room and service: all of it" here_once 120 1-24000
	step "... no gap is open" wait_until 20 no_gaps
	step "... all were healed" is "$(status spool.healed_events)" \
		"$(status spool.evicted_events)"
}

# --- spool.on_full: pause ---

paused() {
	empty_spool --fault '*:503,retry-after=1'
	write_config 'batch.max_events: 200' 'batch.max_bytes: 256K' \
		'spool.max_size: 3M' 'spool.on_full: pause'
	{ header && bulky 1 10000; } >"$T/log/acct-1.csv"
	start_daemon
	step "full, it stops reading" wait_until 30 spool_is paused
	rows_read=$(status rows.read)
	step "... with something read" test "$rows_read" -gt 0
	step "... and the rest not" test "$rows_read" -lt 10000
	step "... within the limit" between 0 "$(status spool.bytes)" $((3 * MIB))
	step "... nothing is evicted" is "$(status spool.evicted_events)" 0
	step "... which is lag" test "$(status 'sources[].lag_bytes')" -gt 0
	step "... the ledger agrees" agrees
	kill_daemon
	start_daemon
	step "killed and started: the same" wait_until 30 spool_is paused
	faults
	step "when the service is back all of it arrives once" \
		here_once 60 1-10000
	step "... and it says so" wait_until 10 spool_is ok
	step "... nothing was evicted" is "$(status spool.evicted_events)" 0
	step "it ends" stop_daemon
	rm -rf "$T/spool"
}

spool_is() {
	[ "$(status spool.state)" = "$1" ]
}

# Not one byte is left, but what was kept for this.
reserve() {
	small "$T/spool" 16m
	empty_spool
	write_config 'spool.min_free_space: 1M'
	{ header && rows 1 50; } >"$T/log/acct-1.csv"
	start_daemon
	step "rows arrive" here_once 10 1-50
	wait_until 10 ready_empty
	step "there is a reserve" test -s "$T/spool/reserve"
	faults '*:503,retry-after=1'
	rows 51 100 >>"$T/log/acct-1.csv"
	wait_until 10 is_ready 1
	: >"$T/spool/others"
	others "$(free_of "$T/spool")"
	step "no byte is left: the last batch gives way" \
		wait_until 30 ready_empty
	step "... which the checkpoint knows" wait_until 10 \
		evicted_is 50
	step "... by the reserve" test ! -e "$T/spool/reserve"
	step "... the ledger agrees" wait_until 10 agrees
	kill_daemon
	start_daemon
	step "killed and started: the same" evicted_is 50
	step "... the ledger agrees" wait_until 10 agrees
	faults
	rm "$T/spool/others"
	rows 101 120 >>"$T/log/acct-1.csv"
	step "with room, each row is there once" here_once 60 1-120
	step "... and a reserve is made" wait_until 10 \
		test -s "$T/spool/reserve"
	step "... the ledger agrees" wait_until 10 agrees
	step "it ends" stop_daemon
	umount "$T/spool"
}

is_ready() {
	is "$(ready)" "$1"
}

evicted_is() {
	is "$(status spool.evicted_events)" "$1"
}

# The limit is that of ready/ alone: as small as a batch it is still one.
narrow() {
	empty_spool
	write_config 'batch.max_events: 200' 'batch.max_bytes: 256K' \
		'spool.max_size: 256K'
	{ header && bulky 1 2000; } >"$T/log/acct-1.csv"
	start_daemon
	step "max_size as small as a batch: all of it arrives once" \
		here_once 30 1-2000
	step "it ends" stop_daemon
	rm -rf "$T/spool"
}

# --- The disk of the accounting files ---

# Rows until nothing more fits; the last one is cut short: $LAST is whole.
fill_log() {
	bulky 1 4000 >"$T/rows"
	{ header && cat "$T/rows"; } >"$T/whole"
	cat "$T/whole" >"$1" 2>/dev/null
	has=$(stat -c %s "$1")
	LAST=$(head -c "$has" "$T/whole" | grep -c ',end$')
}

log_full() {
	small "$T/log" 1m
	empty_spool
	write_config
	start_daemon
	acct=$T/log/acct-1.csv
	fill_log "$acct"
	step "their disk is full" is "$(free_of "$T/log")" 0
	step "... all $LAST rows arrive" here_once 20 "1-$LAST"
	step "... nothing was written there" is "$(ls "$T/log")" acct-1.csv
	mount -o remount,size=4m "$T/log"
	tail -c "+$((has + 1))" "$T/whole" >>"$acct"
	step "with room, rows go on" here_once 20 1-4000
	step "... none is malformed" is "$(status rows.malformed)" 0
	step "... the ledger agrees" wait_until 5 agrees
	step "it ends" stop_daemon
	umount "$T/log"
	rm -rf "$T/spool"
}

# --- Read-only ---

# The lock is open for writing, so that nobody can take the disk away from
# below a daemon that runs; only the kernel itself can, after an error.
read_only() {
	small "$T/spool" 16m
	empty_spool
	write_config 'spool.min_free_space: 0'
	{ header && rows 1 50; } >"$T/log/acct-1.csv"
	start_daemon
	step "rows arrive" here_once 10 1-50
	step "nobody can make its disk read-only" refused \
		mount -o remount,ro "$T/spool"
	kill_daemon
	umount "$T/spool"
	has_faults || {
		echo "- (a disk that turns read-only: not in this build)"
		return
	}
	export SPARKTAIL_FAULT=renameat:1:EROFS:4
	start_daemon
	unset SPARKTAIL_FAULT
	rows 51 100 >>"$T/log/acct-1.csv"
	step "for a while it cannot write: said" wait_until 20 \
		logged 'Read-only file system'
	step "... and said when it can" wait_until 20 logged 'works again'
	step "... each row is there once" here_once 20 1-100
	step "... the ledger agrees" wait_until 5 agrees
	step "it ends" stop_daemon
	rm -rf "$T/spool"
}

refused() {
	! "$@" 2>/dev/null
}

has_faults() {
	case $B in
	*/fault*) ;;
	*) return 1 ;;
	esac
}

# --- Only the checkpoint does not fit ---

checkpoint_only() {
	small "$T/spool" 16m
	empty_spool
	write_config 'spool.min_free_space: 0'
	for i in $(seq 1500); do
		echo "$HEADER" >"$T/log/acct-$i.csv"
	done
	rows 1 100 >>"$T/log/acct-1.csv"
	start_daemon
	step "many files: rows arrive" here_once 30 1-100
	step "... the ledger agrees" wait_until 10 agrees
	size=$(stat -c %s "$T/spool/checkpoint.json")
	step "... the checkpoint is large" test "$size" -gt 200000
	wait_until 10 ready_empty
	: >"$T/spool/others"
	others $(($(free_of "$T/spool") - 65536))
	rows 101 200 >>"$T/log/acct-1.csv"
	step "room for a batch alone: said" wait_until 20 \
		logged 'No space left on device'
	step "... the ledger agrees" wait_until 10 agrees
	step "... status works" exits_0 sparktail status
	rm "$T/spool/others"
	step "with room, each row is there once" here_once 20 1-200
	step "... it is said" wait_until 10 logged 'works again'
	step "... the ledger agrees" wait_until 10 agrees
	step "it ends" stop_daemon
	umount "$T/spool"
}

exits_0() {
	"$@" >/dev/null
}

mount --make-rprivate / 2>/dev/null
[ $# -gt 0 ] || set -- filled paused log_full read_only checkpoint_only \
	reserve narrow
for part in "$@"; do
	$part
	stop_standin 2>/dev/null
done
