/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/status.h"

#include <string.h>

#include "app/books.h"
#include "unit/check_all.h"
#include "unit/inlet.h"

/* What delivery says of itself, on its way through the checkpoint to people and
 * programs. */

static void ck_shows(struct buf *text, const char *part)
{
	ck_assert_msg(strstr(buf_str(text), part), "no %s: %s", part,
		      buf_str(text));
}

static struct spool_view saved_view(const struct delivery_state *state)
{
	inlet_start(1000);
	intake_uploads(inlet.intake, state, 1000);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	return inlet_view();
}

static const struct {
	bool running;
	uint32_t window;
	const char *json, *text;
} windows[] = {
	{true, 5, "\"upload\":{\"state\":\"sending\",\"window\":5,",
	 "\nupload     sending, up to 5 at once: 0 events in 0 batches sent, "},
	/* of a version that did not say */
	{true, 0, "\"upload\":{\"state\":\"sending\",\"window\":0,",
	 "\nupload     sending: 0 events in 0 batches sent, "},
	{false, 5, "\"upload\":{\"state\":\"idle\",\"window\":0,",
	 "\nupload     stopped: 0 events in 0 batches sent, "},
};

START_TEST(status_shows_how_many_uploads_may_be_in_flight)
{
	struct delivery_state state = {.phase = DELIVERY_SENDING,
				       .window = windows[_i].window};
	struct spool_view view = saved_view(&state);
	struct buf json, text;

	buf_init(&json, 1 << 20);
	buf_init(&text, 1 << 20);
	view.running = windows[_i].running;
	status_json(&view, inlet.config, inlet.now_s, &json);
	status_text(&view, inlet.config, inlet.now_s, &text);
	ck_shows(&json, windows[_i].json);
	ck_shows(&text, windows[_i].text);
	spool_view_release(&view);
	buf_release(&json);
	buf_release(&text);
}
END_TEST

/* It moves all the time, and each save writes the whole checkpoint. */
START_TEST(a_window_alone_is_no_news)
{
	struct checkpoint found = {0};
	struct delivery_state state = {.window = 1};
	struct books books;

	books_open(&books, &found, inlet.now_s);
	ck_assert_uint_eq(books.process.window, 1);
	for (state.window = 1; state.window < 16; state.window++) {
		ck_assert(!books_uploads(&books, &state));
		ck_assert_uint_eq(books.process.window, state.window);
	}
	state.window = 8;
	state.next_try_s = inlet.now_s + 10;
	ck_assert(books_uploads(&books, &state));
	ck_assert_uint_eq(books.process.window, 8);
	books_close(&books);
}
END_TEST

Suite *status_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("status");

	tcase_add_checked_fixture(tc, inlet_setup, inlet_teardown);
	tcase_add_loop_test(tc, status_shows_how_many_uploads_may_be_in_flight,
			    0, sizeof(windows) / sizeof(windows[0]));
	tcase_add_test(tc, a_window_alone_is_no_news);
	suite_add_tcase(suite, tc);
	return suite;
}
