/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/spool_fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_init(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

/* --- Eviction --- */

/* Sizes of the batches: 10 bytes each ("0 10 20 30" and so on). */
static void limit(uint64_t max_bytes)
{
	f.settings.max_bytes = max_bytes;
	spool_configure(f.spool, &f.settings);
}

static uint64_t bytes_waiting(void)
{
	struct spool_totals totals;

	spool_totals(f.spool, &totals);
	return totals.bytes;
}

START_TEST(room_is_not_made_where_there_is_enough)
{
	struct spool_evicted evicted;

	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(
		spool_make_room(f.spool, UINT64_MAX, f.now_s, &evicted), 0);
	limit(bytes_waiting() + 5);
	ck_assert_int_eq(spool_make_room(f.spool, 5, f.now_s, &evicted), 0);
	ck_assert_uint_eq(evicted.batches, 0);
	fixture_agrees(&f);
	ck_assert_int_eq(spool_make_room(f.spool, 6, f.now_s, &evicted), 1);
	ck_assert_uint_eq(evicted.batches, 1);
	fixture_agrees(&f);
}
END_TEST

START_TEST(room_is_made_from_the_oldest_batches)
{
	struct spool_evicted evicted;
	struct batch batch;

	fixture_open(&f);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(fixture_seal(&f, 100), 0);
		f.now_s += 10;
	}
	/* One byte too many is one batch too many. */
	limit(bytes_waiting() - 1);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 1);
	ck_assert_uint_eq(evicted.events, 100);
	ck_assert_int_eq(evicted.oldest_s, 1700000000 - 60);
	ck_assert(!evicted.expired);
	limit(bytes_waiting() / 3 + 10);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 2);
	ck_assert_uint_eq(evicted.batches, 2);
	ck_assert_uint_eq(evicted.events, 200);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 4);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.evicted_batches, 3);
	ck_assert_uint_eq(f.ledger.evicted_events, 300);
}
END_TEST

/* A batch whose newest event is of 10,000 seconds ago. */
static void seal_old(uint32_t events)
{
	f.now_s -= 10000;
	ck_assert_int_eq(fixture_seal(&f, events), 0);
	f.now_s += 10000;
}

START_TEST(room_is_made_from_expired_batches_first)
{
	struct spool_evicted evicted;
	struct batch batch;
	int64_t to_the_second;

	f.settings.max_age_s = 3600;
	fixture_open(&f);
	to_the_second = f.now_s - 10000 + 3600;
	/* Its oldest event is the oldest of all, its newest is not. */
	f.span_s = 20000;
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	f.span_s = 0;
	seal_old(110);
	ck_assert_int_eq(fixture_seal(&f, 120), 0);
	limit(bytes_waiting() - 1);
	/* It may still be sent, so it is an eviction. */
	ck_assert_int_eq(spool_make_room(f.spool, 0, to_the_second, &evicted),
			 1);
	ck_assert(!evicted.expired);
	ck_assert_uint_eq(evicted.events, 110);
	seal_old(130);
	limit(bytes_waiting() - 1);
	ck_assert_int_eq(
		spool_make_room(f.spool, 0, to_the_second + 1, &evicted), 1);
	ck_assert(evicted.expired);
	ck_assert_uint_eq(evicted.events, 130);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 1);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.expired_batches, 1);
	ck_assert_uint_eq(f.ledger.expired_events, 130);
	ck_assert_uint_eq(f.ledger.expired[EVENT_DELIVERY], 130);
	ck_assert_uint_eq(f.ledger.evicted_events, 110);
}
END_TEST

/* With on_full: pause nothing goes that could still be sent. */
START_TEST(room_is_made_by_nothing_else_with_pause)
{
	struct spool_evicted evicted;

	f.settings.max_age_s = 3600;
	f.settings.pause = true;
	fixture_open(&f);
	seal_old(110);
	ck_assert_int_eq(fixture_seal(&f, 120), 0);
	limit(1);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 1);
	ck_assert(evicted.expired);
	errno = 0;
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), -1);
	ck_assert_int_eq(errno, ENOSPC);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.evicted_events, 0);
	ck_assert_uint_eq(f.ledger.expired_events, 110);
}
END_TEST

START_TEST(room_is_never_made_from_batches_in_flight)
{
	struct spool_evicted evicted;
	struct batch first, third;

	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(spool_take(f.spool, &first), 1);
	limit(1);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 2);
	ck_assert_uint_eq(evicted.events, 200);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_uint_eq(evicted.batches, 0);
	fixture_agrees(&f);
	ck_assert_int_eq(spool_take(f.spool, &third), 0);
	ck_assert_int_eq(spool_depart(f.spool, &first, BATCH_SENT, 0), 0);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 0);
	fixture_agrees(&f);
}
END_TEST

START_TEST(room_on_the_disk_counts_what_is_about_to_be_written)
{
	struct spool_evicted evicted;
	struct spool_totals totals;

	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_seal(&f, 100), 0);
	spool_totals(f.spool, &totals);
	/* Far from both sides of what others may change meanwhile. */
	f.settings.min_free_bytes = totals.free_bytes / 2;
	spool_configure(f.spool, &f.settings);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 0);
	ck_assert_int_eq(
		spool_make_room(f.spool, totals.free_bytes, f.now_s, &evicted),
		3);
	fixture_agrees(&f);
	ck_assert_int_eq(
		spool_make_room(f.spool, totals.free_bytes, f.now_s, &evicted),
		-1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 0);
}
END_TEST

START_TEST(evicted_batches_give_their_bytes_back_at_once)
{
	struct spool_evicted evicted;
	char path[512];
	struct batch batch;
	char name[BATCH_NAME];
	struct stat st;

	f.settings.keep_sent_s = 3600;
	fixture_open(&f);
	fixture_next(&f, 100, &batch);
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	limit(1);
	ck_assert_int_eq(spool_make_room(f.spool, 0, f.now_s, &evicted), 1);
	batch.departure = BATCH_EVICTED;
	batch.departed = 1;
	batch_name(&batch, name);
	snprintf(path, sizeof(path), "%s/sent/%s", f.directory, name);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	/* Nothing of it is worth keeping, but its count until it is saved. */
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_int_eq(stat(path, &st), -1);
	fixture_agrees(&f);
}
END_TEST

/* --- sent/ --- */

START_TEST(sent_batches_are_kept_as_long_as_asked)
{
	f.settings.keep_sent_s = 3600;
	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_EXPIRED, 0), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	/* It is the time of leaving that counts, which is now. */
	spool_clean(f.spool, time(NULL) + 3500);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 2);
	fixture_reopen(&f);
	fixture_agrees(&f);
	spool_clean(f.spool, time(NULL) + 3700);
	/* The second is not in a checkpoint yet. */
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
	spool_clean(f.spool, time(NULL) + 3700);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.sent_events, 200);
}
END_TEST

START_TEST(sent_batches_that_are_kept_no_longer_go)
{
	f.settings.keep_sent_s = 3600;
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
	f.settings.keep_sent_s = 0;
	spool_configure(f.spool, &f.settings);
	spool_clean(f.spool, f.now_s);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
	fixture_agrees(&f);
}
END_TEST

/* --- The window --- */

enum { MANY = 5000, SOME = 2500 };

/* Batches as an earlier run left them; the later, the older their event. */
static void make_many(uint64_t count)
{
	struct batch batch = {.number = 1, .events = {0, 1}};
	char name[BATCH_NAME], path[BATCH_NAME + 8];
	struct buf gz;

	buf_init(&gz, 1000);
	fixture_open(&f);
	fixture_crash(&f);
	for (uint64_t i = 1; i <= count; i++) {
		/* In an order that is not that of their making. */
		batch.seq = i * 7 % count + 1;
		batch.from = (int64_t)batch.seq - 1;
		batch.to = (int64_t)batch.seq;
		batch.oldest_s = (int64_t)(100000 - batch.seq);
		batch.newest_s = batch.oldest_s;
		batch.sealed_s = 200000;
		batch.bytes = fixture_gz(&batch, &gz).len;
		batch_name(&batch, name);
		snprintf(path, sizeof(path), "ready/%s", name);
		fixture_write(&f, path, buf_str(&gz));
	}
	buf_release(&gz);
}

START_TEST(window_is_read_again_when_it_is_used_up)
{
	struct spool_totals totals;
	struct batch batch, held = {0};

	make_many(MANY);
	fixture_open(&f);
	for (uint64_t i = 1; i <= MANY; i++) {
		spool_totals(f.spool, &totals);
		ck_assert_uint_eq(totals.batches, MANY + (i > 2) - (i - 1));
		ck_assert_int_eq(totals.oldest_event_s,
				 100000 - MANY + (i > 1));
		ck_assert_int_eq(spool_take(f.spool, &batch), 1);
		ck_assert_uint_eq(batch.seq, MANY + 1 - i);
		/* One stays in flight all the time, some come back. */
		if (i == 2) {
			held = batch;
			continue;
		}
		if (i % 100 == 0) {
			spool_put_back(f.spool, &batch);
			ck_assert_int_eq(spool_take(f.spool, &batch), 1);
			ck_assert_uint_eq(batch.seq, MANY + 1 - i);
		}
		ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0),
				 0);
	}
	ck_assert_int_eq(spool_take(f.spool, &batch), 0);
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(totals.batches, 1);
	ck_assert_int_eq(totals.oldest_event_s, 100000 - MANY + 1);
	spool_put_back(f.spool, &held);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.sent_events, MANY);
}
END_TEST

START_TEST(window_hands_out_in_order_what_is_sealed_meanwhile)
{
	struct batch batch;

	make_many(SOME);
	fixture_open(&f);
	for (uint64_t i = 1; i <= SOME; i++) {
		if (i % 10 == 0)
			ck_assert_int_eq(fixture_seal(&f, 1), 0);
		ck_assert_int_eq(spool_take(f.spool, &batch), 1);
		ck_assert_uint_eq(batch.seq, SOME + 1 - i);
		ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0),
				 0);
	}
	/* Their events are young. */
	for (uint64_t i = SOME + 1; i <= SOME + SOME / 10; i++) {
		ck_assert_int_eq(spool_take(f.spool, &batch), 1);
		ck_assert_uint_eq(batch.seq, i);
		ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0),
				 0);
	}
	ck_assert_int_eq(spool_take(f.spool, &batch), 0);
	fixture_agrees(&f);
}
END_TEST

START_TEST(window_takes_back_a_full_flight_although_it_is_full)
{
	struct batch batch[64], again;

	make_many(SOME);
	fixture_open(&f);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(spool_take(f.spool, &batch[i]), 1);
	for (int i = 0; i < 64; i++)
		spool_put_back(f.spool, &batch[(i * 5) % 64]);
	for (uint64_t i = 1; i <= 2000; i++) {
		ck_assert_int_eq(spool_take(f.spool, &again), 1);
		ck_assert_uint_eq(again.seq, SOME + 1 - i);
		ck_assert_int_eq(spool_depart(f.spool, &again, BATCH_SENT, 0),
				 0);
	}
	fixture_agrees(&f);
}
END_TEST

START_TEST(window_gives_way_to_eviction_from_its_front)
{
	struct spool_evicted evicted;
	struct batch batch;
	int64_t oldest_s = INT64_MAX;
	int gone = 0, status;

	make_many(SOME);
	fixture_open(&f);
	limit(bytes_waiting() / 4);
	/* A good number at a time, so that nobody waits for all of them. */
	do {
		status = spool_make_room(f.spool, 0, f.now_s, &evicted);
		ck_assert(status >= 0 || errno == EAGAIN);
		ck_assert_uint_le(evicted.batches, 256);
		gone += (int)evicted.batches;
		if (evicted.oldest_s < oldest_s)
			oldest_s = evicted.oldest_s;
	} while (status < 0);
	ck_assert_int_gt(gone, SPOOL_WINDOW);
	ck_assert_int_lt(gone, SOME);
	ck_assert_int_eq(oldest_s, 100000 - SOME);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, (uint64_t)(SOME - gone));
	fixture_agrees(&f);
}
END_TEST

Suite *spool_room_suite(void)
{
	Suite *s = suite_create("spool_room");
	TCase *tc = tcase_create("spool_room");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, room_is_not_made_where_there_is_enough);
	tcase_add_test(tc, room_is_made_from_the_oldest_batches);
	tcase_add_test(tc, room_is_made_from_expired_batches_first);
	tcase_add_test(tc, room_is_made_by_nothing_else_with_pause);
	tcase_add_test(tc, room_is_never_made_from_batches_in_flight);
	tcase_add_test(tc, room_on_the_disk_counts_what_is_about_to_be_written);
	tcase_add_test(tc, evicted_batches_give_their_bytes_back_at_once);
	tcase_add_test(tc, sent_batches_are_kept_as_long_as_asked);
	tcase_add_test(tc, sent_batches_that_are_kept_no_longer_go);
	tcase_add_test(tc, window_is_read_again_when_it_is_used_up);
	tcase_add_test(tc, window_hands_out_in_order_what_is_sealed_meanwhile);
	tcase_add_test(tc, window_takes_back_a_full_flight_although_it_is_full);
	tcase_add_test(tc, window_gives_way_to_eviction_from_its_front);
	suite_add_tcase(s, tc);
	return s;
}
