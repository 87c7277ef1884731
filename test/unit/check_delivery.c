/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/canned.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/scripted.h"

/* --- The table --- */

static const struct {
	int status;
	const char *body; /* NULL: an error of the service */
	enum delivery_phase phase;
	int64_t least_ms, most_ms;
	bool key_refused;
	const char *said; /* NULL: nothing */
} table[] = {
	{0, NULL, DELIVERY_WAITING, 100, 1000, false,
	 "delivery: no answer: Connection reset by peer: next try in "},
	{200, "<html>log in</html>", DELIVERY_WAITING, 100, 1000, false,
	 "delivery: answer is not the service's: status 200: <html>log in"},
	{200, "{}", DELIVERY_WAITING, 100, 1000, false,
	 "delivery: answer is not the service's: status 200: {}: next"},
	{302, "", DELIVERY_KEY_REFUSED, 300000, 300000, false,
	 "delivery: request refused: status 302: : check ingest.url: next try "
	 "in 300.0 s"},
	{400, "{\"errors\":[{\"code\":1502}]}", DELIVERY_WAITING, 100, 1000,
	 false, "delivery: service unavailable: status 400: "},
	{401, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, true,
	 "delivery: API key refused: status 401: No: ...@example.test is 401: "
	 "next try in 300.0 s"},
	{403, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, true,
	 "delivery: API key refused: status 403: "},
	{404, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, false,
	 "delivery: request refused: status 404: "},
	{405, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, false,
	 "delivery: request refused: status 405: "},
	{406, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, false,
	 "delivery: request refused: status 406: "},
	{408, NULL, DELIVERY_WAITING, 100, 1000, false,
	 "delivery: service unavailable: status 408: "},
	{409, NULL, DELIVERY_WAITING, 100, 1000, false,
	 "delivery: service unavailable: status 409: "},
	{415, NULL, DELIVERY_KEY_REFUSED, 300000, 300000, false,
	 "delivery: request refused: status 415: "},
	{420, NULL, DELIVERY_WAITING, 1000, 2000, false, NULL},
	{429, NULL, DELIVERY_WAITING, 1000, 2000, false, NULL},
	{500, NULL, DELIVERY_WAITING, 100, 1000, false,
	 "delivery: service unavailable: status 500: No: ...@example.test"},
	{503, NULL, DELIVERY_WAITING, 100, 1000, false,
	 "delivery: service unavailable: status 503: "},
};

START_TEST(delivery_keeps_the_batch_and_waits_as_the_table_says)
{
	struct delivery_state state;
	int64_t wait_ms;

	scripted_seal("gg");
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 1);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_SENDING);
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	if (table[_i].body)
		scripted_answer_with(0, table[_i].status, table[_i].body);
	else
		scripted_answer(0, table[_i].status);
	wait_ms = scripted_step(0);
	state = scripted_state();
	ck_assert_int_ge(wait_ms, table[_i].least_ms);
	ck_assert_int_le(wait_ms, table[_i].most_ms);
	ck_assert_int_eq(state.phase, table[_i].phase);
	ck_assert_int_eq(state.key_refused, table[_i].key_refused);
	ck_assert_uint_eq(state.in_flight, 0);
	ck_assert_uint_eq(state.failures, 1);
	ck_assert_int_eq(state.next_try_s,
			 scripted.now_s + (wait_ms + 999) / 1000);
	ck_assert_uint_gt(strlen(state.last_error), 0);
	ck_assert_ptr_null(strstr(state.last_error, "joe"));
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 1);
	if (table[_i].said)
		ck_said(table[_i].said);
	/* Not a millisecond too early, and then the same bytes again. */
	scripted_step(wait_ms - 1);
	ck_assert_uint_eq(scripted.posted, 1);
	scripted_step(1);
	ck_assert_uint_eq(scripted.posted, 2);
	ck_assert(slice_eq(buf_slice(&scripted.posts[0].text),
			   buf_slice(&scripted.posts[1].text)));
	scripted_answer(1, 200);
	scripted_step(0);
	state = scripted_state();
	ck_assert_int_eq(state.phase, DELIVERY_IDLE);
	ck_assert_int_eq(state.last_success_s, scripted.now_s);
	ck_assert_int_eq(state.next_try_s, 0);
	ck_assert(!state.key_refused);
	ck_assert_str_eq(state.last_error, "");
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
	ck_assert_uint_eq(scripted_ledger().sent_events, 2);
	if (table[_i].said)
		ck_said("delivery: uploads work again: 1 failures in ");
}
END_TEST

START_TEST(delivery_names_a_certificate_that_does_not_hold)
{
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(0, 0);
	scripted.posts[0].tls = true;
	ck_assert_int_le(scripted_step(0), 1000);
	ck_said("delivery: certificate not trusted: Connection reset by peer");
}
END_TEST

static const struct {
	int status;
	int64_t retry_after_s, least_ms, most_ms;
} waits[] = {
	{429, 7, 7000, 7000},		{420, 7, 7000, 7000},
	{429, 0, 1000, 2000},		{429, 1, 1000, 2000},
	{503, 100, 100000, 100000},	{503, 0, 100, 1000},
	{200, 100, 100000, 100000},	{503, 3600, 3600000, 3600000},
	{503, 86400, 3600000, 3600000}, {401, 1, 300000, 300000},
	{401, 86400, 300000, 300000},
};

START_TEST(delivery_honours_retry_after)
{
	int64_t wait_ms;

	scripted_seal("g");
	scripted_step(0);
	scripted_answer_with(0, waits[_i].status, "{}");
	scripted.posts[0].retry_after_s = waits[_i].retry_after_s;
	wait_ms = scripted_step(0);
	ck_assert_int_ge(wait_ms, waits[_i].least_ms);
	ck_assert_int_le(wait_ms, waits[_i].most_ms);
	if (waits[_i].status != 429 && waits[_i].status != 420)
		ck_said("delivery: ");
}
END_TEST

START_TEST(delivery_note_goes_with_the_id)
{
	struct buf text;

	buf_init(&text, 10000);
	scripted.rule = scripted_accept;
	scripted_seal("ggg");
	scripted_run();
	scripted_read("sent", "accepted.ndjson", &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "id-0"));
	buf_release(&text);
}
END_TEST

START_TEST(delivery_verbose_has_a_line_for_each_batch)
{
	scripted.settings.verbose = true;
	scripted_restart();
	scripted.rule = scripted_accept;
	scripted_seal("ggg");
	scripted_seal("g");
	scripted_run();
	ck_said("delivery: accepted: batch 0000000000000001: 3 events, ");
	ck_said("delivery: accepted: batch 0000000000000002: 1 events, ");
}
END_TEST

/* --- Order and backoff --- */

START_TEST(delivery_takes_the_oldest_first)
{
	char want[40];

	scripted.settings.connections = 2;
	scripted_restart();
	scripted.rule = scripted_accept;
	for (int i = 0; i < 9; i++)
		scripted_seal("g");
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 9);
	for (unsigned int i = 0; i < 9; i++) {
		snprintf(want, sizeof(want), "{\"batch\":%u,", i + 1);
		ck_assert_ptr_nonnull(
			strstr(buf_str(&scripted.posts[i].text), want));
	}
}
END_TEST

START_TEST(delivery_backoff_doubles_up_to_its_maximum)
{
	int64_t ceiling_ms = 1000;

	scripted_seal("g");
	scripted_step(0);
	for (unsigned int i = 0; i < 14; i++) {
		int64_t wait_ms;

		scripted_answer(i, 503);
		wait_ms = scripted_step(0);
		ck_assert_int_ge(wait_ms, ceiling_ms / 10);
		ck_assert_int_le(wait_ms, ceiling_ms);
		scripted_step(wait_ms);
		ck_assert_uint_eq(scripted.posted, i + 2);
		ceiling_ms = ceiling_ms < 150000 ? ceiling_ms * 2 : 300000;
	}
	ck_said("delivery: service unavailable: status 503");
	ck_silent();
	ck_assert_uint_eq(scripted_state().failures, 14);
	scripted_answer(14, 200);
	scripted_step(0);
	ck_said("delivery: uploads work again: 14 failures in ");
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(15, 503);
	ck_assert_int_le(scripted_step(0), 1000); /* from the beginning */
	ck_said("delivery: service unavailable: status 503");
}
END_TEST

START_TEST(delivery_slows_down_step_by_step)
{
	static const int64_t most_ms[] = {2000, 3000, 4000, 5000, 5000, 5000};

	scripted_seal("g");
	scripted_step(0);
	for (unsigned int i = 0; i < NROF(most_ms); i++) {
		int64_t wait_ms;

		scripted_answer(i, 429);
		wait_ms = scripted_step(0);
		ck_assert_int_ge(wait_ms, 1000);
		ck_assert_int_le(wait_ms, most_ms[i]);
		scripted_step(wait_ms);
	}
	/* A single one is not worth a line. */
	ck_said("delivery: asked to slow down: status 429");
}
END_TEST

static void four_in_flight(void)
{
	scripted.settings.connections = 4;
	scripted_restart();
	scripted_widen();
	for (int i = 0; i < 8; i++)
		scripted_seal("g");
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 4);
	ck_assert_uint_eq(scripted_state().in_flight, 4);
}

START_TEST(delivery_burst_of_failures_counts_once)
{
	int64_t wait_ms;

	four_in_flight();
	for (unsigned int i = 0; i < 4; i++) {
		scripted_answer(i, i % 2 ? 503 : 0);
		wait_ms = scripted_step(0);
		ck_assert_int_le(wait_ms, 1000);
	}
	ck_assert_uint_eq(scripted_state().failures, 4);
	ck_said("delivery: no answer: ");
	ck_said("delivery: service unavailable: ");
	scripted_step(wait_ms);
	scripted_answer(4, 503);
	ck_assert_int_le(scripted_step(0),
			 2000); /* the second, not the fifth */
}
END_TEST

START_TEST(delivery_sends_one_probe_and_opens_when_it_is_accepted)
{
	int64_t wait_ms;

	four_in_flight();
	for (unsigned int i = 0; i < 4; i++)
		scripted_answer(i, 503);
	wait_ms = scripted_step(0);
	scripted_step(wait_ms);
	ck_assert_uint_eq(scripted.posted, 5);
	for (int i = 0; i < 10; i++)
		scripted_step(60000);
	ck_assert_uint_eq(scripted.posted, 5);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_SENDING);
	scripted_answer(4, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 7); /* half as many as before */
	ck_said("delivery: service unavailable: ");
	ck_said("delivery: uploads work again: 1 failures in ");
}
END_TEST

/* Three are accepted while the fourth is on its way: one note and one departure
 * for all of them, when their time is over. */
START_TEST(delivery_lets_batches_leave_together)
{
	four_in_flight();
	for (unsigned int i = 0; i < 3; i++)
		scripted_answer(i, 200);
	ck_assert_int_le(scripted_step(0), DELIVERY_GATHER_MS);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 8);
	ck_assert_uint_eq(scripted_state().in_flight, 4);
	fault_arm("fsync", 1000000, EIO);
	scripted_step(DELIVERY_GATHER_MS);
	/* accepted.ndjson, sent/ for it is new there, sent/ and ready/ */
	ck_assert_int_eq(fault_calls("fsync"), 4);
	fault_disarm();
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 5);
	ck_assert_uint_eq(scripted_ledger().sent_events, 3);
}
END_TEST

/* And with the last one in flight, at once. */
START_TEST(delivery_lets_batches_leave_with_the_last)
{
	four_in_flight();
	for (unsigned int i = 0; i < 4; i++)
		scripted_answer(i, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 4);
	ck_assert_uint_eq(scripted_ledger().sent_events, 4);
}
END_TEST

static unsigned int notes(void)
{
	struct buf text;
	unsigned int lines = 0;

	buf_init(&text, 1 << 16);
	scripted_read("sent", "accepted.ndjson", &text);
	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	buf_release(&text);
	return lines;
}

/* The disk refuses them together: then each leaves by itself. */
START_TEST(delivery_lets_each_leave_alone_where_all_cannot)
{
	unsigned int before;

	four_in_flight();
	before = notes();
	for (unsigned int i = 0; i < 4; i++)
		scripted_answer(i, 200);
	if (_i < 3)
		fault_arm("fsync", _i + 1, EIO);
	else
		fault_arm("renameat", _i - 2, EIO);
	scripted_step(0);
	fault_disarm();
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 4);
	/* The file is new, so the second sync is of its directory: the lines
	 * are there already. */
	ck_assert_uint_eq(notes(), before + (_i == 1 ? 8 : 4));
}
END_TEST

START_TEST(delivery_lets_finish_what_is_in_flight)
{
	int64_t wait_ms;

	four_in_flight();
	scripted_answer(0, 503);
	wait_ms = scripted_step(0);
	scripted_answer(1, 200);
	scripted_step(0);
	scripted_step(DELIVERY_GATHER_MS);
	/* Accepted, but asked before the failure: it opens nothing. */
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 7);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_WAITING);
	ck_assert_uint_gt(strlen(scripted_state().last_error), 0);
	ck_assert_uint_eq(scripted.posted, 4);
	scripted_step(wait_ms - DELIVERY_GATHER_MS);
	ck_assert_uint_eq(scripted.posted, 5);
	scripted_answer(4, 200);
	scripted_step(0);
	/* Two old ones are still there, and two are half of four. */
	ck_assert_uint_eq(scripted.posted, 5);
	/* A failure from before the recovery proves nothing either. */
	scripted_answer(2, 503);
	scripted_step(0);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_SENDING);
	ck_assert_uint_eq(scripted.posted, 6);
	ck_said("delivery: service unavailable: ");
	ck_said("delivery: uploads work again: ");
}
END_TEST

/* --- How many at once --- */

static void window_of(unsigned int connections)
{
	scripted.settings.connections = connections;
	scripted_restart();
	/* Before anything happened, status can say it already. */
	ck_assert_uint_eq(scripted_state().window, 1);
	for (int i = 0; i < 100; i++)
		scripted_seal("g");
	scripted_step(0);
}

/* All that is in flight is answered. */
static void answer_all(int status)
{
	for (unsigned int i = 0; i < scripted.posted; i++) {
		if (!scripted.posts[i].answered)
			scripted_answer(i, status);
	}
}

START_TEST(delivery_widens_the_window_with_what_is_accepted)
{
	static const unsigned int windows[] = {1, 2, 3, 4, 5, 5, 5};

	window_of(5);
	for (size_t i = 0; i < NROF(windows); i++) {
		ck_assert_uint_eq(scripted_state().in_flight, windows[i]);
		ck_assert_uint_eq(scripted_state().window, windows[i]);
		answer_all(200);
		scripted_step(0);
	}
}
END_TEST

START_TEST(delivery_widens_by_one_for_a_window_of_single_answers)
{
	window_of(16);
	scripted_answer(0, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 2);
	scripted_answer(1, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 2);
	scripted_answer(2, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 3);
}
END_TEST

START_TEST(delivery_does_not_widen_a_window_that_was_not_full)
{
	scripted.settings.connections = 16;
	scripted_restart();
	for (unsigned int i = 0; i < 50; i++) {
		scripted_seal("g");
		scripted_step(0);
		scripted_answer(i, 200);
		scripted_step(0);
	}
	ck_assert_uint_eq(scripted_state().window, 2);
}
END_TEST

static const struct {
	int status;
	unsigned int window;
} narrows[] = {{429, 4}, {420, 4}, {503, 4}, {500, 4},
	       {0, 4},	 {401, 1}, {404, 1}, {302, 1}};

START_TEST(delivery_narrows_the_window_once_for_a_burst)
{
	window_of(8);
	scripted_widen();
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 8);
	answer_all(narrows[_i].status);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 0);
	ck_assert_uint_eq(scripted_state().window, narrows[_i].window);
	scripted_step(300000);
	/* One is the probe, whatever the window. */
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	answer_all(200);
	scripted_step(0);
	if (narrows[_i].window > 1)
		ck_assert_uint_eq(scripted_state().in_flight, 4);
	else
		ck_assert_uint_eq(scripted_state().in_flight, 2);
	scripted_hush();
}
END_TEST

START_TEST(delivery_begins_with_one_again_after_an_outage)
{
	window_of(16);
	scripted_widen();
	scripted_step(0);
	answer_all(503);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().window, 8);
	scripted_step(300000);
	answer_all(503);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().window, 1);
	scripted_step(300000);
	answer_all(200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 2);
	scripted_hush();
}
END_TEST

START_TEST(delivery_burst_waits_as_long_as_its_worst)
{
	four_in_flight();
	scripted_answer(0, 503);
	ck_assert_int_le(scripted_step(0), 1000);
	scripted.posts[1].retry_after_s = 50;
	scripted_answer(1, 429);
	ck_assert_int_eq(scripted_step(0), 50000);
	scripted_answer(2, 401);
	ck_assert_int_eq(scripted_step(0), 300000);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_KEY_REFUSED);
	ck_assert(scripted_state().key_refused);
	scripted_answer(3, 503);
	ck_assert_int_eq(scripted_step(0), 300000);
	ck_assert(scripted_state().key_refused);
	ck_said("delivery: service unavailable: ");
	ck_said("delivery: API key refused: ");
}
END_TEST

START_TEST(delivery_says_once_that_the_key_is_refused)
{
	scripted_seal("g");
	scripted_step(0);
	for (unsigned int i = 0; i < 5; i++) {
		scripted_answer(i, 401);
		ck_assert_int_eq(scripted_step(0), 300000);
		scripted_step(300000);
		ck_assert_uint_eq(scripted.posted, i + 2);
		ck_assert_int_eq(scripted_state().phase, DELIVERY_KEY_REFUSED);
	}
	ck_said("delivery: API key refused: status 401");
	ck_silent();
	ck_assert_str_eq(scripted_state().last_error,
			 "status 401: No: ...@example.test is 401");
	scripted_answer(5, 200);
	scripted_step(0);
	ck_said("delivery: uploads work again: 5 failures in 1500 s");
}
END_TEST

START_TEST(delivery_shows_the_trouble_of_now)
{
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(0, 401);
	scripted_step(0);
	ck_assert(scripted_state().key_refused);
	scripted_step(300000);
	scripted_answer(1, 503);
	ck_assert_int_le(scripted_step(0), 1000);
	ck_assert(!scripted_state().key_refused);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_WAITING);
	ck_said("delivery: API key refused: ");
	ck_said("delivery: service unavailable: ");
}
END_TEST

START_TEST(delivery_backs_off_when_an_upload_cannot_start)
{
	scripted.fail_posts = true;
	scripted_seal("g");
	ck_assert_int_le(scripted_step(0), 1000);
	ck_said("delivery: no answer: cannot start an upload: next try in ");
	ck_assert_uint_eq(scripted_state().in_flight, 0);
	scripted.fail_posts = false;
	scripted_step(1000);
	ck_assert_uint_eq(scripted.posted, 1);
}
END_TEST

/* --- Reload, shutdown --- */

START_TEST(delivery_configure_takes_back_what_is_in_flight)
{
	four_in_flight();
	scripted_answer(0, 401);
	scripted_step(0);
	ck_said("delivery: API key refused: ");
	/* The old transport goes: its answers will not come any more. */
	for (unsigned int i = 1; i < 4; i++)
		scripted.posts[i].answered = scripted.posts[i].reaped = true;
	scripted.settings.connections = 2;
	delivery_configure(scripted.delivery, &scripted.settings,
			   &scripted_transport, &scripted);
	ck_assert_uint_eq(scripted_state().in_flight, 0);
	scripted_step(0); /* at once, not in five minutes */
	ck_assert_uint_eq(scripted.posted, 5);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&scripted.posts[4].text), "\"batch\":1,"));
	scripted_answer(4, 200);
	scripted_step(0);
	ck_said("delivery: uploads work again: ");
	ck_assert_uint_eq(scripted.posted, 7);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&scripted.posts[5].text), "\"batch\":2,"));
}
END_TEST

START_TEST(delivery_ignores_answers_of_another_time)
{
	four_in_flight();
	delivery_configure(scripted.delivery, &scripted.settings,
			   &scripted_transport, &scripted);
	scripted_widen();
	for (unsigned int i = 0; i < 4; i++)
		scripted_answer(i, i == 2 ? 401 : 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 8);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_SENDING);
	ck_assert_uint_eq(scripted.posted, 8);
}
END_TEST

START_TEST(delivery_drain_starts_nothing_more)
{
	four_in_flight();
	delivery_drain(scripted.delivery);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 4);
	for (unsigned int i = 0; i < 4; i++)
		scripted_answer(i, 200);
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 0);
	ck_assert_uint_eq(scripted.posted, 4);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 4);
}
END_TEST

START_TEST(delivery_free_puts_back_what_is_in_flight)
{
	struct batch batch;

	four_in_flight();
	delivery_free(&scripted.delivery);
	for (uint64_t i = 1; i <= 8; i++) {
		ck_assert_int_eq(spool_take(scripted.spool, &batch), 1);
		ck_assert_uint_eq(batch.seq, i);
	}
}
END_TEST

/* --- Age --- */

START_TEST(delivery_sends_nothing_that_has_expired)
{
	struct ledger ledger;

	scripted.settings.max_age_s = 86400;
	scripted_restart();
	for (int i = 0; i < 3; i++)
		scripted_seal("gg");
	scripted.now_s += 86400;
	scripted_seal("g");
	scripted.now_s += 1;
	scripted.rule = scripted_accept;
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 1);
	ledger = scripted_ledger();
	ck_assert_uint_eq(ledger.expired_batches, 3);
	ck_assert_uint_eq(ledger.expired_events, 6);
	ck_assert_uint_eq(ledger.sent_events, 1);
	ck_said("delivery: expired before they could be sent: 3 batches: "
		"6 events, limit 86400 s");
}
END_TEST

START_TEST(delivery_sends_what_is_only_just_young_enough)
{
	scripted.settings.max_age_s = 86400;
	scripted_restart();
	scripted_seal("g");
	scripted.now_s += 86400;
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 1);
}
END_TEST

START_TEST(delivery_says_that_all_has_expired)
{
	scripted.settings.max_age_s = 86400;
	scripted_restart();
	for (int i = 0; i < 300; i++)
		scripted_seal("g");
	scripted.now_s += 86401;
	while (scripted_step(0) == 0)
		;
	ck_assert_uint_eq(scripted.posted, 0);
	ck_said("delivery: expired before they could be sent: 300 batches: "
		"300 events");
}
END_TEST

START_TEST(delivery_sends_all_when_there_is_no_limit)
{
	scripted_seal("g");
	scripted.now_s += 1000000;
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 1);
}
END_TEST

/* --- Disk --- */

START_TEST(delivery_never_sends_again_what_the_disk_did_not_let_go)
{
	scripted.rule = scripted_accept;
	scripted_seal("gg");
	scripted_step(0);
	fault_arm_from("renameat", 1, ENOSPC);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(scripted_step(2000), 2000);
	ck_said("delivery: cannot move: batch 0000000000000001: No space");
	ck_silent();
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	ck_assert_uint_eq(scripted.posted, 1);
	fault_disarm();
	scripted_seal("g"); /* the way is free for others meanwhile */
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 2);
	scripted_step(2000);
	ck_assert_uint_eq(scripted_state().in_flight, 0);
	ck_assert_uint_eq(scripted_ledger().sent_events, 3);
	ck_assert_uint_eq(scripted.posted, 2);
}
END_TEST

START_TEST(delivery_departs_in_the_end_without_a_note)
{
	scripted.rule = scripted_accept;
	scripted_seal("gg");
	scripted_step(0);
	fault_arm_from("write", 1, ENOSPC);
	scripted_step(0);
	ck_said("delivery: cannot note the id of: batch 0000000000000001");
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 1);
	scripted_step(2000);
	fault_disarm();
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
	ck_assert_uint_eq(scripted_ledger().sent_events, 2);
	ck_assert_uint_eq(scripted.posted, 1);
}
END_TEST

START_TEST(delivery_free_tries_once_more_to_let_it_go)
{
	scripted.rule = scripted_accept;
	scripted_seal("gg");
	scripted_step(0);
	fault_arm("renameat", 1, EIO);
	scripted_step(0);
	ck_said("delivery: cannot move: ");
	fault_disarm();
	delivery_free(&scripted.delivery);
	ck_assert_uint_eq(scripted_ledger().sent_events, 2);
}
END_TEST

START_TEST(delivery_leaves_a_file_alone_that_is_gone)
{
	scripted.rule = scripted_accept;
	scripted_seal("gg");
	scripted_seal("g");
	fault_arm("openat", 1, ENOENT);
	scripted_run();
	fault_disarm();
	ck_assert_uint_eq(scripted.posted, 1);
	ck_said("delivery: file is gone, left alone: batch 0000000000000001: 2 "
		"events");
}
END_TEST

static const int open_errors[] = {EIO, EACCES, EMFILE};

START_TEST(delivery_tries_a_file_again_that_it_cannot_open)
{
	int64_t wait_ms;

	scripted.rule = scripted_accept;
	scripted_seal("gg");
	scripted_seal("g");
	fault_arm("openat", 1, open_errors[_i]);
	wait_ms = scripted_step(0);
	fault_disarm();
	ck_said("delivery: cannot open: batch 0000000000000001: ");
	if (open_errors[_i] == EMFILE) {
		ck_assert_int_eq(wait_ms, 2000);
		ck_assert_uint_eq(scripted.posted, 0);
	} else {
		ck_assert_uint_eq(scripted.posted, 1); /* the other one */
		wait_ms = scripted_step(0);
		ck_assert_int_eq(wait_ms, 300000);
	}
	scripted_step(wait_ms);
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 2);
	ck_assert_uint_eq(scripted_ledger().sent_events, 3);
}
END_TEST

/* --- With the real transport, and another thread --- */

START_TEST(delivery_goes_over_http)
{
	static const struct canned_reply replies[] = {
		{CANNED_PLAIN, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
		 0},
		{CANNED_PLAIN,
		 "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n"
		 "{\"results\":{\"id\":\"abc\"}}",
		 0}};
	struct canned *server = canned_start(replies, NROF(replies));
	struct http_settings settings = {.api_key = (char *)(uintptr_t) "k",
					 .connections = 2,
					 .timeout_ms = 20000,
					 .connect_timeout_ms = 20000};
	struct http *http;
	struct buf why;
	char url[64];

	buf_init(&why, 1000);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", canned_port(server));
	settings.url = url;
	http = http_new(&settings, &why);
	ck_assert_ptr_nonnull(http);
	delivery_configure(scripted.delivery, &scripted.settings,
			   &delivery_over_http, http);
	scripted_seal("g");
	for (int i = 0; i < 3000 && scripted_files("ready", ".gz"); i++) {
		scripted_step(10);
		http_wait(http, 10);
	}
	ck_assert_uint_eq(scripted_ledger().sent_events, 1);
	ck_assert_uint_eq(canned_requests(server), 2);
	ck_said("delivery: service unavailable: status 503: : next try in ");
	ck_said("delivery: uploads work again: 1 failures in ");
	delivery_free(&scripted.delivery);
	http_free(&http);
	canned_stop(&server);
	buf_release(&why);
}
END_TEST

static atomic_bool watching;

static void *watch(void *arg)
{
	uint64_t failures = 0;

	(void)arg;
	while (atomic_load(&watching)) {
		struct delivery_state state = scripted_state();

		if (state.failures < failures)
			return &scripted;
		failures = state.failures;
		sched_yield(); /* valgrind has one thread run at a time */
	}
	return NULL;
}

START_TEST(delivery_state_may_be_read_by_another_thread)
{
	pthread_t thread;
	void *result;

	atomic_store(&watching, true);
	scripted_seal("g");
	pthread_create(&thread, NULL, watch, NULL);
	for (unsigned int i = 0; i < 200; i++) {
		scripted_step(300000);
		scripted_answer(i, 503);
		scripted_step(0);
	}
	atomic_store(&watching, false);
	pthread_join(thread, &result);
	ck_assert_ptr_null(result);
	ck_said("delivery: service unavailable: ");
}
END_TEST

START_TEST(delivery_phases_have_the_names_of_status)
{
	ck_assert_str_eq(delivery_phase_name(DELIVERY_IDLE), "idle");
	ck_assert_str_eq(delivery_phase_name(DELIVERY_SENDING), "sending");
	ck_assert_str_eq(delivery_phase_name(DELIVERY_WAITING), "waiting");
	ck_assert_str_eq(delivery_phase_name(DELIVERY_KEY_REFUSED),
			 "key-refused");
}
END_TEST

static void table_cases(TCase *tc)
{
	tcase_add_loop_test(
		tc, delivery_keeps_the_batch_and_waits_as_the_table_says, 0,
		NROF(table));
	tcase_add_loop_test(tc, delivery_honours_retry_after, 0, NROF(waits));
	tcase_add_test(tc, delivery_names_a_certificate_that_does_not_hold);
	tcase_add_test(tc, delivery_note_goes_with_the_id);
	tcase_add_test(tc, delivery_verbose_has_a_line_for_each_batch);
}

static void gate_cases(TCase *tc)
{
	tcase_add_test(tc, delivery_takes_the_oldest_first);
	tcase_add_test(tc, delivery_backoff_doubles_up_to_its_maximum);
	tcase_add_test(tc, delivery_slows_down_step_by_step);
	tcase_add_test(tc, delivery_burst_of_failures_counts_once);
	tcase_add_test(tc,
		       delivery_sends_one_probe_and_opens_when_it_is_accepted);
	tcase_add_test(tc, delivery_lets_batches_leave_together);
	tcase_add_test(tc, delivery_lets_batches_leave_with_the_last);
	tcase_add_loop_test(tc, delivery_lets_each_leave_alone_where_all_cannot,
			    0, 7);
	tcase_add_test(tc, delivery_lets_finish_what_is_in_flight);
	tcase_add_test(tc, delivery_widens_the_window_with_what_is_accepted);
	tcase_add_test(tc,
		       delivery_widens_by_one_for_a_window_of_single_answers);
	tcase_add_test(tc, delivery_does_not_widen_a_window_that_was_not_full);
	tcase_add_loop_test(tc, delivery_narrows_the_window_once_for_a_burst, 0,
			    NROF(narrows));
	tcase_add_test(tc, delivery_begins_with_one_again_after_an_outage);
	tcase_add_test(tc, delivery_burst_waits_as_long_as_its_worst);
	tcase_add_test(tc, delivery_says_once_that_the_key_is_refused);
	tcase_add_test(tc, delivery_shows_the_trouble_of_now);
	tcase_add_test(tc, delivery_backs_off_when_an_upload_cannot_start);
}

static void life_cases(TCase *tc)
{
	tcase_add_test(tc, delivery_configure_takes_back_what_is_in_flight);
	tcase_add_test(tc, delivery_ignores_answers_of_another_time);
	tcase_add_test(tc, delivery_drain_starts_nothing_more);
	tcase_add_test(tc, delivery_free_puts_back_what_is_in_flight);
	tcase_add_test(tc, delivery_sends_nothing_that_has_expired);
	tcase_add_test(tc, delivery_sends_what_is_only_just_young_enough);
	tcase_add_test(tc, delivery_says_that_all_has_expired);
	tcase_add_test(tc, delivery_sends_all_when_there_is_no_limit);
	tcase_add_test(tc, delivery_goes_over_http);
	tcase_add_test(tc, delivery_state_may_be_read_by_another_thread);
	tcase_add_test(tc, delivery_phases_have_the_names_of_status);
}

static void disk_cases(TCase *tc)
{
	tcase_add_test(tc,
		       delivery_never_sends_again_what_the_disk_did_not_let_go);
	tcase_add_test(tc, delivery_departs_in_the_end_without_a_note);
	tcase_add_test(tc, delivery_free_tries_once_more_to_let_it_go);
	tcase_add_test(tc, delivery_leaves_a_file_alone_that_is_gone);
	tcase_add_loop_test(tc, delivery_tries_a_file_again_that_it_cannot_open,
			    0, NROF(open_errors));
}

Suite *delivery_suite(void)
{
	static void (*const cases[])(TCase *) = {table_cases, gate_cases,
						 life_cases, disk_cases};
	static const char *const names[] = {"table", "gate", "life", "disk"};
	Suite *s = suite_create("delivery");

	for (size_t i = 0; i < NROF(cases); i++) {
		TCase *tc = tcase_create(names[i]);

		tcase_set_timeout(tc, 60);
		tcase_add_checked_fixture(tc, scripted_setup,
					  scripted_teardown);
		cases[i](tc);
		suite_add_tcase(s, tc);
	}
	return s;
}
