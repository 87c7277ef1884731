/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/pace.h"

static const struct pace_note *pace_kept(const struct pace *pace, uint32_t nth)
{
	return &pace->kept[(pace->first + nth) % PACE_NOTES];
}

static void pace_keep(struct pace *pace, struct pace_note note)
{
	if (pace->count == PACE_NOTES) {
		pace->first = (pace->first + 1) % PACE_NOTES;
		pace->count--;
	}
	pace->kept[(pace->first + pace->count) % PACE_NOTES] = note;
	pace->count++;
}

void pace_note(struct pace *pace, int64_t now_ms, uint64_t sent)
{
	struct pace_note note = {now_ms, sent};

	if (pace->count && (now_ms < pace->last.ms || sent < pace->last.sent))
		pace_idle(pace);
	if (!pace->count ||
	    now_ms - pace_kept(pace, pace->count - 1)->ms >= PACE_STEP_MS)
		pace_keep(pace, note);
	pace->last = note;
}

void pace_idle(struct pace *pace)
{
	pace->first = pace->count = 0;
}

/* Notes are a step apart or more, so the ring always has one that is older
 * than the span, once there was one. */
double pace_rate(const struct pace *pace)
{
	const struct pace_note *from;
	uint32_t nth = pace->count;

	if (!pace->count)
		return -1;
	do
		from = pace_kept(pace, --nth);
	while (nth && pace->last.ms - from->ms < PACE_SPAN_MS);
	if (pace->last.ms - from->ms < PACE_STEP_MS)
		return -1;
	return (double)(pace->last.sent - from->sent) * 1000 /
	       (double)(pace->last.ms - from->ms);
}
