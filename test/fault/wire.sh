# shellcheck shell=sh disable=SC2034,SC2154
# wire - a relay between the daemon and the stand-in; after lib.sh and rows.sh
#
#	start_standin
#	wire				the daemon is told to go through $WIRE
#	wire --delay-ms 100		from now on, and reset what was open
#	no_wire				nobody listens at its end
#	wire_to 10.0.0.2:80 ...		to somewhere else
#
# The options are those of test/tools/relay.  Each wire has the same port, so
# the daemon never needs to hear of it.

WIRE_PORT=0
WIRE_PID=

no_wire() {
	[ -n "$WIRE_PID" ] || return 0
	kill -KILL "$WIRE_PID"
	wait "$WIRE_PID" 2>/dev/null
	WIRE_PID=
}

wire_to() {
	wire_end=$1
	shift
	no_wire
	rm -f "$T/wire-port"
	"$TOOLS/relay" --to "$wire_end" --port "$WIRE_PORT" \
		--port-file "$T/wire-port" "$@" 2>"$T/wire.err" &
	WIRE_PID=$!
	PIDS="$PIDS $WIRE_PID"
	wait_until 10 test -s "$T/wire-port" ||
		fail "no wire: $(cat "$T/wire.err")"
	WIRE_PORT=$(cat "$T/wire-port")
	WIRE=127.0.0.1:$WIRE_PORT
}

wire() {
	wire_to "127.0.0.1:$PORT" "$@"
}

# --- Rows with numbers of their own, in one file ---

ACCT=$T/log/acct-2026-01-31-0000.csv
N=0

# So many rows more, which make one batch.
more() {
	[ -s "$ACCT" ] || header >>"$ACCT"
	rows $((N + 1)) $((N + $1)) >>"$ACCT"
	N=$((N + $1))
}

# all [SECONDS]: did every row arrive, once?
all() {
	here_once "${1:-15}" "1-$N"
}

# Has an upload failed so often, since the daemon began?
failed() {
	[ "$(status upload.failures)" -ge "$1" ]
}

failures() {
	status upload.failures
}

# shows STATE WORDS: regular expressions
shows() {
	status upload.state | grep -qx -e "$1" &&
		json_get "$T/status" upload.last_error | grep -qi -e "$2"
}

waiting() {
	find "$T/spool/ready" -name '*.ndjson.gz' -exec zcat {} + | wc -l
}

# The kilobytes it has used at most.
peak_kb() {
	awk '/^VmHWM/ { print $2 }' "/proc/$DAEMON_PID/status"
}

seconds_since() {
	echo $((($(now_ms) - $1 + 999) / 1000))
}
