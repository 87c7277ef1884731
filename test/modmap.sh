#!/bin/sh
# Print the map of modules: for each header the first line of its comment,
# "name - duty", room by room in the order of layers.txt.  With a FILE, say
# which of these lines it lacks, and fail: README carries the map.
set -eu
cd "$(dirname "$0")/.."

modmap()
{
	sed -n 's/^\([a-z]*\):.*/\1/p' test/layers.txt | while read -r room; do
		echo "$room/"
		for header in include/"$room"/*.h; do
			[ -f "$header" ] || continue
			# A reference in brackets is for who has the header open.
			sed -n '/^ \* [a-z_0-9]* - /{
				s/^ \* /    /; s/ ([^()]*[.]md[^()]*)$//
				s/ ([^()]*([0-9]))$//; p; q
			}' "$header"
		done
	done
}

if [ $# -eq 0 ]; then
	modmap
	exit 0
fi

missing=$(modmap | while IFS= read -r line; do
	grep -qxF -e "$line" "$1" || echo "$1: not in the module map: $line"
done)
[ -z "$missing" ] || { echo "$missing" >&2; exit 1; }
