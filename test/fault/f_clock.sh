#!/bin/sh
# shellcheck disable=SC2119
# A clock that is wrong for a while: an hour late, a day ahead, to and fro while
# batches wait.  Needs the fault build, whose clock a file sets.
case ${B:-} in
*/fault*) ;;
*)
	echo "skipped: needs the fault build"
	exit 77
	;;
esac
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

DAY=86400
HOUR=3600

# The daemon's and status's clock alone: set_clock SECONDS
set_clock() {
	echo "$1" >"$T/clock.next"
	mv "$T/clock.next" "$T/clock"
	echo "  the clock is $1 s off"
}

begin() {
	rm -rf "$T/spool" "$T/accepted" "$T/daemon.log"
	rm -f "$T"/log/*
	[ -z "${STANDIN_PID:-}" ] || stop_standin
	start_standin
	write_config "$@"
	set_clock 0
	acct=$T/log/acct-1.csv
	{ header && rows 1 50; } >"$acct"
	start_daemon
	here_once 10 1-50 || fail "rows do not arrive"
}

end() {
	step "... the ledger agrees" wait_until 10 agrees
	step "... it ends at once" ends_soon
}

# The grace for uploads must not be that of the wrong clock.
ends_soon() {
	ends_begin=$(now_ms)
	stop_daemon || return 1
	between 0 $(($(now_ms) - ends_begin)) 12000
}

# Rows may come in two batches where the machine is slow.
waiting() {
	[ "$(status spool.events)" -ge "$1" ]
}

# While nothing waits a wrong clock does no harm to what is sent.
back_an_hour() {
	begin
	set_clock -$HOUR
	rows 51 100 >>"$acct"
	step "an hour back: rows arrive" here_once 10 1-100
	step "... lag is sane" no_lag
	set_clock 0
	rows 101 150 >>"$acct"
	step "right again: rows arrive" here_once 10 1-150
	step "... lag is sane" no_lag
	end
}

no_lag() {
	sparktail status --json >"$T/status" &&
		! grep -o '"lag_seconds":-\?[0-9]*' "$T/status" | grep -qv ':0$'
}

# The wait after a failure is that of a clock nobody sets.
backoff() {
	begin
	faults '*:503'
	rows 51 100 >>"$acct"
	step "uploads fail" wait_until 10 logged 'service unavailable'
	set_clock -$HOUR
	faults
	step "an hour back while it waits: soon sent" here_once 5 1-100
	faults '*:503'
	rows 101 150 >>"$acct"
	step "uploads fail" wait_until 10 logged 'service unavailable' 2
	set_clock $HOUR
	faults
	step "an hour ahead while it waits: soon sent" here_once 5 1-150
	end
}

# Retry-After as a date is a time of the service's clock, not of ours.
retry_date() {
	begin
	set_clock -600
	faults "$(($(stats posts) + 1)):503,retry-after=date+1"
	rows 51 100 >>"$acct"
	step "ten minutes late, asked to wait until a date: soon sent" \
		here_once 20 1-100
	end
}

# Half a row waits for its end, whatever the clock says.
half_row() {
	begin
	{ header && rows 101 110; } >"$T/log/acct-2.csv"
	rows 51 51 | head -c 100 >>"$acct"
	set_clock $DAY
	here_once 10 1-50 101-110 || fail "rows do not arrive"
	stop_daemon
	start_daemon
	# Before its end comes: it is not to be too old by mistake.
	set_clock 0
	rows 51 51 | tail -c +101 >>"$acct"
	step "half a row, and a start on a day ahead: read when whole" \
		here_once 10 1-51 101-110
	step "... nothing was malformed" is "$(status rows.malformed)" 0
	end
}

# What was read but not sent when the clock is a day ahead for a moment: none
# of it has expired in truth.
waiting_ahead() {
	begin 'batch.max_events: 50'
	faults '*:503'
	rows 51 250 >>"$acct"
	step "batches wait" wait_until 10 waiting 200
	set_clock $((DAY + 60))
	sleep 3
	set_clock 0
	faults
	step "a day ahead, while batches wait: all are sent" here_once 20 1-250
	step "... nothing expired" is "$(status spool.expired_events)" 0
	end
}

# And what is read in that moment: its rows are of a day ago, so it seems.
read_ahead() {
	begin
	set_clock $((DAY + 60))
	rows 51 100 >>"$acct"
	wait_until 10 is_read 100 || fail "rows are not read"
	set_clock 0
	rows 101 150 >>"$acct"
	step "read while the clock was a day ahead: sent" here_once 10 1-150
	end
}

is_read() {
	[ "$(status rows.read)" -ge "$1" ]
}

# Sealed in the future: they must neither stay for ever nor expire.
sealed_ahead() {
	begin
	faults '*:503'
	set_clock $((DAY / 2))
	rows 51 100 >>"$acct"
	step "half a day ahead: a batch waits" wait_until 10 waiting 50
	set_clock 0
	rows 101 150 >>"$acct"
	step "right again: another" wait_until 10 waiting 100
	set_clock -$HOUR
	rows 151 200 >>"$acct"
	step "an hour late: another" wait_until 10 waiting 150
	kill_daemon
	start_daemon
	faults
	step "to and fro while they wait, and killed: all are sent" \
		here_once 20 1-200
	step "... nothing expired" is "$(status spool.expired_events)" 0
	set_clock 0
	rows 201 210 >>"$acct"
	step "... and rows arrive" here_once 10 1-210
	end
}

# An end while the clock is set back: the grace must not be an hour.
end_back() {
	begin
	faults '*:stall=60000'
	posts=$(stats posts)
	rows 51 100 >>"$acct"
	wait_until 10 asked "$posts" || fail "it does not try"
	set_clock -$HOUR
	step "an hour back, and an upload hangs" ends_soon
	faults
	start_daemon
	step "... all are sent by the next start" here_once 10 1-100
	end
}

asked() {
	[ "$(stats posts)" -gt "$1" ]
}

export SPARKTAIL_CLOCK="$T/clock"
[ $# -gt 0 ] || set -- back_an_hour backoff retry_date half_row sealed_ahead \
	end_back waiting_ahead read_ahead
for part in "$@"; do
	$part
done
