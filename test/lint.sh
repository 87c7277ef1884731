#!/bin/sh
# What a reviewer should not have to look for.  Called by "make lint" with the
# program's objects as arguments, B for the build directory and OURS for the
# compiler's flags.  Every step runs; one that fails makes the whole fail.
#
# A tool that is missing is a failure too ("make deps-dev" installs them all),
# unless LINT_SKIP_MISSING=1.
# The steps are called by their names, which shellcheck cannot see.
# shellcheck disable=SC2317
set -u

: "${B:?}" "${OURS:?}"
objects="$*"
bad=0

# step TOOL WHAT FUNCTION: TOOL is a program that it needs, or "-".
step()
{
	echo "  LINT  $2"
	if [ "$1" != - ] && ! command -v "$1" >/dev/null 2>&1; then
		echo "lint: $1 is not installed"
		[ "${LINT_SKIP_MISSING:-0}" = 1 ] || bad=1
	elif ! "$3"; then
		echo "lint: $2: failed"
		bad=1
	fi
}

# The project's own files, without those whose bytes are the point of a test.
ours()
{
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard
	else
		find . -path ./build -prune -o -type f -print | sed 's|^\./||'
	fi | grep -v -e '^test/fuzz/corpus/' -e '^LICENSE$' | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done
}

layers()
{
	sh test/layers.sh
}

symbols()
{
	# The list is words on purpose.
	# shellcheck disable=SC2086
	sh test/symbols.sh $objects
}

complexity()
{
	ours | grep -E '^(src|test/tools|test/fuzz)/.*\.c$' | xargs pmccabe |
		awk '
		$1 > 15 { print $0 ": complexity " $1 " is above 15"; bad = 1 }
		$5 > 60 { print $0 ": " $5 " lines are more than 60"; bad = 1 }
		END { exit bad }'
}

sizes()
{
	ours | grep -E '^(src|include|test/tools)/.*\.[ch]$' | xargs wc -l |
		awk '
		$2 == "total" { next }
		{ max = $2 ~ /\.h$/ ? 250 : 400 }
		$1 > max { print $2 ": " $1 " lines are more than " max; bad = 1 }
		END { exit bad }'
}

# Each version has an opinion of its own; the files follow this one's.
format()
{
	clang-format --version | grep -q 'version 14\.' || {
		echo "format: not checked, this is not clang-format 14"
		return 0
	}
	ours | grep '\.[ch]$' | xargs clang-format --dry-run -Werror
}

# Functions that overrun, keep a static result or swallow errors.
banned()
{
	! ours | grep -E '^(src|include|test)/.*\.[ch]$' | xargs grep -nE \
		'(^|[^[:alnum:]_])(strcpy|strcat|v?sprintf|strtok|gmtime|localtime|ctime|atoi) *\('
}

scripts()
{
	ours | grep -E '\.sh$|^\.ci/run$' | xargs shellcheck
}

manuals()
{
	mandoc -T lint -W warning man/*
}

documents()
{
	sh test/docs.sh "$B/sparktail" "$B/test/keys"
}

spaces()
{
	! ours | grep -vE '\.(csv|gz|pem|ndjson|gold)$' | xargs grep -nIE \
		'[[:blank:]]$|^ +	|^<{7} |^>{7} '
}

# What only one machine has is of no use to the others.
paths()
{
	! ours | xargs grep -nIE '(^|[^[:alnum:]_.])/(wor[k]|hom[e])(/|$)'
}

# readdir() is safe for one thread on its own stream, and a NULL of the right
# type is not needed where all pointers are of one size.
cpp()
{
	cppcheck --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --quiet --std=c11 --library=posix \
		--library=gnu --suppress=missingInclude \
		--suppress=missingIncludeSystem --suppress=readdirCalled \
		--suppress=varFuncNullUB \
		-Iinclude -Itest -D_GNU_SOURCE \
		-DHAVE_ISAL -DVERSION='""' -DSYSCONFDIR='""' -j 2 src test/tools
}

# The slowest step by far: a file that was clean is asked again when it, a
# header, or what is asked has changed.
tidy()
{
	HEADERS=$(cat include/*/*.h .clang-tidy | cksum)$OURS
	export HEADERS
	# The flags hold quotes of their own.
	# shellcheck disable=SC2016
	ours | grep '^src/.*\.c$' | xargs -P 2 -n 1 sh -c '
		eval "set -- $OURS"
		stamp=$kept/$(echo "$0" | tr / _).clean
		now="$(cksum <"$0") $HEADERS"
		[ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || exit 0
		clang-tidy --quiet "$0" -- "$@" 2>/dev/null || exit
		echo "$now" >"$stamp"'
}

kept=build/lint
mkdir -p "$kept" || exit 1
export OURS kept
step - layers layers
step nm symbols symbols
step pmccabe complexity complexity
step - sizes sizes
step clang-format format format
step - "banned functions" banned
step shellcheck scripts scripts
step mandoc manuals manuals
step - documents documents
step - spaces spaces
step - paths paths
step cppcheck cppcheck cpp
step clang-tidy clang-tidy tidy
[ "$bad" = 0 ] && echo "lint: clean"
exit "$bad"
