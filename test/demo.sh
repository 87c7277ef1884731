#!/bin/sh
# The whole job on this machine, without an account: rows are written as
# PowerMTA writes them, the program ships them, a stand-in of the service
# takes them, and a checker holds what arrived against the rows.
#
#	B=build/rel sh test/demo.sh	(or: make demo)
#
# ROWS=2000 RATE=400 set how much and how fast; KEEP=1 leaves everything to be
# looked at.  Nothing but a temp dir and a loopback port is touched.
ROWS=${ROWS:-2000}
RATE=${RATE:-400}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"

setup
start_standin
write_config
echo "Stand-in of the service at $URL, work in $T"
start_daemon
echo "sparktail runs as $DAEMON_PID; writing $ROWS rows, $RATE a second ..."

# A roll-over in the middle: PowerMTA goes on under a new name.
generate --rows "$ROWS" --rate "$RATE" --roll-every $((ROWS / 2)) ||
	fail "the generator"
count=$(expected)
wait_until 10 all_arrived "$count" ||
	echo "Only $(stats events.accepted) of $count events arrived."
wait_until 5 status_idle || echo "Batches are still waiting."
stop_daemon || fail "sparktail ended with $?"
stop_standin

echo
check_all --table
verdict=$?
echo
echo "batches    $(json_get "$T/summary" batches)"
echo "bytes      $(json_get "$T/summary" bytes) as gzip"
echo "posts      $(json_get "$T/summary" posts)"
echo
if [ "${KEEP:-}" = 1 ]; then
	cat <<EOF
Look at:
  $T/log		the accounting files
  $T/conf.yaml	the configuration
  $T/daemon.log	what sparktail said
  $T/spool	its spool
  $T/accepted	the events, as they arrived
  $T/requests	every request
EOF
else
	echo "KEEP=1 make demo leaves all of it to be looked at."
fi
echo "Next: README, man man/sparktail.8, contrib/STAND-IN."
[ "$verdict" -eq 0 ] || fail "what arrived is not what was written"
