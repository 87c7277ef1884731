/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/hints.h"

#include <stdio.h>

#include "unit/check_all.h"

static struct hints hints;

static void setup(void)
{
	hints = (struct hints){0};
}

static void teardown(void)
{
	hints_reset(&hints);
}

START_TEST(hints_keep_each_name_once_in_the_order_they_came)
{
	static const char *const came[][2] = {
		{"/a", "x"}, {"/a", "y"}, {"/a", "x"}, {"/b", "x"},
		{"/a", ""},  {"/b", "x"}, {"/a", "y"}, {"/a", ""}};
	static const size_t kept[] = {0, 1, 3, 4};

	for (size_t i = 0; i < NROF(came); i++)
		ck_assert(hints_add(&hints, came[i][0], came[i][1]));
	ck_assert_uint_eq(hints.count, NROF(kept));
	for (size_t i = 0; i < NROF(kept); i++) {
		ck_assert_str_eq(hints.list[i].directory, came[kept[i]][0]);
		ck_assert_str_eq(hints.list[i].name, came[kept[i]][1]);
	}
}
END_TEST

START_TEST(hints_tell_where_a_directory_ends)
{
	ck_assert(hints_add(&hints, "/a", "bc"));
	ck_assert(hints_add(&hints, "/ab", "c"));
	ck_assert_uint_eq(hints.count, 2);
}
END_TEST

START_TEST(hints_are_bounded_and_begin_again)
{
	char name[32];

	for (int i = 0; i < HINTS_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ck_assert(hints_add(&hints, "/a", name));
	}
	ck_assert(hints_add(&hints, "/a", "f7"));
	ck_assert(!hints_add(&hints, "/a", "one more"));
	ck_assert_uint_eq(hints.count, HINTS_MAX);
	hints_reset(&hints);
	ck_assert_uint_eq(hints.count, 0);
	ck_assert(hints_add(&hints, "/a", "f7"));
	ck_assert_str_eq(hints.list[0].name, "f7");
}
END_TEST

Suite *hints_suite(void)
{
	Suite *s = suite_create("hints");
	TCase *tc = tcase_create("hints");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hints_keep_each_name_once_in_the_order_they_came);
	tcase_add_test(tc, hints_tell_where_a_directory_ends);
	tcase_add_test(tc, hints_are_bounded_and_begin_again);
	suite_add_tcase(s, tc);
	return s;
}
