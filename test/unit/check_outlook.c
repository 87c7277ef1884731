/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/status.h"
#include "unit/check_all.h"
#include "unit/inlet.h"

/* What will be too old before it is sent is said in advance. */

static int64_t now_ms;

static void setup(void)
{
	inlet_setup();
	inlet.config->events.max_age_s = 86400;
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) INLET_ROW(2));
	now_ms = 1000;
	inlet_start(now_ms);
	intake_flush(inlet.intake);
	inlet_settle(now_ms);
	ck_assert_uint_eq(inlet_totals().events, 2);
}

static void pass(int64_t seconds)
{
	for (int64_t end = now_ms + seconds * 1000; now_ms < end;) {
		now_ms += 5000;
		inlet.now_s += 5;
		intake_step(inlet.intake, now_ms, inlet.now_s);
	}
}

static unsigned int times(const char *part)
{
	unsigned int n = 0;

	for (const char *at = inlet.said; (at = strstr(at, part)); at++)
		n++;
	return n;
}

#define FORETOLD "2 events will be too old before they can be sent"
#define OVER	 "all that waits can be sent in time again"

START_TEST(outlook_says_what_will_expire_once_and_hourly)
{
	pass(30);
	ck_assert_uint_eq(times(FORETOLD), 0);
	/* A minute of it, and the time to know that nothing is delivered. */
	pass(7 * 60);
	ck_assert_uint_eq(times(FORETOLD), 1);
	ck_assert_ptr_nonnull(
		strstr(inlet.said, "the first at 2023-11-15T22:13:20Z"));
	pass(50 * 60);
	ck_assert_uint_eq(times(FORETOLD), 1);
	pass(20 * 60);
	ck_assert_uint_eq(times(FORETOLD), 2);
}
END_TEST

START_TEST(outlook_says_when_it_is_over)
{
	struct batch batch;

	pass(8 * 60);
	ck_assert_uint_eq(times(FORETOLD), 1);
	while (spool_take(inlet.spool, &batch) == 1)
		ck_assert_int_eq(
			spool_depart(inlet.spool, &batch, BATCH_SENT, 0), 0);
	pass(10);
	ck_assert_uint_eq(times(OVER), 0);
	pass(3 * 60);
	ck_assert_uint_eq(times(OVER), 1);
	pass(60 * 60);
	ck_assert_uint_eq(times(FORETOLD), 1);
	ck_assert_uint_eq(times(OVER), 1);
}
END_TEST

START_TEST(outlook_is_in_status)
{
	struct spool_view view;
	struct forecast forecast;

	pass(7 * 60);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	ck_assert(view.running);
	ck_assert_double_eq_tol(view.checkpoint.process.rate, 0, 0.001);
	status_forecast(&view, inlet.config, inlet.now_s, &forecast);
	ck_assert_uint_eq(forecast.expiring_events, 2);
	ck_assert_int_eq(forecast.first_s, 1700000000 + 86400);
	spool_view_release(&view);
	/* Nothing that does not run delivers. */
	inlet_stop();
	view = inlet_view();
	view.checkpoint.process.rate = 1000;
	status_forecast(&view, inlet.config, inlet.now_s, &forecast);
	ck_assert_uint_eq(forecast.expiring_events, 2);
	spool_view_release(&view);
}
END_TEST

/* --- The sums of a file --- */

/* What status says when one number of a file's is another. */
static void ck_file_differs(struct spool_view *view, uint64_t *number)
{
	struct buf why;

	buf_init(&why, 4096);
	ck_assert(status_agrees(view, &why));
	++*number;
	ck_assert(!status_agrees(view, &why));
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "the events of "));
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "a.csv"));
	--*number;
	buf_release(&why);
}

START_TEST(status_holds_each_file_to_its_sum)
{
	struct spool_view view;
	struct position *at;

	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.positions_count, 1);
	at = &view.checkpoint.positions[0];
	ck_file_differs(&view, &at->fate.sent);
	ck_file_differs(&view, &at->fate.refused);
	ck_file_differs(&view, &at->fate.evicted);
	ck_file_differs(&view, &at->fate.expired);
	ck_file_differs(&view, &at->fate.healed);
	ck_file_differs(&view, &at->account.events[EVENT_DELIVERY]);
	ck_assert_uint_eq(view.waiting_count, 1);
	ck_file_differs(&view, &view.waiting[0].events);
	spool_view_release(&view);
}
END_TEST

Suite *outlook_suite(void)
{
	Suite *s = suite_create("outlook");
	TCase *tc = tcase_create("outlook");

	tcase_add_checked_fixture(tc, setup, inlet_teardown);
	tcase_add_test(tc, outlook_says_what_will_expire_once_and_hourly);
	tcase_add_test(tc, outlook_says_when_it_is_over);
	tcase_add_test(tc, outlook_is_in_status);
	tcase_add_test(tc, status_holds_each_file_to_its_sum);
	suite_add_tcase(s, tc);
	return s;
}
