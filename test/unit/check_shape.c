/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/json_read.h"
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

/* --- Blocks --- */

START_TEST(a_block_ends_at_its_limit_of_events)
{
	run.settings.max_events = 4;
	run.settings.injection = INJECTION_OFF;
	shaping_text(&run, HEAD ROW ROW ROW ROW ROW ROW ROW ROW ROW);
	ck_assert_uint_eq(run.blocks, 3);
	ck_assert_uint_eq(shaping_events(&run), 9);
}
END_TEST

START_TEST(a_row_with_two_events_is_never_split)
{
	static const size_t limits[] = {1, 2, 3, 4, 5};
	static const size_t blocks[] = {3, 3, 3, 2, 2};

	run.limit = limits[_i];
	shaping_text(&run, HEAD "d,9,1,o@x,a@y.z\nd,9,2,o@x,b@y.z\n"
				"d,9,3,o@x,c@y.z\n");
	ck_assert_uint_eq(run.blocks, blocks[_i]);
	ck_assert_uint_eq(shaping_events(&run), 6);
}
END_TEST

START_TEST(a_block_ends_at_its_limit_of_bytes)
{
	static const size_t limits[] = {1, 400, 700, 1100};
	static const size_t blocks[] = {4, 4, 2, 2};

	run.settings.max_raw_bytes = limits[_i];
	run.settings.injection = INJECTION_OFF;
	shaping_text(&run, HEAD ROW ROW ROW ROW);
	ck_assert_uint_eq(shaping_events(&run), 4);
	ck_assert_uint_eq(run.blocks, blocks[_i]);
}
END_TEST

START_TEST(a_row_whose_events_are_too_large_is_malformed)
{
	run.settings.max_event_bytes = 660;
	shaping_text(&run, HEAD ROW "b,1714557600,1714557591,o@x,u@y.z\n" ROW);
	ck_assert_uint_eq(run.account.malformed, 1);
	ck_assert_uint_eq(run.account.shipped, 2);
	ck_slice(buf_slice(&run.malformed),
		 "71,too large,\"b,1714557600,1714557591,o@x,u@y.z\"\n");
}
END_TEST

START_TEST(a_block_without_events_is_fine)
{
	shaping_text(&run, HEAD "tq,5\n\n\r\n");
	ck_assert_uint_eq(run.blocks, 1);
	ck_assert_uint_eq(run.json.len, 0);
	ck_assert_uint_eq(run.account.rows, 1);
}
END_TEST

/* --- Headers --- */

static const char *const without_header[] = {
	ROW,
	"\n\n" ROW,
	"\xef\xbb\xbf" ROW,
	"a\"b\n",
	"\x7f"
	"ELF\1\2\3\n",
	"type;timeLogged\n",
	"Type,timeLogged\n",
	"d,\"\nd,\n",
};

START_TEST(a_file_without_header_is_not_read)
{
	size_t empty = _i == 1 ? 2 : 0;

	shaping_text(&run, without_header[_i]);
	ck_assert_int_eq(run.status, SHAPE_NO_HEADER);
	ck_assert_uint_eq(run.account.rows, 0);
	ck_assert_int_eq(run.consumed, empty);
}
END_TEST

START_TEST(a_long_line_without_header_is_not_read)
{
	char text[400];

	memset(text, 'x', sizeof(text));
	run.settings.max_row = 100;
	shaping_run(&run, slice_of(text, sizeof(text)), 7);
	ck_assert_int_eq(run.status, SHAPE_NO_HEADER);
	ck_assert_int_eq(run.consumed, 0);
}
END_TEST

static const struct {
	const char *columns;
	const char *header;
} configured[] = {
	{"timeLogged,rcpt", "type,timeLogged,rcpt"},
	{"type,timeLogged,rcpt", "type,timeLogged,rcpt"},
	{" Type , timeLogged,rcpt ", "type, timeLogged,rcpt"},
	{"\"timeLogged\",rcpt", "type,\"timeLogged\",rcpt"},
};

START_TEST(the_configuration_may_give_the_header)
{
	run.columns = configured[_i].columns;
	shaping_text(&run, "d,1714557600,u@y.z\n");
	ck_slice(buf_slice(&run.file.header), configured[_i].header);
	ck_assert_int_eq(run.file.header_offset, -1);
	ck_assert_uint_eq(run.account.shipped, 1);
}
END_TEST

static const char *const no_columns[] = {"", "  ", "a\"b", "\"a", "a\nb"};

START_TEST(columns_that_are_no_row_are_no_header)
{
	run.columns = no_columns[_i];
	shaping_text(&run, "d,1714557600,u@y.z\n");
	ck_assert_int_eq(run.status, SHAPE_NO_HEADER);
}
END_TEST

START_TEST(the_header_goes_on_to_the_next_block)
{
	run.limit = 1;
	shaping_text(&run, "\n\xef\xbb\xbf" HEAD ROW "type,rcpt,timeLogged\r\n"
			   "d,v@y.z,1714557600\n");
	ck_assert_uint_eq(run.blocks, 2);
	ck_assert_uint_eq(run.account.shipped, 2);
	ck_slice(buf_slice(&run.file.header), "type,rcpt,timeLogged");
	ck_assert_int_eq(run.file.header_offset, 1 + 3 + 37 + 34);
	ck_assert_str_eq(shaping_value(&run, 3, "rcpt_to"), "v@y.z");
}
END_TEST

START_TEST(a_header_may_have_10000_columns)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "type,timeLogged");
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, ",c%d", i);
	buf_add_str(&text, ",rcpt\nd,1714557600");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&text, ',');
	buf_add_str(&text, ",u@y.z\n");
	shaping_run(&run, buf_slice(&text), 1000);
	ck_assert_uint_eq(run.account.shipped, 1);
	buf_release(&text);
}
END_TEST

START_TEST(a_row_with_too_many_fields_is_malformed)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, HEAD "d,1714557600,,,u@y.z");
	for (int i = 0; i < 20000; i++)
		buf_add_char(&text, ',');
	buf_add_str(&text, "\n" ROW);
	shaping_run(&run, buf_slice(&text), 0);
	ck_assert_uint_eq(run.account.malformed, 1);
	ck_assert_uint_eq(run.account.shipped, 1);
	buf_release(&text);
}
END_TEST

START_TEST(a_broken_header_leaves_the_one_before_it)
{
	shaping_text(&run, HEAD "type,\"x\" ,rcpt\n" ROW);
	ck_assert_uint_eq(run.account.malformed, 1);
	ck_assert_uint_eq(run.account.shipped, 1);
	ck_assert_int_eq(run.file.header_offset, 0);
}
END_TEST

START_TEST(a_header_of_more_than_a_mebibyte_is_malformed)
{
	struct buf text;

	buf_init(&text, 8 << 20);
	run.settings.max_row = 4 << 20;
	buf_add_str(&text, HEAD "type,");
	for (int i = 0; i < SHAPE_HEADER_MAX; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\n" ROW);
	shaping_run(&run, buf_slice(&text), 0);
	ck_assert_uint_eq(run.account.malformed, 1);
	ck_assert_uint_eq(run.account.shipped, 1);
	buf_release(&text);
}
END_TEST

/* --- Long rows --- */

START_TEST(a_row_of_a_mebibyte_costs_one_row)
{
	struct buf text;

	for (size_t cut = 0; cut < 3; cut++) {
		stop();
		start();
		run.limit = 1;
		buf_init(&text, 8 << 20);
		buf_add_str(&text, HEAD ROW "d,1714557600,");
		for (int i = 0; i < 3 << 20; i++)
			buf_add_char(&text, i % 100 ? 'x' : '"');
		buf_add_str(&text, "\n" ROW ROW);
		shaping_run(&run, buf_slice(&text), cut * 300000);
		ck_assert_uint_eq(run.account.malformed, 1);
		ck_assert_uint_eq(run.account.shipped, 3);
		ck_assert_uint_le(run.malformed.len, (128 << 10) + 100);
		ck_assert(!run.file.skipping);
		buf_release(&text);
	}
}
END_TEST

START_TEST(a_long_row_is_skipped_over_the_end_of_a_block)
{
	struct shape *shape;
	struct shape_file file;
	const struct shape_batch *batch;
	size_t n;

	run.settings.max_row = 40;
	shape = shape_new(&run.settings);
	shape_file_init(&file);
	shape_begin(shape, &file, 0);
	shape_feed(shape,
		   SLICE(HEAD "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
		   0, false, &n);
	ck_assert_uint_eq(n, 37 + 44);
	batch = shape_end(shape);
	ck_assert_uint_eq(batch->account.malformed, 1);
	ck_assert(batch->file.skipping);
	shape_file_copy(&file, &batch->file);
	shape_begin(shape, &file, 0);
	ck_assert_int_eq(
		shape_feed(shape, SLICE("d,1,,,a@b\n" ROW), 81, true, &n),
		SHAPE_MORE);
	batch = shape_end(shape);
	ck_assert_uint_eq(batch->account.malformed, 0);
	ck_assert_uint_eq(batch->account.rows, 1);
	ck_assert_uint_eq(batch->account.shipped, 1);
	ck_assert_int_eq(batch->from, 81);
	ck_assert_int_eq(batch->to, 81 + 10 + 34);
	ck_assert(!batch->file.skipping);
	shape_file_release(&file);
	shape_free(&shape);
}
END_TEST

/* --- Every cut gives the same --- */

#define MIXED                                                                  \
	"\xef\xbb\xbf" HEAD ROW "d,1,2,\"lost\n" ROW                           \
	"b,1,2,\"o\n@x\",\"u@y.z\"\r\n\n\r\nd,5,6,\"a\nb\"c\nzz\nr,7,,o,"      \
	"v@y.z\nx\"y\nzz,\ntype,rcpt,timeLogged\n\xef\xbb\xbf"                 \
	"d,w@y.z,9\n"                                                          \
	"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\n"         \
	"d,x@y.z,10\nd,\"y@y.z\",11\nd,z@y.z,\"12\nd,z@y.z,13\nd,\"\"\"@y\",1"

static void outcome(struct buf *out, const char *text, size_t cut)
{
	stop();
	start();
	run.settings.max_row = 50;
	run.settings.max_events = 5;
	shaping_run(&run, slice_str(text), cut);
	buf_reset(out);
	buf_add_slice(out, buf_slice(&run.json));
	buf_add_slice(out, buf_slice(&run.malformed));
	buf_add_slice(out, buf_slice(&run.notes));
	buf_addf(out, "%d %d %d", (int)run.account.rows,
		 (int)run.account.malformed, (int)run.blocks);
}

START_TEST(every_cut_of_the_bytes_gives_the_same)
{
	struct buf whole, parts;

	buf_init(&whole, 1 << 20);
	buf_init(&parts, 1 << 20);
	outcome(&whole, MIXED, 0);
	ck_assert_uint_gt(run.account.malformed, 4);
	ck_assert_uint_gt(run.account.shipped, 8);
	for (size_t cut = 1; cut < 80; cut++) {
		outcome(&parts, MIXED, cut);
		ck_assert_str_eq(buf_str(&parts), buf_str(&whole));
	}
	buf_release(&whole);
	buf_release(&parts);
}
END_TEST

START_TEST(an_unfinished_line_is_left)
{
	struct shape *shape = shape_new(&run.settings);
	struct shape_file file;
	size_t n;

	shape_file_init(&file);
	shape_begin(shape, &file, 0);
	ck_assert_int_eq(shape_feed(shape, SLICE(HEAD ROW "d,1"), 0, false, &n),
			 SHAPE_MORE);
	ck_assert_uint_eq(n, 37 + 34);
	ck_assert_uint_eq(shape_events(shape), 2);
	ck_assert_int_eq(shape_end(shape)->to, 37 + 34);
	shape_file_release(&file);
	shape_free(&shape);
}
END_TEST

/* --- Notes, malformed rows, trace --- */

START_TEST(an_unknown_type_is_said_once_for_each_code)
{
	shaping_text(&run, HEAD "p,\nq,\np,\nq,\n" ROW "p\n");
	ck_slice(buf_slice(&run.notes), "0@37:p\n0@40:q\n");
	ck_assert_uint_eq(run.account.skipped[SKIP_UNKNOWN_TYPE], 5);
}
END_TEST

START_TEST(notes_have_an_end)
{
	struct buf text;

	buf_init(&text, 10000);
	buf_add_str(&text, HEAD);
	for (int i = 0; i < 100; i++)
		buf_addf(&text, "x%d,\n", i);
	buf_add_str(&text, ROW);
	run.sealed_s = 1999999999;
	run.settings.max_age_s = 1;
	shaping_run(&run, buf_slice(&text), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&run.notes), "0@92:x13\n2@"));
	buf_release(&text);
}
END_TEST

START_TEST(malformed_rows_beyond_a_mebibyte_are_counted)
{
	struct buf text;

	buf_init(&text, 8 << 20);
	buf_add_str(&text, HEAD);
	for (int i = 0; i < 50; i++) {
		buf_add_char(&text, 'd');
		for (int j = 0; j < 40000; j++)
			buf_add_char(&text, j % 2 ? 'x' : '\xff');
		buf_add_str(&text, "\"\n");
	}
	shaping_run(&run, buf_slice(&text), 0);
	ck_assert_uint_eq(run.account.malformed, 50);
	ck_assert_uint_eq(run.left_out, 50 - 13);
	ck_assert_uint_le(run.malformed.len, 1 << 20);
	buf_release(&text);
}
END_TEST

static void visit(void *ctx, const struct shape_trace *trace)
{
	static const char *const verdicts[] = {
		[SHAPE_ROW_SHIPPED] = "shipped",
		[SHAPE_ROW_SKIPPED] = "skipped",
		[SHAPE_ROW_NOT_SHIPPED] = "not shipped",
		[SHAPE_ROW_MALFORMED] = "malformed",
		[SHAPE_ROW_EXPIRED] = "expired",
		[SHAPE_ROW_HEADER] = "header",
	};
	struct buf *out = ctx;

	buf_addf(out, "%lld %s %s:", (long long)trace->offset,
		 verdicts[trace->verdict], trace->reason ? trace->reason : "-");
	for (size_t i = 0; i < trace->events_count; i++) {
		const struct shape_event *e = &trace->events[i];

		buf_addf(out, " %s%s%s", account_event_name(e->type),
			 e->expired ? "(expired)" : "",
			 e->duplicate ? "(duplicate)" : "");
		ck_assert_uint_gt(e->attributes_count, 5);
		for (size_t j = 0; j < e->attributes_count; j++) {
			ck_assert_ptr_nonnull(e->attributes[j].origin);
			if (strcmp(e->attributes[j].name, "subaccount_id") == 0)
				buf_addf(out, " [%s]", e->attributes[j].origin);
		}
	}
	buf_add_char(out, '\n');
}

START_TEST(a_trace_shows_every_row)
{
	struct mapping_entry entry = MAPPING_ENTRY_INIT;
	struct shape *shape;
	struct shape_file file;
	struct buf out;
	size_t n;

	buf_init(&out, 100000);
	entry.ship = MAPPING_SHIP_FALSE;
	mapping_add(run.settings.mapping, MAPPING_VMTA, "no", &entry);
	entry.ship = MAPPING_SHIP_TRUE;
	entry.subaccount = 7;
	mapping_add(run.settings.mapping, MAPPING_VMTA, "yes", &entry);
	ck_assert_int_eq(mapping_finish(run.settings.mapping, &out), 0);
	run.settings.max_age_s = 100;
	shape = shape_new(&run.settings);
	shape_set_trace(shape, visit, &out);
	shape_file_init(&file);
	shape_begin(shape, &file, 1000);
	shape_feed(shape,
		   SLICE("type,timeLogged,timeQueued,rcpt,vmta\n"
			 "d,950,940,u@y.z,yes\n"
			 "t,950,940,u@y.z,other\n"
			 "d,950,800,u@y.z,\n"
			 "d,50,40,u@y.z,\n"
			 "d,950,940,u@y.z,no\n"
			 "tq,950\n"
			 "d,950,940,\n"
			 "d,\"x\"y\n"),
		   0, true, &n);
	ck_slice(buf_slice(&out),
		 "0 header -:\n"
		 "37 shipped -: reception [mapping vmta:yes] delivery "
		 "[mapping vmta:yes]\n"
		 "57 shipped -: reception(duplicate) [default] tempfail "
		 "[default]\n"
		 "79 shipped -: reception(expired) [default] delivery "
		 "[default]\n"
		 "96 expired -: reception(expired) [default] "
		 "delivery(expired) [default]\n"
		 "111 not shipped vmta:no:\n"
		 "130 skipped tq:\n"
		 "137 malformed no recipient:\n"
		 "148 malformed broken quoting:\n");
	ck_assert(account_agrees(&shape_end(shape)->account));
	shape_file_release(&file);
	shape_free(&shape);
	buf_release(&out);
}
END_TEST

/* --- Privacy --- */

/* Does "text" hold the address with any separator, in any letter case? */
static bool shows(struct slice text, const char *local, const char *domain)
{
	static const char *const between[] = {"@", "=", "%40"};

	for (size_t i = 0; i < NROF(between); i++) {
		char address[200];
		size_t n = (size_t)snprintf(address, sizeof(address), "%s%s%s",
					    local, between[i], domain);

		for (size_t at = 0; at + n <= text.len; at++) {
			if (strncasecmp(text.p + at, address, n) == 0)
				return true;
		}
	}
	return false;
}

static struct recipient {
	const char *local, *domain;
} recipients[] = {
	{"john.doe", "dest.example"},
	{"j", "d.e"},
	{"..", "d.e"},
	{"a+b", "x.y"},
	{"o'neil", "x.y"},
	{"a=b", "x.y"},
	{"x/y", "z"},
	{"...", "d.e"},
	{"550", "smtp.example"},
};

static int next(unsigned int *seed, int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (int)(*seed >> 16) % n;
}

/* A text that is likely to give the recipient away. */
static void leaky(unsigned int *seed, const struct recipient *r,
		  struct buf *out)
{
	static const char *const glue[] = {
		"",	" ",   "<",	    ">",    "-",    "+",  ".",
		"@x.y", "=",   "smtp;550 ", "''",   "\"\"", "\n", "=?utf-8?q?",
		"?=",	"%40", "@",	    "\xff", "(",    "[",  ":"};
	int pieces = next(seed, 6);

	for (int i = 0; i < pieces; i++) {
		char address[200];

		snprintf(address, sizeof(address), "%s%s%s", r->local,
			 glue[14 + next(seed, 3)], r->domain);
		for (char *p = address; *p && next(seed, 3) == 0; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
		buf_add_str(out, glue[next(seed, NROF(glue))]);
		if (next(seed, 4))
			buf_add_str(out, next(seed, 3) ? address : r->local);
		buf_add_str(out, glue[next(seed, NROF(glue))]);
	}
}

static void leaky_row(unsigned int *seed, const struct recipient *r,
		      struct buf *out)
{
	static const char *const types[] = {"d",  "b", "t", "r",
					    "rb", "f", "x", "tq"};

	buf_add_str(out, types[next(seed, NROF(types))]);
	buf_addf(out, ",%s,,\"%s@%s\"", next(seed, 8) ? "1714557600" : "",
		 r->local, r->domain);
	for (int i = 0; i < 14; i++) {
		buf_add_str(out, ",\"");
		leaky(seed, r, out);
		buf_add_str(out, next(seed, 30) ? "\"" : "\"x");
	}
	buf_add_str(out, "\n");
}

/* Strings as the service will read them: escapes undone. */
static int see(void *ctx, struct slice path, enum json_event event,
	       struct slice text)
{
	(void)path;
	if (event == JSON_STRING) {
		buf_add_slice(ctx, text);
		buf_add_char(ctx, '\n');
	}
	return 0;
}

START_TEST(with_privacy_a_recipient_is_nowhere)
{
	const struct recipient *r = &recipients[_i % (int)NROF(recipients)];
	unsigned int seed = (unsigned int)_i * 7919 + 1;
	struct buf text, seen;
	struct slice json;

	buf_init(&text, 1 << 20);
	buf_init(&seen, 1 << 22);
	buf_add_str(&text,
		    "type,timeLogged,timeQueued,rcpt,orig,dsnDiag,dsnStatus,"
		    "jobId,header_From,header_Sender,header_Subject,vmta,"
		    "vmtaPool,header_x-sp-message-id,userAgent,reportingMta,"
		    "feedbackType,dlvSourceIp\n");
	for (int i = 0; i < 40; i++)
		leaky_row(&seed, r, &text);
	run.settings.privacy_sha1 = true;
	shaping_run(&run, buf_slice(&text), 0);
	json = buf_slice(&run.json);
	while (json.len) {
		size_t end = slice_find(json, '\n');

		ck_assert_int_eq(json_read(slice_of(json.p, end), see, &seen),
				 0);
		json = slice_skip(json, end + 1);
	}
	ck_assert_uint_gt(seen.len, 1000);
	ck_assert(!shows(buf_slice(&seen), r->local, r->domain));
	/* A local part of dots is what the mask itself is made of. */
	if (r->local[0] != '.')
		ck_assert(
			!shows(buf_slice(&run.malformed), r->local, r->domain));
	ck_assert(!shows(buf_slice(&run.notes), r->local, r->domain));
	buf_release(&text);
	buf_release(&seen);
}
END_TEST

START_TEST(a_hash_is_that_of_the_lower_cased_address)
{
	run.settings.privacy_sha1 = true;
	shaping_text(&run, HEAD "d,1,,o@x,<U@Y.Z>\n");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_hash"),
			 "EXjcvjj/tHlvp508xIwxoo3gBlk=");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_domain"), "y.z");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_to"), "(none)");
	ck_assert_str_eq(shaping_value(&run, 0, "raw_rcpt_to"), "(none)");
	ck_assert_str_eq(shaping_value(&run, 0, "routing_domain"), "y.z");
}
END_TEST

START_TEST(an_id_with_the_address_becomes_a_digest)
{
	run.settings.privacy_sha1 = true;
	shaping_text(&run, "type,timeLogged,rcpt,header_x-sp-message-id\n"
			   "d,1,u@y.z,x-U@y.z\nt,2,u@y.z,x-U@y.z\n");
	ck_assert_uint_eq(strlen(shaping_value(&run, 0, "message_id")), 20);
	ck_assert_str_eq(shaping_value(&run, 0, "custom_message_id"), "(none)");
	ck_assert_uint_eq(run.account.events[EVENT_RECEPTION], 1);
}
END_TEST

/* --- Accounts --- */

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

static void add_rows(TCase *tc)
{
	tcase_add_loop_test(tc, a_row_has_one_account, 0, NROF(accounts));
	tcase_add_loop_test(tc, an_injection_is_made, 0, NROF(injections));
	tcase_add_test(tc, an_injection_is_made_once_in_a_batch);
	tcase_add_test(tc, without_delays_a_t_row_makes_nothing);
	tcase_add_test(tc, without_injections_an_r_row_is_skipped);
	tcase_add_loop_test(tc, an_old_event_is_not_sent, 0, NROF(ages));
	tcase_add_test(tc, that_events_are_too_old_is_said_once_for_a_file);
	tcase_add_test(tc, the_oldest_event_is_known);
	tcase_add_test(tc, an_unknown_type_is_said_once_for_each_code);
	tcase_add_test(tc, notes_have_an_end);
	tcase_add_test(tc, malformed_rows_beyond_a_mebibyte_are_counted);
	tcase_add_test(tc, a_trace_shows_every_row);
	tcase_add_test(tc, accounts_add_up);
	tcase_add_test(tc, settings_have_their_documented_defaults);
}

static void add_blocks(TCase *tc)
{
	tcase_add_test(tc, a_block_ends_at_its_limit_of_events);
	tcase_add_loop_test(tc, a_row_with_two_events_is_never_split, 0, 5);
	tcase_add_loop_test(tc, a_block_ends_at_its_limit_of_bytes, 0, 4);
	tcase_add_test(tc, a_row_whose_events_are_too_large_is_malformed);
	tcase_add_test(tc, a_block_without_events_is_fine);
	tcase_add_test(tc, a_row_of_a_mebibyte_costs_one_row);
	tcase_add_test(tc, a_long_row_is_skipped_over_the_end_of_a_block);
	tcase_add_test(tc, every_cut_of_the_bytes_gives_the_same);
	tcase_add_test(tc, an_unfinished_line_is_left);
}

static void add_headers(TCase *tc)
{
	tcase_add_loop_test(tc, a_file_without_header_is_not_read, 0,
			    NROF(without_header));
	tcase_add_test(tc, a_long_line_without_header_is_not_read);
	tcase_add_loop_test(tc, the_configuration_may_give_the_header, 0,
			    NROF(configured));
	tcase_add_loop_test(tc, columns_that_are_no_row_are_no_header, 0,
			    NROF(no_columns));
	tcase_add_test(tc, the_header_goes_on_to_the_next_block);
	tcase_add_test(tc, a_header_may_have_10000_columns);
	tcase_add_test(tc, a_row_with_too_many_fields_is_malformed);
	tcase_add_test(tc, a_broken_header_leaves_the_one_before_it);
	tcase_add_test(tc, a_header_of_more_than_a_mebibyte_is_malformed);
}

Suite *shape_suite(void)
{
	Suite *s = suite_create("shape");
	TCase *tc = tcase_create("shape");

	tcase_add_checked_fixture(tc, start, stop);
	add_rows(tc);
	add_blocks(tc);
	add_headers(tc);
	tcase_add_loop_test(tc, with_privacy_a_recipient_is_nowhere, 0, 90);
	tcase_add_test(tc, a_hash_is_that_of_the_lower_cased_address);
	tcase_add_test(tc, an_id_with_the_address_becomes_a_digest);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
