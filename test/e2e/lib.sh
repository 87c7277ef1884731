# shellcheck shell=sh disable=SC2119,SC2120,SC2034
# lib - what every end-to-end test stands on
#
#	. test/e2e/lib.sh
#	setup				temp dir $T; all of it goes at the end
#	start_standin --fault 1:503	$STANDIN_PID, $PORT, $URL, $SCHEME
#	write_config 'events.delay: false' 'batch.max_events: 100'
#	start_daemon			$DAEMON_PID; waits until it runs
#	generate --rows 1000		into $T/log
#	wait_until 10 all_arrived
#	step "nothing is lost" check_all
#
# Run from the top of the tree with B=build/rel (or another flavour).  A test
# ends with 0, with 77 (skip), or anything else (failed); then the end of the
# daemon's log is shown.  KEEP=1 keeps the temp dir.  Processes are ended by
# the pids that were noted when they were started.  dash is enough.

B=${B:-build/rel}
case $B in
/*) ;;
*) B=$(pwd)/$B ;;
esac
# One set of tools may serve several builds.
TOOLS=${TOOLS:-$B/tools}
case $TOOLS in
/*) ;;
*) TOOLS=$(pwd)/$TOOLS ;;
esac
KEY=0123456789abcdef0123456789abcdef01234567
PIDS=
PORT=0
T=

cleanup() {
	cleanup_status=$?
	trap - EXIT
	for pid in $PIDS; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait
	if [ "$cleanup_status" -ne 0 ] && [ "$cleanup_status" -ne 77 ] &&
		[ -s "$T/daemon.log" ]; then
		echo "--- the end of the daemon's log"
		tail -n 20 "$T/daemon.log"
	fi
	if [ "${KEEP:-}" = 1 ]; then
		echo "kept: $T"
	elif [ -n "$T" ]; then
		rm -rf "$T"
	fi
	exit "$cleanup_status"
}

# A directory of our own, and an end to everything we start.
setup() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/sparktail.XXXXXX") || exit 1
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$T/log"
	(umask 077 && echo "$KEY" >"$T/api.key")
}

fail() {
	echo "FAILED: $*"
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# step WHAT COMMAND ...: say it, do it, fail with it.
step() {
	step_what=$1
	shift
	echo "- $step_what"
	"$@" || fail "$step_what"
}

# wait_until SECONDS COMMAND ...: until it succeeds, or fail.
wait_until() {
	wait_left=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		wait_left=$((wait_left - 1))
		if [ "$wait_left" -le 0 ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# Is there no such process any more?  Ours: reaped by wait, seen as a zombie.
gone() {
	case $(ps -o stat= -p "$1" 2>/dev/null) in
	'' | Z*) return 0 ;;
	esac
	return 1
}

json_get() {
	"$TOOLS/jget" "$1" "$2"
}

# --- the stand-in ---

start_standin() {
	rm -f "$T/port"
	"$TOOLS/standin" --port "$PORT" --port-file "$T/port" --key "$KEY" \
		--log "$T/requests" --accepted "$T/accepted" \
		--summary "$T/summary" "$@" 2>"$T/standin.err" &
	STANDIN_PID=$!
	PIDS="$PIDS $STANDIN_PID"
	wait_until 10 test -s "$T/port" ||
		fail "the stand-in does not listen: $(cat "$T/standin.err")"
	# A second start gets the same port: the service is back.
	PORT=$(cat "$T/port")
	URL=${SCHEME:-http}://127.0.0.1:$PORT
}

# make_cert [NAME]: $T/NAME.pem and its key for 127.0.0.1, which curl(1) then
# trusts.  "SCHEME=https; start_standin --tls-cert $T/cert.pem --tls-key ..."
make_cert() {
	command -v certtool >/dev/null || skip "no certtool (gnutls-bin)"
	cat >"$T/template" <<EOF
cn = stand-in
ip_address = 127.0.0.1
dns_name = localhost
expiration_days = 2
ca
signing_key
tls_www_server
EOF
	certtool --generate-privkey --key-type ecdsa \
		--outfile "$T/${1:-cert}-key.pem" 2>/dev/null ||
		fail "certtool makes no key"
	certtool --generate-self-signed --template "$T/template" \
		--load-privkey "$T/${1:-cert}-key.pem" \
		--outfile "$T/${1:-cert}.pem" 2>/dev/null ||
		fail "certtool makes no certificate"
	export CURL_CA_BUNDLE="$T/${1:-cert}.pem"
}

stop_standin() {
	kill -TERM "$STANDIN_PID"
	wait "$STANDIN_PID"
}

# One counter of the stand-in, 0 when it has none: stats events.accepted
stats() {
	curl -sS "$URL/standin/stats" | "$TOOLS/jget" - "$1" || echo 0
}

# New rules for the running stand-in, one an argument; none: no faults.
faults() {
	for rule in "$@"; do
		echo "$rule"
	done | curl -sSf -o /dev/null --data-binary @- "$URL/standin/plan"
}

# --- the daemon ---

# write_config ['section.key: value' ...]: later ones win.  An argument of
# more than one line goes in as it is.  $SOURCES replaces the list of sources.
write_config() {
	{
		echo "ingest.url: $URL/api/v1/ingest/events"
		echo "ingest.api_key_file: $T/api.key"
		echo "ingest.retry_min: 100ms"
		echo "ingest.retry_max: 1s"
		echo "spool.directory: $T/spool"
		echo "batch.max_delay: 100ms"
		echo "node_name: node.test"
		for line in "$@"; do
			echo "$line"
		done
	} >"$T/settings"
	awk '
	/^[a-z_]+[.]?[a-z_]*: / {
		key = $1; sub(/:$/, "", key)
		value = $0; sub(/^[^ ]* /, "", value)
		if (!(key in set)) order[++n] = key
		set[key] = value
		next
	}
	{ raw = raw $0 "\n" }
	END {
		for (i = 1; i <= n; i++) {
			if (split(order[i], part, ".") == 1) {
				print order[i] ": " set[order[i]]
				continue
			}
			if (part[1] in done) continue
			done[part[1]] = 1
			print part[1] ":"
			for (k = i; k <= n; k++)
				if (index(order[k], part[1] ".") == 1)
					print "  " substr(order[k], \
						length(part[1]) + 2) ": " \
						set[order[k]]
		}
		printf "%s", raw
	}' "$T/settings" >"$T/conf.yaml"
	printf 'sources:\n%s\n' "${SOURCES:-  - path: \"$T/log/*.csv\"}" \
		>>"$T/conf.yaml"
}

sparktail() {
	"$B/sparktail" -c "$T/conf.yaml" "$@"
}

# One value of "status --json", 0 when it has none: status spool.batches
status() {
	sparktail status --json >"$T/status" 2>/dev/null
	"$TOOLS/jget" "$T/status" "$1" 2>/dev/null || echo 0
}

# Does nothing wait in the spool?
status_idle() {
	[ "$(status spool.batches)" = 0 ] && [ "$(status running)" != 0 ]
}

daemon_runs() {
	[ "$(status running)" = true ] &&
		[ "$(status pid)" = "$DAEMON_PID" ]
}

start_daemon() {
	"$B/sparktail" -c "$T/conf.yaml" "$@" run >>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	PIDS="$PIDS $DAEMON_PID"
	wait_until 10 daemon_runs || fail "the daemon does not run"
}

# stop_daemon [SIGNAL]: returns the daemon's exit status.
stop_daemon() {
	kill "-${1:-TERM}" "$DAEMON_PID"
	wait "$DAEMON_PID"
}

# --- rows and events ---

generate() {
	"$TOOLS/generator" --out "$T/log" "$@"
}

# How many events the rows make, by the default mapping and these options.
expected() {
	"$TOOLS/checker" --emit "$@" "$T"/log/*.csv | wc -l
}

# all_arrived [N]: has the stand-in as many events as the rows make?
all_arrived() {
	[ "$(stats events.accepted)" -ge "${1:-$(expected)}" ]
}

# Nothing lost, nothing twice, nothing that no row explains.
check_all() {
	"$TOOLS/checker" --accepted "$T/accepted" "$@" "$T"/log/*.csv
}

# post FILE [KEY [TYPE [ENCODING [METHOD]]]]: send a batch (gzip) by hand.
# Prints the status; the answer is in $T/answer, its head in $T/head.
post() {
	curl -sS -m 10 -o "$T/answer" -D "$T/head" -w '%{http_code}' \
		-H "Authorization: ${2-$KEY}" \
		-H "Content-Type: ${3-application/x-ndjson}" \
		-H "Content-Encoding: ${4-gzip}" -H "Expect:" \
		-X "${5-POST}" --data-binary "@$1" \
		"$URL/api/v1/ingest/events"
}
