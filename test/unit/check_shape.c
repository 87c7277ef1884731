/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/shape.h"

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
	add_headers(tc);
	tcase_add_test(tc, a_block_ends_at_its_limit_of_events);
	tcase_add_loop_test(tc, a_row_with_two_events_is_never_split, 0, 5);
	tcase_add_loop_test(tc, a_block_ends_at_its_limit_of_bytes, 0, 4);
	tcase_add_test(tc, a_row_whose_events_are_too_large_is_malformed);
	tcase_add_test(tc, a_block_without_events_is_fine);
	tcase_add_test(tc, a_row_of_a_mebibyte_costs_one_row);
	tcase_add_test(tc, a_long_row_is_skipped_over_the_end_of_a_block);
	tcase_add_test(tc, every_cut_of_the_bytes_gives_the_same);
	tcase_add_test(tc, an_unfinished_line_is_left);
	tcase_add_test(tc, an_unknown_type_is_said_once_for_each_code);
	tcase_add_test(tc, notes_have_an_end);
	tcase_add_test(tc, malformed_rows_beyond_a_mebibyte_are_counted);
	tcase_add_test(tc, a_trace_shows_every_row);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
