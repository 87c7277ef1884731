/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_view.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
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

/* --- A view while another process works --- */

enum { ROUNDS = 400 };

/* In step: 0 lets a backlog grow, 1 keeps the spool all but empty. */
static void work(int in_step)
{
	for (int i = 0; i < ROUNDS; i++) {
		int leave = in_step ? 1 : i % 4 < 3 ? 0 : 3;

		if (fixture_seal(&f, 1 + (uint32_t)i % 7) < 0)
			_exit(1);
		while (leave--) {
			if (fixture_depart(&f,
					   i % 5 ? BATCH_SENT : BATCH_EXPIRED,
					   (uint32_t)i % 2) < 0)
				_exit(2);
		}
		if (i % 3 == 0 && fixture_save(&f) < 0)
			_exit(3);
	}
	_exit(0);
}

static void assert_view_agrees(uint64_t *made_before)
{
	const struct ledger *ledger;
	struct spool_view view;
	uint64_t made;

	fixture_view(&f, &view);
	ledger = &view.checkpoint.ledger;
	made = account_events(&ledger->account);
	ck_assert_uint_eq(made, view.totals.events + fixture_left(ledger));
	ck_assert(account_agrees(&ledger->account));
	ck_assert_uint_ge(made, *made_before);
	ck_assert(view.has_checkpoint);
	ck_assert(!view.damaged);
	*made_before = made;
	spool_view_release(&view);
}

START_TEST(view_agrees_with_itself_while_another_process_works)
{
	uint64_t made = 0, expected = 0;
	int views = 0, status = 0;
	pid_t pid;

	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 1), 0);
	fixture_crash(&f);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		fixture_open(&f);
		work(_i);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		assert_view_agrees(&made);
		views++;
	}
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	assert_view_agrees(&made);
	for (int i = 0; i < ROUNDS; i++)
		expected += 1 + (uint64_t)i % 7;
	ck_assert_uint_eq(made, expected + 1);
	ck_assert_int_gt(views, 3);
	fixture_open(&f);
	fixture_agrees(&f);
}
END_TEST

START_TEST(view_counts_what_left_and_is_not_settled)
{
	struct spool_view view;

	f.settings.keep_sent_s = 1000;
	fixture_open(&f);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 2), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_EXPIRED, 0), 0);
	fixture_view(&f, &view);
	ck_assert_uint_eq(view.checkpoint.departures, 2);
	ck_assert_uint_eq(view.checkpoint.seq, 4);
	ck_assert_uint_eq(view.checkpoint.ledger.sent_events, 8);
	ck_assert_uint_eq(view.checkpoint.ledger.refused_events, 2);
	ck_assert_uint_eq(view.checkpoint.ledger.expired_events, 10);
	ck_assert_uint_eq(view.totals.batches, 2);
	ck_assert_uint_eq(view.totals.events, 20);
	ck_assert_uint_eq(view.batches_kept, 2);
	ck_assert_uint_eq(view.checkpoint.positions_count, 1);
	spool_view_release(&view);
}
END_TEST

/* Two left together and the power went, so that only the second has left; the
 * start was cut off while it saved that.  One number is no batch's. */
START_TEST(view_agrees_where_a_number_is_missing)
{
	struct batch batch[2];
	struct spool_departure leaving[2];
	struct spool_view view;
	struct buf text;
	char ready[1024], sent[1024], name[BATCH_NAME];

	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(spool_take(f.spool, &batch[i]), 1);
		leaving[i] = (struct spool_departure){&batch[i], BATCH_SENT, 0};
	}
	ck_assert_int_eq(spool_depart_all(f.spool, leaving, 2), 0);
	batch_name(&batch[0], name);
	snprintf(ready, sizeof(ready), "%s/ready/%s", f.directory, name);
	batch[0].departure = BATCH_SENT;
	batch[0].departed = 1;
	batch_name(&batch[0], name);
	snprintf(sent, sizeof(sent), "%s/sent/%s", f.directory, name);
	ck_assert_int_eq(rename(sent, ready), 0);
	buf_init(&text, 1 << 20);
	fixture_read(&f, "checkpoint.json", &text);
	*((char *)strstr(buf_str(&text), "\"departures\":\"0\"") +
	  strlen("\"departures\":\"")) = '2';
	fixture_write(&f, "checkpoint.next", buf_str(&text));
	fixture_view(&f, &view);
	ck_assert_uint_eq(view.totals.batches, 2);
	ck_assert_uint_eq(view.checkpoint.ledger.sent_events, 10);
	spool_view_release(&view);
	buf_release(&text);
}
END_TEST

/* --- Two threads --- */

static atomic_bool sealed_all, went_wrong;
static atomic_int woken;

static void on_wake(void *ctx)
{
	(void)ctx;
	woken++;
}

static void *seal_many(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < 400; i++) {
		struct spool_evicted evicted;

		if (fixture_seal(&f, 1 + (uint32_t)i % 9) < 0)
			went_wrong = true;
		if (i % 5 == 0 && spool_unsettled(f.spool) &&
		    fixture_save(&f) < 0)
			went_wrong = true;
		if (i % 50 == 0)
			spool_make_room(f.spool, 100, f.now_s, &evicted);
		if (i % 100 == 0)
			spool_configure(f.spool, &f.settings);
	}
	sealed_all = true;
	return NULL;
}

/* Takes a few, lets most of them go, puts some back. */
static int deliver_some(int round)
{
	struct batch batch[4];
	int n = 0;

	while (n < 4 && spool_take(f.spool, &batch[n]) == 1)
		n++;
	for (int i = 0; i < n; i++) {
		int fd = spool_open_batch(f.spool, &batch[i]);

		if (fd < 0 || close(fd) < 0)
			went_wrong = true;
		if ((round + i) % 3 == 0 && !sealed_all)
			spool_put_back(f.spool, &batch[i]);
		else if (spool_depart(f.spool, &batch[i],
				      round % 4 ? BATCH_SENT : BATCH_REFUSED,
				      0) < 0)
			went_wrong = true;
	}
	return n;
}

static void *deliver_all(void *ctx)
{
	(void)ctx;
	for (int round = 0;; round++) {
		bool last = sealed_all;

		if (!deliver_some(round) && last)
			return NULL;
		if (round % 20 == 0)
			spool_clean(f.spool, f.now_s);
	}
}

START_TEST(spool_serves_a_sealing_and_a_delivering_thread)
{
	pthread_t sealer, deliverer;
	struct spool_totals totals;
	uint64_t before = 0;

	f.settings.max_bytes = 300;
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 1), 0);
	spool_on_seal(f.spool, on_wake, NULL);
	spool_on_depart(f.spool, on_wake, NULL);
	ck_assert_int_eq(pthread_create(&sealer, NULL, seal_many, NULL), 0);
	ck_assert_int_eq(pthread_create(&deliverer, NULL, deliver_all, NULL),
			 0);
	while (!sealed_all) {
		spool_totals(f.spool, &totals);
		assert_view_agrees(&before);
	}
	pthread_join(sealer, NULL);
	pthread_join(deliverer, NULL);
	ck_assert(!went_wrong);
	ck_assert_int_gt(woken, 400);
	fixture_agrees(&f);
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(totals.batches, 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	fixture_reopen(&f);
	fixture_agrees(&f);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
}
END_TEST

Suite *spool_view_suite(void)
{
	Suite *s = suite_create("spool_view");
	TCase *tc = tcase_create("spool_view");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(
		tc, view_agrees_with_itself_while_another_process_works, 0, 2);
	tcase_add_test(tc, view_counts_what_left_and_is_not_settled);
	tcase_add_test(tc, view_agrees_where_a_number_is_missing);
	tcase_add_test(tc, spool_serves_a_sealing_and_a_delivering_thread);
	suite_add_tcase(s, tc);
	return s;
}
