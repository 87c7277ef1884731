#!/bin/sh
# Run the unit tests a suite at a time, each suite in one process, and two of
# these at once: under a sanitizer Check's fork for each test costs most of the
# time.  Suites that need the fork (signals, global state, time limits) keep it.
#	B=build/san sh test/unit.sh SUITE ...
B=${B:-build/san}
forked=' fault fs http http_tls json log mem watcher '
export B

if [ "${1:-}" = --one ]; then
	case $forked in
	*" $3 "*) ;;
	*) export CK_FORK=no ;;
	esac
	CK_RUN_SUITE=$3 "./$B/test/all" >"$2/$3.out" 2>&1
	status=$?
	grep -q '^100%: Checks: [1-9]' "$2/$3.out" || [ "$status" -ne 0 ] || status=1
	[ "$status" -eq 0 ] || touch "$2/$3.failed"
	[ "$status" -eq 0 ] || cat "$2/$3.out"
	exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/sparktail-unit.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$@" |
	xargs -P "${JOBS:-2}" -I '{}' sh test/unit.sh --one "$work" '{}'
failed=$(find "$work" -name '*.failed' | wc -l)
cat "$work"/*.out | awk -v suites="$#" -v failed="$failed" '
	/^[0-9]+%: Checks:/ { checks += $3 }
	END { printf "%d suites, %d checks: %d passed, %d failed\n",
		suites, checks, suites - failed, failed }'
[ "$failed" -eq 0 ]
