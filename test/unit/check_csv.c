/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/csv.h"

#include <stdlib.h>

#include "base/buf.h"
#include "unit/check_all.h"

/*
 * What csv makes of a text is written down in one line: fields joined by "|",
 * rows by "/", and "E", "B", "L", "T" in brackets for what is no row.
 */

static void describe(struct csv *csv, enum csv_status status,
		     const struct csv_row *row, struct buf *out)
{
	static const char *const words[] = {[CSV_EMPTY] = "[E]",
					    [CSV_BROKEN] = "[B]",
					    [CSV_LONG] = "[L]",
					    [CSV_TOO_MANY] = "[T]"};

	if (status != CSV_ROW) {
		buf_add_str(out, words[status]);
		if (status == CSV_BROKEN)
			buf_add_slice(out, row->bytes);
	}
	for (size_t i = 0; status == CSV_ROW && i < csv->count; i++) {
		if (i)
			buf_add_char(out, '|');
		buf_add_slice(out, csv->fields[i]);
	}
	buf_add_char(out, '/');
}

/* "cut" bytes more at each call; 0: all at once. */
static void read_all(struct slice text, size_t max_row, bool final, size_t cut,
		     struct buf *out)
{
	struct csv csv;
	struct csv_row row;
	size_t at = 0, end = cut ? 0 : text.len;

	csv_init(&csv, max_row);
	for (;;) {
		bool last = end == text.len;
		enum csv_status status =
			csv_next(&csv, slice_of(text.p + at, end - at),
				 final && last, &row);

		if (status == CSV_MORE) {
			if (last)
				break;
			end = text.len - end > cut ? end + cut : text.len;
			continue;
		}
		ck_assert_uint_gt(row.consumed, 0);
		ck_assert_uint_le(row.consumed, end - at);
		describe(&csv, status, &row, out);
		at += row.consumed;
	}
	buf_addf(out, "+%zu", text.len - at);
	csv_release(&csv);
}

static const struct {
	const char *text;
	const char *want; /* as a finished file */
} cases[] = {
	/* rows and fields */
	{"", "+0"},
	{"a,b\n", "a|b/+0"},
	{"a,b\r\nc\r\n", "a|b/c/+0"},
	{"a,,\n", "a||/+0"},
	{",\n", "|/+0"},
	{"a\rb,c\r\n", "a\rb|c/+0"},
	{"a,b", "a|b/+0"},
	{"a,b\r", "a|b/+0"},
	{"\n\r\na\n\n", "[E]/[E]/a/[E]/+0"},
	{"\"\"\n", "/+0"},
	{"\xef\xbb\xbf"
	 "a,b\n",
	 "a|b/+0"},
	{"\xef\xbb\xbf\n", "[E]/+0"},
	/* quoted fields */
	{"\"a,b\",c\n", "a,b|c/+0"},
	{"\"a\"\"b\",\"\"\"\"\n", "a\"b|\"/+0"},
	{"\"a\nb\",c\r\n", "a\nb|c/+0"},
	{"\"a\"\r\n\"b\"", "a/b/+0"},
	{"\"a\"\r", "a/+0"},
	{"x,\"\",\"\"\n", "x||/+0"},
	/* faults in the opening line: the next line is the next row */
	{"a\"b,c\nd,e\n", "[B]a\"b,c/d|e/+0"},
	{"a,b\"\nx\n", "[B]a,b\"/x/+0"},
	{"\"a\"b,c\nx,y\n", "[B]\"a\"b,c/x|y/+0"},
	{"\"a\" ,c\nx,y\n", "[B]\"a\" ,c/x|y/+0"},
	{"\"a\"\rb\nx\n", "[B]\"a\"\rb/x/+0"},
	{"\"a\"\r,b\nx\n", "[B]\"a\"\r,b/x/+0"},
	{"a\"b", "[B]a\"b/+0"},
	/* faults further on: the next line of a known type is */
	{"d,\"a\nfoo\nd,x\n", "[B]d,\"a\nfoo/d|x/+0"},
	{"d,\"a\nd,x\nb,y\n", "[B]d,\"a/d|x/b|y/+0"},
	{"d,\"a\nz\"q\nrb,x\n", "[B]d,\"a\nz\"q/rb|x/+0"},
	{"d,\"a\nz\",u\"q\ntype,x\n", "[B]d,\"a\nz\",u\"q/type|x/+0"},
	{"d,\"a\nfeedback-loop,\nx\n", "[B]d,\"a/feedback-loop|/x/+0"},
	{"d,\"a\n\xef\xbb\xbftype,\nx\n", "[B]d,\"a/type|/x/+0"},
	{"d,\"a\nx,\ny\n", "[B]d,\"a\nx,\ny/+0"},
	{"d,\"a\nTQ,\ny\n", "[B]d,\"a/TQ|/y/+0"},
	{"d,\"", "[B]d,\"/+0"},
	{"d,\"\n", "[B]d,\"/+0"},
	{"d,\"a\nd,\"\nb\n", "d|a\nd,/b/+0"},
	{"d,\"a\nd,\"b\n", "[B]d,\"a/[B]d,\"b/+0"},
};

START_TEST(csv_cuts_a_finished_file_into)
{
	struct buf got;

	for (size_t cut = 0; cut < 4; cut++) {
		buf_init(&got, 1 << 16);
		read_all(slice_str(cases[_i].text), 1000, true, cut, &got);
		ck_slice(buf_slice(&got), cases[_i].want);
		buf_release(&got);
	}
}
END_TEST

static const struct {
	const char *text;
	const char *want; /* while more may follow */
} open_cases[] = {
	{"a,b\nc,d", "a|b/+3"},	   {"a,\"b\"", "+5"},
	{"a,\"b\"\r", "+6"},	   {"d,\"a\nd,x\n", "+9"},
	{"d,\"a\nz\"q\n", "+9"},   {"d,\"a\nz\"q\nd,", "[B]d,\"a\nz\"q/+2"},
	{"d,\"a\nz\"q\nd", "+10"}, {"a\"b", "+3"},
	{"a\"b\nc", "[B]a\"b/+1"}, {"\xef\xbb", "+2"},
};

START_TEST(csv_waits_in_a_file_that_grows)
{
	struct buf got;

	for (size_t cut = 0; cut < 4; cut++) {
		buf_init(&got, 1 << 16);
		read_all(slice_str(open_cases[_i].text), 1000, false, cut,
			 &got);
		ck_slice(buf_slice(&got), open_cases[_i].want);
		buf_release(&got);
	}
}
END_TEST

static const struct {
	const char *text;
	const char *want; /* with max_row 8, the same open and finished */
} small_cases[] = {
	{"abcdefg\nx\n", "abcdefg/x/+0"},
	{"abcdefgh\n", "[L]/[E]/+0"},
	{"a,\"bcdefgh\"\nx\n", "[L]/[B]gh\"/x/+0"},
	{"d,\"a\nd,xyz\nb,\n", "[B]d,\"a/d|xyz/b|/+0"},
	{"d,\"\nx\nyz\nb,\n", "[B]d,\"\nx/yz/b|/+0"},
	{"\"a\nb\",cccccc\nx\n", "[B]\"a/[L]/c/x/+0"},
	{"d,\"a\nd,\"\",\n", "[B]d,\"a/d||/+0"},
};

START_TEST(csv_decides_within_max_row)
{
	struct buf got;

	for (int final = 0; final < 2; final++) {
		for (size_t cut = 0; cut < 4; cut++) {
			buf_init(&got, 1 << 16);
			read_all(slice_str(small_cases[_i].text), 8, final, cut,
				 &got);
			ck_slice(buf_slice(&got), small_cases[_i].want);
			buf_release(&got);
		}
	}
}
END_TEST

/* One byte that is not ASCII, wherever it stands in plain and quoted fields and
 * whatever block it is in; quotes double at each place as well. */
START_TEST(csv_knows_a_row_that_is_ascii)
{
	struct csv csv;
	struct csv_row row;
	char text[260];
	size_t len = sizeof(text);

	csv_init(&csv, 1000);
	memset(text, 'x', len);
	text[9] = text[229] = ',';
	text[10] = text[228] = '"';
	text[10 + 1 + _i] = text[10 + 2 + _i] = '"';
	text[len - 1] = '\n';
	ck_assert_int_eq(csv_next(&csv, slice_of(text, len), false, &row),
			 CSV_ROW);
	ck_assert(row.ascii);
	for (size_t i = 0; i < len - 1; i++) {
		char was = text[i];

		if (was != 'x')
			continue;
		text[i] = '\x80';
		ck_assert_int_eq(
			csv_next(&csv, slice_of(text, len), false, &row),
			CSV_ROW);
		ck_assert_msg(!row.ascii, "at %zu", i);
		text[i] = was;
	}
	csv_release(&csv);
}
END_TEST

START_TEST(csv_takes_16384_fields_and_no_more)
{
	struct csv csv;
	struct csv_row row;
	struct buf text;

	csv_init(&csv, 1 << 20);
	buf_init(&text, 1 << 20);
	for (int i = 0; i < CSV_FIELDS_MAX - 1; i++)
		buf_add_char(&text, ',');
	buf_add_char(&text, '\n');
	ck_assert_int_eq(csv_next(&csv, buf_slice(&text), false, &row),
			 CSV_ROW);
	ck_assert_uint_eq(csv.count, CSV_FIELDS_MAX);
	buf_truncate(&text, text.len - 1);
	buf_add_str(&text, ",\n");
	ck_assert_int_eq(csv_next(&csv, buf_slice(&text), false, &row),
			 CSV_TOO_MANY);
	ck_assert_uint_eq(row.consumed, text.len);
	buf_release(&text);
	csv_release(&csv);
}
END_TEST

START_TEST(csv_keeps_nul_and_bytes_of_no_character)
{
	static const char text[] = "a\0b,\xff\xfe,\"c\0d\"\n";
	struct csv csv;
	struct csv_row row;

	csv_init(&csv, 1000);
	ck_assert_int_eq(
		csv_next(&csv, slice_of(text, sizeof(text) - 1), false, &row),
		CSV_ROW);
	ck_assert_uint_eq(csv.count, 3);
	ck_assert(slice_eq(csv.fields[0], SLICE("a\0b")));
	ck_assert(slice_eq(csv.fields[1], SLICE("\xff\xfe")));
	ck_assert(slice_eq(csv.fields[2], SLICE("c\0d")));
	csv_release(&csv);
}
END_TEST

START_TEST(csv_row_is_without_mark_and_line_end)
{
	struct csv csv;
	struct csv_row row;

	csv_init(&csv, 1000);
	ck_assert_int_eq(
		csv_next(&csv, SLICE("\xef\xbb\xbfx,\"y\"\r\nz"), false, &row),
		CSV_ROW);
	ck_slice(row.bytes, "x,\"y\"");
	ck_assert_uint_eq(row.lead, 3);
	ck_assert_uint_eq(row.consumed, 10);
	csv_release(&csv);
}
END_TEST

/* Lines made to be read as often as possible; a test that hangs has failed. */
static const char *const hostile[] = {
	"\"\n",	      "d,\"\n",	  "d,\"\",\"x\n", "d,\"\"x\n",
	"d,\"\"\"\n", "d,\"\n\n", "d,\"\nd,\"x",  "d,\"a\nd,\"\"\nb,\"\"\"\"\n",
};

START_TEST(csv_stays_linear_on_hostile_quotes)
{
	enum { SIZE = 16 << 20 };
	struct slice unit = slice_str(hostile[_i]);
	struct csv csv;
	struct csv_row row;
	char *text = malloc(SIZE);
	size_t at = 0;

	for (size_t i = 0; i < SIZE; i++)
		text[i] = unit.p[i % unit.len];
	csv_init(&csv, 1 << 20);
	while (at < SIZE && csv_next(&csv, slice_of(text + at, SIZE - at), true,
				     &row) != CSV_MORE)
		at += row.consumed;
	ck_assert_uint_eq(at, SIZE);
	csv_release(&csv);
	free(text);
}
END_TEST

Suite *csv_suite(void)
{
	Suite *s = suite_create("csv");
	TCase *tc = tcase_create("csv");

	tcase_add_loop_test(tc, csv_cuts_a_finished_file_into, 0, NROF(cases));
	tcase_add_loop_test(tc, csv_waits_in_a_file_that_grows, 0,
			    NROF(open_cases));
	tcase_add_loop_test(tc, csv_decides_within_max_row, 0,
			    NROF(small_cases));
	tcase_add_test(tc, csv_takes_16384_fields_and_no_more);
	tcase_add_loop_test(tc, csv_knows_a_row_that_is_ascii, 0, 200);
	tcase_add_test(tc, csv_keeps_nul_and_bytes_of_no_character);
	tcase_add_test(tc, csv_row_is_without_mark_and_line_end);
	tcase_add_loop_test(tc, csv_stays_linear_on_hostile_quotes, 0,
			    NROF(hostile));
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
