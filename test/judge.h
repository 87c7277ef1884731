/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JUDGE_H
#define JUDGE_H

/*
 * judge - what a batch should be, written by yajl from the list of attributes
 *
 *	struct judge judge;
 *	judge_init(&judge, max);
 *	shape_set_trace(shape, judge_row, &judge);
 *	... a block ...
 *	judge_agrees(&judge, batch->json)	and again for the next one
 *	judge_release(&judge);
 *
 * The program writes events straight into their line, in part from what it
 * remembers of rows before; the list is made anew for each row.
 */

#include "acct/event.h"

struct judge {
	struct buf text;
	struct json *json;
};

static inline void judge_init(struct judge *judge, size_t max)
{
	buf_init(&judge->text, max);
	judge->json = json_new(&judge->text);
}

static inline void judge_release(struct judge *judge)
{
	json_free(&judge->json);
	buf_release(&judge->text);
}

static inline void judge_row(void *ctx, const struct shape_trace *trace)
{
	static _Thread_local struct event event;
	struct judge *judge = ctx;

	for (size_t i = 0; i < trace->events_count; i++) {
		const struct shape_event *e = &trace->events[i];

		if (e->expired || e->duplicate)
			continue;
		event.count = e->attributes_count;
		memcpy(event.attributes, e->attributes,
		       event.count * sizeof(event.attributes[0]));
		event_line_yajl(&event, judge->json);
	}
}

static inline bool judge_agrees(struct judge *judge, struct slice json)
{
	bool same = !judge->text.overflow &&
		    slice_eq(buf_slice(&judge->text), json);

	buf_reset(&judge->text);
	return same;
}

#endif /* JUDGE_H */
