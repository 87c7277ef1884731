# shellcheck shell=sh disable=SC2034,SC2154
# bench - what the tests of the fault build share; after lib.sh and rows.sh
#
#	fresh				no spool, no rows, nothing accepted
#	more_rows 60			into $ACCT, with recipients of their own
#	once_with SPARKTAIL_CRASH=seal.placed	exit status in $ENDED
#	step "it died there" is "$ENDED" "$DIED"
#	step "nothing is lost or twice" balanced
#	step "... but for N" balanced N
#
# Everything that was read is at the service once, or the ledger says where it
# went: evicted and not healed, expired, refused.

DIED=99 # INJECT_EXIT of inject.h
ROWS_SO_FAR=0

SPARKTAIL_FAULT=none "$B/sparktail" version >/dev/null 2>&1
[ $? = 64 ] || fail "$B/sparktail is no fault build"

# Whatever a test asks of the fault build, it asks for one run.
for bench_name in CRASH FAULT CALLS CLOCK NOSYNC; do
	unset "SPARKTAIL_$bench_name"
done

fresh() {
	rm -rf "$T/spool" "$T/log"
	mkdir "$T/log"
	ACCT=$T/log/acct-2026-01-31-0000.csv
	header >"$ACCT"
	: >"$T/accepted"
}

# more_rows COUNT [VMTA]: never the same recipient twice
more_rows() {
	rows $((ROWS_SO_FAR + 1)) $((ROWS_SO_FAR + $1)) u mta1 \
		"${2:-spring}" >>"$ACCT"
	ROWS_SO_FAR=$((ROWS_SO_FAR + $1))
}

# bulky_rows COUNT: such as do not compress, a kilobyte each
bulky_rows() {
	bulky $((ROWS_SO_FAR + 1)) $((ROWS_SO_FAR + $1)) >>"$ACCT"
	ROWS_SO_FAR=$((ROWS_SO_FAR + $1))
}

# once_with NAME=VALUE ...: with that in its environment
once_with() {
	env "$@" timeout -k 5 60 "$B/sparktail" -c "$T/conf.yaml" once \
		>>"$T/daemon.log" 2>&1
	ENDED=$?
}

# Does a spool that nobody holds say of itself that it agrees?
dead_agrees() {
	sparktail status --json >"$T/status" 2>"$T/status.err" ||
		{
			dead_status=$?
			cat "$T/status.err"
			json_get "$T/status" ledger.difference
			echo "exit status $dead_status"
			return 1
		}
}

# Events that the ledger says are not at the service, of those read.
gone_by_ledger() {
	dead_agrees || return 1
	gone=0
	for gone_key in spool.evicted_events spool.expired_events \
		spool.refused_events events.expired; do
		gone=$((gone + $(json_get "$T/status" $gone_key || echo 0)))
	done
	gone=$((gone - $(json_get "$T/status" spool.healed_events || echo 0)))
}

# balanced [GONE]: so many are missing at the service, all accounted for; not
# given: as many as the ledger says.
balanced() {
	gone_by_ledger || return 1
	is "$(json_get "$T/status" spool.events)" 0 &&
		is "$gone" "${1:-$gone}" || return 1
	check_all >"$T/check.out" 2>"$T/check.err" && [ "$gone" = 0 ] && return
	grep -q " $gone lost, 0 twice, 0 unexplained$" "$T/check.out" && return
	cat "$T/check.err" "$T/check.out"
	echo "by the ledger $gone are gone"
	return 1
}

# Does the status count each row once, as the checker of balanced did?
rows_counted() {
	is "$(json_get "$T/status" rows.read)" \
		"$(sed -n 's/ rows, .*//p' "$T/check.out")"
}
