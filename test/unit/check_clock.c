/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/clock.h"

#include "unit/check_all.h"

static struct clock_trust trust;
static int64_t now_s;

static enum clock_news at(int64_t date_s, int64_t uptime_s)
{
	return clock_believe(&trust, date_s, uptime_s, &now_s);
}

static void setup(void)
{
	trust = (struct clock_trust){0};
	ck_assert_int_eq(at(100000, 10), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 100000);
}

START_TEST(clock_follows_small_steps_and_sleep)
{
	ck_assert_int_eq(at(100020, 20), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 100020);
	ck_assert_int_eq(at(100030 + 290, 30), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 100320);
	/* Asleep for a day: the uptime knows. */
	ck_assert_int_eq(at(100320 + 86400, 30 + 86400), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 186720);
}
END_TEST

START_TEST(clock_goes_back_at_once)
{
	ck_assert_int_eq(at(96410, 20), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 96410);
	/* And to where it was that is a leap again. */
	ck_assert_int_eq(at(100020, 30), CLOCK_LEAPT);
	ck_assert_int_eq(now_s, 96420);
}
END_TEST

START_TEST(clock_believes_a_leap_that_stays)
{
	ck_assert_int_eq(at(186410, 20), CLOCK_LEAPT);
	ck_assert_int_eq(now_s, 100010);
	ck_assert_int_eq(at(186410 + 3599, 20 + 3599), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 100010 + 3599);
	ck_assert_int_eq(at(186410 + 3600, 20 + 3600), CLOCK_BELIEVED);
	ck_assert_int_eq(now_s, 186410 + 3600);
	ck_assert_int_eq(at(186411 + 3600, 21 + 3600), CLOCK_NO_NEWS);
}
END_TEST

START_TEST(clock_forgets_a_leap_that_is_mended)
{
	ck_assert_int_eq(at(186410, 20), CLOCK_LEAPT);
	ck_assert_int_eq(at(100090, 100), CLOCK_MENDED);
	ck_assert_int_eq(now_s, 100090);
	/* The next one begins its hour anew, and so does another leap. */
	ck_assert_int_eq(at(186490, 100), CLOCK_LEAPT);
	ck_assert_int_eq(at(186490 + 3000, 3100), CLOCK_NO_NEWS);
	ck_assert_int_eq(at(486490 + 3000, 3100), CLOCK_LEAPT);
	ck_assert_int_eq(at(486490 + 4000, 4100), CLOCK_NO_NEWS);
	ck_assert_int_eq(now_s, 104090);
}
END_TEST

Suite *clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, clock_follows_small_steps_and_sleep);
	tcase_add_test(tc, clock_goes_back_at_once);
	tcase_add_test(tc, clock_believes_a_leap_that_stays);
	tcase_add_test(tc, clock_forgets_a_leap_that_is_mended);
	suite_add_tcase(s, tc);
	return s;
}
