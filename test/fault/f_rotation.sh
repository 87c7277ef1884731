#!/bin/sh
# shellcheck disable=SC2119,SC2086
# Rotation in every form while rows arrive all the time: each of them is at the
# service once, and the ledger agrees.  (t_rotation.sh has the forms one by one,
# with a pause after each.)
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/fault/writer.sh
setup

log=$T/log
old=$T/old
attic=$T/attic
all=

# What must have arrived, beside all before it.
written() {
	writer_stop
	all="$all 1-$WRITTEN:$writing"
	echo "  $WRITTEN rows"
}

begin() {
	writing=$1
	writer_start "$1" "$2"
}

# Some rows more, while nothing else happens.
more() {
	more_at=$(accepted)
	wait_until 20 here $((more_at + ${1:-10})) || fail "rows do not arrive"
}

all_once() {
	here_once 20 $all && wait_until 10 agrees
}

inode() {
	stat -c %i "$1"
}

# The state of PATH: source_state PATH
source_state() {
	sparktail status --json >"$T/status"
	grep -o "\"path\":\"$1\",\"state\":\"[a-z-]*\"" "$T/status" |
		cut -d '"' -f 8
}

state_of() {
	source_state "$1" | grep -qx "$2"
}

new_names() {
	begin new "$log/new-1.csv"
	for i in 2 3 4; do
		more
		writer_tell open "$log/new-$i.csv"
	done
	more
	written
	step "new names" all_once
}

# The writer goes on in the old file until it opens the next one.
renames() {
	begin ren "$log/ren.csv"
	for i in 1 2 3; do
		more
		mv "$log/ren.csv" "$log/ren-$i.old.csv"
		more 5
		writer_tell open "$log/ren.csv"
	done
	more
	written
	step "renamed, and written to under both names" all_once
}

moves() {
	begin mov "$log/mov.csv"
	more
	mv "$log/mov.csv" "$old/mov-1.csv"
	more 5
	writer_tell open "$log/mov.csv"
	more 5
	mv "$log/mov.csv" "$attic/mov-2.csv"
	more 5
	writer_tell open "$log/mov.csv"
	more 1
	mv "$log/mov.csv" "$attic/mov-3.csv"
	writer_tell open "$log/mov.csv"
	more
	written
	step "moved to a watched directory, and out of the globs" all_once
}

# What was not read when the file is cut is in the copy alone, so that one lies
# in sight.  Rows in between would be in neither: the writer waits.
copies() {
	begin copy "$log/copy.csv"
	for i in 1 2 3; do
		more
		writer_tell hold
		cp "$log/copy.csv" "$log/copy-$i.csv"
		: >"$log/copy.csv"
		header >>"$log/copy.csv"
		writer_tell go
	done
	more
	written
	step "copied in sight and truncated" all_once
}

# Cut by somebody who has waited until all was read.
truncations() {
	begin cut "$log/cut.csv"
	for i in 1 2 3; do
		more
		writer_tell hold
		sleep 0.1
		lag_free || fail "it does not keep up"
		: >"$log/cut.csv"
		header >>"$log/cut.csv"
		writer_tell go
	done
	more
	written
	step "truncated" all_once
}

# PowerMTA, if it is not told, writes no header into a file that was cut.
headless() {
	begin bare "$log/bare.csv"
	more
	writer_tell hold
	lag_free || fail "it does not keep up"
	: >"$log/bare.csv"
	writer_tell go
	step "truncated, and no header after it: said" wait_until 10 \
		logged "$log/bare.csv has rows but no header line"
	writer_tell hold
	SOURCES="  - path: \"$log/bare*.csv\"
    columns: [$HEADER]
$SOURCES"
	write_config 'log.verbose: true'
	kill -HUP "$DAEMON_PID"
	writer_tell go
	more
	written
	step "... with columns given, all of it is read" all_once
}

lag_free() {
	wait_until 20 no_lag
}

no_lag() {
	sparktail status --json >"$T/status" &&
		! grep -o '"lag_bytes":[0-9]*' "$T/status" | grep -qv ':0$'
}

deletions() {
	begin del "$log/del.csv"
	for i in 1 2 3; do
		more
		rm "$log/del.csv"
		more 5
		writer_tell open "$log/del.csv"
	done
	more
	written
	step "deleted while written to, and made again" all_once
}

replacements() {
	begin rep "$log/rep.csv"
	for i in 1 2 3; do
		more
		{ header && rows 1 20 "with$i"; } >"$log/rep.new"
		mv "$log/rep.new" "$log/rep.csv"
		all="$all 1-20:with$i"
		more 5
		writer_tell open "$log/rep.csv"
	done
	more
	written
	step "replaced by one with the same header" all_once
}

roll_overs() {
	begin roll "$log/roll.csv"
	more
	writer_tell roll "$log/roll" 100
	took=$(cat "$T/writer.took")
	writer_tell roll "$log/again" 100
	more
	written
	step "two hundred roll-overs, a hundred in $took ms" all_once
}

# One file under two names, by a hard link, by two globs, by a link to it.
two_names() {
	begin two "$log/two.csv"
	more
	ln "$log/two.csv" "$old/two.csv"
	ln -s "$log/two.csv" "$log/two-link.csv"
	more
	rm "$log/two.csv"
	more
	ln "$old/two.csv" "$log/two.csv"
	rm "$old/two.csv"
	more
	written
	step "under two names, and now one, now the other is gone" all_once
}

arrived() {
	grep -qF "\"$1@example.com\"" "$T/accepted"
}

# current.csv -> 1, then -> 2; the writer goes on in the old one for a while.
# Where the link points to is not watched: what is added there is found by a
# rescan, once a minute, or when the link is made anew.
turns() {
	begin turn "$attic/turn-1.csv"
	wait_until 10 grep -q '^d,' "$attic/turn-1.csv"
	ln -s "$attic/turn-1.csv" "$log/current.csv"
	for i in 2 3; do
		[ $i = 3 ] || wait_until 10 arrived turn1 ||
			fail "the link is not followed"
		ln -s "$attic/turn-$i.csv" "$log/next"
		{ header && rows 1 5 "turned$i"; } >"$attic/turn-$i.csv"
		mv "$log/next" "$log/current.csv"
		all="$all 1-5:turned$i"
		more 5
		writer_tell open "$attic/turn-$i.csv"
	done
	written
	ln -s "$attic/turn-3.csv" "$log/next"
	mv "$log/next" "$log/current.csv"
	step "a symbolic link that is turned" all_once
}

# What is read through its descriptor alone survives a new configuration.
reloads() {
	begin load "$log/load.csv"
	more
	rm "$log/load.csv"
	for i in 1 2 3 4 5; do
		kill -HUP "$DAEMON_PID"
		more 5
	done
	written
	step "deleted and written to, over five reloads" all_once
}

# It writes on while nobody reads; then the file that was written to last is
# renamed.
stopped_rename() {
	begin stop "$log/stop.csv"
	more
	stop_daemon
	writer_tell hold
	mv "$log/stop.csv" "$log/stop-1.csv"
	writer_tell go
	writer_tell open "$log/stop.csv"
	start_daemon
	more
	written
	step "renamed while it was stopped" all_once
}

# What was unread is lost by him who deletes it; it is said how much.
stopped_delete() {
	begin gone "$log/gone.csv"
	more
	written
	step "a file is read" all_once
	stop_daemon
	size=$(stat -c %s "$log/gone.csv")
	rows 1001 1020 gone >>"$log/gone.csv"
	rm "$log/gone.csv"
	begin after "$log/after.csv"
	start_daemon
	more
	written
	step "deleted with unread rows while it was stopped" all_once
	step "... it is said that there may have been some" logged \
		"gone: $log/gone.csv: while nobody looked: rows after byte $size"
	step "... status knows that it is gone" \
		wait_until 10 state_of "$log/gone.csv" gone
}

# The inode of a file that was deleted is given to another one: to one of the
# next that are made.  While the old one is open that cannot be; so it was
# stopped.  again INODE FILE: make FILE with that inode.
again() {
	again_i=0
	while [ $again_i -lt 3000 ]; do
		again_i=$((again_i + 1))
		: >"$attic/fill-$again_i"
	done
	again_file=$(find "$attic" -inum "$1" | head -n 1)
	[ -n "$again_file" ] && mv "$again_file" "$2"
}

reuse() {
	begin use "$log/use.csv"
	more
	written
	step "a file is read" all_once
	was=$(inode "$log/use.csv")
	stop_daemon
	rm "$log/use.csv"
	if ! again "$was" "$log/use.csv"; then
		echo "- (no inode is used again on $(stat -f -c %T "$log"))"
		start_daemon
		return
	fi
	{ header && rows 1 500 used; } >>"$log/use.csv"
	start_daemon
	all="$all 1-500:used"
	step "inode $was used again: longer than the old file" all_once
	step "... it was the same inode" is "$(inode "$log/use.csv")" "$was"
	begin used2 "$log/use.csv"
	more
	written
	step "... and written to" all_once
}

# It is deleted while it is read, and given up after a minute.
reuse_long() {
	[ "${LONG:-}" = 1 ] || return 0
	begin late "$log/late.csv"
	more
	written
	step "a file is read" all_once
	was=$(inode "$log/late.csv")
	rm "$log/late.csv"
	wait_until 150 logged "gone: $log/late.csv" || fail "it is not given up"
	again "$was" "$log/late.csv" || return 0
	{ header && rows 1 500 later; } >>"$log/late.csv"
	all="$all 1-500:later"
	step "inode $was used again while it runs" all_once
}

mkdir "$old" "$attic"
SOURCES="  - path: \"$log/*.csv\"
  - path: \"$log/two*.csv\"
  - path: \"$old/*.csv\""
start_standin
write_config 'log.verbose: true'
start_daemon
[ $# -gt 0 ] || set -- new_names renames moves copies truncations headless \
	deletions replacements roll_overs two_names turns reloads \
	stopped_rename stopped_delete reuse reuse_long
for part in "$@"; do
	$part
done
step "nothing was malformed" is "$(status rows.malformed)" 0
step "it ends" stop_daemon
