#!/bin/sh
# Run the fault bench: every f_*.sh, as the end-to-end tests are run.
#	B=build/fault TOOLS=build/rel/tools sh test/fault/run.sh [TEST.sh ...]
# LONG=1 asks for the long form of each; SEED (1) for other dice.
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build/fault}
TOOLS=${TOOLS:-build/rel/tools}
SEED=${SEED:-1}
LONG=${LONG:-}
if [ "$LONG" = 1 ]; then
	LIMIT=${LIMIT:-7200}
else
	LIMIT=${LIMIT:-300}
fi
export B TOOLS SEED LONG LIMIT
[ $# -gt 0 ] || set -- test/fault/f_*.sh
exec sh test/e2e/run.sh "$@"
