# shellcheck shell=sh disable=SC2034,SC2154
# rows - rows by hand, and what became of them; after lib.sh
#
#	header >>file;  rows 1 100 >>file;  rows 1 100 anna >>file
#	wait_until 5 here 100
#	step "all of them, once" each_once 1-100 1-100:anna
#
# Every row is a delivery to a recipient of its own, NAMEnumber@example.com,
# and makes one event: the header has the columns of r rows, so that no
# injections are made up.  So the recipients in the stand-in's file of accepted
# events say which rows arrived, and each number is its sort key.

HEADER="type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,\
bounceCat,srcType,dlvType,dlvSourceIp,dlvSize,vmta,jobId,vmtaPool,\
header_Message-Id,header_Subject,rcvSourceIp"

header() {
	echo "$HEADER"
}

# rows FIRST LAST [NAME [VMTA [JOB]]]
rows() {
	awk -v first="$1" -v last="$2" -v name="${3:-u}" -v vmta="${4:-mta1}" \
		-v job="${5:-spring}" -v now="$(date -u +%Y-%m-%d\ %H:%M:%S+0000)" '
	BEGIN {
		for (i = first; i <= last; i++)
			printf "d,%s,%s,news@example.net,%s%d@example.com," \
				"relayed,2.0.0 (success),smtp;250 Ok %x," \
				"success,smtp,smtp,198.51.100.7,4711,%s,%s," \
				"pool,<%s%d.1@example.net>,Hello there %d,\n",
				now, now, name, i, i, vmta, job, name, i, i
	}'
}

# Rows that do not compress: bulky FIRST LAST
bulky() {
	awk -v first="$1" -v last="$2" -v now="$(date -u +%F\ %T+0000)" '
	BEGIN {
		srand(first)
		set = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		for (k = 0; k < 20000; k++)
			for (i = 0; i < 4; i++)
				piece[k] = piece[k] \
					substr(set, 1 + int(rand() * 52), 1)
		for (i = first; i <= last; i++) {
			text = ""
			for (k = 0; k < 200; k++)
				text = text piece[int(rand() * 20000)]
			printf "d,%s,%s,news@example.net,u%d@example.com," \
				"relayed,2.0.0 (success),smtp;250 Ok," \
				"success,smtp,smtp,198.51.100.7,4711,mta1," \
				"spring,pool,<u%d.1@example.net>,%s,end\n",
				now, now, i, i, text
		}
	}'
}

# How many events the stand-in has accepted, without asking it.
accepted() {
	if [ -f "$T/accepted" ]; then
		wc -l <"$T/accepted"
	else
		echo 0
	fi
}

here() {
	[ "$(accepted)" -ge "$1" ]
}

# each_once FIRST-LAST[:NAME] ...: were exactly these accepted, each once?
each_once() {
	for range in "$@"; do
		name=${range#*:}
		[ "$name" != "$range" ] || name=u
		range=${range%:*}
		seq -f "$name%.0f@example.com" "${range%-*}" "${range#*-}"
	done | sort >"$T/wanted"
	grep -o '"rcpt_to":"[^"]*"' "$T/accepted" | cut -d '"' -f 4 |
		sort >"$T/found"
	cmp -s "$T/wanted" "$T/found" || {
		echo "lost (<), or not expected or twice (>):"
		diff "$T/wanted" "$T/found" | grep '^[<>]' | head -n 10
		return 1
	}
}

# here_once SECONDS FIRST-LAST[:NAME] ...: do they arrive in time, each once?
here_once() {
	here_deadline=$1
	shift
	wait_until "$here_deadline" each_once "$@"
}

is() {
	[ "$1" = "$2" ] || {
		echo "is \"$1\", not \"$2\""
		return 1
	}
}

# between LEAST VALUE MOST
between() {
	if [ "$2" -lt "$1" ] || [ "$2" -gt "$3" ]; then
		echo "is $2, not between $1 and $3"
		return 1
	fi
}

now_ms() {
	date +%s%3N
}

# logged TEXT [TIMES]: is that in the daemon's log (so often)?
logged() {
	logged_times=$(grep -cF "$1" "$T/daemon.log")
	if [ "$logged_times" = 0 ] ||
		[ "$logged_times" != "${2:-$logged_times}" ]; then
		echo "$logged_times times in the log: $1"
		return 1
	fi
}

# How many batches wait?
ready() {
	find "$T/spool/ready" -name '*.ndjson.gz' | wc -l
}

ready_empty() {
	is "$(ready)" 0
}

# Does every row and every event have its account?
agrees() {
	sparktail status --json >"$T/status" && is "$(status ledger.agrees)" true
}

# A row of the state that status shows: state_is waiting
state_is() {
	is "$(status upload.state)" "$1"
}

# Forget this daemon without a word; it must be gone.
kill_daemon() {
	kill -KILL "$DAEMON_PID"
	wait "$DAEMON_PID" 2>/dev/null
}

# Under sanitizers time and memory say little.
is_plain() {
	case $B in
	*/san | */tsan) return 1 ;;
	esac
}
