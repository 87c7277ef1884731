/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/backoff.h"

#include "unit/check_all.h"

static const struct {
	int64_t min_ms, max_ms;
	int64_t ceilings[8]; /* of the first failures in a row; 0: no more */
} rows[] = {
	{1000, 300000, {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000}},
	{1000, 5000, {1000, 2000, 4000, 5000, 5000, 5000}},
	{1000, 1000, {1000, 1000}},
	{1000, 10, {1000, 1000}}, /* the minimum wins */
	{0, 0, {1, 1}},
	{-5, 3, {1, 2, 3, 3}},
	{INT64_MAX, INT64_MAX, {INT64_MAX, INT64_MAX}},
	{INT64_MAX / 2 + 1, INT64_MAX, {INT64_MAX / 2 + 1, INT64_MAX}},
};

static int64_t floor_of(int64_t ceiling)
{
	return ceiling < 10 ? 1 : ceiling / 10;
}

/* What the n-th failure in a row answers with this randomness. */
static int64_t wait_of(size_t row, int nth, uint64_t random)
{
	struct backoff backoff;

	backoff_init(&backoff, rows[row].min_ms, rows[row].max_ms);
	for (int i = 0; i < nth; i++)
		backoff_fail(&backoff, 4711);
	return backoff_fail(&backoff, random);
}

START_TEST(backoff_uses_all_from_a_tenth_to_the_ceiling)
{
	for (int nth = 0; nth < 8 && rows[_i].ceilings[nth]; nth++) {
		int64_t ceiling = rows[_i].ceilings[nth];
		int64_t lowest = floor_of(ceiling);
		uint64_t span = (uint64_t)(ceiling - lowest);

		ck_assert_int_eq(wait_of((size_t)_i, nth, 0), lowest);
		ck_assert_int_eq(wait_of((size_t)_i, nth, span), ceiling);
		ck_assert_int_eq(wait_of((size_t)_i, nth, span + 1), lowest);
		ck_assert_int_ge(wait_of((size_t)_i, nth, UINT64_MAX), lowest);
		ck_assert_int_le(wait_of((size_t)_i, nth, UINT64_MAX), ceiling);
	}
}
END_TEST

START_TEST(backoff_stays_at_the_maximum_for_ever)
{
	struct backoff backoff;

	backoff_init(&backoff, 1000, 300000);
	for (uint64_t i = 0; i < 10000; i++) {
		int64_t wait = backoff_fail(&backoff, i * 7919);

		ck_assert_int_ge(wait, 100);
		ck_assert_int_le(wait, 300000);
		if (i > 9)
			ck_assert_int_ge(wait, 30000);
	}
}
END_TEST

START_TEST(backoff_begins_again_after_a_success)
{
	struct backoff backoff;

	backoff_init(&backoff, 1000, 300000);
	for (int i = 0; i < 20; i++)
		backoff_fail(&backoff, 1);
	ck_assert_int_gt(backoff_fail(&backoff, 0), 1000);
	backoff_reset(&backoff);
	ck_assert_int_eq(backoff_fail(&backoff, 900), 1000);
	ck_assert_int_eq(backoff_fail(&backoff, 1800), 2000);
}
END_TEST

Suite *backoff_suite(void)
{
	Suite *s = suite_create("backoff");
	TCase *tc = tcase_create("backoff");

	tcase_add_loop_test(tc, backoff_uses_all_from_a_tenth_to_the_ceiling, 0,
			    NROF(rows));
	tcase_add_test(tc, backoff_stays_at_the_maximum_for_ever);
	tcase_add_test(tc, backoff_begins_again_after_a_success);
	suite_add_tcase(s, tc);
	return s;
}
