#!/bin/sh
# check names every mistake of a configuration in one run, no command starts
# with one, and the API key shows nowhere.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

URL=http://127.0.0.1:9

check() {
	"$B/sparktail" -c "$T/c.yaml" check
}

# config LINE ...: a configuration of these lines and what has to be there
config() {
	{
		printf 'sources:\n  - path: %s/log/*.csv\n' "$T"
		printf '%s\n' "$@"
	} >"$T/c.yaml"
	case $* in
	*ingest:*) ;;
	*) printf 'ingest:\n  api_key_file: %s/api.key\n' "$T" >>"$T/c.yaml" ;;
	esac
}

# mistake LINE:COLUMN WORDS: is it said, with the file?
mistake() {
	grep -qF "c.yaml:$1: $2" "$T/err" && return
	echo "not said: $1: $2"
	show
	return 1
}

# wrong WORDS LINE ...: a configuration with one mistake
wrong() {
	wrong_words=$1
	shift
	config "$@"
	exits 78 check && prints_nothing && says "$wrong_words" &&
		says "check: 1 mistake in $T/c.yaml"
}

right() {
	config "$@"
	exits 0 check && says_nothing
}

sample() {
	sed "s|path: .*|path: $T/log/*.csv|
		s|^#ingest:|ingest:|
		s|^#  api_key_file: .*|  api_key_file: $T/api.key|
		s|^#spool:|spool:|
		s|^#  directory: .*|  directory: $T/spool|" etc/sparktail.yaml
}

# Every key of the sample: what is no prose, without its mark.
sample_in_full() {
	sample | sed 's/^#\([^ ]\)/\1/; s/^#  /  /'
}

good_ones() {
	write_config
	step "a good configuration" exits 0 sparktail check
	step "... is called OK" prints "$T/conf.yaml: OK: 1 source"
	step "... with its spool" prints "spool $T/spool"
	step "... and where the key is" prints "key from $T/api.key"
	step "... and nothing is made" test ! -e "$T/spool"
	step "... or said" says_nothing

	sample >"$T/c.yaml"
	step "the sample, adapted" exits 0 check
	step "... names the spool" prints "spool $T/spool"
	sample_in_full >"$T/c.yaml"
	step "the sample with every key" exits 78 \
		env SPARKTAIL_API_KEY="$KEY" "$B/sparktail" -c "$T/c.yaml" check
	step "... has no mistake but what is not yet" is \
		"$(grep -c 'c.yaml:' "$T/err")" \
		"$(grep -c 'c.yaml:.* not yet in this version' "$T/err")"
	grep -v 'status_key_file: /\|^status:\|listen:' "$T/c.yaml" >"$T/d.yaml"
	mv "$T/d.yaml" "$T/c.yaml"
	step "... and none without that" exits 0 \
		env SPARKTAIL_API_KEY="$KEY" "$B/sparktail" -c "$T/c.yaml" check

	step "sizes and times" right 'batch: {max_bytes: 500K, max_delay: 1m30s}' \
		'spool: {min_free_space: 1GiB, max_size: 20M}'
	step "words for true and false" right 'events: {delay: off}' \
		'log: {verbose: yes}'
}

many_at_once() {
	cat >"$T/c.yaml" <<END
ingest:
  api_key_file: $T/api.key
  conections: 3
  timeout: 60
  confirm: on
  timeout: 60s
sources:
  - path: log/*.csv
    strat: end
batch:
  max_bytes: 6M
  compression: fast
threads: 65
mapping:
  default: { ship: Nowhere }
END
	step "many mistakes: 78" exits 78 check
	step "... an unknown key, and what it may be" mistake 3:3 \
		'unknown key "conections" in ingest; did you mean "connections"?'
	step "... a time without unit" mistake 4:12 'ingest.timeout: "60" has no'
	step "... what is not yet" mistake 5:12 "ingest.confirm: on is not yet"
	step "... a key that stands twice" mistake 6:3 \
		'key "timeout" stands on line 4 already'
	step "... a relative path" mistake 8:11 \
		"sources[].path: must be an absolute path"
	step "... a misspelt key of a list" mistake 9:5 \
		'unknown key "strat" in sources[]; did you mean "start"?'
	step "... more than the service takes" mistake 11:14 "batch.max_bytes"
	step "... a word for a number" mistake 12:16 "batch.compression"
	step "... a number too large" mistake 13:10 "threads: 65 is too large"
	step "... a filter that is not there" mistake 15:20 \
		'mapping.default.ship: no filter is called "Nowhere"'
	step "... each on one line, and their number" says_lines 11
	step "... counted" says "check: 10 mistakes in $T/c.yaml"
	step "run: 78" exits 78 "$B/sparktail" -c "$T/c.yaml" run
	step "... with the same mistakes" mistake 3:3 "unknown key"
	step "once: 78" exits 78 "$B/sparktail" -c "$T/c.yaml" once
	step "... with the same mistakes" mistake 15:20 "mapping"
	step "... and no spool is made" test ! -e "$T/spool"
}

one_by_one() {
	step "a tab" wrong "a tab where YAML wants blanks" 'events:' \
		"$(printf '\tdelay: true')"
	step "a key twice in a list's entry" wrong 'key "start" stands on' \
		'    start: end' '    start: end'
	step "the status page is not yet" wrong "status.listen: not yet" \
		'status: {listen: "127.0.0.1:9925"}'
	step "a list for a word" wrong "node_name" 'node_name: [a, b]'
	step "a map for a list" wrong "events.inbound_domains" \
		'events: {inbound_domains: {a: b}}'
	step "a word for a section" wrong "log: must hold keys" 'log: yes'
	step "MB" wrong "spool.max_size" 'spool: {max_size: 20MB}'
	step "http to another host" wrong "ingest.url" \
		"ingest: {url: 'http://192.0.2.1/', api_key_file: $T/api.key}"
	step "a section twice" wrong 'key "log" stands on line' \
		'log: {verbose: true}' 'log: {verbose: true}'
	step "no YAML" wrong "not YAML" ']'
	printf 'node_name: n\n' >"$T/c.yaml"
	step "no source, no key: 78" exits 78 check
	step "... which is said" says "sources: nothing to read is named"
	: >"$T/c.yaml"
	step "an empty file: 78" exits 78 check
	step "... which is said" says "sources: nothing to read is named"
	head -c 500 "$B/sparktail" >"$T/c.yaml"
	step "a binary file: 78" exits 78 check
	step "... which is said" says "not YAML"
	rm "$T/c.yaml"
	step "no file: 78" exits 78 check
	step "... which is said" says "$T/c.yaml: No such file"
	mkdir "$T/c.yaml"
	step "a directory: 78" exits 78 check
	step "... which is said" says "$T/c.yaml: Is a directory"
	rmdir "$T/c.yaml"
	write_config
	step "arguments: 64" exits 64 sparktail check more
}

keys() {
	config
	chmod 644 "$T/api.key"
	step "a key that others may read: 78" exits 78 check
	step "... which is said with its mode" says \
		"$T/api.key is open to others (mode 0644)"
	step "... and a remedy" says "chmod o= $T/api.key"
	step "run: 78" exits 78 "$B/sparktail" -c "$T/c.yaml" run
	step "once: 78" exits 78 "$B/sparktail" -c "$T/c.yaml" once
	chmod 440 "$T/api.key"
	step "the group may" exits 0 check
	mv "$T/api.key" "$T/away"
	step "no key: 78" exits 78 check
	step "... which is said" says "$T/api.key: No such file"
	(umask 077 && : >"$T/api.key")
	step "an empty one: 78" exits 78 check
	step "... which is said" says "$T/api.key holds no key"
	(umask 077 && printf '%s\nsecond\n' "$KEY" >"$T/api.key")
	step "two lines: 78" exits 78 check
	step "... which is said" says "$T/api.key holds more than a key"
	step "... without them" hidden "$T/err"
	mv -f "$T/away" "$T/api.key"
	chmod 600 "$T/api.key"
	config 'ingest: {api_key_env: THE_KEY}'
	step "a variable" exits 0 env THE_KEY="$KEY" \
		"$B/sparktail" -c "$T/c.yaml" check
	step "... is called that" prints "key from the environment"
	step "... it must be set" exits 78 check
	config 'ingest: {}'
	mkdir "$T/credentials"
	cp "$T/api.key" "$T/credentials/api.key"
	step "systemd's credential" exits 0 env \
		CREDENTIALS_DIRECTORY="$T/credentials" \
		"$B/sparktail" -c "$T/c.yaml" check
	step "... is named" prints "key from $T/credentials/api.key"

	for line in "api_key: $KEY" "api_key_file: $KEY" "api_key_env: $KEY" \
		"connections: $KEY" "url: \"https://u:$KEY@127.0.0.1/\"" \
		"confirm: $KEY" "retry_min: $KEY"; do
		config "ingest: { $line }"
		step "the key as ${line%%:*}: 78" exits 78 check
		step "... is not repeated" hidden "$T/err"
	done
}

# hidden FILE ...: is the key in none of them?
hidden() {
	! grep -rF "$KEY" "$@"
}

everything_said() {
	{
		sparktail -v check
		sparktail -v once
		sparktail -v status
		sparktail -v status --json
		sparktail -v convert "$T"/log/*.csv
		sparktail -v explain "$T"/log/*.csv
		sparktail version
	} >"$T/said" 2>&1
}

key_is_refused() {
	sparktail -v once >>"$T/said" 2>&1
	[ $? -eq 77 ]
}

all_sent() {
	status_idle && check_all
}

secrecy() {
	start_standin
	generate --rows 100
	write_config 'log.verbose: true'
	step "all commands, saying all they can" everything_said
	step "... have sent the events" all_arrived
	step "... and not shown the key" hidden "$T/said" "$T/spool"
	generate --rows 100 --seed 2 --base later
	(umask 077 && echo "x$KEY" >"$T/api.key")
	step "a key that is refused: 77" key_is_refused
	step "... is not shown" hidden "$T/said" "$T/spool"
	step "... but spoken of" grep -qi "key" "$T/said"
	(umask 077 && echo "$KEY" >"$T/api.key")
	start_daemon -v
	step "a daemon with the right key sends them" wait_until 10 \
		all_sent
	kill -USR1 "$DAEMON_PID"
	step "... says its status" wait_until 10 \
		grep -q ' status: ' "$T/daemon.log"
	kill -HUP "$DAEMON_PID"
	step "... takes its configuration again" wait_until 10 \
		grep -q ' is in force' "$T/daemon.log"
	step "the daemon has it in no argument" hidden \
		"/proc/$DAEMON_PID/cmdline" "/proc/$DAEMON_PID/environ"
	step "... ends well" stop_daemon
	step "... and has not shown it" hidden "$T/daemon.log" "$T/spool"
}

good_ones
many_at_once
one_by_one
keys
secrecy
