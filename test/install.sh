#!/bin/sh
# Install into an empty directory and compare with install.list; then uninstall
# and see that only the directory of the configuration is left.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

files()
{
	(cd "$dir" && find . -type f -printf '%m %P\n' | LC_ALL=C sort -k 2)
}

for prefix in /usr/local /usr; do
	rm -rf "$dir"
	mkdir "$dir"
	make -s install DESTDIR="$dir" PREFIX="$prefix"
	sed "s|PREFIX|${prefix#/}|" test/install.list >"$dir.list"
	files | diff "$dir.list" - || {
		echo "install: PREFIX=$prefix: not what install.list says (<)"
		rm -f "$dir.list"
		exit 1
	}
	rm -f "$dir.list"
	if grep -n '@[A-Z]*@' "$dir$prefix/lib/systemd/system/sparktail.service"
	then
		echo "install: the unit still holds a name to be replaced"
		exit 1
	fi
	# The operator's own file is none of ours.
	echo mine >"$dir/etc/sparktail/sparktail.yaml"
	make -s uninstall DESTDIR="$dir" PREFIX="$prefix"
	if [ "$(files)" != "644 etc/sparktail/sparktail.yaml" ]; then
		echo "install: PREFIX=$prefix: uninstall left"
		files
		exit 1
	fi
	if [ -d "$dir$prefix/share/doc/sparktail" ]; then
		echo "install: PREFIX=$prefix: uninstall left the documents"
		exit 1
	fi
done
echo "install: as install.list says"
