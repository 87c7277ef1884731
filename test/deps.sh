#!/bin/sh
# Install the Debian packages named as arguments; elsewhere say what is needed.
# One that ends in "?" is wanted only where the system knows it.  Asks for root
# only when something is missing.
set -eu

missing=
if command -v dpkg-query >/dev/null 2>&1; then
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "${package%\?}" 2>/dev/null |
			grep -q 'ok installed' || missing="$missing $package"
	done
fi
if command -v dpkg-query >/dev/null 2>&1 && [ -z "$missing" ]; then
	echo "deps: all there"
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: this machine has no apt-get. What Debian calls"
	echo "  $*" | tr -d '?'
	echo "is needed; install your system's packages of the same libraries."
	exit 1
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: not root and no sudo; as root, run:" >&2
		echo "  apt-get install$missing" | tr -d '?' >&2
		exit 1
	fi
	sudo=sudo
fi
$sudo apt-get update -qq
wanted=
for package in $missing; do
	case $package in
	*\?)
		package=${package%\?}
		apt-cache show "$package" >/dev/null 2>&1 || continue
		;;
	esac
	wanted="$wanted $package"
done
if [ -z "$wanted" ]; then
	echo "deps: all there that this system knows"
	exit 0
fi
echo "deps: installing$wanted"
# The list is words on purpose; another apt may hold the lock for a while.
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	-o DPkg::Lock::Timeout=300 --no-install-recommends $wanted >/dev/null
echo "deps: installed"
