#!/bin/sh
# The command line: what is no command is said to be none, with status 64.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

# All that PRODUCT and sparktail(8) name.
BUILT="run once check status convert explain safe-job-id help version"
NOT_YET="backfill pipe batches refused import-pmta doctor"

st() {
	"$B/sparktail" "$@" </dev/null
}

# wrong WORDS [ARGUMENT ...]: 64, and those words on standard error only
wrong() {
	wrong_words=$1
	shift
	exits 64 st "$@" && says "$wrong_words" && prints_nothing
}

# help_has COMMAND ...: a line for each, which for those not built says so
help_has() {
	for command in "$@"; do
		grep -q "^  $command  *[A-Za-z]" "$T/out" || return 1
	done
}

not_yet_in_help() {
	for command in $NOT_YET; do
		grep -q "^  $command .*(not yet in this version)\$" "$T/out" ||
			return 1
	done
	is "$(grep -c "not yet" "$T/out")" "$(echo "$NOT_YET" | wc -w)"
}

mistakes() {
	step "no command" wrong "usage: sparktail [-c FILE] [-v] [-q] COMMAND"
	step "... with a way out" says '"sparktail help"'
	step "only options" wrong "usage: sparktail" -v -q
	step "an empty command" wrong 'there is no command ""' ""
	step "an unknown command" wrong 'there is no command "frobnicate"' \
		frobnicate
	step "... with a way out" says '"sparktail help" names them all'
	step "a misspelt one" wrong 'did you mean "status"?' statsu
	step "another" wrong 'did you mean "convert"?' Convert
	step "one of them longer" wrong 'did you mean "explain"?' explains
	step "an unknown option" wrong "usage: sparktail" -x
	step "... is named" says "'x'"
	step "an unknown long one" wrong "usage: sparktail" --verbose
	step "-c without a file" wrong "usage: sparktail" -c
	for command in $NOT_YET; do
		step "$command" wrong "$command: not yet in this version" \
			"$command" some argument
	done
}

arguments() {
	for command in run once check version; do
		step "$command takes no arguments" wrong "$command: takes no \
arguments, but there is \"-v\"; options stand before the command" \
			"$command" -v
	done
	for command in convert explain; do
		step "$command takes files only" wrong "$command: there is no \
option \"-c\" here; options stand before the command" \
			"$command" -c conf.yaml
		step "... also as the last" wrong 'no option "-v"' \
			"$command" /dev/null -v
		step "... an odd name can be had" exits 0 st "$command" \
			/dev/null
	done
	step "status takes --json only" wrong "usage: sparktail status [--json]" \
		status --jsn
	step "... and once" wrong "usage: sparktail status [--json]" \
		status --json --json
	step "help for an unknown command" wrong 'there is no command "nope"' \
		help nope
}

help_and_version() {
	step "help" exits 0 st help
	step "... begins with the usage" is "$(head -n 1 "$T/out")" \
		"usage: sparktail [-c FILE] [-v] [-q] COMMAND [ARG ...]"
	# shellcheck disable=SC2086
	step "... has each command" help_has $BUILT $NOT_YET
	step "... says which are not yet" not_yet_in_help
	step "... on lines of 80 columns" is "$(awk 'length > 80' "$T/out")" ""
	step "... and says nothing else" says_nothing
	cp "$T/out" "$T/help"
	step "--help" exits 0 st --help
	step "... is the same" prints_file "$T/help"
	step "help for one command" exits 0 st help status
	step "... shows its arguments" prints "[-q] status [--json]"
	step "help for one that is not yet" exits 0 st help backfill
	step "... says so" prints "not yet in this version"
	step "version" exits 0 st version
	step "... names the program" is "$(head -n 1 "$T/out" | sed \
		's/ [0-9][0-9.]*$/ N/')" "sparktail N"
	cp "$T/out" "$T/version"
	step "--version" exits 0 st --version
	step "... is the same" prints_file "$T/version"
	step "options before it do no harm" exits 0 st -v -c /nowhere version
	step "... it is the same" prints_file "$T/version"
	for command in help version; do
		step "$command to a full disk: 74" exits 74 \
			to_a_full_disk "$command"
		step "... is said" says "No space left on device"
	done
}

to_a_full_disk() {
	st "$@" >/dev/full
}

mistakes
arguments
help_and_version
