#!/bin/sh
# A spool that cannot be used is said to be so, with what to do about it; and
# when that is done nothing has been lost.
if [ -z "${OWN_MOUNTS:-}" ] && unshare -rm true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare -rm sh "$0" "$@"
fi
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

BUSY='*:503,retry-after=60'

# Without the right to pass over modes, which root has.
unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}

modes_count() {
	mkdir "$T/closed"
	chmod 555 "$T/closed"
	! unprivileged touch "$T/closed/file" 2>/dev/null
}

once() {
	within 20 "$B/sparktail" -c "$T/conf.yaml" once
}

once_unprivileged() {
	unprivileged timeout 20 "$B/sparktail" -c "$T/conf.yaml" once
}

# All has been sent and the sums agree.
all_is_well() {
	exits 0 once && check_all && exits 0 sparktail status --json &&
		is "$(json_get "$T/out" spool.events)" 0 &&
		is "$(json_get "$T/out" ledger.agrees)" true
}

in_its_place() {
	write_config
	step "no spool: status" exits 74 sparktail status
	step "... says so" says "$T/spool: No such file or directory; nothing \
has run on it yet"
	mkdir "$T/spool"
	step "an empty directory: status" exits 74 sparktail status
	step "... says so" says "nothing has run on it yet"
	rmdir "$T/spool"
	: >"$T/spool"
	step "a file in its place: 73" exits 73 once
	step "... which is said" says "cannot make $T/spool: Not a directory"
	step "... with a remedy" says "move it away"
	step "... run too: 73" exits 73 within 10 "$B/sparktail" \
		-c "$T/conf.yaml" run
	step "... status too" exits 74 sparktail status
	step "... which is said" says "$T/spool: Not a directory"
	rm "$T/spool"
	mkdir "$T/spool"
	: >"$T/spool/ready"
	step "a file in the place of ready: 73" exits 73 once
	step "... which is said" says "cannot make $T/spool/ready: Not a"
	rm -r "$T/spool"
	step "moved away, all is well" all_is_well
	write_config "spool.directory: $T/not/there/spool"
	step "no directory above it: 73" exits 73 once
	step "... which is said" says "make the directory above it first"
	ln -s "$T/spool" "$T/link"
	write_config "spool.directory: $T/link"
	step "a link to a spool will do" all_is_well
}

modes() {
	modes_count || {
		echo "- (modes do not count for this user)"
		return
	}
	write_config "spool.directory: $T/closed/spool"
	step "an unwritable directory above: 73" exits 73 once_unprivileged
	step "... which is said" says \
		"cannot make $T/closed/spool: Permission denied"
	step "... with a remedy" says "chown it to the user"
	chmod 755 "$T/closed"
	mkdir "$T/closed/spool"
	chmod 555 "$T/closed/spool"
	step "an unwritable spool: 73" exits 73 once_unprivileged
	step "... which is said" says "$T/closed/spool/lock: Permission denied"
	chmod 755 "$T/closed/spool"
	step "with its modes right, all is well" all_is_well
	rm -r "$T/closed"

	generate --rows 100 --base modes
	write_config
	chmod 0 "$T/spool/checkpoint.json"
	step "an unreadable checkpoint: 73" exits 73 once_unprivileged
	step "... which is said" says \
		"cannot read $T/spool/checkpoint.json: Permission denied"
	chmod 640 "$T/spool/checkpoint.json"
	for room in ready tmp; do
		chmod 555 "$T/spool/$room"
		step "unwritable $room: 74" exits 74 once_unprivileged
		step "... is said" says "spool: cannot seal a batch in"
		step "... with the reason" says "Permission denied"
		step "... no row counts as read" is "$(status rows.read)" 100
		chmod 750 "$T/spool/$room"
	done
	step "with its modes right, all is well" all_is_well
}

# Six batches that wait, in a copy of the spool.
waiting_spool() {
	rm -rf "$T/spool" "$T/safe"
	generate --rows 300 --base waiting
	write_config 'batch.max_events: 100'
	faults "$BUSY"
	step "a busy service: 75" exits 75 once
	cp -rp "$T/spool" "$T/safe"
}

# with_checkpoint WHAT: one made of standard input in the place of the real one
with_checkpoint() {
	rm -rf "$T/spool"
	cp -rp "$T/safe" "$T/spool"
	cat >"$T/spool/checkpoint.json"
	faults "$BUSY"
	step "a checkpoint $1: status" exits 0 sparktail status
	step "... says so" says "the checkpoint in $T/spool is damaged"
	step "... and counts the batches" prints "$batches batches with"
	step "... once goes on" exits 75 once
	step "... says it" says "the checkpoint was damaged: set aside as \
$T/spool/checkpoint.damaged"
	step "... keeps it" test -e "$T/spool/checkpoint.damaged"
	step "... reads nothing twice" is \
		"$(status spool.batches)" "$batches"
	faults
	step "... and all is well" all_is_well
	step "... for good" says_nothing
}

checkpoints() {
	waiting_spool
	batches=$(status spool.batches)
	with_checkpoint "cut in half" <<-END
	$(head -c 300 "$T/safe/checkpoint.json")
	END
	with_checkpoint "of no bytes" </dev/null
	with_checkpoint "of zeros" <<-END
	$(head -c 2000 /dev/zero | tr '\0' 0)
	END
	with_checkpoint "of other JSON" <<-END
	{"version": 1, "ledger": [], "positions": "none"}
	END
	head -c 4000 /dev/zero >"$T/zeros"
	with_checkpoint "of NUL bytes, as after a power cut" <"$T/zeros"

	rm -rf "$T/spool"
	cp -rp "$T/safe" "$T/spool"
	rm "$T/spool/checkpoint.json"
	step "no checkpoint: once" exits 0 once
	step "... and all is well" all_is_well
}

later_version() {
	rm -rf "$T/spool"
	cp -rp "$T/safe" "$T/spool"
	sed 's/"version":1/"version":2/' "$T/safe/checkpoint.json" \
		>"$T/spool/checkpoint.json"
	: >"$T/spool/tmp/unfinished"
	cp -rp "$T/spool" "$T/before"
	step "a later version's spool: 78" exits 78 once
	step "... which is said" says "was written by a later version"
	step "... run: 78" exits 78 within 10 "$B/sparktail" \
		-c "$T/conf.yaml" run
	step "... status: 78" exits 78 sparktail status
	step "... which is said" says "was written by a later version"
	step "... status --json: 78" exits 78 sparktail status --json
	step "... prints no zeros" prints_nothing
	step "nothing in it was touched" diff -r "$T/before" "$T/spool"
	cp "$T/safe/checkpoint.json" "$T/spool/checkpoint.json"
	step "with its own, all is well" all_is_well
}

strangers() {
	mkdir -p "$T/spool/ready/directory"
	echo mine >"$T/spool/README"
	echo mine >"$T/spool/ready/notes.txt"
	echo mine >"$T/spool/ready/x.ndjson.gz"
	echo mine >"$T/spool/tmp/half"
	generate --rows 50 --base strangers
	step "with other files in it all is well" all_is_well
	step "... they stay" test -e "$T/spool/README" -a \
		-e "$T/spool/ready/notes.txt" -a \
		-e "$T/spool/ready/x.ndjson.gz" -a -d "$T/spool/ready/directory"
	step "... but not in tmp" test ! -e "$T/spool/tmp/half"
}

mount_small() {
	[ "${OWN_MOUNTS:-}" = 1 ] && mount -t tmpfs -o "size=$1" none "$T/spool"
}

# A file of somebody else leaves room for little: full_but KIB
full_but() {
	head -c $((20480 - $1))k /dev/zero >"$T/spool/ballast"
}

read_only() {
	mount -o remount,ro "$T/spool" 2>/dev/null
}

# A disk that is full, and one that turned read-only.
disks() {
	rm -rf "$T/spool"
	mkdir "$T/spool"
	mount_small 20m 2>/dev/null || {
		echo "- (no mounts of our own)"
		return
	}
	rm "$T"/log/*
	rm "$T/accepted"
	stop_standin
	start_standin
	generate --rows 3000 --base full
	write_config 'batch.max_events: 500' 'spool.min_free_space: 0'
	faults "$BUSY"
	full_but 100
	step "a full disk: 74" exits 74 once
	step "... which is said" says "spool: cannot seal a batch in $T/spool"
	step "... with the reason" says "No space left on device"
	step "... once, not for each try" is \
		"$(grep -c 'No space left' "$T/err")" 1
	step "... status works" exits 0 sparktail status --json
	cp "$T/out" "$T/full"
	step "... and agrees" is "$(json_get "$T/full" ledger.agrees)" true
	step "... something is spooled" test \
		"$(json_get "$T/full" spool.events)" -gt 0
	step "... the rest is lag" test \
		"$(json_get "$T/full" 'sources[].lag_bytes')" -gt 0
	step "... nothing was evicted" is \
		"$(json_get "$T/full" spool.evicted_events)" 0
	step "again: the same" exits 74 once
	rm "$T/spool/ballast"
	step "with room, the rest is spooled" exits 75 once
	faults
	step "... and all is well" all_is_well

	generate --rows 100 --base readonly
	if read_only; then
		step "a disk turns read-only: 73" exits 73 once
		step "... which is said" says "mounted read-only: remount it"
		step "... status works" exits 0 sparktail status
		mount -o remount,rw "$T/spool"
	fi
	step "writable, all is well" all_is_well
	umount "$T/spool"
}

start_standin
generate --rows 100
in_its_place
modes
checkpoints
later_version
strangers
disks
