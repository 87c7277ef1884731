/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_EVENT_H
#define ACCT_EVENT_H

/*
 * event - one NDJSON line (mapping.md 4)
 *
 *	event_plan(&event, &record, EVENT_DELIVERY, false);
 *	event_make(&event, &record);
 *	event_line(&event, &out);
 *
 * Values are slices of the row, of the record's memory, of the settings and of
 * the event itself: do not copy an event, and write it before the next row.
 */

#include "acct/record.h"
#include "acct/shape.h"
#include "base/json.h"

enum { EVENT_ATTRIBUTES = 40, EVENT_NUMBER = 24 };

struct event {
	enum event_type type;
	bool synthesized; /* an injection made from d, b or t */
	int64_t time_s;
	enum row_column time_column;
	uint64_t id;
	struct shape_attribute attributes[EVENT_ATTRIBUTES];
	size_t count;
	char id_text[EVENT_NUMBER], time_text[EVENT_NUMBER];
	char queue_text[EVENT_NUMBER], class_text[EVENT_NUMBER];
	char subaccount_text[EVENT_NUMBER];
	char hash[DIGEST_SHA1_BASE64];
};

/* What is needed to know whether it will be sent: type, time and id. */
void event_plan(struct event *event, const struct record *record,
		enum event_type type, bool synthesized);

/* All attributes of a planned event. */
void event_make(struct event *event, const struct record *record);

/* Append the line to "out", which may overflow. */
void event_line(const struct event *event, struct buf *out);

/* The same, by yajl and ten times as dear: the judge of event_line(), and what
 * EVENTS=yajl builds in its place. */
void event_line_yajl(const struct event *event, struct json *json);

#endif /* ACCT_EVENT_H */
