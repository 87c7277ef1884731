# shellcheck shell=sh disable=SC2154
# figures - collects figures, and prints the medians

# figure NAME VALUE: of this run
figure() {
	echo "$1 $2" >>"$T/raw"
}

# repeat COMMAND ...: RUNS times, then print the median of each figure
repeat() {
	repeat_left=$RUNS
	while [ "$repeat_left" -gt 0 ]; do
		"$@"
		repeat_left=$((repeat_left - 1))
	done
	print_medians
}

# print_medians: of what was collected, in the order it first came; all
# figures are kept in $T/figures
print_medians() {
	[ -s "$T/raw" ] || return 0
	awk '{ print NR, $0 }' "$T/raw" | sort -k 2,2 -k 3,3n -k 1,1n |
		awk '
		function done() {
			if (n) print first, name, value[int((n + 1) / 2)]
		}
		$2 != name { done(); n = 0; name = $2; first = $1 }
		{ value[++n] = $3; if ($1 < first) first = $1 }
		END { done() }' | sort -n | cut -d ' ' -f 2- |
		tee -a "$T/figures"
	rm -f "$T/raw"
}

# known NAME: a figure that was printed, or nothing
known() {
	awk -v name="$1" '$1 == name { print $2 }' "$T/figures"
}

# over A B: A / B, or nothing without both
over() {
	[ -z "$1" ] || [ -z "$2" ] ||
		awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b }'
}

# ratio NAME A B: the figure A / B, if there is one
ratio() {
	ratio_value=$(over "$2" "$3")
	[ -z "$ratio_value" ] || figure "$1" "$ratio_value"
}

cpu_of() {
	known "$1.cpu_s_per_million_rows"
}

# limit_of PREFIX: read, json and deflate for a million rows
limit_of() {
	[ -z "$(cpu_of "${1}read")" ] || echo "$(cpu_of "${1}read")" \
		"$(cpu_of "${1}json")" "$(cpu_of "${1}deflate")" |
		awk '{ print $1 + $2 + $3 }'
}

# What is seen when cases are held against each other.
ratios() {
	for case in one cold privacy mapped one.threads2 one.threads4; do
		ratio "$case.ratio_to_limits" "$(cpu_of "$case")" "$(limit_of '')"
	done
	ratio mix.ratio_to_limits "$(cpu_of mix)" "$(limit_of mix.)"
	ratio mix.to_one "$(cpu_of mix)" "$(cpu_of one)"
	for n in 2 4; do
		ratio "one.threads$n.speedup" \
			"$(known "one.threads$n.rows_per_s")" \
			"$(known one.rows_per_s)"
	done
	ratio backlog.peak_to_one "$(known backlog.peak_kb)" \
		"$(known one.peak_kb)"
	print_medians
}

# room MEGABYTES: a word on standard error when there is less
room() {
	room_mb=$(df -Pk "$T" | awk 'NR == 2 { print int($4 / 1024) }')
	[ "$room_mb" -ge "$1" ] ||
		echo "bench: $1 MB are needed, $T has $room_mb MB" >&2
}

# bytes_of FILE ...
bytes_of() {
	cat "$@" | wc -c
}
