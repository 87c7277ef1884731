# shellcheck shell=sh disable=SC2154
# live - cases of a daemon that runs, and of what it finds at its start

now_ms() {
	date +%s%3N
}

peak_kb() {
	awk '$1 == "VmHWM:" { print $2 }' "/proc/$DAEMON_PID/status"
}

# watch CASE SECONDS: share of a core and wake-ups of the daemon
watch() {
	"$TOOLS/measure" --watch "$DAEMON_PID" "$2" |
		awk -v name="$1" '{
			printf "%s.cpu_percent %.3f\n", name, 100 * $1 / $3
			printf "%s.wakeups_per_s %.2f\n", name, $2 / $3
		}' >>"$T/raw"
}

live() {
	clear
	rm -rf "$T/log"
	mkdir "$T/log"
	start_standin --fast --keep-bodies 0 --times "$T/times"
	write_config 'events.injection: records' 'batch.max_delay: 1s'
	start_daemon -q
}

end_live() {
	figure "$1.peak_kb" "$(peak_kb)"
	stop_daemon || fail "the daemon ended with $?"
	stop_standin
}

# follow RATE: rows a second
follow() {
	name=follow$1
	rows=$(($1 * (FOLLOW_S + 2)))
	live
	generate --rows "$rows" --rate "$1" --seed 4 --types d=1 \
		--stamps "$T/stamps" &
	PIDS="$PIDS $!"
	writer=$!
	wait_until 10 test -s "$T/times" || fail "no event arrives"
	watch "$name" "$FOLLOW_S"
	wait "$writer"
	wait_until 60 all_arrived "$rows" || :
	end_live "$name"
	figure "$name.events" "$(json_get "$T/summary" events.accepted)"
	figure "$name.lost" \
		$((rows - $(json_get "$T/summary" events.accepted)))
	figure "$name.standin_cpu_s" "$(json_get "$T/summary" cpu_ms |
		awk '{ printf "%.3f", $1 / 1000 }')"
	"$TOOLS/latency" "$T/stamps" "$T/times" >"$T/latency" ||
		fail "no latency"
	awk -v name="$name" '{
		printf "%s.latency_samples %d\n", name, $1
		printf "%s.latency_p50_ms %s\n", name, $2
		printf "%s.latency_p99_ms %s\n", name, $3
		printf "%s.latency_max_ms %s\n", name, $4
	}' "$T/latency" >>"$T/raw"
	print_medians
}

case_follow() {
	room $((FOLLOW_S * 55 + 100))
	for rate in $RATES; do
		follow "$rate"
	done
}

# One file that was read and stands still.
case_idle() {
	live
	generate --rows 1000 --seed 5 --types d=1
	wait_until 30 all_arrived 1000 || fail "no event arrives"
	wait_until 30 status_idle || fail "it does not come to rest"
	watch idle "$IDLE_S"
	end_live idle
	print_medians
}

case_files() {
	rm -rf "$T/log"
	mkdir "$T/log"
	generate --rows "$FILES" --roll-every 1 --seed 6 --types d=1
	figure files.count "$FILES"
	shipped files "$FILES" "$FILES" 'events.injection: records'
	start_standin --fast --keep-bodies 0
	start_daemon -q
	begin=$(now_ms)
	generate --base live --rows 1000 --seed 7 --types d=1
	wait_until 60 all_arrived 1000 || fail "the live file is not read"
	figure files.live_ms $(($(now_ms) - begin))
	end_live files.live
	figure files.live_lost \
		$((1000 - $(json_get "$T/summary" events.accepted)))
	print_medians
}

# status_costs NAME [OPTION]: of a spool that nobody works on
status_costs() {
	name=$1
	shift
	"$TOOLS/measure" "$B/sparktail" -c "$T/conf.yaml" status "$@" \
		3>"$T/measured" >"$T/status" || fail "status ended with $?"
	awk -v name="$name" '{
		printf "%s_s %.3f\n%s_peak_kb %d\n", name, $3, name, $4
	}' "$T/measured" >>"$T/raw"
}

# When the first batch came, by the stand-in's own log.
first_ms() {
	head -n 1 "$T/requests" >"$T/first"
	json_get "$T/first" time_ms
}

case_spool() {
	clear
	rm -rf "$T/log"
	mkdir "$T/log"
	generate --rows 1 --seed 8 --types d=1
	start_standin --fast --keep-bodies 0
	write_config 'events.injection: records'
	sparktail -q convert "$T"/log/*.csv | gzip -n >"$T/body.gz"
	rm "$T"/log/*.csv
	room $((BATCHES / 250 + 100))
	"$TOOLS/spoolful" "$T/spool" "$BATCHES" "$T/body.gz" 1 ||
		fail "no spool is made"
	status_costs spool.status
	status_costs spool.status_json --json
	figure spool.batches "$(json_get "$T/status" spool.batches)"
	figure spool.lost $((BATCHES - $(json_get "$T/status" spool.batches)))
	begin=$(now_ms)
	"$B/sparktail" -q -c "$T/conf.yaml" run >>"$T/daemon.log" 2>&1 &
	DAEMON_PID=$!
	PIDS="$PIDS $DAEMON_PID"
	wait_until 60 test -s "$T/requests" || fail "no batch comes"
	figure spool.first_upload_ms $(($(first_ms) - begin))
	end_live spool
	print_medians
}
