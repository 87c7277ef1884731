/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/deadlines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/check_all.h"

enum { NOW = 1700000000, DAY = 86400 };

static uint64_t drawn(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

/* --- Tables: few moments are kept to the second, so figures are exact --- */

static const struct {
	const char *what;
	int64_t max_age_s;
	struct {
		int64_t due_s; /* from now */
		uint64_t events;
	} waiting[4];
	double rate;
	uint64_t expiring;
	int64_t first_s, last_s; /* from now */
} rows[] = {
	{"nothing waits", DAY, {{0}}, 0, 0, 0, 0},
	{"no service", DAY, {{60, 10}, {90, 5}}, 0, 15, 60, 90},
	{"one moment, half of it", DAY, {{100, 1000}}, 5, 500, 100, 100},
	{"one moment, just all", DAY, {{100, 1000}}, 10, 0, 0, 0},
	{"one moment, one too many", DAY, {{100, 1001}}, 10, 1, 100, 100},
	{"near", DAY, {{1, 100000}}, 99999, 1, 1, 1},
	{"the first lost, the next in time",
	 DAY,
	 {{10, 1000}, {1000, 100}},
	 10,
	 900,
	 10,
	 10},
	/* From 10 on 100 a second in 20 seconds, of 3000. */
	{"both lose", DAY, {{10, 1500}, {30, 3000}}, 100, 1500, 10, 30},
	{"the last is late",
	 DAY,
	 {{10, 100}, {20, 100}, {30, 900}},
	 10,
	 800,
	 30,
	 30},
	{"passed is now", DAY, {{-5, 7}, {60, 10}}, 1, 7, 0, 0},
	{"all passed", DAY, {{-50, 7}, {-5, 10}}, 1000, 17, 0, 0},
	{"due now", DAY, {{0, 7}, {1, 10}}, 10, 7, 0, 0},
	{"a year", 365 * DAY, {{365 * DAY, 100}}, 0, 100, 365 * DAY, 365 * DAY},
	{"minutes", 120, {{119, 100}}, 0.5, 41, 119, 119},
	{"no deadline", 0, {{-5, 7}, {60, 10}}, 0, 0, 0, 0},
	{"not known", DAY, {{-5, 7}, {60, 10}}, -1, 0, 0, 0},
};

START_TEST(deadlines_foretell_what_expires)
{
	struct deadlines d;
	struct forecast f;

	deadlines_init(&d, rows[_i].max_age_s);
	for (size_t i = 0; i < 4; i++)
		deadlines_add(&d,
			      NOW - rows[_i].max_age_s +
				      rows[_i].waiting[i].due_s,
			      rows[_i].waiting[i].events);
	deadlines_forecast(&d, rows[_i].rate, NOW, &f);
	ck_assert_msg(f.expiring_events == rows[_i].expiring, "%s: %lu",
		      rows[_i].what, (unsigned long)f.expiring_events);
	ck_assert_double_eq(f.rate, rows[_i].rate);
	if (!rows[_i].expiring) {
		ck_assert_int_eq(f.first_s, 0);
		ck_assert_int_eq(f.last_s, 0);
		return;
	}
	ck_assert_msg(f.first_s - NOW == rows[_i].first_s, "%s: first %ld",
		      rows[_i].what, (long)(f.first_s - NOW));
	ck_assert_msg(f.last_s - NOW == rows[_i].last_s, "%s: last %ld",
		      rows[_i].what, (long)(f.last_s - NOW));
}
END_TEST

/* --- Take is the inverse of add --- */

/* Bins in order, none overlapping another, none empty. */
static void assert_sound(const struct deadlines *d)
{
	ck_assert_uint_le(d->count, DEADLINES_BINS);
	for (uint32_t i = 0; i < d->count; i++) {
		ck_assert_uint_gt(d->bins[i].events, 0);
		ck_assert_int_le(d->bins[i].first_s, d->bins[i].last_s);
		if (i)
			ck_assert_int_gt(d->bins[i].first_s,
					 d->bins[i - 1].last_s);
	}
}

struct waiting {
	int64_t oldest_s;
	uint64_t events;
};

/* Times that move on, with strays, jumps of the clock back and on, and the
 * ends of time. */
static int64_t drawn_time(uint64_t *seed, int64_t *clock_s)
{
	static const int64_t strays[] = {
		0, 1, -1, INT64_MIN, INT64_MAX, 4294967295, INT64_MAX - 1};

	switch (drawn(seed, 200)) {
	case 0:
		return strays[drawn(seed, NROF(strays))];
	case 1:
		*clock_s -= (int64_t)drawn(seed, 3 * DAY);
		break;
	case 2:
		*clock_s += (int64_t)drawn(seed, 3 * DAY);
		break;
	default:
		*clock_s += (int64_t)drawn(seed, 60);
	}
	return *clock_s - (int64_t)drawn(seed, 2) * (int64_t)drawn(seed, DAY);
}

START_TEST(deadlines_take_is_the_inverse_of_add)
{
	static struct waiting queue[3000];
	uint64_t seed = (uint64_t)_i + 1, sum = 0, taken;
	size_t count = 0, most = (size_t)(_i % 3 + 1) * 1000;
	int64_t clock_s = NOW;
	struct deadlines d;
	struct waiting w;

	deadlines_init(&d, DAY);
	for (int turn = 0; turn < 20000; turn++) {
		if (count < most && drawn(&seed, 20) < 11) {
			w.oldest_s = drawn_time(&seed, &clock_s);
			w.events = 1 + drawn(&seed, 10000);
			queue[count++] = w;
			sum += w.events;
			deadlines_add(&d, w.oldest_s, w.events);
		} else if (count) {
			size_t at = drawn(&seed, count);

			w = queue[at];
			queue[at] = queue[--count];
			sum -= w.events;
			deadlines_take(&d, w.oldest_s, w.events);
		}
		ck_assert_uint_eq(deadlines_events(&d), sum);
	}
	assert_sound(&d);
	while (count) {
		taken = deadlines_events(&d);
		w = queue[--count];
		deadlines_take(&d, w.oldest_s, w.events);
		ck_assert_uint_eq(taken - deadlines_events(&d), w.events);
	}
	ck_assert_uint_eq(d.count, 0);
}
END_TEST

START_TEST(deadlines_take_finds_what_moved_out_of_sight)
{
	struct deadlines d;

	deadlines_init(&d, 600);
	deadlines_add(&d, NOW, 100);
	/* A month goes by, every minute a batch comes and all but one in a
	 * hundred leave. */
	for (int64_t t = 0; t < 30 * DAY; t += 60) {
		deadlines_add(&d, NOW + 60 + t, 10);
		if (t % 6000)
			deadlines_take(&d, NOW + 60 + t, 10);
	}
	assert_sound(&d);
	ck_assert_uint_eq(deadlines_events(&d), 100 + 432 * 10);
	deadlines_take(&d, NOW, 100);
	for (int64_t t = 0; t < 30 * DAY; t += 6000)
		deadlines_take(&d, NOW + 60 + t, 10);
	ck_assert_uint_eq(d.count, 0);
}
END_TEST

START_TEST(deadlines_take_no_more_than_there_is)
{
	struct deadlines d;

	deadlines_init(&d, DAY);
	deadlines_take(&d, NOW, 1);
	deadlines_add(&d, NOW, 0);
	ck_assert_uint_eq(d.count, 0);
	deadlines_add(&d, NOW, 5);
	deadlines_take(&d, NOW - 1, 5);
	deadlines_take(&d, NOW + 1, 5);
	ck_assert_uint_eq(deadlines_events(&d), 5);
	deadlines_take(&d, NOW, 6);
	ck_assert_uint_eq(d.count, 0);
}
END_TEST

START_TEST(deadlines_keep_what_waits_over_a_reload)
{
	struct deadlines d;
	struct forecast f;

	deadlines_init(&d, 0);
	deadlines_add(&d, NOW, 100);
	deadlines_set_max_age(&d, DAY);
	deadlines_forecast(&d, 0, NOW, &f);
	ck_assert_uint_eq(f.expiring_events, 100);
	ck_assert_int_eq(f.first_s, NOW + DAY);
	deadlines_set_max_age(&d, 60);
	deadlines_forecast(&d, 0, NOW, &f);
	ck_assert_int_eq(f.first_s, NOW + 60);
	deadlines_set_max_age(&d, -1);
	deadlines_forecast(&d, 0, NOW, &f);
	ck_assert_uint_eq(f.expiring_events, 0);
	deadlines_take(&d, NOW, 100);
	ck_assert_uint_eq(d.count, 0);
}
END_TEST

START_TEST(deadlines_stand_the_ends_of_time)
{
	static const int64_t times[] = {INT64_MIN, 0, NOW, INT64_MAX};
	struct deadlines d;
	struct forecast f;

	deadlines_init(&d, INT64_MAX);
	for (size_t i = 0; i < NROF(times); i++)
		deadlines_add(&d, times[i], 1);
	for (size_t i = 0; i < NROF(times); i++) {
		deadlines_forecast(&d, 0, times[i], &f);
		ck_assert_uint_eq(f.expiring_events, 4);
		ck_assert_int_eq(f.last_s, INT64_MAX);
	}
}
END_TEST

/* --- Against a simulation, one event after another --- */

static int by_time(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	return (x->oldest_s > y->oldest_s) - (x->oldest_s < y->oldest_s);
}

/*
 * Each event takes 1/rate seconds of the service, whole events only, the one
 * due first goes first; one whose turn would be over after its deadline goes.
 */
static void simulate(struct waiting *queue, size_t count, int64_t max_age_s,
		     double rate, int64_t now_s, struct forecast *out)
{
	double served = 0;

	*out = (struct forecast){.rate = rate};
	qsort(queue, count, sizeof(*queue), by_time);
	for (size_t i = 0; i < count; i++) {
		int64_t due_s = queue[i].oldest_s + max_age_s;

		for (uint64_t n = 0; n < queue[i].events; n++) {
			if (served + 1 <= rate * (double)(due_s - now_s)) {
				served++;
				continue;
			}
			if (due_s < now_s)
				due_s = now_s;
			if (!out->expiring_events++)
				out->first_s = due_s;
			out->last_s = due_s;
		}
	}
}

static void assert_near(const struct forecast *got, const struct forecast *want,
			const char *what)
{
	double off = fabs((double)got->expiring_events -
			  (double)want->expiring_events);

	ck_assert_msg(off <= 0.1 * (double)want->expiring_events + 2,
		      "%s: %lu, expected %lu", what,
		      (unsigned long)got->expiring_events,
		      (unsigned long)want->expiring_events);
	/* When all expire, when they do is known to the second. */
	if (got->rate > 0)
		return;
	ck_assert_int_eq(got->first_s, want->first_s);
	ck_assert_int_eq(got->last_s, want->last_s);
}

/* Shapes of a queue: even, in bursts, all at one end, a few moments. */
static size_t draw_queue(uint64_t *seed, struct waiting *queue, int shape,
			 int64_t max_age_s)
{
	size_t count = shape == 3 ? 1 + drawn(seed, 3) : 300 + drawn(seed, 900);
	uint64_t span = (uint64_t)max_age_s * 5 / 4;
	int64_t burst = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t age = drawn(seed, span);

		if (shape == 1 && i % 100 == 0)
			burst = (int64_t)age;
		if (shape == 1)
			age = (uint64_t)burst + drawn(seed, span / 50 + 1);
		if (shape == 2)
			age = age * age / span * age / span;
		queue[i].oldest_s = NOW - (int64_t)age;
		queue[i].events = 1 + drawn(seed, shape == 3 ? 30000 : 200);
	}
	return count;
}

START_TEST(deadlines_agree_with_a_simulation)
{
	static const int64_t ages[] = {120, 3600, DAY, 7 * DAY, 365 * DAY};
	static struct waiting queue[2000];
	uint64_t seed = (uint64_t)_i * 7919 + 1, sum = 0;
	int64_t max_age_s = ages[drawn(&seed, NROF(ages))];
	size_t count = draw_queue(&seed, queue, _i % 4, max_age_s);
	struct deadlines d;
	struct forecast got, want;
	char what[64];
	double rate;

	deadlines_init(&d, max_age_s);
	for (size_t i = 0; i < count; i++) {
		deadlines_add(&d, queue[i].oldest_s, queue[i].events);
		sum += queue[i].events;
	}
	assert_sound(&d);
	/* From nothing to more than enough. */
	for (int step = 0; step <= 10; step++) {
		rate = (double)sum / (double)max_age_s * step * 0.3;
		deadlines_forecast(&d, rate, NOW, &got);
		simulate(queue, count, max_age_s, rate, NOW, &want);
		(void)snprintf(what, sizeof(what), "queue %d, age %ld, rate %g",
			       _i, (long)max_age_s, rate);
		assert_near(&got, &want, what);
	}
}
END_TEST

/* How wide the widest bin is. */
static int64_t widest(const struct deadlines *d)
{
	int64_t width = 0;

	for (uint32_t i = 0; i < d->count; i++) {
		if (d->bins[i].last_s - d->bins[i].first_s > width)
			width = d->bins[i].last_s - d->bins[i].first_s;
	}
	return width;
}

/* --- A day at 1000 events a second --- */

static const struct {
	double service;
	double seconds_waiting; /* of a day's rows, what has waited since */
} days[] = {{0, DAY}, {500, DAY}, {3000, DAY}, {500, 3600}, {900, DAY}};

/* One batch of 5000 every five seconds; it is past the last one now. */
START_TEST(deadlines_of_a_day_at_a_thousand_a_second)
{
	int64_t span_s = (int64_t)days[_i].seconds_waiting;
	double rate = days[_i].service, expected;
	struct deadlines d;
	struct forecast f;

	deadlines_init(&d, DAY);
	for (int64_t t = 0; t < span_s; t += 5)
		deadlines_add(&d, NOW - span_s + t, 5000);
	deadlines_forecast(&d, rate, NOW, &f);
	/* A fluid of 1000 a second that is due from DAY - span to DAY: the
	 * service works until the end, or is done before. */
	expected = 1000.0 * (double)span_s - rate * DAY;
	if (expected < 0)
		expected = 0;
	ck_assert_msg(fabs((double)f.expiring_events - expected) <=
			      0.001 * 1000 * DAY,
		      "%lu, expected %.0f", (unsigned long)f.expiring_events,
		      expected);
	ck_assert_int_eq(f.expiring_events > 0, expected > 0);
	if (expected > 0)
		ck_assert_int_le(llabs(f.last_s - (NOW + DAY - 5)), 5);
	if (rate == 0)
		ck_assert_int_eq(f.first_s, NOW);
}
END_TEST

/* Strays that leave a whole day's events one bin. */
START_TEST(deadlines_spread_a_wide_bin_evenly)
{
	static struct waiting queue[17280];
	struct forecast got, want;
	struct deadlines d;

	deadlines_init(&d, DAY);
	for (int64_t i = 2; i < DEADLINES_BINS; i++)
		deadlines_add(&d, NOW + i * 400 * DAY, 1);
	for (int64_t i = 0; i < 17280; i++) {
		queue[i] = (struct waiting){NOW - DAY + i * 5, 100};
		deadlines_add(&d, queue[i].oldest_s, queue[i].events);
	}
	ck_assert_int_ge(widest(&d), 17278 * 5);
	for (double rate = 0; rate < 18; rate++) {
		deadlines_forecast(&d, rate, NOW, &got);
		simulate(queue, NROF(queue), DAY, rate, NOW, &want);
		if (rate == 0) /* the strays, too */
			got.expiring_events -= DEADLINES_BINS - 2;
		got.last_s = want.last_s;
		assert_near(&got, &want, "one wide bin");
	}
}
END_TEST

/* The bins stay as narrow as the header says while days go by. */
START_TEST(deadlines_stay_narrow)
{
	int64_t start = NOW - 3 * DAY, next = 0;
	struct deadlines d;

	deadlines_init(&d, DAY);
	deadlines_add(&d, 0, 1);
	deadlines_add(&d, 4102444800, 1);
	for (int64_t t = 0; t < 3 * DAY; t += 5) {
		deadlines_add(&d, start + t, 5000);
		/* The oldest leaves after a day. */
		if (t < DAY)
			continue;
		deadlines_take(&d, start + next, 5000);
		next += 5;
	}
	assert_sound(&d);
	ck_assert_uint_eq(deadlines_events(&d), 2 + 1000 * DAY);
	ck_assert_uint_ge(d.count, DEADLINES_BINS / 2);
	/* One bin may be cut by the day's beginning. */
	ck_assert_int_le(widest(&d), 2 * (DAY + 600) / (DEADLINES_BINS - 3));
}
END_TEST

/* An hour back: the new rows are older than those that wait; on again. */
START_TEST(deadlines_stand_a_clock_set_back)
{
	struct deadlines d;
	struct forecast f;

	deadlines_init(&d, DAY);
	for (int64_t t = 0; t < 1800; t += 5)
		deadlines_add(&d, NOW + t, 100);
	for (int64_t t = 1800; t < 3600; t += 5)
		deadlines_add(&d, NOW - 3600 + t, 100);
	assert_sound(&d);
	deadlines_forecast(&d, 0, NOW - 1, &f);
	ck_assert_uint_eq(f.expiring_events, 72000);
	ck_assert_int_eq(f.first_s, NOW - 1800 + DAY);
	ck_assert_int_eq(f.last_s, NOW + 1795 + DAY);
	/* "Now" before everything that waits, and long after. */
	deadlines_forecast(&d, 0, NOW - 10 * DAY, &f);
	ck_assert_uint_eq(f.expiring_events, 72000);
	ck_assert_int_eq(f.last_s, NOW + 1795 + DAY);
	deadlines_forecast(&d, 1e9, NOW + 10 * DAY, &f);
	ck_assert_uint_eq(f.expiring_events, 72000);
	ck_assert_int_eq(f.first_s, NOW + 10 * DAY);
	ck_assert_int_eq(f.last_s, NOW + 10 * DAY);
	for (int64_t t = 0; t < 1800; t += 5)
		deadlines_take(&d, NOW + t, 100);
	for (int64_t t = 1800; t < 3600; t += 5)
		deadlines_take(&d, NOW - 3600 + t, 100);
	ck_assert_uint_eq(d.count, 0);
}
END_TEST

Suite *deadlines_suite(void)
{
	Suite *s = suite_create("deadlines");
	TCase *tc = tcase_create("deadlines");

	tcase_add_loop_test(tc, deadlines_foretell_what_expires, 0, NROF(rows));
	tcase_add_loop_test(tc, deadlines_take_is_the_inverse_of_add, 0, 6);
	tcase_add_test(tc, deadlines_take_finds_what_moved_out_of_sight);
	tcase_add_test(tc, deadlines_take_no_more_than_there_is);
	tcase_add_test(tc, deadlines_keep_what_waits_over_a_reload);
	tcase_add_test(tc, deadlines_stand_the_ends_of_time);
	tcase_add_loop_test(tc, deadlines_agree_with_a_simulation, 0, 100);
	tcase_add_loop_test(tc, deadlines_of_a_day_at_a_thousand_a_second, 0,
			    NROF(days));
	tcase_add_test(tc, deadlines_spread_a_wide_bin_evenly);
	tcase_add_test(tc, deadlines_stay_narrow);
	tcase_add_test(tc, deadlines_stand_a_clock_set_back);
	suite_add_tcase(s, tc);
	return s;
}
