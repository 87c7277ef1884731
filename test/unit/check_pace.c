/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/pace.h"

#include "unit/check_all.h"

enum { START = 123456 };

START_TEST(pace_is_not_known_before_ten_seconds)
{
	struct pace pace = {0};

	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START, 1000);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 9999, 2000);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 10000, 3000);
	ck_assert_double_eq(pace_rate(&pace), 200);
}
END_TEST

/* The interval between notes, from many a second to one in an hour. */
static const int64_t steps_ms[] = {1,	   100,	   999,	   5000,
				   9999,   10000,  10001,  60000,
				   299999, 300000, 300001, 3600000};

START_TEST(pace_is_steady_at_any_interval)
{
	int64_t step = steps_ms[_i], t = 0;
	struct pace pace = {0};

	/* 250 events a second, and ten thousand before the first note. */
	for (int n = 0; t <= 1000000 || n < 50; n++, t += step) {
		pace_note(&pace, START + t, 10000 + (uint64_t)t / 4);
		if (t >= PACE_STEP_MS)
			ck_assert_double_eq_tol(pace_rate(&pace), 250, 0.1);
	}
}
END_TEST

/* 1000 a second for an hour, then other: what counts is five minutes. */
START_TEST(pace_forgets_after_five_minutes)
{
	struct pace pace = {0};
	uint64_t sent = 0;
	double rate;

	for (int s = 0; s <= 3600; s++)
		pace_note(&pace, START + s * 1000, sent += 1000);
	for (int s = 1; s <= 600; s++) {
		pace_note(&pace, START + (3600 + s) * 1000, sent += 10);
		rate = pace_rate(&pace);
		if (s < 290)
			ck_assert_double_eq_tol(rate, 1000 - 990.0 * s / 300,
						35);
		if (s >= 310)
			ck_assert_double_eq_tol(rate, 10, 0.01);
	}
}
END_TEST

START_TEST(pace_of_a_dead_service_is_nought)
{
	struct pace pace = {0};

	pace_note(&pace, START, 0);
	pace_note(&pace, START + 20000, 20000);
	for (int s = 21; s <= 331; s++)
		pace_note(&pace, START + s * 1000, 20000);
	ck_assert_double_eq(pace_rate(&pace), 0);
}
END_TEST

START_TEST(pace_over_a_silence_is_its_mean)
{
	struct pace pace = {0};

	pace_note(&pace, START, 0);
	pace_note(&pace, START + 10000, 50000);
	pace_note(&pace, START + 10000 + 3600000, 50000 + 36000);
	ck_assert_double_eq(pace_rate(&pace), 10);
}
END_TEST

/* A quiet night, then a million rows: the night does not count. */
START_TEST(pace_begins_again_after_idling)
{
	struct pace pace = {0};

	for (int s = 0; s < 1000; s++)
		pace_note(&pace, START + s * 1000, (uint64_t)s);
	ck_assert_double_eq(pace_rate(&pace), 1);
	pace_idle(&pace);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 1000000, 1000);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 1010000, 31000);
	ck_assert_double_eq(pace_rate(&pace), 3000);
}
END_TEST

START_TEST(pace_begins_again_when_a_count_goes_back)
{
	struct pace pace = {0};

	pace_note(&pace, START, 1000000);
	pace_note(&pace, START + 10000, 1001000);
	pace_note(&pace, START + 20000, 5);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 30000, 1005);
	ck_assert_double_eq(pace_rate(&pace), 100);
	pace_note(&pace, START, 1005);
	ck_assert_double_lt(pace_rate(&pace), 0);
	pace_note(&pace, START + 10000, 3005);
	ck_assert_double_eq(pace_rate(&pace), 200);
}
END_TEST

Suite *pace_suite(void)
{
	Suite *s = suite_create("pace");
	TCase *tc = tcase_create("pace");

	tcase_add_test(tc, pace_is_not_known_before_ten_seconds);
	tcase_add_loop_test(tc, pace_is_steady_at_any_interval, 0,
			    NROF(steps_ms));
	tcase_add_test(tc, pace_forgets_after_five_minutes);
	tcase_add_test(tc, pace_of_a_dead_service_is_nought);
	tcase_add_test(tc, pace_over_a_silence_is_its_mean);
	tcase_add_test(tc, pace_begins_again_after_idling);
	tcase_add_test(tc, pace_begins_again_when_a_count_goes_back);
	suite_add_tcase(s, tc);
	return s;
}
