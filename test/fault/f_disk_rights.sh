#!/bin/sh
# shellcheck disable=SC2119
# Rights that are taken away while it runs, and given back.  The daemon runs as
# another user, because root may do anything.
[ "$(id -u)" -eq 0 ] || {
	echo "skipped: only root can run it as somebody else"
	exit 77
}
. test/e2e/lib.sh
. test/e2e/rows.sh
. test/e2e/expect.sh
setup

# In the place of the program: the same, as nobody.
as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups true \
		2>/dev/null || skip "setpriv cannot become nobody"
	mkdir "$T/bin"
	cat >"$T/bin/sparktail" <<-END
	#!/bin/sh
	exec setpriv --reuid=nobody --regid=nogroup --clear-groups \
		"$B/sparktail" "\$@"
	END
	chmod 755 "$T/bin/sparktail"
	chmod 755 "$T"
	chown -R nobody:nogroup "$T/api.key"
	B=$T/bin
	"$B/sparktail" version >/dev/null 2>&1 ||
		skip "nobody may not run the program"
}

own_spool() {
	rm -rf "$T/spool"
	mkdir -m 750 "$T/spool"
	chown nobody:nogroup "$T/spool"
}

waits() {
	sparktail status --json >"$T/status" &&
		grep -o "\"path\":\"$1\",\"state\":\"[a-z-]*\"" "$T/status" |
		grep -q waiting
}

# A file that cannot be read when it is met.
file_rights() {
	own_spool
	acct=$T/log/acct-1.csv
	{ header && rows 1 50; } >"$acct"
	start_daemon
	step "rows arrive" here_once 10 1-50
	new=$T/log/acct-2.csv
	(umask 777 && : >"$new")
	{ header && rows 51 100; } >>"$new"
	step "a new file may not be read: said" wait_until 10 \
		logged "cannot read: $new: Permission denied; trying again"
	step "... status shows it" wait_until 10 waits "$new"
	rows 101 110 >>"$acct"
	step "... the other is read on" here_once 10 1-50 101-110
	chmod 644 "$new"
	step "it may be read: so it is" here_once 10 1-110
	step "... which is said" wait_until 5 logged \
		"can be read again: $new"
	chmod 0 "$acct"
	rows 111 120 >>"$acct"
	step "taken away from a file that is open: read on" here_once 10 1-120
	kill_daemon
	rows 121 130 >>"$acct"
	start_daemon
	step "... and after a start: said" wait_until 10 \
		logged "cannot read: $acct: Permission denied; trying again"
	chmod 644 "$acct"
	step "... given back: each row is there once" here_once 10 1-130
	step "... the ledger agrees" wait_until 5 agrees
}

directory_rights() {
	chmod 700 "$T/log"
	rows 131 140 >>"$acct"
	{ header && rows 141 150; } >"$T/log/acct-3.csv"
	rows 151 160 >>"$new"
	kill -HUP "$DAEMON_PID"
	step "the directory may not be entered: said" wait_until 10 \
		logged "cannot read: $T/log: Permission denied"
	chmod 755 "$T/log"
	kill -HUP "$DAEMON_PID"
	step "given back: each row is there once" here_once 20 1-160
	step "... the ledger agrees" wait_until 5 agrees
}

spool_rights() {
	chown root:root "$T/spool/tmp"
	rows 161 170 >>"$acct"
	step "tmp/ is somebody else's: said" wait_until 10 logged \
		"cannot seal a batch in $T/spool"
	chown nobody:nogroup "$T/spool/tmp"
	step "given back: each row is there once" here_once 10 1-170
	chown root:root "$T/spool/sent"
	rows 171 180 >>"$acct"
	step "sent/ is somebody else's: rows arrive all the same" \
		here_once 10 1-180
	step "... said" wait_until 10 logged "delivery: cannot"
	rows 181 190 >>"$acct"
	chown nobody:nogroup "$T/spool/sent"
	step "given back: each row is there once" here_once 20 1-190
	step "... and nothing was sent twice" is \
		"$(stats duplicate.delivery)" 0
	step "... nothing waits" wait_until 20 status_idle
	step "... the ledger agrees" wait_until 5 agrees
	step "it ends" stop_daemon
}

owners() {
	for room in . lock ready sent refused tmp checkpoint.json; do
		mode=$(stat -c %a "$T/spool/$room")
		chown root:root "$T/spool/$room"
		chmod o-rwx,g-rwx "$T/spool/$room"
		step "$room is root's: 73" exits 73 sparktail once
		step "... which is said" says "Permission denied"
		step "... with the remedy" says \
			"chown it to the user that sparktail runs as"
		chown nobody:nogroup "$T/spool/$room"
		chmod "$mode" "$T/spool/$room"
	done
	rows 191 200 >>"$acct"
	step "with its owner, all is well" exits 0 sparktail once
	step "... each row is there once" each_once 1-200
}

as_nobody
start_standin
write_config
file_rights
directory_rights
spool_rights
owners
