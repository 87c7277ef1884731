/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/verdict.h"

#include "unit/check_all.h"
#include "unit/shaping.h"

#define HEAD "type,timeLogged,timeQueued,orig,rcpt\n"
#define ROW  "d,1714557600,1714557590,o@x,u@y.z\n"

static struct shaping run;

static void start(void)
{
	shaping_init(&run);
}

static void stop(void)
{
	shaping_release(&run);
}

/* --- What becomes of a row --- */

static const struct {
	const char *row; /* under a header with the columns below */
	const char *account;
} accounts[] = {
	{"d,5,4,o@x,u@y.z,smtp,,", "shipped"},
	{"d,5,4,o@x,u@y.z,,,", "shipped"},
	{"d,5,4,o@x,u@y.z,http-delivery,,", "shipped"},
	{"d,5,4,o@x,u@y.z,file,,", "dlv-type"},
	{"b,5,4,o@x,u@y.z,pipe,,", "dlv-type"},
	{"t,5,4,o@x,u@y.z,discard,,", "dlv-type"},
	{"r,5,4,o@x,u@y.z,discard,,", "shipped"},
	{"d,5,4,o@x,u@y.z,smtp,{sparkpost}/v,", "sparkpost-queue"},
	{"d,5,4,o@x,u@y.z,smtp,y.z/{default},", "shipped"},
	{"d,5,4,o@x,u@Inbound.Example,smtp,,", "inbound-domain"},
	{"r,5,4,o@x,u@inbound.example,smtp,,", "shipped"},
	{"d,5,4,o@x,u@sub.inbound.example,smtp,,", "shipped"},
	{"f,5,4,o@x,u@y.z,,,not-spam", "not-spam"},
	{"f,5,4,o@x,u@y.z,,, Not-Spam", "not-spam"},
	{"f,5,4,o@x,u@y.z,,,", "shipped"},
	{"rb,5,4,o@x,u@inbound.example,,,", "shipped"},
	{"tq,5,,,,,,", "tq"},
	{"tq", "tq"},
	{"rs,5,,,u@y.z,,,", "rs"},
	{"p,5,4,o@x,u@y.z,,,", "unknown-type"},
	{",5,4,o@x,u@y.z,,,", "unknown-type"},
	{"Type,5,4,o@x,u@y.z,,,", "unknown-type"},
	{"receipt,5,4,o@x,u@y.z,,,", "shipped"},
	/* no recipient, no time */
	{"d,5,4,o@x,,smtp,,", "malformed"},
	{"d,5,4,o@x,<>,smtp,,", "malformed"},
	{"d,5,4,o@x,nobody,smtp,,", "malformed"},
	{"d,5,4,o@x,u@,smtp,,", "malformed"},
	{"d,5,4,o@x,@y.z,smtp,,", "malformed"},
	{"d,5,4,o@x,,file,,", "malformed"},
	{"f,5,4,o@x,,,,not-spam", "malformed"},
	{"rb,5,4,o@x,,,,", "malformed"},
	{"r,,,o@x,u@y.z,,,", "malformed"},
	{"d,,4,o@x,u@y.z,,,", "shipped"},
	{"d,x,4,o@x,u@y.z,,,", "shipped"},
	{"d,x,y,o@x,u@y.z,,,", "malformed"},
	{"d", "malformed"},
	/* quoting */
	{"d,5,4,o@x,u@y.z,\"x\"y,,", "malformed"},
	{"p,\"", "malformed"},
	/* headers and empty lines are no rows */
	{"type,timeLogged", "nothing"},
	{"", "nothing"},
	{"\r", "nothing"},
};

static void expect(const char *account)
{
	const struct account *a = &run.account;

	if (strcmp(account, "nothing") == 0) {
		ck_assert_uint_eq(a->rows, 0);
		return;
	}
	ck_assert_uint_eq(a->rows, 1);
	if (strcmp(account, "shipped") == 0) {
		ck_assert_uint_eq(a->shipped, 1);
		return;
	}
	if (strcmp(account, "malformed") == 0) {
		ck_assert_uint_eq(a->malformed, 1);
		ck_assert_uint_gt(run.malformed.len, 0);
		return;
	}
	for (int i = 0; i < SKIP_REASONS; i++)
		ck_assert_uint_eq(a->skipped[i],
				  strcmp(account, account_skip_name(i)) == 0);
	ck_assert_uint_eq(account_skipped(a), 1);
	ck_assert_uint_eq(run.json.len, 0);
}

START_TEST(a_row_has_one_account)
{
	struct buf text;

	buf_init(&text, 1000);
	buf_addf(&text,
		 "type,timeLogged,timeQueued,orig,rcpt,dlvType,queue,"
		 "feedbackType\n%s\n",
		 accounts[_i].row);
	settings_add(&run.settings.inbound_domains,
		     &run.settings.inbound_domains_count,
		     SLICE("inbound.example"));
	shaping_run(&run, buf_slice(&text), 0);
	expect(accounts[_i].account);
	buf_release(&text);
}
END_TEST

/* --- Injections --- */

#define A INJECTION_AUTO
#define R INJECTION_RECORDS
#define S INJECTION_SYNTHESIZE

static const struct {
	enum settings_injection mode;
	bool receipts; /* the header has a column that only r rows carry */
	const char *row;
	int receptions, others;
} injections[] = {
	{A, false, "r", 1, 0},
	{A, false, "d", 1, 1},
	{A, false, "b", 1, 1},
	{A, false, "t", 1, 1},
	{A, false, "rb", 0, 1},
	{A, false, "f", 0, 1},
	{A, true, "r", 1, 0},
	{A, true, "d", 0, 1},
	{A, true, "t", 0, 1},
	{R, false, "r", 1, 0},
	{R, false, "d", 0, 1},
	{R, true, "d", 0, 1},
	{S, true, "r", 1, 0},
	{S, true, "d", 1, 1},
	{S, true, "b", 1, 1},
	{S, true, "t", 1, 1},
	{S, true, "rb", 0, 1},
	{INJECTION_OFF, false, "r", 0, 0},
	{INJECTION_OFF, false, "d", 0, 1},
};

START_TEST(an_injection_is_made)
{
	static const char *const columns[] = {"x", "rcvSourceIp",
					      "RcvDestinationIP"};
	struct buf text;

	for (int column = injections[_i].receipts;
	     column <= 2 * injections[_i].receipts; column++) {
		buf_init(&text, 1000);
		buf_addf(&text,
			 "type,timeLogged,rcpt,%s\n%s,1714557600,u@y.z,\n",
			 columns[column], injections[_i].row);
		stop();
		start();
		run.settings.injection = injections[_i].mode;
		shaping_run(&run, buf_slice(&text), 0);
		ck_assert_uint_eq(run.account.events[EVENT_RECEPTION],
				  injections[_i].receptions);
		ck_assert_uint_eq(account_events(&run.account),
				  injections[_i].receptions +
					  injections[_i].others);
		buf_release(&text);
	}
}
END_TEST

START_TEST(an_injection_is_made_once_in_a_batch)
{
	run.settings.injection = INJECTION_SYNTHESIZE;
	shaping_text(&run, HEAD "t,1714557595,1714557590,o@x,u@y.z\n" ROW
				"r,1714557590,,o@x,u@y.z\n"
				"d,1714557600,1714557591,o@x,u@y.z\n");
	ck_assert_uint_eq(run.account.events[EVENT_RECEPTION], 2);
	ck_assert_uint_eq(run.account.rows, 4);
	/* Its event is in the batch, though made from another row. */
	ck_assert_uint_eq(run.account.shipped, 4);
	ck_assert_str_eq(shaping_value(&run, 0, "type"), "reception");
	ck_assert_str_eq(shaping_value(&run, 1, "type"), "tempfail");
	ck_assert_str_eq(shaping_value(&run, 2, "type"), "delivery");
	ck_assert_str_eq(shaping_value(&run, 3, "type"), "reception");
}
END_TEST

START_TEST(without_delays_a_t_row_makes_nothing)
{
	run.settings.delay = false;
	run.settings.injection = INJECTION_SYNTHESIZE;
	shaping_text(&run, HEAD "t,1714557595,1714557590,o@x,u@y.z\n");
	ck_assert_uint_eq(run.account.skipped[SKIP_DELAY_OFF], 1);
	ck_assert_uint_eq(run.json.len, 0);
}
END_TEST

START_TEST(without_injections_an_r_row_is_skipped)
{
	run.settings.injection = INJECTION_OFF;
	shaping_text(&run, HEAD "r,1714557595,,o@x,u@y.z\n");
	ck_assert_uint_eq(run.account.skipped[SKIP_INJECTION_OFF], 1);
}
END_TEST

/* --- Age --- */

static const struct {
	int64_t sealed, max_age;
	int events, expired_injections, expired_deliveries, expired_rows;
} ages[] = {
	/* the row is of 1714557600, its injection ten seconds older */
	{1714557600, 100, 2, 0, 0, 0}, {1714557690, 100, 2, 0, 0, 0},
	{1714557691, 100, 1, 1, 0, 0}, {1714557700, 100, 1, 1, 0, 0},
	{1714557701, 100, 0, 1, 1, 1}, {1999999999, 0, 2, 0, 0, 0},
	{1, 100, 2, 0, 0, 0},
};

START_TEST(an_old_event_is_not_sent)
{
	run.sealed_s = ages[_i].sealed;
	run.settings.max_age_s = ages[_i].max_age;
	shaping_text(&run, HEAD ROW);
	ck_assert_uint_eq(account_events(&run.account), ages[_i].events);
	ck_assert_uint_eq(run.account.expired[EVENT_RECEPTION],
			  ages[_i].expired_injections);
	ck_assert_uint_eq(run.account.expired[EVENT_DELIVERY],
			  ages[_i].expired_deliveries);
	ck_assert_uint_eq(run.account.expired_rows, ages[_i].expired_rows);
	ck_assert_uint_eq(run.account.shipped, 1 - ages[_i].expired_rows);
	ck_assert_int_eq(run.notes.len > 0, ages[_i].expired_injections);
}
END_TEST

START_TEST(that_events_are_too_old_is_said_once_for_a_file)
{
	run.sealed_s = 1999999999;
	run.settings.max_age_s = 100;
	run.limit = 1;
	shaping_text(&run, HEAD ROW ROW ROW);
	ck_slice(buf_slice(&run.notes), "2@37:reception\n");
	ck_assert(run.file.said_expired);
}
END_TEST

START_TEST(the_oldest_event_is_known)
{
	run.settings.injection = INJECTION_OFF;
	shaping_text(&run, HEAD "d,300,,o@x,u@y.z\nd,100,,o@x,u@y.z\n"
				"d,200,,o@x,u@y.z\n");
	ck_assert_int_eq(run.oldest_s, 100);
}
END_TEST

/* --- Accounts and settings --- */

START_TEST(accounts_add_up)
{
	struct account total = {0}, more = {0};

	more.rows = 10;
	more.shipped = 1;
	more.malformed = 2;
	more.expired_rows = 3;
	more.skipped[SKIP_TQ] = 1;
	more.events[EVENT_FEEDBACK] = 4;
	more.expired[EVENT_INBAND] = 5;
	ck_assert(!account_agrees(&more));
	tally_add(&more.not_shipped, SLICE("default"), 3);
	ck_assert(account_agrees(&more));
	account_merge(&total, &more);
	account_merge(&total, &more);
	ck_assert(account_agrees(&total));
	ck_assert_uint_eq(total.rows, 20);
	ck_assert_uint_eq(account_events(&total), 8);
	ck_assert_uint_eq(account_skipped(&total), 2);
	ck_assert_uint_eq(total.expired[EVENT_INBAND], 10);
	ck_assert_uint_eq(tally_get(&total.not_shipped, SLICE("default")), 6);
	account_release(&total);
	account_release(&more);
	ck_assert_uint_eq(total.rows, 0);
	for (int i = 0; i < SKIP_REASONS; i++)
		ck_assert_ptr_nonnull(account_skip_name(i));
}
END_TEST

START_TEST(settings_have_their_documented_defaults)
{
	struct settings s;

	settings_init(&s);
	ck_assert_int_eq(s.injection, INJECTION_AUTO);
	ck_assert(s.delay && !s.engagement_tracking && !s.privacy_sha1);
	ck_assert_int_eq(s.max_age_s, 86400);
	ck_assert_uint_eq(s.message_id_columns_count, 1);
	ck_assert_str_eq(s.message_id_columns[0], "header_x-sp-message-id");
	ck_assert_uint_eq(s.max_events, 10000);
	ck_assert_uint_eq(s.max_raw_bytes, 16 << 20);
	ck_assert_uint_eq(s.max_row, 1 << 20);
	ck_assert_ptr_nonnull(s.node_name);
	settings_release(&s);
	ck_assert_ptr_null(s.mapping);
}
END_TEST

Suite *verdict_suite(void)
{
	Suite *s = suite_create("verdict");
	TCase *tc = tcase_create("verdict");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_loop_test(tc, a_row_has_one_account, 0, NROF(accounts));
	tcase_add_loop_test(tc, an_injection_is_made, 0, NROF(injections));
	tcase_add_test(tc, an_injection_is_made_once_in_a_batch);
	tcase_add_test(tc, without_delays_a_t_row_makes_nothing);
	tcase_add_test(tc, without_injections_an_r_row_is_skipped);
	tcase_add_loop_test(tc, an_old_event_is_not_sent, 0, NROF(ages));
	tcase_add_test(tc, that_events_are_too_old_is_said_once_for_a_file);
	tcase_add_test(tc, the_oldest_event_is_known);
	tcase_add_test(tc, accounts_add_up);
	tcase_add_test(tc, settings_have_their_documented_defaults);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
