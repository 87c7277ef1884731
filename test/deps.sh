#!/bin/sh
# Install the Debian packages named as arguments; elsewhere say what is needed.
# Asks for root only when something is missing.
set -eu

missing=
if command -v dpkg-query >/dev/null 2>&1; then
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || missing="$missing $package"
	done
fi
if command -v dpkg-query >/dev/null 2>&1 && [ -z "$missing" ]; then
	echo "deps: all there"
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: this machine has no apt-get. What Debian calls"
	echo "  $*"
	echo "is needed; install your system's packages of the same libraries."
	exit 1
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: not root and no sudo; as root, run:" >&2
		echo "  apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
echo "deps: installing$missing"
$sudo apt-get update -qq
# The list is words on purpose.
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "deps: installed"
