#!/bin/sh
# Print the map of modules: for each header the first line of its comment,
# "name - duty", room by room in the order of layers.txt.
#
#	modmap.sh		print it
#	modmap.sh FILE		say which of its lines FILE lacks or has too
#				much, and fail: README carries the map
#	modmap.sh -w FILE	put it into FILE, below the line "Modules ..."
set -eu

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

# FILE with the map as it is now in place of the one that is there.
renewed()
{
	modmap | awk '
	FILENAME == "-" { map = map $0 "\n"; next }
	/^Modules / { print; getline; print; printf "%s", map; old = 1; next }
	old && /^$/ { old = 0 }
	!old { print }
	' - "$1"
}

file=
case ${1-} in
-w)	file=$(realpath "$2") ;;
?*)	file=$(realpath "$1") ;;
esac
cd "$(dirname "$0")/.."

case ${1-} in
'')	modmap ;;
-w)	text=$(renewed "$file") && printf '%s\n' "$text" > "$file" ;;
*)	renewed "$file" | diff "$file" - || {
		echo "$1: the module map is old: sh test/modmap.sh -w $1" >&2
		exit 1
	} ;;
esac
