/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/tally.h"

#include <stdio.h>

#include "unit/check_all.h"

static void assert_sorted(const struct tally *t)
{
	for (size_t i = 1; i < t->count; i++)
		ck_assert_int_lt(
			strcmp(t->entries[i - 1].name, t->entries[i].name), 0);
}

START_TEST(tally_counts_by_name_and_keeps_them_sorted)
{
	struct tally t = {0};

	tally_add(&t, SLICE("tq"), 1);
	tally_add(&t, SLICE("rs"), 2);
	tally_add(&t, SLICE("tq"), 3);
	tally_add(&t, SLICE(""), 5);
	tally_add(&t, SLICE("never"), 0);
	ck_assert_uint_eq(t.count, 3);
	ck_assert_uint_eq(tally_get(&t, SLICE("tq")), 4);
	ck_assert_uint_eq(tally_get(&t, SLICE("rs")), 2);
	ck_assert_uint_eq(tally_get(&t, SLICE("")), 5);
	ck_assert_uint_eq(tally_get(&t, SLICE("t")), 0);
	ck_assert_uint_eq(tally_get(&t, SLICE("never")), 0);
	ck_assert_uint_eq(tally_sum(&t), 11);
	assert_sorted(&t);
	tally_release(&t);
	ck_assert_uint_eq(t.count, 0);
	ck_assert_uint_eq(tally_sum(&t), 0);
	tally_add(&t, SLICE("again"), 1);
	ck_assert_uint_eq(tally_sum(&t), 1);
	tally_release(&t);
}
END_TEST

START_TEST(tally_shares_one_entry_when_there_are_too_many_names)
{
	struct tally t = {0};

	for (int i = 0; i < TALLY_MAX + 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", (i * 7919) % 100000);
		tally_add(&t, slice_str(name), 1);
	}
	ck_assert_uint_eq(t.count, TALLY_MAX + 1);
	ck_assert_uint_eq(tally_get(&t, SLICE("(other)")), 100);
	ck_assert_uint_eq(tally_sum(&t), TALLY_MAX + 100);
	tally_add(&t, SLICE("n0"), 1);
	ck_assert_uint_eq(tally_get(&t, SLICE("n0")), 2);
	assert_sorted(&t);
	tally_release(&t);
}
END_TEST

START_TEST(tally_merge_adds_all)
{
	struct tally a = {0}, b = {0};

	tally_add(&a, SLICE("x"), 1);
	tally_add(&b, SLICE("x"), 10);
	tally_add(&b, SLICE("y"), 20);
	tally_merge(&a, &b);
	ck_assert_uint_eq(tally_get(&a, SLICE("x")), 11);
	ck_assert_uint_eq(tally_get(&a, SLICE("y")), 20);
	ck_assert_uint_eq(tally_sum(&b), 30);
	tally_release(&a);
	tally_release(&b);
}
END_TEST

START_TEST(tally_cuts_long_names)
{
	char name[TALLY_NAME + 2];
	struct tally t = {0};

	memset(name, 'a', sizeof(name));
	tally_add(&t, slice_of(name, TALLY_NAME), 1);
	tally_add(&t, slice_of(name, TALLY_NAME + 1), 1);
	tally_add(&t, slice_of(name, TALLY_NAME + 2), 1);
	ck_assert_uint_eq(t.count, 1);
	ck_assert_uint_eq(strlen(t.entries[0].name), TALLY_NAME);
	ck_assert_uint_eq(tally_get(&t, slice_of(name, TALLY_NAME + 1)), 3);
	/* A character that the cut goes through is no character any more. */
	memset(name, 'b', sizeof(name));
	memcpy(name + TALLY_NAME - 1, "\xc3\xa9", 2);
	tally_add(&t, slice_of(name, TALLY_NAME + 1), 1);
	ck_assert_int_eq(t.entries[1].name[TALLY_NAME - 1], '?');
	tally_release(&t);
}
END_TEST

static const struct {
	struct slice name;
	const char *want;
} names[] = {
	{{"a\0b", 3}, "a?b"},
	{{"\0", 1}, "?"},
	{{"\xff", 1}, "?"},
	{{"x\xc3", 2}, "x?"},
	{{"\xed\xa0\x80", 3}, "???"},
	{{"\xc3\xa9\xff", 3}, "\xc3\xa9?"},
	{{"\xc3\xa9", 2}, "\xc3\xa9"},
};

START_TEST(tally_names_are_text)
{
	struct tally t = {0};

	tally_add(&t, names[_i].name, 1);
	tally_add(&t, names[_i].name, 1);
	ck_assert_uint_eq(t.count, 1);
	ck_assert_str_eq(t.entries[0].name, names[_i].want);
	ck_assert_uint_eq(tally_get(&t, names[_i].name), 2);
	tally_release(&t);
}
END_TEST

Suite *tally_suite(void)
{
	Suite *s = suite_create("tally");
	TCase *tc = tcase_create("tally");

	tcase_add_test(tc, tally_counts_by_name_and_keeps_them_sorted);
	tcase_add_test(tc,
		       tally_shares_one_entry_when_there_are_too_many_names);
	tcase_add_test(tc, tally_merge_adds_all);
	tcase_add_test(tc, tally_cuts_long_names);
	tcase_add_loop_test(tc, tally_names_are_text, 0, NROF(names));
	suite_add_tcase(s, tc);
	return s;
}
