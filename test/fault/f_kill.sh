#!/bin/sh
# Killed at random moments, while rows arrive in pieces, files roll over, and
# the service is a bad one.  At the end each event is there once, with the same
# bytes whenever it was sent again, and in order; and whenever it lies dead the
# spool's sums agree.
#	KILLS=50 SEED=1		how often, and with which dice
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/fault/bench.sh
setup

SEED=${SEED:-1}
if [ "$LONG" = 1 ]; then
	KILLS=${KILLS:-1000}
else
	KILLS=${KILLS:-50}
fi
RATE=600 # rows a second

# delays COUNT: a line for each life, "SECONDS AWAY"; a tenth of them is very
# short, and in every 20th the service is away.
delays() {
	awk -v seed="$SEED$connections" -v count="$1" '
	BEGIN {
		srand(seed)
		for (i = 1; i <= count; i++) {
			life = 0.05 + rand() * 0.35
			if (rand() < 0.1) life = rand() * 0.05
			printf "%.3f %d\n", life, i % 20 == 10
		}
	}'
}

service() {
	start_standin --seed "$SEED" --fault 'p0.3:any'
}

no_service() {
	again=$((again + $(stats events.duplicate)))
	troubles=$((troubles + $(stats faults)))
	changed=$((changed + $(stats events.changed)))
	stop_standin
}

live_and_die() {
	"$B/sparktail" -c "$T/conf.yaml" run >>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	# Not those of the dead, whose numbers may be others' by now.
	PIDS="$STANDIN_PID $WRITER_PID $DAEMON_PID"
	sleep "$1"
	# Its sums agree in the midst of it as well.
	if [ $((kills % 7)) = 3 ]; then
		whatever_there_is || return 1
	fi
	kill -KILL "$DAEMON_PID" || {
		echo "it ended by itself"
		return 1
	}
	wait "$DAEMON_PID" 2>/dev/null
	kills=$((kills + 1))
}

# Before its first start has come so far there is nothing to be shown.
whatever_there_is() {
	[ ! -s "$T/spool/checkpoint.json" ] || dead_agrees
}

kill_often() {
	delays "$1" >"$T/delays"
	while read -r life away; do
		[ "$away" = 0 ] || no_service
		if ! live_and_die "$life" || ! whatever_there_is; then
			echo "kill $kills, connections: $connections"
			return 1
		fi
		[ "$away" = 0 ] || service
	done <"$T/delays"
}

# As many rows as come in the time the kills will take, and in eight files.
write_rows() {
	rows=$(($1 * RATE * 28 / 100 + 500))
	generate --rows "$rows" --rate "$RATE" --torn --seed "$SEED" \
		--roll-every $((rows / 8)) --columns signals --hostile 10 &
	WRITER_PID=$!
	PIDS="$PIDS $WRITER_PID"
}

writer_done() {
	wait "$WRITER_PID"
}

arrived_and_empty() {
	here "$events" && status_idle
}

# round CONNECTIONS CHECK: half of the kills
round() {
	connections=$1
	fresh
	rm -f "$ACCT" "$T/accepted" "$T/requests"
	service
	write_config 'batch.max_events: 40' 'ingest.retry_min: 10ms' \
		'ingest.retry_max: 100ms' 'ingest.timeout: 2s' \
		"ingest.connections: $connections" "threads: $(((connections + 2) / 2))"
	write_rows $((KILLS / 2))
	step "connections: $connections: killed $((KILLS / 2)) times" \
		kill_often $((KILLS / 2))
	step "... all rows were written" writer_done
	faults
	events=$(expected)
	start_daemon
	step "... all of it arrives" wait_until 60 arrived_and_empty
	step "... it ends well" stop_daemon
	step "... the sums agree, nothing is lost or twice" balanced 0
	step "... each row was counted once" rows_counted
	shift
	step "... and all is in order" check_all "$@"
	no_service
	step "... what was sent again was the same" is "$changed" 0
	PORT=0
}

kills=0 changed=0 again=0 troubles=0
begun=$(now_ms)
round 1 --in-order
round 4 --requests "$T/requests"
echo "$kills kills in $((($(now_ms) - begun) / 1000)) s, $troubles bad answers," \
	"$again events sent again"
