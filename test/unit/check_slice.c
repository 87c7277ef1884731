/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/slice.h"

#include <limits.h>
#include <stdint.h>

#include "unit/check_all.h"

static const struct slice none = {NULL, 0};

static const struct {
	const char *a, *b;
	bool eq, eq_nocase, starts, starts_nocase;
} pairs[] = {
	{"", "", true, true, true, true},
	{"a", "", false, false, true, true},
	{"", "a", false, false, false, false},
	{"Type", "type", false, true, false, true},
	{"type", "type", true, true, true, true},
	{"Types", "type", false, false, false, true},
	{"types", "type", false, false, true, true},
	/* '[' and '{' differ by the bit that makes a letter's case. */
	{"[", "{", false, false, false, false},
	{"@", "`", false, false, false, false},
	/* No locale: bytes beyond ASCII have no case. */
	{"\xc4", "\xe4", false, false, false, false},
};

START_TEST(slice_compares_with_ascii_case_only)
{
	struct slice a = slice_str(pairs[_i].a), b = slice_str(pairs[_i].b);

	ck_assert_int_eq(slice_eq(a, b), pairs[_i].eq);
	ck_assert_int_eq(slice_eq_nocase(a, b), pairs[_i].eq_nocase);
	ck_assert_int_eq(slice_starts(a, b), pairs[_i].starts);
	ck_assert_int_eq(slice_starts_nocase(a, b), pairs[_i].starts_nocase);
}
END_TEST

static const struct {
	const char *text, *before, *rest;
	size_t first, last;
} cuts[] = {
	{"a,b,c", "a", "b,c", 1, 3}, {"abc", "abc", "", 3, 3},
	{",", "", "", 0, 0},	     {"a,", "a", "", 1, 1},
	{",a", "", "a", 0, 0},	     {"", "", "", 0, 0},
};

START_TEST(slice_cut_divides_at_the_first)
{
	struct slice s = slice_str(cuts[_i].text), rest;

	ck_slice(slice_cut(s, ',', &rest), cuts[_i].before);
	ck_slice(rest, cuts[_i].rest);
	ck_assert_uint_eq(slice_find(s, ','), cuts[_i].first);
	ck_assert_uint_eq(slice_find_last(s, ','), cuts[_i].last);
}
END_TEST

/* At each place of words and of what is left, and nothing but A to Z. */
START_TEST(slice_finds_upper_case)
{
	char text[40];

	for (size_t len = 0; len <= sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		ck_assert(!slice_has_upper(slice_of(text, len)));
		for (size_t i = 0; i < len * 256; i++) {
			char c = (char)(i % 256);

			text[i / 256] = c;
			ck_assert_int_eq(slice_has_upper(slice_of(text, len)),
					 slice_lower(c) != c);
			text[i / 256] = 'z';
		}
	}
}
END_TEST

START_TEST(slice_skip_stops_at_the_end)
{
	ck_slice(slice_skip(SLICE("abc"), 0), "abc");
	ck_slice(slice_skip(SLICE("abc"), 2), "c");
	ck_slice(slice_skip(SLICE("abc"), 3), "");
	ck_slice(slice_skip(SLICE("abc"), SIZE_MAX), "");
}
END_TEST

START_TEST(slice_trim_takes_blanks_from_both_ends)
{
	ck_slice(slice_trim(SLICE(" \t\r\na b\r\n")), "a b");
	ck_slice(slice_trim(SLICE(" \r\n\t ")), "");
	ck_slice(slice_trim(SLICE("\v\fa")), "\v\fa");
	ck_slice(slice_trim(SLICE("a")), "a");
}
END_TEST

/* An empty slice may have no pointer; no function may follow it. */
START_TEST(slice_of_nothing_is_empty_everywhere)
{
	struct slice rest;

	ck_assert_uint_eq(slice_str(NULL).len, 0);
	ck_assert(slice_eq(none, SLICE("")));
	ck_assert(slice_eq_nocase(none, none));
	ck_assert(slice_starts(SLICE("a"), none));
	ck_assert(slice_starts_nocase(none, none));
	ck_assert_uint_eq(slice_skip(none, 3).len, 0);
	ck_assert_uint_eq(slice_trim(none).len, 0);
	ck_assert_uint_eq(slice_cut(none, ',', &rest).len, 0);
	ck_assert_uint_eq(rest.len, 0);
	ck_assert_uint_eq(slice_find(none, 'a'), 0);
	ck_assert_uint_eq(slice_find_last(none, 'a'), 0);
	ck_assert_int_eq(slice_compare(none, none), 0);
	ck_assert_int_lt(slice_compare(none, SLICE("a")), 0);
}
END_TEST

START_TEST(slice_compare_orders_bytes_then_length)
{
	ck_assert_int_lt(slice_compare(SLICE("ab"), SLICE("abc")), 0);
	ck_assert_int_gt(slice_compare(SLICE("abc"), SLICE("ab")), 0);
	ck_assert_int_eq(slice_compare(SLICE("ab"), SLICE("ab")), 0);
	ck_assert_int_lt(slice_compare(SLICE("abz"), SLICE("ac")), 0);
	ck_assert_int_gt(slice_compare(SLICE("\xff"), SLICE("a")), 0);
	ck_assert_int_lt(slice_compare(SLICE("a\0a"), SLICE("a\0b")), 0);
}
END_TEST

static const struct {
	const char *text;
	unsigned long long max;
	int status;
	unsigned long long value;
} numbers[] = {
	{"0", 9, 0, 0},
	{"007", 9, 0, 7},
	{"9", 9, 0, 9},
	{"10", 9, -1, 0},
	{"99", 100, 0, 99},
	{"100", 100, 0, 100},
	{"101", 100, -1, 0},
	{"18446744073709551615", ULLONG_MAX, 0, ULLONG_MAX},
	{"18446744073709551616", ULLONG_MAX, -1, 0},
	{"99999999999999999999", ULLONG_MAX, -1, 0},
	{"", 9, -1, 0},
	{"-1", 9, -1, 0},
	{"+1", 9, -1, 0},
	{" 1", 9, -1, 0},
	{"1 ", 9, -1, 0},
	{"0x1", 99, -1, 0},
	{"1.0", 99, -1, 0},
	{"\xb1", 99, -1, 0},
	{":", 99, -1, 0},
	{"/", 99, -1, 0},
};

START_TEST(slice_number_reads_digits_up_to_its_maximum)
{
	unsigned long long value = 12345;

	ck_assert_int_eq(slice_number(slice_str(numbers[_i].text),
				      numbers[_i].max, &value),
			 numbers[_i].status);
	ck_assert_uint_eq(value,
			  numbers[_i].status ? 12345 : numbers[_i].value);
}
END_TEST

Suite *slice_suite(void)
{
	Suite *s = suite_create("slice");
	TCase *tc = tcase_create("slice");

	tcase_add_loop_test(tc, slice_compares_with_ascii_case_only, 0,
			    NROF(pairs));
	tcase_add_loop_test(tc, slice_cut_divides_at_the_first, 0, NROF(cuts));
	tcase_add_test(tc, slice_finds_upper_case);
	tcase_add_test(tc, slice_skip_stops_at_the_end);
	tcase_add_test(tc, slice_trim_takes_blanks_from_both_ends);
	tcase_add_test(tc, slice_of_nothing_is_empty_everywhere);
	tcase_add_test(tc, slice_compare_orders_bytes_then_length);
	tcase_add_loop_test(tc, slice_number_reads_digits_up_to_its_maximum, 0,
			    NROF(numbers));
	suite_add_tcase(s, tc);
	return s;
}
