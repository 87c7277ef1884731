/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/ledger.h"

#include "spool/checkpoint.h"
#include "unit/check_all.h"

static struct ledger ledger;
static struct buf why;

static void setup(void)
{
	ledger = (struct ledger){0};
	buf_init(&why, 1000);
}

static void teardown(void)
{
	ledger_release(&ledger);
	buf_release(&why);
}

/* Ten bytes make ten events. */
static struct batch batch_of(uint64_t number, int64_t from)
{
	return (struct batch){.seq = (uint64_t)from / 10 + 1,
			      .number = number,
			      .from = from,
			      .to = from + 10,
			      .events = {2, 8},
			      .bytes = 100,
			      .oldest_s = from,
			      .newest_s = from + 9};
}

static void leave(uint64_t number, int64_t from, enum batch_departure why_not,
		  uint32_t refused)
{
	struct batch batch = batch_of(number, from);

	ledger_made(&ledger, &batch);
	batch.departure = why_not;
	batch.refused = refused;
	ledger_depart(&ledger, &batch);
}

START_TEST(ledger_has_one_account_for_each_departure)
{
	struct position_credit *file;

	leave(1, 0, BATCH_SENT, 3);
	leave(1, 10, BATCH_REFUSED, 10);
	leave(1, 20, BATCH_EVICTED, 0);
	leave(1, 30, BATCH_EXPIRED, 0);
	ck_assert_msg(ledger_agrees(&ledger, 0, &why), "%s", buf_str(&why));
	ck_assert(!ledger_agrees(&ledger, 1, &why));
	ck_assert_str_eq(buf_str(&why),
			 "40 events were made, 41 are accounted for");
	ck_assert_uint_eq(ledger.sent_events, 7);
	ck_assert_uint_eq(ledger.refused_events, 13);
	ck_assert_uint_eq(ledger.evicted_events, 10);
	ck_assert_uint_eq(ledger.expired[EVENT_RECEPTION], 2);
	ck_assert_uint_eq(ledger.expired[EVENT_DELIVERY], 8);
	ck_assert_uint_eq(ledger.gaps.count, 1);
	ck_assert_uint_eq(ledger.files_count, 1);
	file = ledger_of_file(&ledger, 1);
	ck_assert_uint_eq(file->events[EVENT_DELIVERY], 32);
	ck_assert_uint_eq(file->fate.sent, 7);
	ck_assert_uint_eq(file->fate.refused, 13);
	ck_assert_uint_eq(file->fate.evicted, 10);
	ck_assert_uint_eq(file->fate.expired, 10);
}
END_TEST

static void heal(int64_t to, uint64_t made, uint64_t repeats)
{
	struct batch_edge edge = {0, false};
	struct gaps_read read = {made, repeats, 0};
	struct gaps_outcome outcome =
		gaps_move(&ledger.gaps, 0, to, &edge, &read);

	ledger.healed_events += outcome.healed;
	ledger.lapsed_events += outcome.lapsed;
	ledger.repeated_events += (uint64_t)outcome.repeated;
}

START_TEST(ledger_agrees_through_healing)
{
	leave(1, 0, BATCH_EVICTED, 0);
	leave(1, 10, BATCH_EVICTED, 0);
	/* The first half is made again and waits, one event is repeated. */
	heal(10, 9, 1);
	ck_assert_uint_eq(ledger.repeated_events, 1);
	ck_assert(ledger_agrees(&ledger, 9, &why));
	heal(20, 9, 0);
	ck_assert_uint_eq(ledger.repeated_events, 0);
	ck_assert(ledger_agrees(&ledger, 18, &why));
	ck_assert_uint_eq(ledger.lapsed_events, 2);
	ck_assert(ledger_agrees(&ledger, 18, &why));
	ledger.lapsed_events--;
	ck_assert(!ledger_agrees(&ledger, 18, &why));
	ck_assert_str_eq(buf_str(&why), "20 events were evicted, 19 are "
					"healed, in gaps, or given up");
}
END_TEST

START_TEST(ledger_adds_up)
{
	struct ledger sum = {0}, copy = {0};

	leave(1, 0, BATCH_EVICTED, 0);
	leave(2, 0, BATCH_SENT, 0);
	ledger_merge(&sum, &ledger);
	ledger_release(&ledger);
	leave(1, 10, BATCH_EVICTED, 0);
	ledger_merge(&sum, &ledger);
	ledger_copy(&copy, &sum);
	/* They share nothing. */
	ledger_release(&sum);
	ck_assert(ledger_agrees(&copy, 0, &why));
	ck_assert_uint_eq(copy.gaps.count, 1);
	ck_assert_int_eq(copy.gaps.items[0].to, 20);
	ck_assert_uint_eq(copy.files_count, 2);
	ck_assert_uint_eq(ledger_of_file(&copy, 1)->fate.evicted, 20);
	ck_assert_uint_eq(ledger_of_file(&copy, 2)->fate.sent, 10);
	ledger_release(&copy);
}
END_TEST

START_TEST(ledger_of_an_unknown_source_has_no_gap)
{
	leave(0, 0, BATCH_EVICTED, 0);
	ck_assert_uint_eq(ledger.gaps.count, 0);
	ck_assert_uint_eq(ledger.unreadable_events, 10);
	ck_assert(ledger_agrees(&ledger, 0, &why));
}
END_TEST

START_TEST(checkpoint_credits_positions_by_their_number)
{
	struct position positions[3];
	struct checkpoint checkpoint = {.positions = positions,
					.positions_count = 3};

	for (uint64_t i = 0; i < 3; i++) {
		position_init(&positions[i]);
		positions[i].number = 30 - i * 10;
	}
	leave(10, 0, BATCH_SENT, 1);
	leave(30, 0, BATCH_EVICTED, 0);
	leave(7, 0, BATCH_SENT, 0);
	checkpoint.ledger = ledger;
	checkpoint_credit(&checkpoint);
	ck_assert_uint_eq(positions[0].fate.evicted, 10);
	ck_assert_uint_eq(positions[1].fate.sent, 0);
	ck_assert_uint_eq(positions[2].fate.sent, 9);
	ck_assert_uint_eq(positions[2].fate.refused, 1);
	ck_assert_uint_eq(positions[2].account.events[EVENT_DELIVERY], 8);
	/* Nobody has that number: it stays. */
	ck_assert_uint_eq(checkpoint.ledger.files_count, 1);
	ck_assert_uint_eq(checkpoint.ledger.files[0].number, 7);
	ledger = checkpoint.ledger;
}
END_TEST

Suite *ledger_suite(void)
{
	Suite *s = suite_create("ledger");
	TCase *tc = tcase_create("ledger");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ledger_has_one_account_for_each_departure);
	tcase_add_test(tc, ledger_agrees_through_healing);
	tcase_add_test(tc, ledger_adds_up);
	tcase_add_test(tc, ledger_of_an_unknown_source_has_no_gap);
	tcase_add_test(tc, checkpoint_credits_positions_by_their_number);
	suite_add_tcase(s, tc);
	return s;
}
