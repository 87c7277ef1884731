/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <time.h>

#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/powercut_run.h"
#include "unit/tale.h"

/* The spool alone: every tale is cut everywhere (check_powercut_intake.c has
 * the whole way from rows to the service). */

static struct tale tale;

static void setup(void)
{
	powercut_places();
}

static void teardown(void)
{
	fault_disarm();
	tale_end(&tale);
	powercut_clear();
}

/* A line that was cut was ended. */
static void check_last_line(const struct fixture *g, const char *file,
			    const char *line)
{
	struct buf text;
	size_t at;

	buf_init(&text, 1 << 20);
	fixture_read(g, file, &text);
	at = text.len - strlen(line);
	ck_assert_msg(
		slice_eq(slice_skip(buf_slice(&text), at), slice_str(line)) &&
			(at == 0 || text.p[at - 1] == '\n'),
		"%s: %s ends with \"%s\"", powercut_where(), file,
		buf_str(&text));
	buf_release(&text);
}

/* Life goes on: seal, depart, save; and once more after a restart. */
static void go_on(struct fixture *g)
{
	int64_t offset = g->offset;

	fixture_agrees(g);
	ck_assert_int_eq(fixture_seal(g, 3), 0);
	ck_assert_int_eq(fixture_depart(g, BATCH_SENT, 1), 0);
	fixture_agrees(g);
	ck_assert_int_eq(fixture_save(g), 0);
	ck_assert_int_eq(spool_add_rows(g->spool, SLICE("one,more\n")), 0);
	check_last_line(g, "refused/rows.csv", "one,more\n");
	fixture_reopen(g);
	fixture_clean(g);
	ck_assert_int_eq(g->offset, offset + 3);
	fixture_agrees(g);
}

static void check_image(void *ctx, size_t at)
{
	const struct tale *t = ctx;
	struct fixture g;
	struct tale_found found;

	tale_place(&g, powercut_image());
	tale_view(&g);
	fixture_open(&g);
	fixture_clean(&g);
	tale_found(t, at, &g, &found);
	go_on(&g);
	fixture_crash(&g);
}

static uint64_t promised(void *ctx, size_t at)
{
	return tale_promises(ctx, at);
}

static void each_image(struct tale *t, size_t from, size_t to,
		       unsigned int seeds)
{
	/* A departure that failed, came back and left again may be in sent/
	 * twice then: that is one misfortune too many. */
	bool both = !t->failed;

	powercut_run(&(struct powercut_run){
		.log = t->log,
		.from = from,
		.to = to,
		.seeds = powercut_is_long() ? seeds * 10 : seeds,
		.both = both,
		.promised = promised,
		.visit = check_image,
		.ctx = t});
}

static void check_tale(struct tale *t)
{
	powercut_end(t->log);
	each_image(t, powercut_first(t->log), powercut_length(t->log), 6);
}

START_TEST(powercut_keeps_what_was_sealed)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(tale_seal(t, 10 + i));
	check_tale(t);
}
END_TEST

/* The very first commit may be one of many. */
START_TEST(powercut_keeps_a_group)
{
	struct tale *t = &tale;

	tale_begin(t, _i);
	ck_assert(tale_seal_group(t, 10, 3));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	ck_assert(tale_seal_group(t, 7, 2));
	ck_assert(tale_seal(t, 5));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal_group(t, 3, 4));
	ck_assert(tale_save(t));
	check_tale(t);
}
END_TEST

/* Batches that leave together: of them a cut may keep any. */
START_TEST(powercut_keeps_departures)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	ck_assert(tale_seal_group(t, 10, 4));
	ck_assert(tale_depart_all(t, 3));
	ck_assert(tale_seal_group(t, 7, 3));
	ck_assert(tale_depart_all(t, 2));
	ck_assert(tale_save(t));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal(t, 5));
	check_tale(t);
}
END_TEST

START_TEST(powercut_keeps_the_first_start)
{
	struct tale *t = &tale;

	tale_begin(t, true);
	ck_assert(tale_save(t));
	ck_assert(tale_seal(t, 5));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_save(t));
	check_tale(t);
}
END_TEST

START_TEST(powercut_keeps_what_has_left)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert(tale_seal(t, 10 + i));
	ck_assert(tale_depart(t, BATCH_SENT, 2));
	ck_assert(tale_save(t));
	ck_assert(tale_depart(t, BATCH_REFUSED, 0));
	ck_assert(tale_seal(t, 20));
	ck_assert(tale_evict(t, false));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal(t, 21));
	ck_assert(tale_save(t));
	ck_assert(tale_evict(t, true));
	ck_assert(tale_depart(t, BATCH_EXPIRED, 0));
	ck_assert(tale_save(t));
	ck_assert(tale_save(t));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	check_tale(t);
}
END_TEST

START_TEST(powercut_keeps_what_is_kept_in_sent)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	t->f.settings.keep_sent_s = 1000;
	spool_configure(t->f.spool, &t->f.settings);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(tale_seal(t, 10 + i));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	ck_assert(tale_save(t));
	ck_assert(tale_evict(t, false));
	ck_assert(tale_save(t));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal(t, 5));
	spool_clean(t->f.spool, time(NULL) + 2000);
	ck_assert(tale_seal(t, 6));
	check_tale(t);
}
END_TEST

START_TEST(powercut_keeps_lines_and_refused_events)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	ck_assert(tale_seal(t, 11));
	for (int i = 0; i < 2; i++) {
		tale_rows(t);
		tale_note(t);
		tale_refuse(t);
		tale_refuse(t);
		tale_note(t);
		ck_assert(tale_depart(t, BATCH_SENT, 1));
		tale_rows(t);
	}
	ck_assert(tale_save(t));
	check_tale(t);
}
END_TEST

/* --- What failed before --- */

/* How many calls fail, one after the other. */
static const int spans[] = {1, 2, 1000};

/* From the failure on; what led to it was cut in other tales. */
static void check_from(struct tale *t, size_t from)
{
	powercut_end(t->log);
	each_image(t, from, powercut_length(t->log), 3);
	tale_end(t);
	powercut_empty(powercut_live());
}

/* The n-th call of a seal fails, and maybe some that follow. */
static bool seal_fails(int n, int span)
{
	struct tale *t = &tale;
	size_t from;
	bool failed;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	from = powercut_length(t->log);
	fault_arm_some(NULL, n, span, EIO);
	failed = !tale_seal(t, 20);
	fault_disarm();
	if (n % 2)
		ck_assert(tale_save(t));
	ck_assert(tale_seal(t, 7));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal(t, 8));
	check_from(t, from);
	return failed;
}

enum { SEAL_CALLS = 14, GROUP_CALLS = 26 };

START_TEST(powercut_after_a_failed_seal)
{
	int failed = 0;

	for (int n = 1; n <= SEAL_CALLS; n++)
		failed += seal_fails(n, spans[_i]);
	ck_assert_int_gt(failed, SEAL_CALLS / 2);
}
END_TEST

/* The same of a group, and another size of group, or one, follows. */
static bool group_fails(int n, int span)
{
	struct tale *t = &tale;
	size_t from;
	bool failed;

	tale_begin(t, false);
	ck_assert(tale_seal_group(t, 10, 2));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	from = powercut_length(t->log);
	fault_arm_some(NULL, n, span, EIO);
	failed = !tale_seal_group(t, 20, 3);
	fault_disarm();
	if (n % 2)
		ck_assert(tale_save(t));
	if (n % 3)
		ck_assert(tale_seal_group(t, 7, 1 + (uint32_t)n % 3));
	ck_assert(tale_seal(t, 6));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal_group(t, 8, 2));
	check_from(t, from);
	return failed;
}

START_TEST(powercut_after_a_failed_group)
{
	int failed = 0;

	for (int n = 1; n <= GROUP_CALLS; n++)
		failed += group_fails(n, spans[_i]);
	ck_assert_int_gt(failed, GROUP_CALLS / 2);
}
END_TEST

static bool save_fails(int n, int span)
{
	struct tale *t = &tale;
	size_t from;
	bool failed;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	ck_assert(tale_seal(t, 11));
	ck_assert(tale_depart(t, BATCH_REFUSED, 0));
	from = powercut_length(t->log);
	fault_arm_some(NULL, n, span, EIO);
	failed = !tale_save(t);
	fault_disarm();
	if (n % 2)
		ck_assert(tale_save(t));
	ck_assert(tale_seal(t, 8));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	check_from(t, from);
	return failed;
}

enum { SAVE_CALLS = 7 };

START_TEST(powercut_after_a_failed_save)
{
	int failed = 0;

	for (int n = 1; n <= SAVE_CALLS; n++)
		failed += save_fails(n, spans[_i]);
	ck_assert_int_gt(failed, SAVE_CALLS / 2);
}
END_TEST

/* A departure of each kind. */
static const enum batch_departure kinds[] = {BATCH_SENT, BATCH_EXPIRED,
					     BATCH_EVICTED};

static bool leave(struct tale *t, enum batch_departure why)
{
	return why == BATCH_EVICTED ? tale_evict(t, false)
				    : tale_depart(t, why, 0);
}

static bool departure_fails(enum batch_departure why, int n, int span,
			    int error)
{
	struct tale *t = &tale;
	size_t from;
	bool failed;

	tale_begin(t, false);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(tale_seal(t, 10 + i));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	from = powercut_length(t->log);
	t->full_disk = error == ENOSPC;
	fault_arm_some(NULL, n, span, error);
	failed = !leave(t, why);
	fault_disarm();
	t->failed = failed;
	if (n % 2)
		ck_assert(tale_save(t));
	ck_assert(tale_depart(t, BATCH_REFUSED, 0));
	ck_assert(tale_seal(t, 7));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	check_from(t, from);
	return failed;
}

enum { LEAVE_CALLS = 6 };

START_TEST(powercut_after_a_failed_departure)
{
	int failed = 0;

	for (int n = 1; n <= LEAVE_CALLS; n++) {
		for (size_t k = 0; k < NROF(kinds); k++)
			failed += departure_fails(kinds[k], n, spans[_i], EIO);
		departure_fails(BATCH_EVICTED, n, spans[_i], ENOSPC);
	}
	ck_assert_int_gt(failed, 0);
}
END_TEST

static bool departures_fail(int n, int span)
{
	struct tale *t = &tale;
	size_t from;
	bool failed;

	tale_begin(t, false);
	ck_assert(tale_seal_group(t, 10, 5));
	ck_assert(tale_depart(t, BATCH_SENT, 1));
	from = powercut_length(t->log);
	fault_arm_some(NULL, n, span, EIO);
	failed = !tale_depart_all(t, 3);
	fault_disarm();
	t->failed = failed;
	if (n % 2)
		ck_assert(tale_save(t));
	if (failed)
		ck_assert(tale_depart_all(t, 2));
	ck_assert(tale_seal(t, 7));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	check_from(t, from);
	return failed;
}

START_TEST(powercut_after_failed_departures)
{
	int failed = 0;

	for (int n = 1; n <= LEAVE_CALLS; n++)
		failed += departures_fail(n, spans[_i]);
	ck_assert_int_ge(failed, 5);
}
END_TEST

/* --- A recovery is cut as well --- */

/* Before the start nothing is known of deeds that were not promised; after
 * it, all is. */
static void take_over(const struct tale *old, size_t at, struct tale *t)
{
	t->count = 0;
	for (size_t i = 0; i < old->count; i++) {
		struct deed d = old->deeds[i];

		if (!tale_is_started(&d, at))
			continue;
		d.done = tale_is_promised(&d, at);
		d.begin = d.end = 0;
		t->deeds[t->count++] = d;
	}
}

static bool resolve(const struct tale *t, struct deed *d,
		    const struct tale_found *found, size_t i)
{
	if (d->kind == DEED_SEAL) {
		d->done = tale_is_made(t, 1, d, t->f.offset);
		return d->done;
	}
	if (d->kind != DEED_DEPART)
		return true;
	if (tale_is_waiting(found, &d->batch))
		return false;
	/* Of two tries one went through, who knows which. */
	for (size_t k = 0; k < t->count; k++) {
		const struct deed *e = &t->deeds[k];

		if (k != i && e->kind == DEED_DEPART &&
		    tale_is_same(&e->batch, &d->batch) && !d->done)
			d->why = BATCH_READY;
	}
	d->done = true;
	return true;
}

static void resolve_all(const struct tale *before,
			const struct tale_found *found, struct tale *t)
{
	t->count = 0;
	for (size_t i = 0; i < before->count; i++) {
		struct deed d = before->deeds[i];

		if (resolve(before, &d, found, i))
			t->deeds[t->count++] = d;
	}
}

/* Recover, go on, and cut that. */
static void cut_again(void *ctx, size_t at)
{
	const struct tale *old = ctx;
	static struct tale before, after;
	size_t opened;
	struct tale_found found;

	before = (struct tale){.cuts = 2};
	tale_place(&before.f, powercut_image());
	take_over(old, at, &before);
	before.log = powercut_begin(powercut_image());
	fixture_open(&before.f);
	tale_found(&before, 1, &before.f, &found);
	opened = powercut_length(before.log);
	after = before;
	resolve_all(&before, &found, &after);
	ck_assert(tale_seal(&after, 31));
	ck_assert(tale_depart(&after, BATCH_SENT, 1));
	ck_assert(tale_save(&after));
	powercut_end(after.log);
	fixture_crash(&after.f);
	each_image(&before, powercut_first(before.log), opened, 2);
	each_image(&after, opened, powercut_length(after.log), 2);
	powercut_free(&after.log);
}

static void check_again(struct tale *t)
{
	powercut_end(t->log);
	fixture_crash(&t->f);
	powercut_run(&(struct powercut_run){.log = t->log,
					    .from = powercut_first(t->log) + 1,
					    .to = powercut_length(t->log),
					    .step = 3,
					    .only_some = true,
					    .promised = promised,
					    .visit = cut_again,
					    .ctx = t});
}

START_TEST(powercut_during_the_recovery)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(tale_seal(t, 10 + i));
	ck_assert(tale_depart(t, BATCH_SENT, 2));
	ck_assert(tale_evict(t, false));
	ck_assert(tale_seal(t, 20));
	ck_assert(tale_depart(t, BATCH_REFUSED, 0));
	tale_rows(t);
	ck_assert(tale_save(t));
	check_again(t);
}
END_TEST

START_TEST(powercut_during_the_recovery_of_a_group)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	ck_assert(tale_seal_group(t, 20, 3));
	ck_assert(tale_depart(t, BATCH_SENT, 0));
	ck_assert(tale_seal_group(t, 5, 2));
	check_again(t);
}
END_TEST

/* The last sync of ready/, or a rename in the middle of the group, and the way
 * back. */
START_TEST(powercut_during_the_recovery_of_a_failed_group)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	if (_i)
		fault_arm_some("renameat", 3, 1000, EIO);
	else
		fault_arm_some("fsync", 7, 1000, EIO);
	ck_assert(!tale_seal_group(t, 20, 3));
	fault_disarm();
	ck_assert(tale_seal(t, 7));
	check_again(t);
}
END_TEST

START_TEST(powercut_during_the_recovery_of_a_failed_seal)
{
	struct tale *t = &tale;

	tale_begin(t, false);
	ck_assert(tale_seal(t, 10));
	/* The sync of ready/, and the way back. */
	fault_arm_some("fsync", 4, 1000, EIO);
	ck_assert(!tale_seal(t, 20));
	fault_disarm();
	ck_assert(tale_seal(t, 7));
	check_again(t);
}
END_TEST

Suite *powercut_suite(void)
{
	Suite *s = suite_create("powercut");
	TCase *tc = tcase_create("powercut");

	tcase_set_timeout(tc, 1800);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, powercut_keeps_what_was_sealed);
	tcase_add_loop_test(tc, powercut_keeps_a_group, 0, 2);
	tcase_add_test(tc, powercut_keeps_departures);
	tcase_add_test(tc, powercut_keeps_the_first_start);
	tcase_add_test(tc, powercut_keeps_what_has_left);
	tcase_add_test(tc, powercut_keeps_what_is_kept_in_sent);
	tcase_add_test(tc, powercut_keeps_lines_and_refused_events);
	tcase_add_loop_test(tc, powercut_after_a_failed_seal, 0, NROF(spans));
	tcase_add_loop_test(tc, powercut_after_a_failed_group, 0, NROF(spans));
	tcase_add_loop_test(tc, powercut_after_a_failed_save, 0, NROF(spans));
	tcase_add_loop_test(tc, powercut_after_a_failed_departure, 0,
			    NROF(spans));
	tcase_add_loop_test(tc, powercut_after_failed_departures, 0,
			    NROF(spans));
	tcase_add_test(tc, powercut_during_the_recovery);
	tcase_add_test(tc, powercut_during_the_recovery_of_a_failed_seal);
	tcase_add_test(tc, powercut_during_the_recovery_of_a_group);
	tcase_add_loop_test(tc, powercut_during_the_recovery_of_a_failed_group,
			    0, 2);
	suite_add_tcase(s, tc);
	return s;
}
