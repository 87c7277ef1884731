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

# live [judged] [SETTING ...]: for a service that hardly looks at what it gets,
# or for one that counts an event that comes again once
live() {
	live_judge=--fast
	if [ "${1:-}" = judged ]; then
		live_judge=--sample=1
		shift
	fi
	clear
	rm -rf "$T/log"
	mkdir "$T/log"
	start_standin "$live_judge" --keep-bodies 0 --times "$T/times"
	write_config 'events.injection: records' 'batch.max_delay: 1s' "$@"
	start_daemon -q
	WRITERS=
}

end_live() {
	figure "$1.peak_kb" "$(peak_kb)"
	stop_daemon || fail "the daemon ended with $?"
	stop_standin
}

# grow RATE SEED [OPTION ...]: a file, as long as a case of it takes
grow() {
	grow_rate=$1
	grow_seed=$2
	shift 2
	generate --base "grow$grow_seed" --seed "$grow_seed" \
		--rate "$grow_rate" --rows $((grow_rate * (FOLLOW_S + 2))) \
		"$@" &
	WRITERS="$WRITERS $!"
	PIDS="$PIDS $!"
}

# grown CASE: until all has been written, with the figures of the time between
grown() {
	wait_until 10 test -s "$T/times" || fail "no event arrives"
	watch "$1" "$FOLLOW_S"
	for writer in $WRITERS; do
		wait "$writer" || fail "a file does not grow"
	done
}

# times_of FILE: when the events about its recipients came
times_of() {
	awk '
	NR == FNR { split($0, field, ","); ours[tolower(field[5])]; next }
	tolower($2) in ours' "$1" "$T/times"
}

# latency CASE TIMES: from the write of a row to the arrival of its event
latency() {
	"$TOOLS/latency" "$T/stamps" "$2" >"$T/latency" || fail "no latency"
	awk -v name="$1" '{
		printf "%s.latency_samples %d\n", name, $1
		printf "%s.latency_p50_ms %s\n", name, $2
		printf "%s.latency_p99_ms %s\n", name, $3
		printf "%s.latency_max_ms %s\n", name, $4
	}' "$T/latency" >>"$T/raw"
}

# end_follow CASE EVENTS [FILE]: the one of several that has stamps
end_follow() {
	wait_until 60 all_arrived "$2" || :
	end_live "$1"
	events=$(json_get "$T/summary" events.accepted)
	figure "$1.events" "$events"
	figure "$1.lost" $(($2 - events))
	figure "$1.standin_cpu_s" "$(json_get "$T/summary" cpu_ms |
		awk '{ printf "%.3f", $1 / 1000 }')"
	if [ $# -gt 2 ]; then
		times_of "$3" >"$T/times.one"
		latency "$1" "$T/times.one"
	else
		latency "$1" "$T/times"
	fi
	print_medians
}

# follow RATE: rows a second
follow() {
	live
	grow "$1" 4 --types d=1 --stamps "$T/stamps"
	grown "follow$1"
	end_follow "follow$1" $(($1 * (FOLLOW_S + 2)))
}

# Files that grow at once.  One of them has d rows alone: of these it is known
# which write they were in.
case_follow_many() {
	room $((FOLLOW_S * 6 + 100))
	live judged 'events.injection: synthesize'
	for seed in 11 12 13 14 15 16 17; do
		grow 625 "$seed"
	done
	grow 625 18 --types d=1 --stamps "$T/stamps"
	grown follow_many
	end_follow follow_many "$(expected --injection synthesize)" \
		"$T"/log/grow18-*.csv
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
