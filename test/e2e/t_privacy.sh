#!/bin/sh
# shellcheck disable=SC2119
# With events.privacy: sha1 no recipient's address is anywhere but in the
# accounting file: not in the spool, not in the log, not at the service.
. test/e2e/lib.sh
. test/e2e/rows.sh
setup

acct=$T/log/acct-2026-01-31-0000.csv
now=$(date -u +'%Y-%m-%d %H:%M:%S+0000')

# Rows that name their recipient wherever a row can, in several spellings.
talkative() {
	echo "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnStatus,dsnDiag,\
bounceCat,srcType,dlvType,vmta,jobId,header_From,header_Subject,rcvSourceIp"
	cat <<END
d,$now,$now,news-hidden1=example.com@b.example.net,Hidden1@Example.com,rfc822;hidden1@example.com,2.0.0,smtp;250 Ok,success,smtp,smtp,mta1,spring,news@example.net,Hello,
b,$now,$now,news@b.example.net,hidden2@example.com,,5.1.1,"smtp;550 5.1.1 <hidden2@example.com>: no such user HIDDEN2@EXAMPLE.COM",bad-mailbox,smtp,smtp,mta1,spring,news@example.net,Hello,
t,$now,$now,news+hidden3=example.com@b.example.net,<hidden3@example.com>,,4.2.2,smtp;452 4.2.2 mailbox of hidden3@example.com is full,quota-issues,smtp,smtp,mta1,spring,news@example.net,Hello,
d,$now,$now,hidden4%example.com@b.example.net,hidden4@example.com,,2.0.0,smtp;250 Ok hidden4@example.com,success,smtp,smtp,mta1,poison,news@example.net,Hello,
b,$now,$now,news@b.example.net,hidden5@example.com,,5.1.1,smtp;550 hidden5@example.com unknown,bad-mailbox,smtp,smtp,mta1,poison,news@example.net,Hello,
d,yesterday,,news@b.example.net,hidden6@example.com,,2.0.0,smtp;250 Ok,success,smtp,smtp,mta1,spring,news@example.net,Hello,
b,$now,$now,news-hidden7=example.com@b.example.net,,hidden7@example.com,5.1.1,smtp;550 <hidden7@example.com>,bad-mailbox,smtp,smtp,mta1,spring,news@example.net,Hello,
x-hidden8@example.com,$now,$now,news@b.example.net,hidden8@example.com,,2.0.0,smtp;250 Ok,success,smtp,smtp,mta1,spring,news@example.net,Hello,
d,$now,$now,news@b.example.net,hidden9@example.com,,"2.0.0,smtp;250 Ok,success,smtp,smtp,mta1,spring,news@example.net,Hello,
d,$now,$now,news@b.example.net,hidden10@example.com,,2.0.0,smtp;250 Ok,success,smtp,smtp,mta1,spring,news@example.net,Hello,
END
}

# The rows of the generator name recipients in their own ways.
locals() {
	"$TOOLS/checker" --emit "$T"/log/gen*.csv |
		sed -n 's/.*"rcpt_to":"\([^@"]*\)@.*/\1/p' | sort -u
	echo hidden
}

# Everything that the program wrote, unpacked, and its paths.
written() {
	find "$T/spool" -name '*.gz' -exec zcat {} +
	find "$T/spool" -type f ! -name '*.gz' -exec cat {} +
	find "$T/spool"
	cat "$T/daemon.log" "$T/requests"
	[ ! -f "$T/accepted" ] || cat "$T/accepted"
	sparktail status
	sparktail status --json
}

shows_nobody() {
	written >"$T/written"
	locals >"$T/locals"
	! grep -iF -f "$T/locals" "$T/written" | cut -c 1-300 | head -n 5 |
		grep .
}

has() {
	zcat "$T"/spool/"$1"/*.gz | grep -q .
}

refused_rows() {
	is "$(status spool.refused_events)" "$1" &&
		[ "$(wc -l <"$T/spool/refused/rows.csv")" -ge "$2" ]
}

start_standin
faults '*:503'
write_config 'events.privacy: sha1' 'log.verbose: true' 'spool.keep_sent: 1h'
talkative >"$acct"
generate --base gen --seed 41 --rows 800 \
	--types d=40,b=30,t=20,r=1,rb=5,f=5 --hostile 100
start_daemon -v
step "batches wait" wait_until 10 has ready
step "... and show nobody" shows_nobody
# The service may repeat what it was sent.
faults '*:refuse-if=poison'
step "they are sent, two events are refused" wait_until 20 refused_rows 2 3
step "... malformed rows are kept" grep -q mta1 "$T/spool/refused/rows.csv"
step "... batches are kept" wait_until 10 has sent
step "... and show nobody" shows_nobody
step "what arrived has hashes" grep -q '"rcpt_hash":"' "$T/accepted"
step "... and no addresses" is "$(grep -c '"rcpt_to"' "$T/accepted")" 0
# A quote that was not closed may be closed yet: the last row waits.
step "... all of it" wait_until 10 all_arrived "$(($(expected --sha1) - 3))"
kill -USR1 "$DAEMON_PID"
step "the status names nobody" wait_until 5 logged "status:"
step "the ledger agrees" wait_until 5 agrees
step "it ends" stop_daemon
step "... and nothing shows anybody" shows_nobody
