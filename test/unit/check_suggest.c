/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/suggest.h"

#include "unit/check_all.h"

static const struct {
	const char *a, *b;
	size_t distance;
} pairs[] = {
	{"", "", 0},
	{"", "abc", 3},
	{"abc", "", 3},
	{"abc", "abc", 0},
	{"ABC", "abc", 0},
	{"abc", "abd", 1},
	{"abc", "ab", 1},
	{"abc", "abcd", 1},
	{"abc", "acb", 1},
	{"ca", "abc", 3},
	{"kitten", "sitting", 3},
	{"timoeut", "timeout", 1},
	{"conections", "connections", 1},
};

START_TEST(distance_counts_edits_and_swaps)
{
	struct slice a = slice_str(pairs[_i].a), b = slice_str(pairs[_i].b);

	ck_assert_uint_eq(suggest_distance(a, b), pairs[_i].distance);
	ck_assert_uint_eq(suggest_distance(b, a), pairs[_i].distance);
}
END_TEST

static const char *const names[] = {"url",	 "timeout",   "connections",
				    "retry_min", "retry_max", "path",
				    "ship"};

static const struct {
	const char *word, *best;
} words[] = {
	{"conections", "connections"},
	{"CONNECTIONS", "connections"},
	{"connection", "connections"},
	{"cnnctns", NULL}, /* four edits away */
	{"uri", "url"},
	{"urls", "url"},
	{"uralt", NULL}, /* two edits in five characters */
	{"rtery_min", "retry_min"},
	{"retry_mix", "retry_min"}, /* as near as retry_max: the first */
	{"retry", NULL},
	{"xyz", NULL},
	{"a", NULL},
	{"", NULL},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaa",
	 NULL},
};

START_TEST(only_a_close_name_is_suggested)
{
	struct suggest s = suggest_for(slice_str(words[_i].word));

	for (size_t i = 0; i < NROF(names); i++)
		suggest_try(&s, names[i]);
	if (words[_i].best)
		ck_assert_pstr_eq(s.best, words[_i].best);
	else
		ck_assert_ptr_null(s.best);
}
END_TEST

START_TEST(one_letter_is_no_suggestion_for_another)
{
	struct suggest s = suggest_for(SLICE("x"));

	suggest_try(&s, "y");
	ck_assert_ptr_null(s.best);
}
END_TEST

START_TEST(word_of_the_full_length_fits_the_table)
{
	char a[SUGGEST_LEN + 1], b[SUGGEST_LEN + 1];

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	ck_assert_uint_eq(suggest_distance(slice_of(a, SUGGEST_LEN),
					   slice_of(b, SUGGEST_LEN)),
			  SUGGEST_LEN);
	ck_assert_uint_eq(suggest_distance(slice_of(a, SUGGEST_LEN + 1),
					   slice_of(a, SUGGEST_LEN + 1)),
			  SUGGEST_LEN);
}
END_TEST

Suite *suggest_suite(void)
{
	Suite *s = suite_create("suggest");
	TCase *tc = tcase_create("suggest");

	tcase_add_loop_test(tc, distance_counts_edits_and_swaps, 0,
			    NROF(pairs));
	tcase_add_loop_test(tc, only_a_close_name_is_suggested, 0, NROF(words));
	tcase_add_test(tc, one_letter_is_no_suggestion_for_another);
	tcase_add_test(tc, word_of_the_full_length_fits_the_table);
	suite_add_tcase(s, tc);
	return s;
}
