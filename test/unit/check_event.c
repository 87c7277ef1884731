/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/check_all.h"
#include "unit/shaping.h"

/*
 * One row under a header that has what the case names: a row is written as
 * "column=value;column=value", the type first.
 */

static void write_row(const char *row, struct buf *text)
{
	struct slice rest = slice_str(row), name, value;
	struct buf values;

	buf_init(&values, 10000);
	buf_add_slice(&values, slice_cut(rest, '|', &rest));
	buf_add_str(text, "type");
	while (rest.len) {
		value = slice_cut(rest, '|', &rest);
		name = slice_cut(value, '=', &value);
		buf_addf(text, ",%.*s", SLICE_ARGS(name));
		buf_add_str(&values, ",\"");
		for (size_t i = 0; i < value.len; i++) {
			if (value.p[i] == '"')
				buf_add_char(&values, '"');
			buf_add_char(&values, value.p[i]);
		}
		buf_add_str(&values, "\"");
	}
	buf_add_char(text, '\n');
	buf_add_slice(text, buf_slice(&values));
	buf_add_char(text, '\n');
	buf_release(&values);
}

static void shape_row(struct shaping *run, const char *row)
{
	struct buf text;

	buf_init(&text, 10000);
	write_row(row, &text);
	shaping_run(run, buf_slice(&text), 0);
	buf_release(&text);
}

#define AT "|timeLogged=1700000000|rcpt=u@dest.example"

static const struct {
	const char *row;
	const char *type; /* of the event that is looked at */
	const char *attribute, *want;
} cases[] = {
	/* times */
	{"d" AT, "delivery", "timestamp", "1700000000"},
	{"d|timeLogged=|timeQueued=5|rcpt=u@d", "delivery", "timestamp", "5"},
	{"d|timeLogged=bad|timeQueued=5|rcpt=u@d", "delivery", "timestamp",
	 "5"},
	{"d|timeLogged=2024-05-01 12:00:00+0200|rcpt=u@d", "delivery",
	 "timestamp", "1714557600"},
	{"d|timeLogged=2024-05-01 12:00:00+02:00|rcpt=u@d", "delivery",
	 "timestamp", "1714557600"},
	{"d|timeLogged=2024-05-01 06:00:00-0400|rcpt=u@d", "delivery",
	 "timestamp", "1714557600"},
	{"d|timeLogged=05/01/2024 10:00:00+0000|rcpt=u@d", "delivery",
	 "timestamp", "1714557600"},
	{"d|timeLogged=2024-05-01 10:00:00Z|rcpt=u@d", "delivery", "timestamp",
	 "1714557600"},
	{"d|timeLogged=2024-05-01 13:00:00|rcpt=u@d", "delivery", "timestamp",
	 "1714557600"}, /* local time is UTC+3 here */
	{"d|timeLogged=1714557600|rcpt=u@d", "delivery", "timestamp",
	 "1714557600"},
	/* an injection's own */
	{"d|timeLogged=9|timeQueued=5|rcpt=u@d", "reception", "timestamp", "5"},
	{"d|timeLogged=9|timeQueued=|rcpt=u@d", "reception", "timestamp", "9"},
	{"d|timeLogged=9|timeQueued=10|rcpt=u@d", "reception", "timestamp",
	 "9"},
	{"d|timeLogged=x|timeQueued=5|rcpt=u@d", "reception", "timestamp", "5"},
	/* recipients */
	{"d|timeLogged=1|rcpt=U.Ser@Dest.Example", "delivery", "rcpt_to",
	 "u.ser@dest.example"},
	{"d|timeLogged=1|rcpt=U.Ser@Dest.Example", "delivery", "raw_rcpt_to",
	 "U.Ser@Dest.Example"},
	{"d|timeLogged=1|rcpt=<u@d>", "delivery", "rcpt_to", "u@d"},
	{"d|timeLogged=1|rcpt=<u@d>", "delivery", "raw_rcpt_to", "<u@d>"},
	{"d" AT, "delivery", "raw_rcpt_to", "(none)"},
	{"d" AT, "delivery", "routing_domain", "dest.example"},
	{"d|timeLogged=1|rcpt=u@B\xc3\x9c"
	 "CHER.de",
	 "delivery", "rcpt_to",
	 "u@b\xc3\x9c"
	 "cher.de"},
	/* senders */
	{"d" AT "|orig=O@x.y", "delivery", "msg_from", "O@x.y"},
	{"d" AT "|orig=<O@x.y>", "delivery", "msg_from", "O@x.y"},
	{"d" AT "|orig=", "delivery", "msg_from", "(none)"},
	{"d" AT "|orig=", "delivery", "friendly_from", "(none)"},
	{"d" AT "|orig=o@x.y", "delivery", "friendly_from", "o@x.y"},
	{"d" AT "|orig=o@x|header_Sender=S <s@x>", "delivery", "friendly_from",
	 "s@x"},
	{"d" AT "|orig=o@x|header_Sender=s@x|HEADER_FROM=\"F, G\" <f@x>",
	 "delivery", "friendly_from", "f@x"},
	{"d" AT "|orig=o@x|header_Sender=s@x|header_From=nobody", "delivery",
	 "friendly_from", "s@x"},
	/* subject, campaign */
	{"d" AT "|header_Subject==?utf-8?q?=C3=BC_x?=", "delivery", "subject",
	 "\xc3\xbc x"},
	{"d" AT "|header_Subject= Hi\xff ", "delivery", "subject",
	 "Hi\xef\xbf\xbd"},
	{"d" AT "|header_Subject=s", "reception", "subject", "s"},
	{"rb" AT "|header_Subject=s", "outofband", "subject", "(none)"},
	{"f" AT "|header_Subject=s", "feedback", "subject", "(none)"},
	{"d" AT "|jobId=j\"1", "delivery", "campaign_id", "j\"1"},
	{"d" AT "|jobId=j|header_X-job=x", "reception", "campaign_id", "j"},
	{"f" AT "|jobId=j|header_X-job=x", "feedback", "campaign_id", "x"},
	{"f" AT "|jobId=j", "feedback", "campaign_id", "(none)"},
	{"rb" AT "|jobId=j", "outofband", "campaign_id", "(none)"},
	/* vmta, pool */
	{"d" AT "|vmta=m", "delivery", "binding", "m"},
	{"d" AT "|vmta=m", "reception", "binding", "m"},
	{"r" AT "|vmta=m", "reception", "binding", "m"},
	{"rb" AT "|vmta=m", "outofband", "binding", "(none)"},
	{"d" AT "|vmtaPool=p", "delivery", "binding_group", "p"},
	{"d" AT "|vmtaPool=p", "delivery", "ip_pool", "p"},
	{"d" AT "|vmta=mapped|vmtaPool=p", "delivery", "ip_pool", "mp"},
	{"d" AT "|vmta=mapped|vmtaPool=p", "delivery", "binding_group", "mp"},
	/* addresses */
	{"d" AT "|dlvSourceIp=192.0.2.1", "delivery", "sending_ip",
	 "192.0.2.1"},
	{"d" AT "|dlvSourceIp=[192.0.2.1]", "reception", "sending_ip",
	 "192.0.2.1"},
	{"d" AT "|dlvSourceIp=192.0.2.1|vmta=mapped", "delivery", "sending_ip",
	 "192.0.2.1"},
	{"r" AT "|vmta=mapped", "reception", "sending_ip", "192.0.2.9"},
	{"r" AT "|vmta=m", "reception", "sending_ip", "(none)"},
	{"f" AT "|dlvSourceIp=192.0.2.1", "feedback", "sending_ip",
	 "192.0.2.1"},
	{"rb" AT "|dlvSourceIp=192.0.2.1", "outofband", "sending_ip", "(none)"},
	{"d" AT "|dlvDestinationIp=2001:db8::1 (x)", "delivery", "ip_address",
	 "2001:db8::1"},
	{"d" AT "|dlvDestinationIp=192.0.2.1", "reception", "ip_address",
	 "(none)"},
	/* subaccounts */
	{"d" AT, "delivery", "subaccount_id", "0"},
	{"d" AT "|vmta=mapped", "delivery", "subaccount_id", "12"},
	{"d" AT "|vmta=mapped|header_x-sp-subaccount-id= 7 ", "delivery",
	 "subaccount_id", "7"},
	{"d" AT "|vmta=mapped|header_X-SP-Subaccount-Id=0", "delivery",
	 "subaccount_id", "12"},
	{"d" AT "|vmta=mapped|header_x-sp-subaccount-id=-1", "delivery",
	 "subaccount_id", "12"},
	{"d" AT "|header_x-sp-subaccount-id=2147483647", "delivery",
	 "subaccount_id", "2147483647"},
	{"d" AT "|header_x-sp-subaccount-id=2147483648", "delivery",
	 "subaccount_id", "0"},
	{"d" AT "|header_x-sp-subaccount-id=1x", "delivery", "subaccount_id",
	 "0"},
	/* methods */
	{"d" AT, "delivery", "recv_method", "esmtp"},
	{"d" AT "|srcType=smtp", "reception", "recv_method", "esmtp"},
	{"d" AT "|srcType=API", "delivery", "recv_method", "rest"},
	{"rb" AT "|srcType=api", "outofband", "recv_method", "rest"},
	{"f" AT "|srcType=api", "feedback", "recv_method", "(none)"},
	{"d" AT "|dlvType=smtp", "delivery", "delv_method", "esmtp"},
	{"d" AT "|dlvType=http-delivery", "delivery", "delv_method", "http"},
	{"d" AT "|dlvType=smtp", "reception", "delv_method", "(none)"},
	{"f" AT, "feedback", "delv_method", "esmtp"},
	/* attempts */
	{"d" AT "|dlvSize=123", "delivery", "msg_size", "123"},
	{"d" AT "|dlvSize=123", "reception", "msg_size", "(none)"},
	{"t" AT "|dlvSize=123", "tempfail", "msg_size", "(none)"},
	{"d" AT, "delivery", "num_retries", "0"},
	{"d" AT, "reception", "num_retries", "(none)"},
	{"rb" AT, "outofband", "num_retries", "(none)"},
	{"b" AT "|timeQueued=1699999998", "inband", "queue_time", "2000"},
	{"d" AT "|timeQueued=1700000001", "delivery", "queue_time", "0"},
	{"d" AT "|timeQueued=bad", "delivery", "queue_time", "(none)"},
	{"d" AT "|timeQueued=1", "reception", "queue_time", "(none)"},
	{"d" AT "|dlvTlsProtocol=TLSv1.3", "delivery", "outbound_tls", "1"},
	{"d" AT "|dlvTlsProtocol=", "delivery", "outbound_tls", "(none)"},
	{"b" AT "|dlvTlsProtocol=TLSv1.3", "inband", "outbound_tls", "(none)"},
	{"d" AT, "delivery", "node_name", "mta.example"},
	{"d" AT, "delivery", "open_tracking", "(none)"},
	/* failures */
	{"b" AT "|bounceCat=quota-issues", "inband", "bounce_class", "22"},
	{"t" AT, "tempfail", "bounce_class", "70"},
	{"rb" AT, "outofband", "bounce_class", "1"},
	{"b" AT "|dsnDiag=smtp;554 x", "inband", "error_code", "554"},
	{"b" AT "|dsnDiag=", "inband", "error_code", "550"},
	{"rb" AT "|dsnDiag=x", "outofband", "error_code", "550"},
	{"t" AT "|dsnDiag=x", "tempfail", "error_code", "450"},
	{"b" AT "|dsnDiag=smtp;554 <a@b> x", "inband", "raw_reason",
	 "554 <a@b> x"},
	{"b" AT "|dsnDiag=smtp;554 <a@b> x", "inband", "reason",
	 "554 <...@...> x"},
	{"b" AT "|dsnStatus=5.0.0 (x)|dsnDiag=", "inband", "raw_reason",
	 "5.0.0 (x)"},
	{"b" AT "|dsnStatus=5.0.0 (x)|dsnDiag=SMTP;", "inband", "reason",
	 "5.0.0 (x)"},
	{"b" AT, "inband", "reason", ""},
	{"b" AT, "inband", "raw_reason", ""},
	{"b" AT "|dsnDiag=smtp;554 a\r\nb \xff", "inband", "raw_reason",
	 "554 a\r\nb \xef\xbf\xbd"},
	{"d" AT "|dsnDiag=smtp;250 ok", "delivery", "reason", "(none)"},
	/* complaints */
	{"f" AT, "feedback", "fbtype", "abuse"},
	{"f" AT "|feedbackType= Fraud ", "feedback", "fbtype", "fraud"},
	{"f" AT "|reportingMta=fbl.x", "feedback", "report_by", "fbl.x"},
	{"f" AT "|userAgent=AOL SComp", "feedback", "user_agent", "AOL SComp"},
	{"f" AT "|bounceCat=quota-issues", "feedback", "bounce_class",
	 "(none)"},
};

static void map_one_vmta(struct settings *settings)
{
	struct mapping_entry entry = MAPPING_ENTRY_INIT;
	struct buf why;

	buf_init(&why, 1000);
	entry.ip_pool = "mp";
	entry.sending_ip = "192.0.2.9";
	entry.subaccount = 12;
	mapping_add(settings->mapping, MAPPING_VMTA, "mapped", &entry);
	ck_assert_int_eq(mapping_finish(settings->mapping, &why), 0);
	buf_release(&why);
}

START_TEST(event_attribute_is)
{
	struct shaping run;
	size_t n = 0;

	setenv("TZ", "XXX-3", 1);
	tzset();
	shaping_init(&run);
	map_one_vmta(&run.settings);
	shape_row(&run, cases[_i].row);
	while (n < shaping_events(&run) &&
	       strcmp(shaping_value(&run, n, "type"), cases[_i].type) != 0)
		n++;
	ck_assert_msg(strcmp(shaping_value(&run, n, cases[_i].attribute),
			     cases[_i].want) == 0,
		      "%s: %s is \"%s\", expected \"%s\"", cases[_i].row,
		      cases[_i].attribute,
		      shaping_value(&run, n, cases[_i].attribute),
		      cases[_i].want);
	shaping_release(&run);
}
END_TEST

START_TEST(event_tracking_is_on_what_was_sent)
{
	static const char *const types[] = {"d", "b", "t", "r", "rb", "f"};

	for (size_t i = 0; i < NROF(types); i++) {
		struct shaping run;
		struct buf row;
		const char *want = i < 4 ? "true" : "(none)";

		buf_init(&row, 1000);
		buf_addf(&row, "%s" AT, types[i]);
		shaping_init(&run);
		run.settings.engagement_tracking = true;
		shape_row(&run, buf_str(&row));
		for (size_t n = 0; n < shaping_events(&run); n++) {
			ck_assert_str_eq(
				shaping_value(&run, n, "open_tracking"), want);
			ck_assert_str_eq(
				shaping_value(&run, n, "click_tracking"), want);
		}
		shaping_release(&run);
		buf_release(&row);
	}
}
END_TEST

/* Golden pairs: test/fixtures/acct/NAME.csv becomes NAME.ndjson. */

static void privacy(struct shaping *run)
{
	run->settings.privacy_sha1 = true;
}

static void columns(struct shaping *run)
{
	run->columns = "timeLogged, timeQueued,orig,rcpt,vmta";
}

static void filters(struct shaping *run)
{
	struct mapping *m = run->settings.mapping;
	struct mapping_entry entry = MAPPING_ENTRY_INIT;
	struct buf why;

	buf_init(&why, 1000);
	entry.ship = MAPPING_SHIP_FILTER;
	entry.filter = "ListOne";
	mapping_add(m, MAPPING_VMTA, "promo-*", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.subaccount = 12;
	entry.ip_pool = "transactional";
	entry.sending_ip = "192.0.2.10";
	mapping_add(m, MAPPING_VMTA, "mta1", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.subaccount = 999;
	entry.ip_pool = "Pond";
	mapping_add(m, MAPPING_VMTA_POOL, "pond", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.subaccount = 100;
	mapping_add_line(m, "ListOne", "*.customer1.com", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.ship = MAPPING_SHIP_FALSE;
	mapping_add_line(m, "ListOne", "transact.customer1.com", &entry);
	ck_assert_int_eq(mapping_finish(m, &why), 0);
	buf_release(&why);
}

static const struct {
	const char *name;
	void (*set)(struct shaping *run);
} golden[] = {
	{"default-40", NULL},	  {"default-50", NULL}, {"union", NULL},
	{"header-midfile", NULL}, {"crlf", NULL},	{"bom", NULL},
	{"duplicates", NULL},	  {"columns", columns}, {"times", NULL},
	{"lost-quotes", NULL},	  {"bytes", NULL},	{"headers", NULL},
	{"skipped", NULL},	  {"privacy", privacy}, {"filters", filters},
	{"last-line", NULL},
};

static void read_file(const char *name, const char *suffix, struct buf *out)
{
	char path[200], piece[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "test/fixtures/acct/%s.%s", name, suffix);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	fclose(f);
}

/* GOLDEN=1 writes what is, to be looked at in a diff. */
static void write_file(const char *name, struct slice text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "test/fixtures/acct/%s.ndjson", name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text.p, 1, text.len, f), text.len);
	fclose(f);
}

/* The events, then the malformed rows, then the notes. */
static void outcome(const struct shaping *run, struct buf *out)
{
	buf_add_slice(out, buf_slice(&run->json));
	buf_add_str(out, "-- malformed\n");
	buf_add_slice(out, buf_slice(&run->malformed));
	buf_add_str(out, "-- skipped\n");
	for (int i = 0; i < SKIP_REASONS; i++) {
		if (run->account.skipped[i])
			buf_addf(out, "%s %d\n", account_skip_name(i),
				 (int)run->account.skipped[i]);
	}
	for (size_t i = 0; i < run->account.not_shipped.count; i++)
		buf_addf(out, "%s %d\n",
			 run->account.not_shipped.entries[i].name,
			 (int)run->account.not_shipped.entries[i].count);
	buf_add_str(out, "-- notes\n");
	buf_add_slice(out, buf_slice(&run->notes));
}

static void golden_run(int i, struct slice text, size_t cut, struct buf *out)
{
	struct shaping run;

	shaping_init(&run);
	if (golden[i].set)
		golden[i].set(&run);
	shaping_run(&run, text, cut);
	buf_reset(out);
	outcome(&run, out);
	shaping_release(&run);
}

START_TEST(a_file_of_rows_becomes_events)
{
	struct buf csv, want, got;

	setenv("TZ", "UTC", 1);
	tzset();
	buf_init(&csv, 16 << 20);
	buf_init(&want, 16 << 20);
	buf_init(&got, 16 << 20);
	read_file(golden[_i].name, "csv", &csv);
	golden_run(_i, buf_slice(&csv), 0, &got);
	if (getenv("GOLDEN"))
		write_file(golden[_i].name, buf_slice(&got));
	read_file(golden[_i].name, "ndjson", &want);
	ck_slice(buf_slice(&got), buf_str(&want));
	/* And the same, however the bytes arrive. */
	for (size_t cut = 1; cut < 100; cut = cut * 3 + 1) {
		golden_run(_i, buf_slice(&csv), cut, &got);
		ck_slice(buf_slice(&got), buf_str(&want));
	}
	buf_release(&csv);
	buf_release(&want);
	buf_release(&got);
}
END_TEST

Suite *event_suite(void)
{
	Suite *s = suite_create("event");
	TCase *tc = tcase_create("event");

	tcase_add_loop_test(tc, event_attribute_is, 0, NROF(cases));
	tcase_add_test(tc, event_tracking_is_on_what_was_sent);
	tcase_add_loop_test(tc, a_file_of_rows_becomes_events, 0, NROF(golden));
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
