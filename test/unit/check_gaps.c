/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/gaps.h"

#include "unit/check_all.h"

static struct gaps gaps;

static struct gap make(uint64_t number, int64_t from, int64_t to)
{
	return (struct gap){.number = number,
			    .source = {1, number, 10, 7},
			    .from = from,
			    .to = to,
			    .before = {from ? 0 : -1, false},
			    .events = (uint64_t)(to - from),
			    .bytes = 3,
			    .oldest_s = from + 1000,
			    .newest_s = to + 1000};
}

static void add(uint64_t number, int64_t from, int64_t to)
{
	struct gap gap = make(number, from, to);

	ck_assert_uint_eq(gaps_add(&gaps, &gap), 0);
}

static struct gaps_outcome move(int64_t to, const struct batch_edge *edge,
				uint64_t made, uint64_t repeats,
				uint64_t expired)
{
	struct gaps_read read = {made, repeats, expired};

	return gaps_move(&gaps, 0, to, edge, &read);
}

static void teardown(void)
{
	gaps_release(&gaps);
}

START_TEST(gaps_that_touch_are_one)
{
	add(1, 20, 30);
	add(2, 30, 40); /* another file */
	add(1, 40, 50);
	ck_assert_uint_eq(gaps.count, 3);
	add(1, 30, 40);
	ck_assert_uint_eq(gaps.count, 2);
	ck_assert_int_eq(gaps.items[0].from, 20);
	ck_assert_int_eq(gaps.items[0].to, 50);
	ck_assert_uint_eq(gaps.items[0].events, 30);
	ck_assert_uint_eq(gaps.items[0].bytes, 9);
	ck_assert_int_eq(gaps.items[0].oldest_s, 1020);
	ck_assert_int_eq(gaps.items[0].newest_s, 1050);
	add(1, 10, 20);
	ck_assert_uint_eq(gaps.count, 2);
	ck_assert_int_eq(gaps.items[0].from, 10);
	ck_assert_uint_eq(gaps_events(&gaps), 50);
}
END_TEST

START_TEST(gaps_know_their_edge_after_a_part)
{
	struct batch_edge edge = {17, true};
	struct gaps_outcome outcome;

	add(1, 0, 100);
	outcome = move(40, &edge, 30, 0, 0);
	ck_assert_uint_eq(outcome.healed, 30);
	ck_assert_uint_eq(outcome.lapsed, 0);
	ck_assert_int_eq(gaps.items[0].from, 40);
	ck_assert_int_eq(gaps.items[0].before.header_offset, 17);
	ck_assert(gaps.items[0].before.skipping);
	ck_assert_uint_eq(gaps.items[0].events, 70);
	outcome = move(100, &edge, 50, 0, 0);
	ck_assert_uint_eq(outcome.healed, 50);
	ck_assert_uint_eq(outcome.lapsed, 20);
	ck_assert_uint_eq(gaps.count, 0);
}
END_TEST

START_TEST(gaps_heal_no_more_than_is_missing)
{
	struct batch_edge edge = {0, false};
	struct gaps_outcome outcome;

	add(1, 0, 10);
	outcome = move(10, &edge, 12, 0, 0);
	ck_assert_uint_eq(outcome.healed, 10);
	ck_assert_uint_eq(outcome.lapsed, 0);
	ck_assert_int_eq(outcome.repeated, 2);
}
END_TEST

/* What is repeated stands for what was evicted twice, but hides no loss. */
START_TEST(gaps_know_what_was_repeated)
{
	struct batch_edge edge = {0, false};
	struct gaps_outcome outcome;

	/* Two batches had an injection each, read now in two other pieces. */
	add(1, 0, 12);
	outcome = move(6, &edge, 8, 2, 0);
	ck_assert_uint_eq(outcome.healed, 6);
	ck_assert_int_eq(outcome.repeated, 2);
	outcome = move(12, &edge, 4, 0, 0);
	ck_assert_uint_eq(outcome.healed, 6);
	ck_assert_int_eq(outcome.repeated, -2);
	ck_assert_uint_eq(outcome.lapsed, 0);
	/* The rest of the next is too old, in part and as a whole. */
	add(1, 0, 12);
	outcome = move(6, &edge, 8, 2, 0);
	outcome = move(12, &edge, 0, 0, 6);
	ck_assert_uint_eq(outcome.healed, 0);
	ck_assert_uint_eq(outcome.lapsed, 6);
	add(1, 0, 12);
	outcome = move(6, &edge, 8, 2, 0);
	ck_assert_uint_eq(gaps_drop(&gaps, 0), 6);
}
END_TEST

START_TEST(gaps_go_oldest_first_and_not_before_their_time)
{
	add(1, 50, 60);
	add(2, 20, 30);
	add(3, 30, 40);
	ck_assert_int_eq(gaps_next(&gaps, 0), 1);
	gaps.items[1].retry_ms = 100;
	ck_assert_int_eq(gaps_next(&gaps, 99), 2);
	ck_assert_int_eq(gaps_next(&gaps, 100), 1);
	ck_assert_int_eq(gaps_due_ms(&gaps), 0);
	gaps.items[0].retry_ms = 70;
	gaps.items[2].retry_ms = 80;
	ck_assert_int_eq(gaps_next(&gaps, 69), -1);
	ck_assert_int_eq(gaps_due_ms(&gaps), 70);
	teardown();
	ck_assert_int_eq(gaps_due_ms(&gaps), INT64_MAX);
}
END_TEST

START_TEST(gaps_are_dropped_by_age)
{
	uint64_t gone;

	add(1, 0, 10);	/* newest 1010 */
	add(2, 20, 30); /* 1030 */
	add(2, 100, 90 + 20);
	ck_assert_uint_eq(gaps_drop_older(&gaps, 1010, &gone), 0);
	ck_assert_uint_eq(gaps_drop_older(&gaps, 1011, &gone), 10);
	ck_assert_uint_eq(gone, 0);
	gaps.items[0].gone = true;
	ck_assert_uint_eq(gaps_drop_older(&gaps, 9999, &gone), 10);
	ck_assert_uint_eq(gone, 10);
	ck_assert_uint_eq(gaps.count, 0);
}
END_TEST

START_TEST(gaps_are_bounded)
{
	struct gap gap;

	for (int i = 0; i < GAPS_MAX; i++)
		add((uint64_t)i + 1, 5, 6);
	gap = make(GAPS_MAX + 5, 5, 9);
	ck_assert_uint_eq(gaps_add(&gaps, &gap), 4);
	ck_assert_uint_eq(gaps.count, GAPS_MAX);
	/* One that touches finds its place all the same. */
	add(7, 6, 8);
	/* Nobody's. */
	gap.number = 0;
	gaps_release(&gaps);
	ck_assert_uint_eq(gaps_add(&gaps, &gap), 4);
}
END_TEST

Suite *gaps_suite(void)
{
	Suite *s = suite_create("gaps");
	TCase *tc = tcase_create("gaps");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, gaps_that_touch_are_one);
	tcase_add_test(tc, gaps_know_their_edge_after_a_part);
	tcase_add_test(tc, gaps_heal_no_more_than_is_missing);
	tcase_add_test(tc, gaps_know_what_was_repeated);
	tcase_add_test(tc, gaps_go_oldest_first_and_not_before_their_time);
	tcase_add_test(tc, gaps_are_dropped_by_age);
	tcase_add_test(tc, gaps_are_bounded);
	suite_add_tcase(s, tc);
	return s;
}
