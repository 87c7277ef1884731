/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <time.h>

#include "tools/generator/gen.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

/* A recipient's domain, the queue it is in, its exchanger, what that says. */
static const struct {
	const char *domain, *queue, *mx, *esmtp, *said;
} domains[] = {
	{"gmail.com", "gmail.com", "gmail-smtp-in.l.google.com (192.0.2.26)",
	 "\"ENHANCEDSTATUSCODES,PIPELINING,CHUNKING,8BITMIME,SIZE,STARTTLS,"
	 "SMTPUTF8\"",
	 "smtp;250 2.0.0 OK  1700000000 q17-20020a05600c331100b0040b "},
	{"yahoo.com", "yahoo.rollup", "mta5.am0.yahoodns.net (192.0.2.73)",
	 "\"PIPELINING,SIZE,8BITMIME,STARTTLS\"", "smtp;250 ok dirdel "},
	{"outlook.com", "hotmail.queue",
	 "outlook-com.olc.protection.outlook.com (192.0.2.161)",
	 "\"SIZE,PIPELINING,DSN,ENHANCEDSTATUSCODES,STARTTLS,8BITMIME,"
	 "BINARYMIME,CHUNKING,SMTPUTF8\"",
	 "\"smtp;250 2.6.0 Queued mail for delivery, thank you -> 250 "
	 "2.1.5\" "},
	{"b\xc3\xbc"
	 "cher.de",
	 "b\xc3\xbc"
	 "cher.de",
	 "mail.xn--bcher-kva.de (198.51.100.20)",
	 "\"PIPELINING,SIZE,ETRN,STARTTLS,ENHANCEDSTATUSCODES,8BITMIME,DSN\"",
	 "smtp;250 2.0.0 Ok: queued as "},
	{"web.de", "web.de", "mx-ha02.web.de (192.0.2.49)",
	 "\"8BITMIME,SIZE,STARTTLS\"",
	 "smtp;250 Requested mail action okay completed: id="},
	{"example.org", "example.org", "mx1.example.org (203.0.113.9)", "",
	 "smtp;250 Ok "},
};

static const struct {
	const char *domain, *from;
} brands[] = {
	{"shop.example.com", "\"\"\"Shop, the\"\" <news@shop.example.com>\""},
	{"bank.example.net", "Bank <statements@bank.example.net>"},
	{"travel.example.com",
	 "=?UTF-8?Q?Reiseb=C3=BCro?= <offers@travel.example.com>"},
	{"forum.example.org", "noreply@forum.example.org"},
};

static const char *const subjects[] = {
	"Your order has shipped",
	"\"Hello, world\"",
	"=?UTF-8?B?U29tbWVyIHNhbGUg4oCTIDIwICU=?=",
	"=?iso-8859-1?Q?Gr=FC=DFe_aus_M=FCnchen?=",
	"\"Say \"\"yes\"\" today, and save\"",
	"Statement",
};

static const struct {
	const char *vmta, *pool, *ip;
} vmtas[] = {
	{"mta1", "transactional", "198.51.100.7"},
	{"mta2", "transactional", "198.51.100.8"},
	{"promo-1", "promotional", "198.51.100.32"},
	{"promo-2", "promotional", "198.51.100.33"},
	{"promo-3", "promotional", "198.51.100.34"},
	{"warmup", "", "2001:db8::25"},
};

static const char *const jobs[] = {"welcome", "receipts-2024",	 "weekly_17",
				   "",	      "\"spring,sale\"", "job/7:b"};

/* "%" stands for the recipient. */
struct failure {
	const char *status, *diag, *cat;
};

static const struct failure bounces[] = {
	{"5.1.1 (bad destination mailbox address)",
	 "smtp;550 5.1.1 <%>... User unknown", "bad-mailbox"},
	{"5.1.1 (bad destination mailbox address)",
	 "\"smtp;550 5.1.1 The account \"\"%\"\" does not exist, sorry\"",
	 "bad-mailbox"},
	{"5.2.0 (mailbox-related failure)", "smtp;552 5.2.2 Over quota",
	 "quota-issues"},
	{"5.7.1 (delivery not authorized)",
	 "\"smtp;554 5.7.1 Denied, spam suspected - "
	 "https://postmaster.example.org/?why=%\"",
	 "spam-related"},
	{"5.0.0 (undefined status)",
	 "smtp;550 5.4.1 Recipient address rejected: Access denied",
	 "policy-related"},
	{"4.4.7 (delivery time expired)", "", "message-expired"},
	{"5.1.2 (bad destination system: no such domain)", "", "bad-domain"},
};

static const struct failure delays[] = {
	{"4.7.0 (other or undefined security status)",
	 "\"smtp;421 4.7.0 [TSS04] Messages temporarily deferred, see "
	 "https://postmaster.example.net/421-ts04.html\"",
	 "policy-related"},
	{"4.2.2 (mailbox full)", "smtp;452 4.2.2 <%> is over quota",
	 "quota-issues"},
	{"4.4.1 (no answer from host)", "", "no-answer-from-host"},
	{"4.0.0 (undefined status)",
	 "smtp;450 4.0.0 (undefined status);smtp;421 Refused. Your reverse DNS",
	 "bad-connection"},
};

static void put(struct gen_row *row, enum gen_column column, const char *text)
{
	row->value[column] = slice_str(text);
}

/* Put strings together, up to a NULL. */
static struct slice join(struct gen_row *row, ...)
{
	char *start = row->text + row->used;
	const char *piece;
	va_list list;

	va_start(list, row);
	while ((piece = va_arg(list, const char *))) {
		size_t n = strlen(piece);

		if (row->used + n > sizeof(row->text))
			break;
		memcpy(row->text + row->used, piece, n);
		row->used += n;
	}
	va_end(list);
	return slice_of(start, (size_t)(row->text + row->used - start));
}

static void digits(uint64_t n, unsigned int base, char out[24])
{
	char back[24];
	int i = 0, k = 0;

	do {
		back[i++] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % base];
		n /= base;
	} while (n);
	while (i)
		out[k++] = back[--i];
	out[k] = '\0';
}

/* Rows of one second share its text. */
static struct slice stamp(struct gen_row *row, bool epoch, int64_t seconds)
{
	static int64_t known_s[4];
	static char known[4][32];
	size_t slot = (size_t)seconds & 3;
	time_t at = seconds;
	struct tm tm;

	if (known_s[slot] != seconds && epoch) {
		digits((uint64_t)seconds, 10, known[slot]);
	} else if (known_s[slot] != seconds) {
		gmtime_r(&at, &tm);
		strftime(known[slot], sizeof(known[slot]),
			 "%Y-%m-%d %H:%M:%S+0000", &tm);
	}
	known_s[slot] = seconds;
	return join(row, known[slot], NULL);
}

static struct slice diagnose(struct gen_row *row, const char *text)
{
	char before[256];
	const char *at = strchr(text, '%');
	size_t n = at ? (size_t)(at - text) : 0;
	char rcpt[256];

	if (!at)
		return slice_str(text);
	memcpy(before, text, n);
	before[n] = '\0';
	memcpy(rcpt, row->value[COL_RCPT].p, row->value[COL_RCPT].len);
	rcpt[row->value[COL_RCPT].len] = '\0';
	return join(row, before, rcpt, at + 1, NULL);
}

/* Who wrote to whom: the same for each row of a message. */
static void fill_message(struct gen_row *row, uint64_t h, const char *n)
{
	const char *domain = domains[h % NROF(domains)].domain;
	size_t brand = (h >> 8) % NROF(brands), job = (h >> 16) % NROF(jobs);
	size_t vmta = (h >> 24) % NROF(vmtas);
	char first[2] = {(h >> 32 & 15) ? 'u' : 'U', '\0'};

	row->key = join(row, "u", n, ".name@", domain, NULL);
	row->value[COL_RCPT] = row->key;
	if (first[0] == 'U')
		row->value[COL_RCPT] =
			join(row, "U", n, ".Name@", domain, NULL);
	row->value[COL_ORIG] = join(row, "news-u", n, ".name=", domain,
				    "@bounce.", brands[brand].domain, NULL);
	put(row, COL_VMTA, vmtas[vmta].vmta);
	put(row, COL_POOL, vmtas[vmta].pool);
	put(row, COL_DLV_SOURCE, vmtas[vmta].ip);
	put(row, COL_JOB, jobs[job]);
	put(row, COL_SRC_TYPE, h >> 40 & 3 ? "smtp" : "api");
	put(row, COL_SRC_MTA,
	    h >> 40 & 3 ? "app1.int.example.com (10.0.0.12)"
			: "localhost (127.0.0.1)");
	row->value[COL_MESSAGE_ID] =
		join(row, "<", n, ".1700@", brands[brand].domain, ">", NULL);
	put(row, COL_FROM, brands[brand].from);
	put(row, COL_SUBJECT, subjects[(h >> 48) % NROF(subjects)]);
	put(row, COL_SUBACCOUNT, h >> 52 & 7 ? "" : "101");
}

static void fill_attempt(struct gen_row *row, uint64_t h)
{
	size_t d = h % NROF(domains), vmta = (h >> 24) % NROF(vmtas);

	put(row, COL_MTA, domains[d].mx);
	put(row, COL_DLV_TYPE, "smtp");
	put(row, COL_DLV_DEST, d == 3 ? "198.51.100.20" : "192.0.2.26");
	put(row, COL_ESMTP, domains[d].esmtp);
	row->value[COL_QUEUE] =
		join(row, domains[d].queue, "/", vmtas[vmta].vmta, NULL);
}

static void fill_failure(struct gen_row *row, const struct failure *failure)
{
	put(row, COL_STATUS, failure->status);
	row->value[COL_DIAG] = diagnose(row, failure->diag);
	put(row, COL_CAT, failure->cat);
	if (!failure->diag[0]) {
		put(row, COL_MTA, "");
		put(row, COL_DLV_DEST, "");
		put(row, COL_ESMTP, "");
	}
}

static void fill_delivery(struct gen_row *row, uint64_t h, const char *n)
{
	const char *said = domains[h % NROF(domains)].said;
	char size[24];

	digits(1000 + (h >> 20) % 90000, 10, size);
	put(row, COL_ACTION, "relayed");
	put(row, COL_STATUS, "2.0.0 (success)");
	row->value[COL_DIAG] = said[0] == '"' ? slice_of(said, strlen(said) - 1)
					      : join(row, said, n, NULL);
	put(row, COL_CAT, h >> 44 & 1 ? "success" : "");
	row->value[COL_SIZE] = join(row, size, NULL);
}

/* Reports know little of the message they are about. */
static void fill_report(struct gen_row *row, enum gen_type type, uint64_t h)
{
	static const enum gen_column keep[] = {COL_ORIG, COL_RCPT};
	struct slice kept[NROF(keep)];

	for (size_t i = 0; i < NROF(keep); i++)
		kept[i] = row->value[keep[i]];
	for (enum gen_column c = COL_QUEUED; c < GEN_COLS; c++)
		row->value[c] = slice_of(NULL, 0);
	for (size_t i = 0; i < NROF(keep); i++)
		row->value[keep[i]] = kept[i];
	if (type == GEN_F) {
		put(row, COL_DLV_SOURCE, vmtas[h % NROF(vmtas)].ip);
		put(row, COL_REP_SOURCE, "203.0.113.5");
		put(row, COL_FEEDBACK, "abuse");
		put(row, COL_FORMAT, "arf");
		put(row, COL_AGENT, "Yahoo!-Mail-Feedback/2.0");
		put(row, COL_REPORTING_MTA, "fbl.example.net");
		put(row, COL_REPORTED_DOMAIN, brands[0].domain);
		put(row, COL_FROM, brands[0].from);
		put(row, COL_SUBJECT, subjects[1]);
		return;
	}
	put(row, COL_SRC_TYPE, "smtp");
	fill_failure(row, &bounces[0]);
	put(row, COL_ACTION, type == GEN_RS ? "delayed" : "");
	put(row, COL_DSN_REPORTING, "mx1.example.org");
}

static void fill_queue(struct gen_row *row)
{
	struct slice queue = row->value[COL_QUEUE];
	struct slice vmta = row->value[COL_VMTA];

	fill_report(row, GEN_RB, 0);
	for (enum gen_column c = COL_QUEUED; c < GEN_COLS; c++)
		row->value[c] = slice_of(NULL, 0);
	put(row, COL_STATUS, "4.4.1 (no answer from host)");
	put(row, COL_MTA, "mx2.example.org (203.0.113.10)");
	put(row, COL_DLV_TYPE, "smtp");
	put(row, COL_DLV_SOURCE, "0.0.0.0");
	row->value[COL_QUEUE] = queue;
	row->value[COL_VMTA] = vmta;
}

static void fill_receipt(struct gen_row *row)
{
	put(row, COL_DLV_SOURCE, "");
	put(row, COL_RCV_SOURCE, "10.0.0.12");
	put(row, COL_RCV_DEST, "10.0.0.1");
}

void gen_fill(struct gen_row *row, const struct gen_options *o,
	      const struct gen_message *message, enum gen_type type,
	      int64_t logged_s)
{
	uint64_t h = gen_hash(message->n ^ o->seed << 20);
	bool receipts = o->weights[GEN_R] > 0;
	char n[24];

	memset(row->value, 0, sizeof(row->value));
	row->used = 0;
	row->cut_after = -1;
	row->type = type;
	row->reception = type == GEN_R || (type <= GEN_T && !receipts);
	row->main_event = true;
	row->reception_time = type == GEN_R ? logged_s : message->queued_s;
	/* tools/latency finds the message's number in it again */
	digits(message->n + (h & 0xffff) * 100000000, 36, n);
	put(row, COL_TYPE, gen_type_name(type));
	row->value[COL_LOGGED] = stamp(row, o->epoch, logged_s);
	fill_message(row, h, n);
	if (type == GEN_R) {
		fill_receipt(row);
		return;
	}
	if (type <= GEN_T)
		row->value[COL_QUEUED] =
			stamp(row, o->epoch, message->queued_s);
	fill_attempt(row, h);
	if (type == GEN_D) {
		fill_delivery(row, h, n);
	} else if (type == GEN_B) {
		put(row, COL_ACTION, "failed");
		fill_failure(row, &bounces[(h >> 12) % NROF(bounces)]);
	} else if (type == GEN_T) {
		put(row, COL_ACTION, "delayed");
		fill_failure(row, &delays[(h >> 12) % NROF(delays)]);
	} else if (type == GEN_TQ) {
		fill_queue(row);
	} else {
		fill_report(row, type, h);
	}
}

static void no_event(struct gen_row *row)
{
	row->main_event = false;
	row->reception = false;
}

void gen_spoil(struct gen_row *row, uint64_t how)
{
	static const char diag[] = "\"smtp;550 5.7.1 one, \"\"two\"\" \r\n"
				   "d,three, \t four\"";

	switch (how % 8) {
	case 0: /* a line that looks like a row inside a quoted field */
		put(row, COL_DIAG, diag);
		break;
	case 1: /* neither UTF-8 nor printable */
		put(row, COL_DIAG,
		    "smtp;550 \xff\xfe \x01 caf\xe9 \xed\xa0\x80");
		break;
	case 2:
		put(row, COL_RCPT, "");
		no_event(row);
		break;
	case 3: /* a quote that is never closed */
		put(row, COL_DIAG, "\"smtp;550 lost quote");
		no_event(row);
		break;
	case 4:
		put(row, COL_TYPE, "x");
		no_event(row);
		break;
	case 5: /* fewer fields than the header */
		row->cut_after = COL_SIZE;
		break;
	case 6:
		put(row, COL_DLV_TYPE, "discard");
		no_event(row);
		break;
	default:
		put(row, COL_QUEUE, "{sparkpost}/mta1");
		no_event(row);
		break;
	}
}
