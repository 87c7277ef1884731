/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/check_all.h"
#include "unit/shaping.h"

/*
 * What rows have in common is remembered from one to the next (memo.h).  Here
 * thousands of rows have this and that in common, in no order; shaping.h holds
 * each event against what is made of its row alone.
 */

enum { ROWS = 6000 };

static struct shaping run;
static uint32_t dice;

static void start(void)
{
	shaping_init(&run);
	dice = 1;
}

static void stop(void)
{
	shaping_release(&run);
}

static unsigned int draw(unsigned int sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

static const char *one_of(const char *const *list, unsigned int count)
{
	return list[draw(count)];
}

#define ONE_OF(list) one_of((list), NROF(list))

static const char *const types[] = {"d", "b", "t", "r", "rb", "f"};
static const char *const froms[] = {
	"",
	"a@x",
	"\"A, B\" <a@xyz.example>",
	"nobody",
	"a-rather-long-local-part-for-a-sender@newsletter.example.com",
	"\xfc@bad.example"};
static const char *const subjects[] = {
	"",
	"Hi",
	"Hj",
	"=?utf-8?q?=C3=BC_x?=",
	"\"q",
	"your order of today, which has been shipped, number 17 of 20",
	"your order of today, which has been shipped, number 18 of 20"};
static const char *const names[] = {"", "mta1", "mta2", "pool", "a\\b"};
static const char *const addresses[] = {"", "192.0.2.1", "192.0.2.17",
					"2001:db8::1"};
static const char *const sources[] = {"", "api", "smtp"};
static const char *const ways[] = {"", "smtp", "http-delivery"};
static const char *const accounts[] = {"", "0", "7", "x"};

static void add_text(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_str(out, "\",");
}

static void add_row(struct buf *out, unsigned int i)
{
	static uint32_t burst;
	const char *sender;

	/* Four at a time have all in common but the recipient. */
	if (i % 4)
		dice = burst;
	else
		burst = dice;
	sender = draw(3) ? "" : "s@sender.example";

	buf_addf(out, "%s,170000%04u,1700000000,bounce-%u@o.example,",
		 ONE_OF(types), i % 10000, i);
	buf_addf(out, "U%u@dest%u.example,", i, draw(40));
	add_text(out, ONE_OF(froms));
	add_text(out, sender);
	add_text(out, ONE_OF(subjects));
	add_text(out, ONE_OF(names));
	add_text(out, ONE_OF(names));
	add_text(out, ONE_OF(names));
	add_text(out, ONE_OF(addresses));
	add_text(out, ONE_OF(sources));
	add_text(out, ONE_OF(ways));
	add_text(out, ONE_OF(accounts));
	buf_add_str(out, "\n");
}

static void shape_rows(void)
{
	struct buf text;

	buf_init(&text, 64 << 20);
	buf_add_str(&text, "type,timeLogged,timeQueued,orig,rcpt,header_From,"
			   "header_Sender,header_Subject,vmta,vmtaPool,jobId,"
			   "dlvSourceIp,srcType,dlvType,"
			   "header_x-sp-subaccount-id,end\n");
	for (unsigned int i = 0; i < ROWS; i++)
		add_row(&text, i);
	shaping_run(&run, buf_slice(&text), 0);
	ck_assert_uint_eq(run.account.rows, ROWS);
	ck_assert_uint_gt(shaping_events(&run), 0);
	buf_release(&text);
}

static void map(enum mapping_scope scope, const char *name, const char *pool,
		int64_t subaccount)
{
	struct mapping_entry entry = MAPPING_ENTRY_INIT;

	entry.ip_pool = pool;
	entry.sending_ip = subaccount ? "198.51.100.9" : NULL;
	entry.subaccount = subaccount;
	mapping_add(run.settings.mapping, scope, name, &entry);
}

static void finish(void)
{
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_int_eq(mapping_finish(run.settings.mapping, &why), 0);
	buf_release(&why);
}

START_TEST(rows_that_share_texts_keep_what_is_theirs)
{
	run.settings.injection = (enum settings_injection)_i;
	shape_rows();
}
END_TEST

/* On r rows the VirtualMTA may be a pool: the same names, another answer. */
START_TEST(rows_that_share_names_have_their_own_mapping)
{
	run.settings.engagement_tracking = true;
	map(MAPPING_VMTA, "mta1", "Fast", 12);
	map(MAPPING_VMTA_POOL, "pool", "Pond", 99);
	map(MAPPING_DEFAULT, NULL, NULL, -1);
	finish();
	shape_rows();
}
END_TEST

START_TEST(rows_that_share_names_are_filtered_by_their_own_sender)
{
	struct mapping_entry entry = MAPPING_ENTRY_INIT;

	entry.ship = MAPPING_SHIP_FILTER;
	entry.filter = "list";
	mapping_add(run.settings.mapping, MAPPING_VMTA, "mta*", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.subaccount = 5;
	mapping_add_line(run.settings.mapping, "list", "x", &entry);
	entry.subaccount = 6;
	mapping_add_line(run.settings.mapping, "list", "*.com", &entry);
	finish();
	shape_rows();
	ck_assert_uint_gt(run.account.not_shipped.count, 0);
}
END_TEST

START_TEST(rows_that_share_texts_hide_their_own_recipient)
{
	run.settings.privacy_sha1 = true;
	shape_rows();
}
END_TEST

Suite *shared_suite(void)
{
	Suite *s = suite_create("shared");
	TCase *tc = tcase_create("shared");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_loop_test(tc, rows_that_share_texts_keep_what_is_theirs,
			    INJECTION_AUTO, INJECTION_OFF + 1);
	tcase_add_test(tc, rows_that_share_names_have_their_own_mapping);
	tcase_add_test(tc,
		       rows_that_share_names_are_filtered_by_their_own_sender);
	tcase_add_test(tc, rows_that_share_texts_hide_their_own_recipient);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
