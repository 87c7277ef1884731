#!/bin/sh
# shellcheck disable=SC2119
# What may happen to a file while it is followed.  Each row has a recipient of
# its own, so what arrived says which rows were read, and how often.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

log=$T/log
names=

# know NAME FIRST-LAST: these rows must have arrived, too
know() {
	known=$names
	names=$2:$1
	for range in $known; do
		[ "${range#*:}" = "$1" ] || names="$names $range"
	done
}

# arrives NAME FIRST-LAST: these, beside all before them, once
arrives() {
	know "$1" "$2"
	# shellcheck disable=SC2086
	here_once 10 $names
}

# fresh FILE NAME COUNT: a file with a header and rows, all read
fresh() {
	{ header && rows 1 "$3" "$2"; } >"$1"
	arrives "$2" "1-$3"
}

position() {
	sparktail status --json >"$T/status" &&
		grep -o "\"path\":\"$1\",\"state\":\"[a-z-]*\"" "$T/status"
}

is_known() {
	position "$1"
}

renamed() {
	fresh "$log/a.csv" ren 10
	rows 11 20 ren >>"$log/a.csv" && mv "$log/a.csv" "$log/b.csv"
	step "renamed right after writing" arrives ren 1-20
	rows 21 30 ren >>"$log/b.csv"
	step "... and written to again" arrives ren 1-30
	{ header && rows 1 10 ren2; } >"$log/a.csv"
	step "... and another has its name" arrives ren2 1-10
}

moved() {
	fresh "$log/c.csv" mov 10
	rows 11 20 mov >>"$log/c.csv" && mv "$log/c.csv" "$T/old/c.csv"
	step "moved to another watched directory" arrives mov 1-20
	rows 21 30 mov >>"$T/old/c.csv"
	step "... and written to there" arrives mov 1-30
	fresh "$log/d.csv" out 10
	rows 11 20 out >>"$log/d.csv" && mv "$log/d.csv" "$T/attic/d.csv"
	step "moved out of sight right after writing" arrives out 1-20
}

truncated() {
	fresh "$log/e.csv" copy 50
	cp "$log/e.csv" "$T/attic/e.csv"
	: >"$log/e.csv"
	{ header && rows 51 60 copy; } >>"$log/e.csv"
	step "copied and truncated" arrives copy 1-60
	rows 61 70 copy >>"$log/e.csv"
	step "... and written to again" arrives copy 1-70
	cp "$log/e.csv" "$log/e-1.csv"
	: >"$log/e.csv"
	{ header && rows 71 75 copy; } >>"$log/e.csv"
	step "copied in sight: the same events again are dropped" \
		arrives copy 1-75
	fresh "$log/f.csv" grow 5
	{ header && rows 6 60 grow; } >"$log/f.csv"
	step "truncated and longer than before at once" arrives grow 1-60
	fresh "$log/g.csv" same 30
	{ header && rows 31 60 same; } >"$log/g.csv"
	step "truncated and exactly as long as before" arrives same 1-60
	: >"$log/g.csv"
	step "truncated to nothing" wait_until 5 is_empty "$log/g.csv"
	{ header && rows 61 65 same; } >>"$log/g.csv"
	step "... and begun again" arrives same 1-65
}

# Has it seen that nothing is there any more?
is_empty() {
	sparktail status --json >"$T/status" &&
		grep -o "\"path\":\"$1\",[^}]*" "$T/status" |
		grep -q '"offset":0,'
}

deleted() {
	fresh "$log/h.csv" del 10
	rows 11 20 del >>"$log/h.csv" && rm "$log/h.csv"
	step "deleted right after writing" arrives del 1-20
	{ header && rows 1 10 del2; } >"$log/h.csv"
	step "... and made again" arrives del2 1-10
	rm "$log/h.csv"
	{ header && rows 1 10 del3; } >"$log/h.csv"
	step "deleted and made again at once" arrives del3 1-10
	rows 11 12 del3 >>"$log/h.csv"
	step "... and written to" arrives del3 1-12
}

replaced() {
	fresh "$log/k.csv" rep 20
	{ header && rows 1 20 rep2; } >"$log/k.new"
	mv "$log/k.new" "$log/k.csv"
	step "replaced by a file with the same header" arrives rep2 1-20
	{ header && rows 1 20 rep3; } >"$log/k.new"
	rows 21 25 rep2 >>"$log/k.csv" && mv "$log/k.new" "$log/k.csv"
	know rep2 1-25
	step "replaced right after writing" arrives rep3 1-20
}

turned() {
	{ header && rows 1 20 link; } >"$T/attic/1.csv"
	{ header && rows 1 20 link2; } >"$T/attic/2.csv"
	ln -s "$T/attic/1.csv" "$log/current.csv"
	step "a symbolic link is followed" arrives link 1-20
	rows 21 25 link >>"$T/attic/1.csv"
	ln -sfn "$T/attic/2.csv" "$log/current.csv"
	know link 1-25
	step "... and turned to another file" arrives link2 1-20
}

# Standard input to the end of FILE, in two pieces.
split_at() {
	cat >"$T/piece"
	head -c "$1" "$T/piece" >>"$2"
	tail -c "+$(($1 + 1))" "$T/piece" >>"$2"
}

grown() {
	: >"$log/l.csv"
	step "an empty file" wait_until 5 is_known "$log/l.csv"
	header | split_at 30 "$log/l.csv"
	rows 1 1 grown >>"$log/l.csv"
	step "... gets a header, and then a row" arrives grown 1-1
	rows 2 2 grown | split_at 70 "$log/l.csv"
	{ header && rows 3 9 grown; } >>"$log/l.csv"
	step "... and a header again" arrives grown 1-9
}

burst() {
	burst=0
	while [ $burst -lt 100 ]; do
		{ header && rows $((burst * 5 + 1)) $((burst * 5 + 5)) burst; } \
			>"$log/burst-$burst.csv"
		burst=$((burst + 1))
	done
	step "a hundred roll-overs in a burst" arrives burst 1-500
	while [ $burst -gt 0 ]; do
		burst=$((burst - 1))
		rows $((501 + burst)) $((501 + burst)) burst \
			>>"$log/burst-$burst.csv"
	done
	step "... and one more row in each" arrives burst 1-600
}

remade() {
	fresh "$T/old/m.csv" made 10
	rm -r "$T/old"
	mkdir "$T/old"
	{ header && rows 11 20 made; } >"$T/old/m.csv"
	step "a directory removed and made again" arrives made 1-20
	rows 21 30 made >>"$T/old/m.csv"
	step "... is watched as before" arrives made 1-30
	mv "$T/old" "$T/older"
	mkdir "$T/old"
	{ header && rows 31 40 made; } >"$T/old/n.csv"
	step "a directory moved away and made again" arrives made 1-40
}

# Directories come and go where the glob has a wildcard.
tree() {
	mkdir -p "$T/tree/a"
	fresh "$T/tree/a/acct.csv" tree 10
	mkdir "$T/tree/b"
	{ header && rows 1 10 tree2; } >"$T/tree/b/acct.csv"
	step "a directory that the glob matches" arrives tree2 1-10
	rows 11 20 tree2 >>"$T/tree/b/acct.csv"
	step "... is watched" arrives tree2 1-20
	rm -r "$T/tree"
	mkdir -p "$T/tree/a"
	{ header && rows 11 20 tree; } >"$T/tree/a/acct.csv"
	step "all of it removed and made again" arrives tree 1-20
}

# An inode that is used again looks like a file that was written anew.
restarted() {
	fresh "$log/p.csv" stop 20
	fresh "$log/r.csv" use 20
	fresh "$log/s.csv" use2 20
	stop_daemon
	rows 21 30 stop >>"$log/p.csv" && mv "$log/p.csv" "$log/q.csv"
	{ header && rows 1 20 stop2; } >"$log/p.csv"
	{ header && rows 21 60 use; } >"$log/r.csv"
	mv "$log/s.csv" "$log/t.csv"
	{ header && rows 21 60 use2; } >"$log/t.csv"
	mv "$log/a.csv" "$T/old/a.csv"
	rows 11 20 ren2 >>"$T/old/a.csv"
	rm "$log/b.csv"
	start_daemon
	know stop 1-30
	know use 1-60
	know use2 1-60
	know ren2 1-20
	step "while it was stopped: rolled, moved, deleted, inodes used again" \
		arrives stop2 1-20
}

mkdir "$T/old" "$T/attic"
SOURCES="  - path: \"$log/*.csv\"
  - path: \"$T/old/*.csv\"
  - path: \"$T/tree/*/acct.csv\""
start_standin
write_config 'log.verbose: true'
start_daemon
renamed
moved
truncated
deleted
replaced
turned
grown
burst
remade
tree
restarted
step "the ledger agrees" wait_until 5 agrees
step "... nothing was malformed" is "$(status rows.malformed)" 0
step "it ends" stop_daemon
