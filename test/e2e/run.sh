#!/bin/sh
# Run every end-to-end test, each in a process and a temp dir of its own.
#	B=build/rel sh test/e2e/run.sh [NAME ...]	default: all t_*.sh
# A test may take LIMIT seconds (120).
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build/rel}
LIMIT=${LIMIT:-120}
export B

work=$(mktemp -d "${TMPDIR:-/tmp}/sparktail-e2e.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
passed=0
failed=0
skipped=0

[ $# -gt 0 ] || set -- test/e2e/t_*.sh
for t in "$@"; do
	name=$(basename "$t" .sh)
	mkdir -p "$work/$name"
	begin=$(date +%s)
	TMPDIR=$work/$name timeout -k 10 "$LIMIT" \
		sh "test/e2e/$name.sh" >"$work/$name.out" 2>&1
	status=$?
	took="$(($(date +%s) - begin)) s"
	case $status in
	0)
		passed=$((passed + 1))
		echo "ok       $name ($took)"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skipped  $name: $(tail -n 1 "$work/$name.out")"
		;;
	*)
		failed=$((failed + 1))
		[ "$status" -ne 124 ] || echo "$name: over $LIMIT s"
		echo "FAILED   $name ($took)"
		sed 's/^/    /' "$work/$name.out"
		;;
	esac
	[ "${KEEP:-}" = 1 ] || rm -rf "${work:?}/$name"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "${KEEP:-}" != 1 ] || trap - EXIT
[ "$failed" -eq 0 ]
