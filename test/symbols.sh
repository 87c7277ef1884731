#!/bin/sh
# Fail when a global symbol does not carry its module's name.  libinotifytools
# exports bare names such as "initialized"; one of ours would silently replace it.
# A module "x_y" or "cmd_x" may also export what begins with its first word.
bad=0
for o in "$@"; do
	m=$(basename "$o" .o)
	nm -g --defined-only "$o" | awk -v m="$m" -v o="$o" '
		{ first = m; sub(/_.*/, "", first) }
		$3 ~ /^(__asan|__odr|__tsan|__ubsan)/ { next }
		$3 != "" && index($3, m "_") != 1 && index($3, first "_") != 1 {
			print o ": " $3; bad = 1 }
		END { exit bad }' || bad=1
done
exit $bad
