#!/bin/sh
# shellcheck disable=SC2034,SC2119
# Hints that are lost, refused, or of a directory that is no longer there: only
# latency suffers, every row arrives once.
#
# The limits are those of a user namespace of the daemon's own, and mounts
# those of a mount namespace: the machine is left as it is.
if [ -z "${NET_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	NET_OWN_MOUNTS=1 exec unshare -m --propagation private sh "$0" "$@"
fi
. test/e2e/lib.sh
. test/e2e/rows.sh
setup
. test/fault/wire.sh

OTHER=$T/var/log/acct-2026-01-31-0000.csv
BLIND=2		# seconds between looks without inotify
RESCAN=60	# ... with it
UNTOLD=10	# ... for what nobody tells of
[ "${LONG:-}" != 1 ] || UNTOLD=$((RESCAN + 10))

KNOWN=		# ranges that are to be there, besides 1-$N

# A line for each watch of the daemon.
watches() {
	cat /proc/"$DAEMON_PID"/fdinfo/* 2>/dev/null | grep '^inotify' |
		sort -u
}

watched() {
	is "$(watches | wc -l)" "$1"
}

# Is the directory that stands there now watched?
watches_now() {
	watches | grep -q "ino:$(printf %x "$(stat -c %i "$1")") "
}

# others FIRST LAST: rows of the second source
others() {
	[ -s "$OTHER" ] || header >>"$OTHER"
	rows "$1" "$2" other >>"$OTHER"
	KNOWN="$KNOWN $1-$2:other"
}

# arrive WHAT SECONDS: all rows, each once, and how long it took
arrive() {
	arrive_ms=$(now_ms)
	# shellcheck disable=SC2086
	step "$1" here_once "$2" "1-$N" $KNOWN
	echo "  in $(($(now_ms) - arrive_ms)) ms"
}

# --- The queue runs over ---

# More than fs.inotify.max_queued_events, in a directory that is watched.
flood() {
	flood_most=$(cat /proc/sys/fs/inotify/max_queued_events)
	flood_files=$((flood_most / 3 + 500))
	(cd "$T/log" && seq -f 'noise%.0f.tmp' "$flood_files" |
		xargs touch) || return 1
	(cd "$T/log" && seq -f 'noise%.0f.tmp' "$flood_files" | xargs rm)
}

stopped() {
	case $(ps -o stat= -p "$DAEMON_PID") in
	T*) return 0 ;;
	esac
	return 1
}

overflow() {
	kill -STOP "$DAEMON_PID"
	wait_until 5 stopped || fail "the daemon does not stop"
	step "more hints than the queue holds" flood
	rows 1 20 "late$1" >>"$ACCT"
	KNOWN="$KNOWN 1-20:late$1"
	ACCT=$T/log/acct-2026-01-31-000$1.csv
	more 20
	kill -CONT "$DAEMON_PID"
}

overflows() {
	overflow 1
	arrive "what came behind them arrives" 10
	step "... the log says that hints were lost" \
		logged "notices were lost" 1
	overflow 2
	arrive "... and once more" 10
	more 20
	arrive "after it hints work" 5
}

# --- Limits ---

# limited NAME: the daemon, with 0 of fs.inotify.max_user_NAME
limited() {
	unshare --user --map-root-user sh -c \
		"echo 0 >/proc/sys/user/max_inotify_$1 && exec \"\$@\"" \
		limited "$B/sparktail" -c "$T/conf.yaml" run \
		>>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	PIDS="$PIDS $DAEMON_PID"
	wait_until 10 daemon_runs || fail "the daemon does not run"
}

lift() {
	nsenter --user --target "$DAEMON_PID" sh -c \
		"echo 1000 >/proc/sys/user/max_inotify_$1"
}

may_limit() {
	unshare --user --map-root-user sh -c \
		'echo 0 >/proc/sys/user/max_inotify_watches' 2>/dev/null
}

limits() {
	may_limit || {
		echo "- limits: left out, no user namespaces"
		return
	}
	step "it ends" stop_daemon
	: >"$T/daemon.log"
	limited watches
	more 20
	arrive "no watch to be had: rows arrive" $((BLIND * 2 + 1))
	ACCT=$T/log/acct-2026-01-31-0003.csv
	more 20
	arrive "... of a new file too" $((BLIND * 2 + 1))
	step "... the log says what to raise, once for each directory" \
		logged "raise fs.inotify.max_user_watches" 2
	step "the limit is lifted" lift watches
	step "... both are watched" wait_until 10 watched 2
	more 20
	arrive "... and rows arrive" 5
	step "it ends" stop_daemon
	limited instances
	more 20
	arrive "no inotify at all: rows arrive" $((BLIND * 2 + 1))
	step "... the log says what to raise" \
		logged "raise fs.inotify.max_user_instances" 1
	step "the limit is lifted" lift instances
	step "... inotify is taken up" wait_until 20 \
		logged "inotify works now" 1
	step "... both are watched" wait_until 10 watched 2
	more 20
	arrive "... and rows arrive" 5
	step "it ends" stop_daemon
	start_daemon
}

# --- Other directories at the same name ---

removed() {
	rm -r "$T/var/log"
	sleep 0.3 # a while in which there is none
	mkdir "$T/var/log"
	others 101 120
	arrive "removed and made again: rows arrive" 10
	step "... it is watched" wait_until 5 watches_now "$T/var/log"
	others 121 140
	arrive "... and so they do from then on" 5
}

# seen FIRST LAST: are these there, whatever else is?
seen() {
	seq -f '"other%.0f@example.com"' "$1" "$2" >"$T/wanted"
	is "$(grep -cF -f "$T/wanted" "$T/accepted")" $(($2 - $1 + 1))
}

# Nobody tells of what happens above.  A daemon that is awake for another
# reason sees it within a second; one that sleeps, with its next rescan.
poke() {
	[ "${LONG:-}" = 1 ] || more 5
}

renamed() {
	[ "${LONG:-}" != 1 ] || sleep 70 # then nothing keeps it awake
	mv "$T/var" "$T/gone"
	mkdir -p "$T/var/log"
	others 201 220
	poke
	renamed_ms=$(now_ms)
	step "the one above was renamed: rows arrive" wait_until "$UNTOLD" \
		seen 201 220
	echo "  in $(($(now_ms) - renamed_ms)) ms"
	step "... the new one is watched" wait_until 5 watches_now "$T/var/log"
	# Who has the old one open goes on writing.
	rows 141 160 other >>"$T/gone/log/${OTHER##*/}"
	rm -r "${T:?}/var"
	mv "$T/gone" "$T/var"
	poke
	KNOWN="$KNOWN 141-160:other"
	arrive "renamed back: all rows are there" "$UNTOLD"
	step "... it is watched" wait_until 5 watches_now "$T/var/log"
	others 221 240
	arrive "... and so they are from then on" 5
}

mounted() {
	[ -n "${NET_OWN_MOUNTS:-}" ] || {
		echo "- mounts: left out, no namespaces"
		return
	}
	exec 7>>"$OTHER"
	mount -t tmpfs -o size=1m none "$T/var/log" ||
		fail "cannot mount in a namespace of our own"
	rows 161 180 other >&7
	others 301 320
	poke
	step "mounted over: rows arrive" wait_until "$UNTOLD" seen 301 320
	step "... the new one is watched" wait_until 5 watches_now "$T/var/log"
	others 321 340
	step "... and so they do from then on" wait_until 5 seen 321 340
	step "unmounted" umount -l "$T/var/log"
	KNOWN="$KNOWN 161-180:other"
	poke
	arrive "... all rows are there" "$UNTOLD"
	step "... it is watched" wait_until 5 watches_now "$T/var/log"
	others 181 190
	arrive "... and so they are from then on" 5
	exec 7>&-
}

start_standin
mkdir -p "$T/var/log"
SOURCES="  - path: \"$T/log/*.csv\"
  - path: \"$T/var/log/*.csv\""
write_config
more 20
start_daemon
arrive "rows arrive" 10
step "both are watched" watched 2
overflows
others 1 20
arrive "the other source has rows" 5
limits
removed
renamed
mounted
step "nothing waits" wait_until 5 ready_empty
step "the ledger agrees" wait_until 5 agrees
