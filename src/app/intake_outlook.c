/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <math.h>

#include "app/intake_private.h"
#include "base/log.h"
#include "base/when.h"

/*
 * Will what waits be sent before it is too old?  Looked at with the room, while
 * batches wait.  What status needs of it, the rate, is saved when it changed
 * and not more often than once a minute.
 */

enum { OUTLOOK_SAVE_MS = 60000 };

static void outlook_say(const struct intake *in, enum alarm_word word)
{
	const struct forecast *f = &in->forecast;
	char first[WHEN_TEXT], last[WHEN_TEXT];

	if (word == ALARM_NONE)
		return;
	if (word == ALARM_OVER) {
		log_info("spool: all that waits can be sent in time again");
		return;
	}
	when_format(f->first_s, first);
	when_format(f->last_s, last);
	log_errorx("spool: at the present rate of %.1f events a second %" PRIu64
		   " events will be too old before they can be sent, the first "
		   "at %s, the last at %s; see what holds up the uploads",
		   f->rate, f->expiring_events, first, last);
}

static void outlook_save(struct intake *in, double rate, int64_t now_ms)
{
	struct checkpoint_process *process = &in->books.process;

	if (fabs(rate - process->rate) <= fabs(process->rate) / 20 ||
	    now_ms < in->outlook_ms)
		return;
	in->outlook_ms = now_ms + OUTLOOK_SAVE_MS;
	process->rate = rate;
	intake_dirty(in, now_ms);
}

void intake_outlook(struct intake *in, bool waiting, int64_t now_ms,
		    int64_t now_s)
{
	double rate;

	pace_note(&in->pace, now_ms, in->books.ledger.sent_events);
	if (!waiting)
		pace_idle(&in->pace);
	rate = pace_rate(&in->pace);
	spool_forecast(in->spool, rate, now_s, &in->forecast);
	outlook_say(in, alarm_say(&in->alarm, &in->forecast, now_s, now_ms));
	outlook_save(in, rate, now_ms);
}
