#!/bin/sh
# Run every end-to-end test, each in a process and a temp dir of its own.
#	B=build/rel sh test/e2e/run.sh [TEST.sh ...]	default: all t_*.sh
# A test may take LIMIT seconds (120).  JOBS (2) run at the same time: most of
# them wait most of the time.
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build/rel}
LIMIT=${LIMIT:-120}
export B LIMIT

# one WORK TEST: run it, leave its status in WORK/NAME.status, say how it went.
one() {
	name=$(basename "$2" .sh)
	out=$1/$name.out
	mkdir -p "$1/$name"
	begin=$(date +%s)
	TMPDIR=$1/$name timeout -k 10 "$LIMIT" \
		sh "$2" >"$out" 2>&1
	status=$?
	took="$(($(date +%s) - begin)) s"
	echo "$status" >"$1/$name.status"
	# In one piece, so that two tests do not mix their lines.
	case $status in
	0) echo "ok       $name ($took)" ;;
	77) echo "skipped  $name: $(tail -n 1 "$out")" ;;
	124) printf '%s\n' "FAILED   $name: over $LIMIT s
$(sed 's/^/    /' "$out")" ;;
	*) printf '%s\n' "FAILED   $name ($took)
$(sed 's/^/    /' "$out")" ;;
	esac
	[ "${KEEP:-}" = 1 ] || rm -rf "${1:?}/$name"
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3"
	exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/sparktail-e2e.XXXXXX") || exit 1
# Some tests are somebody else in between.
chmod 711 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ $# -gt 0 ] || set -- test/e2e/t_*.sh
printf '%s\n' "$@" |
	xargs -P "${JOBS:-2}" -I '{}' sh test/e2e/run.sh --one "$work" '{}'

passed=$(cat "$work"/*.status | grep -cx 0)
skipped=$(cat "$work"/*.status | grep -cx 77)
failed=$(($# - passed - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "${KEEP:-}" != 1 ] || trap - EXIT
[ "$failed" -eq 0 ]
