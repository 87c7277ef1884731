# shellcheck shell=sh disable=SC2154
# expect - how a command ends, and what it says
#
#	. test/e2e/lib.sh
#	. test/e2e/expect.sh
#	step "a directory is no input" exits 65 sparktail convert "$T"
#	step "... which is said" says "is a directory"
#	step "... and nothing is printed" prints_nothing
#
# The output of the command is in $T/out and $T/err until the next one.

show() {
	echo "standard output:"
	head -c 2000 "$T/out"
	echo "standard error:"
	head -c 2000 "$T/err"
}

# exits STATUS COMMAND ...
exits() {
	exits_want=$1
	shift
	"$@" >"$T/out" 2>"$T/err"
	exits_got=$?
	[ "$exits_got" -eq "$exits_want" ] && return
	echo "exit status $exits_got, not $exits_want: $*"
	show
	return 1
}

# prints TEXT: somewhere on standard output
prints() {
	grep -qF -e "$1" "$T/out" && return
	echo "not printed: $1"
	show
	return 1
}

# says TEXT: somewhere on standard error
says() {
	grep -qF -e "$1" "$T/err" && return
	echo "not said: $1"
	show
	return 1
}

prints_nothing() {
	[ ! -s "$T/out" ] && return
	show
	return 1
}

says_nothing() {
	[ ! -s "$T/err" ] && return
	show
	return 1
}

# prints_file FILE: standard output is the same, byte for byte
prints_file() {
	cmp "$1" "$T/out" && return
	diff -u "$1" "$T/out" | head -c 4000
	return 1
}

# says_lines N, prints_lines N
says_lines() {
	is "$(wc -l <"$T/err")" "$1" || {
		show
		return 1
	}
}

prints_lines() {
	is "$(wc -l <"$T/out")" "$1" || {
		show
		return 1
	}
}

is() {
	[ "$1" = "$2" ] && return
	echo "is \"$1\", not \"$2\""
	return 1
}

# within SECONDS COMMAND ...: it must end by itself in that time
within() {
	within_left=$1
	shift
	timeout "$within_left" "$@"
}
