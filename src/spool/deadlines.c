/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/deadlines.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct deadlines) <= 8192, "the table is 8 KiB");

void deadlines_init(struct deadlines *d, int64_t max_age_s)
{
	d->count = 0;
	deadlines_set_max_age(d, max_age_s);
}

void deadlines_set_max_age(struct deadlines *d, int64_t max_age_s)
{
	d->max_age_s = max_age_s > 0 ? max_age_s : 0;
}

/* --- The table --- */

/* The first bin that does not end before the time: it has it, or it is where
 * a bin for it belongs. */
static uint32_t bin_find(const struct deadlines *d, int64_t time_s)
{
	uint32_t low = 0, high = d->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (d->bins[mid].last_s < time_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool bin_has(const struct deadlines *d, uint32_t at, int64_t time_s)
{
	return at < d->count && d->bins[at].first_s <= time_s;
}

static void bin_remove(struct deadlines *d, uint32_t at)
{
	d->count--;
	memmove(d->bins + at, d->bins + at + 1,
		(d->count - at) * sizeof(d->bins[0]));
}

/* Make one of the two neighbours that together span the least.  Unsigned: from
 * one end of time to the other is more than the sign leaves room for. */
static void bin_merge(struct deadlines *d)
{
	uint64_t least = UINT64_MAX;
	uint32_t at = 0;

	for (uint32_t i = 0; i + 1 < d->count; i++) {
		uint64_t span = (uint64_t)d->bins[i + 1].last_s -
				(uint64_t)d->bins[i].first_s;

		if (span < least) {
			least = span;
			at = i;
		}
	}
	d->bins[at + 1].first_s = d->bins[at].first_s;
	d->bins[at + 1].events += d->bins[at].events;
	bin_remove(d, at);
}

void deadlines_add(struct deadlines *d, int64_t newest_s, uint64_t events)
{
	uint32_t at = bin_find(d, newest_s);

	if (!events)
		return;
	if (!bin_has(d, at, newest_s) && d->count == DEADLINES_BINS) {
		bin_merge(d);
		/* The merged one may have it now. */
		at = bin_find(d, newest_s);
	}
	if (!bin_has(d, at, newest_s)) {
		memmove(d->bins + at + 1, d->bins + at,
			(d->count - at) * sizeof(d->bins[0]));
		d->bins[at] = (struct deadlines_bin){newest_s, newest_s, 0};
		d->count++;
	}
	d->bins[at].events += events;
}

void deadlines_take(struct deadlines *d, int64_t newest_s, uint64_t events)
{
	uint32_t at = bin_find(d, newest_s);

	if (!bin_has(d, at, newest_s))
		return;
	if (d->bins[at].events > events)
		d->bins[at].events -= events;
	else
		bin_remove(d, at);
}

uint64_t deadlines_events(const struct deadlines *d)
{
	uint64_t events = 0;

	for (uint32_t i = 0; i < d->count; i++)
		events += d->bins[i].events;
	return events;
}

/* --- The forecast --- */

/*
 * Seconds from now, as numbers that may be fractions.  "events" are due evenly
 * from "begin" to "end"; the service has time for them from "free" on.  As bins
 * come in the order of their deadlines and the service gives up what is due,
 * "free" never lies beyond the end of a bin that has been dealt with.
 */
struct bin_fate {
	double begin, end, events; /* of what is still to be dealt with */
	double expiring, from, to; /* how many, when the first and the last */
};

/* What has passed its deadline already. */
static void fate_past(struct bin_fate *fate, double free)
{
	double past;

	if (fate->begin >= free)
		return;
	past = fate->end <= free
		       ? 1
		       : (free - fate->begin) / (fate->end - fate->begin);
	fate->from = fate->to = free;
	fate->expiring = past * fate->events;
	fate->events -= fate->expiring;
}

/*
 * The rest, and when the service is free after it.  An event at the fraction x
 * of the bin has its turn at free + x events / rate, and is due at begin +
 * x (end - begin).  Where the first line overtakes the second, events begin to
 * expire; from there on the service works on what is just due, until the end.
 */
static double fate_rest(struct bin_fate *fate, double free, double rate)
{
	double turn = free + (rate > 0 ? fate->events / rate : 0);
	double lost, x;

	if (fate->events <= 0)
		return free;
	if (rate > 0 && turn <= fate->end)
		return turn;
	/* In time at its begin, late at its end. */
	lost = fate->events - rate * (fate->end - free);
	x = rate > 0 ? (fate->begin - free) /
			       (turn - free - (fate->end - fate->begin))
		     : 0;
	if (!(fate->expiring > 0))
		fate->from = fate->begin + x * (fate->end - fate->begin);
	fate->expiring += lost;
	fate->to = fate->end;
	return fate->end;
}

/* What the arithmetic leaves of nothing is no event. */
static bool fate_matters(const struct bin_fate *fate, uint64_t events)
{
	return fate->expiring > 1e-6 * (double)events;
}

/* Whole seconds, for any time that a batch's name can hold. */
static int64_t fate_time(int64_t now_s, double after)
{
	double time = (double)now_s + after;

	if (time >= 9223372036854774784.0)
		return INT64_MAX;
	return (int64_t)time;
}

void deadlines_forecast(const struct deadlines *d, double rate, int64_t now_s,
			struct forecast *out)
{
	double free = 0, expiring = 0, first = 0, last = 0;

	*out = (struct forecast){.rate = rate};
	if (!d->max_age_s || !(rate >= 0))
		return;
	for (uint32_t i = 0; i < d->count; i++) {
		const struct deadlines_bin *bin = &d->bins[i];
		double age = (double)d->max_age_s - (double)now_s;
		struct bin_fate fate = {
			.begin = (double)bin->first_s + age,
			.end = (double)bin->last_s + age,
			.events = (double)bin->events,
		};

		fate_past(&fate, free);
		free = fate_rest(&fate, free, rate);
		if (!fate_matters(&fate, bin->events))
			continue;
		if (expiring <= 0)
			first = fate.from;
		last = fate.to;
		expiring += fate.expiring;
	}
	if (expiring < 0.5)
		return;
	out->expiring_events = (uint64_t)(expiring + 0.5);
	out->first_s = fate_time(now_s, first);
	out->last_s = fate_time(now_s, last);
}
