#!/bin/sh
# make install puts what belongs to the program below DESTDIR, and uninstall
# takes all of it away again, but never what the operator wrote.
. test/e2e/lib.sh
. test/e2e/expect.sh
setup

D=$T/root
URL=http://127.0.0.1:9

# A make of its own, whatever started this test.
make_it() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make B="$B" DESTDIR="$D" "$@"
}

# Modes, whatever the umask, and names of all that was installed.
installed() {
	(cd "$D" && find . ! -type d -printf '%m %p\n' | sort -k 2) >"$T/list"
	diff -u - "$T/list"
}

below_usr() {
	installed <<-END
	644 ./etc/sparktail/sparktail.yaml.sample
	644 ./usr/lib/systemd/system/sparktail.service
	755 ./usr/sbin/sparktail
	644 ./usr/share/doc/sparktail/NEWS
	644 ./usr/share/doc/sparktail/README
	644 ./usr/share/doc/sparktail/STAND-IN
	644 ./usr/share/doc/sparktail/pmta-acct-file.conf
	644 ./usr/share/doc/sparktail/sparktail.cron
	644 ./usr/share/man/man5/sparktail.yaml.5
	644 ./usr/share/man/man7/sparktail-events.7
	644 ./usr/share/man/man7/sparktail-promises.7
	644 ./usr/share/man/man8/sparktail.8
	END
}

elsewhere() {
	installed <<-END
	644 ./opt/doc/NEWS
	644 ./opt/doc/README
	644 ./opt/doc/STAND-IN
	644 ./opt/doc/pmta-acct-file.conf
	644 ./opt/doc/sparktail.cron
	644 ./opt/etc/sparktail/sparktail.yaml.sample
	644 ./opt/man/man5/sparktail.yaml.5
	644 ./opt/man/man7/sparktail-events.7
	644 ./opt/man/man7/sparktail-promises.7
	644 ./opt/man/man8/sparktail.8
	755 ./opt/program/sparktail
	644 ./opt/units/sparktail.service
	END
}

# in_file TEXT FILE
in_file() {
	grep -qF -- "$1" "$D/$2"
}

nowhere() {
	! grep -rlE -- "$1" "$D"
}

# Does man(1) find and format the page?
page() {
	MANPATH=$D/usr/share/man man -w "$1" "$2" | grep -q "^$D/" &&
		MANPATH=$D/usr/share/man man "$1" "$2" >"$T/page" 2>"$T/err" &&
		[ "$(wc -l <"$T/page")" -gt 50 ] && says_nothing
}

adapted_sample() {
	sed "s|path: .*|path: $T/log/*.csv|
		s|^#ingest:|ingest:|
		s|^#  api_key_file: .*|  api_key_file: $T/api.key|" \
		"$D/etc/sparktail/sparktail.yaml.sample" >"$T/c.yaml"
	"$D/usr/sbin/sparktail" -c "$T/c.yaml" check
}

into_usr() {
	step "install into /usr" exits 0 make_it PREFIX=/usr install
	step "... puts these files there" below_usr
	step "the program runs" exits 0 "$D/usr/sbin/sparktail" version
	step "the unit starts it" in_file \
		"ExecStart=/usr/sbin/sparktail -c /etc/sparktail/sparktail.yaml" \
		usr/lib/systemd/system/sparktail.service
	step "no file knows where it was packed" nowhere "$D"
	# Three letters and more: in code anything shorter comes by chance.
	step "... or has a place to be filled in" nowhere '@[A-Z_]{3,}@'
	step "the sample, adapted, is right" exits 0 adapted_sample
	if command -v man >/dev/null; then
		step "man finds sparktail(8)" page 8 sparktail
		step "... sparktail.yaml(5)" page 5 sparktail.yaml
		step "... sparktail-events(7)" page 7 sparktail-events
		step "... sparktail-promises(7)" page 7 sparktail-promises
	fi

	echo "mine" >"$D/etc/sparktail/sparktail.yaml"
	echo "mine" >"$D/etc/sparktail/api.key"
	chmod 644 "$D/etc/sparktail/sparktail.yaml"
	echo "old" >"$D/etc/sparktail/sparktail.yaml.sample"
	step "an upgrade" exits 0 make_it PREFIX=/usr install
	step "... leaves the configuration alone" in_file mine \
		etc/sparktail/sparktail.yaml
	step "... and brings a new sample" in_file sources: \
		etc/sparktail/sparktail.yaml.sample
	step "uninstall" exits 0 make_it PREFIX=/usr uninstall
	step "... leaves what the operator wrote" installed <<-END
	600 ./etc/sparktail/api.key
	644 ./etc/sparktail/sparktail.yaml
	END
	step "... and no directory of its own" is \
		"$(find "$D" -type d -name '*sparktail*')" "$D/etc/sparktail"
	step "once more there is nothing to remove" exits 0 \
		make_it PREFIX=/usr uninstall
	rm -r "$D"
}

into_other_places() {
	set -- SBINDIR=/opt/program MANDIR=/opt/man DOCDIR=/opt/doc \
		SYSCONFDIR=/opt/etc UNITDIR=/opt/units
	step "install into directories of one's own" exits 0 \
		make_it "$@" install
	step "... uses all of them" elsewhere
	step "... in the unit too" in_file \
		"ExecStart=/opt/program/sparktail -c /opt/etc/sparktail/" \
		opt/units/sparktail.service
	step "uninstall" exits 0 make_it "$@" uninstall
	step "... removes all" installed </dev/null
	rm -r "$D"

	step "by default" exits 0 make_it install
	step "... it is /usr/local" test -x "$D/usr/local/sbin/sparktail"
	step "... and /etc" test -e "$D/etc/sparktail/sparktail.yaml.sample"
}

[ -e contrib/STAND-IN ] || skip "contrib/STAND-IN is missing"
umask 077
into_usr
into_other_places
