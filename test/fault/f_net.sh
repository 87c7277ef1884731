#!/bin/sh
# shellcheck disable=SC2034,SC2119
# A network that is cut and that loses packets, between two namespaces of our
# own: what is here is the shipper's, the service's is held by $FAR.  They go
# with their last process.
if [ -z "${NET_OWN:-}" ]; then
	unshare -n ip link add name va type veth peer name vb 2>/dev/null || {
		echo "skipped: no network namespaces"
		exit 77
	}
	NET_OWN=1 exec unshare -n sh "$0" "$@"
fi
. test/e2e/lib.sh
. test/e2e/rows.sh
setup
. test/fault/wire.sh
. test/fault/certs.sh

CUT=3		# seconds
ROWS=4000
if [ "${LONG:-}" = 1 ]; then
	CUT=60
	ROWS=40000
fi

far() {
	nsenter --net --target "$FAR" "$@"
}

# The two and a link; the far side can be entered as soon as it is another.
apart() {
	test "$(readlink "/proc/$FAR/ns/net")" != "$(readlink /proc/self/ns/net)"
}

connect() {
	unshare -n sleep 100000 &
	FAR=$!
	PIDS="$PIDS $FAR"
	wait_until 5 apart || fail "no second namespace"
	ip link set lo up
	ip link add va type veth peer name vb netns "$FAR" &&
		ip address add 10.111.0.1/24 dev va && ip link set va up &&
		far ip link set lo up &&
		far ip address add "$CERT_ADDRESS/24" dev vb &&
		far ip link set vb up
}

# A link of that many kilobits, which drops what does not fit its queue.
narrow() {
	tc qdisc replace dev va root tbf rate "$1"kbit burst 4k limit "$2" &&
		far tc qdisc replace dev vb root tbf rate "$1"kbit burst 4k \
			limit "$2"
}

wide() {
	tc qdisc del dev va root
	far tc qdisc del dev vb root
}

dropped() {
	tc -s qdisc show dev va | sed -n 's/.*dropped \([0-9]*\).*/\1/p'
}

# As start_standin, over there.
start_far() {
	rm -f "$T/port"
	nsenter --net --target "$FAR" "$TOOLS/standin" \
		--listen "$CERT_ADDRESS" --port "$PORT" --port-file "$T/port" \
		--key "$KEY" --log "$T/requests" --accepted "$T/accepted" \
		--summary "$T/summary" --tls-cert "$T/good.pem" \
		--tls-key "$T/good-key.pem" 2>"$T/standin.err" &
	STANDIN_PID=$!
	PIDS="$PIDS $STANDIN_PID"
	wait_until 10 test -s "$T/port" ||
		fail "the stand-in does not listen: $(cat "$T/standin.err")"
	PORT=$(cat "$T/port")
	URL=https://$CERT_ADDRESS:$PORT
}

bytes_out() {
	tr : ' ' </proc/net/dev | awk '$1 == "va" { print $10 }'
}

# Is an upload under way?
moving() {
	[ "$(bytes_out)" -gt $((moving_from + 20000)) ]
}

# sever WHAT DOWN UP: in the middle of an upload, for a while
sever() {
	narrow 200 30000
	moving_from=$(bytes_out)
	sever_accepted=$(accepted)
	sever_failures=$(failures)
	more 3000
	step "$1: an upload is under way" wait_until 10 moving
	step "... and is cut" "$2"
	is "$(accepted)" "$sever_accepted" || fail "it was over by then"
	sleep "$CUT"
	# Longer than ingest.timeout, by what it has to wait for.
	step "... uploads fail" wait_until 10 failed $((sever_failures + 1))
	wide
	step "... it is mended" "$3"
	sever_ms=$(now_ms)
	step "... all of it goes, once" all 10
	echo "  in $(($(now_ms) - sever_ms)) ms"
	step "... and nothing waits" wait_until 5 ready_empty
}

here_down() {
	ip link set va down
}

here_up() {
	ip link set va up
}

far_down() {
	far ip link set vb down
}

far_up() {
	far ip link set vb up
}

# Packets vanish, but the other end knows of nothing.
far_deaf() {
	far ip route add blackhole 10.111.0.1/32
}

far_hears() {
	far ip route del blackhole 10.111.0.1/32
}

lossy() {
	narrow 2000 6000
	lossy_dropped=$(dropped)
	for lossy_i in 1 2 3 4; do
		more $((ROWS / 4))
		here_once 60 "1-$N" || fail "packets are lost: rows are as well"
	done
	step "packets are lost: all of it goes, once" all
	lossy_dropped=$(($(dropped) - lossy_dropped))
	echo "  $lossy_dropped packets were"
	step "... (they were)" between 5 $lossy_dropped 1000000
	step "... and nothing waits" wait_until 10 ready_empty
	wide
}

make_ca
make_signed good 86400
connect || fail "no link between them"
start_far
write_config "ingest.ca_file: $T/ca.pem" 'ingest.timeout: 2s' \
	'ingest.connect_timeout: 1s' \
	'batch.max_events: 10000'
more 20
start_daemon
step "rows arrive over there" all
sever "the link goes down here" here_down here_up
sever "the link goes down there" far_down far_up
sever "nothing comes back" far_deaf far_hears
lossy
step "the ledger agrees" wait_until 5 agrees
