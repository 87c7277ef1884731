/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_EVENT_H
#define ACCT_EVENT_H

/*
 * event - one NDJSON line (mapping.md 4)
 *
 *	event_plan(&event, &record, EVENT_DELIVERY, false);
 *	event_write(&event, &record, &out);	the line, for the service
 *	event_list(&event, &record);		its attributes and where each
 *						comes from, for people
 *
 * Both say the same: one walk over the attributes (event.c, event_cause.c) puts
 * each of them to where the event goes (event_put.h).
 *
 * Values in the list are slices of the row, of the record's memory, of the
 * settings and of the event itself: do not copy an event, and look at it before
 * the next row.
 */

#include "acct/event_line.h"
#include "acct/record.h"
#include "acct/shape.h"
#include "base/json.h"

enum { EVENT_ATTRIBUTES = 40 };

struct event {
	enum event_type type;
	bool synthesized; /* an injection made from d, b or t */
	bool listed;	  /* goes into the list; else into the line */
	int64_t time_s;
	enum row_column time_column;
	uint64_t id;
	struct event_line line;
	struct shape_attribute attributes[EVENT_ATTRIBUTES];
	size_t count;
	/* Of the list. */
	char id_text[DECIMAL_ROOM], time_text[DECIMAL_ROOM];
	char queue_text[DECIMAL_ROOM], class_text[DECIMAL_ROOM];
	char subaccount_text[DECIMAL_ROOM];
	char hash[DIGEST_SHA1_BASE64];
};

/* What is needed to know whether it will be sent: type, time and id. */
void event_plan(struct event *event, const struct record *record,
		enum event_type type, bool synthesized);

/* Append the line of a planned event to "out", which may overflow. */
void event_write(struct event *event, const struct record *record,
		 struct buf *out);

/* All attributes of a planned event, the type first. */
void event_list(struct event *event, const struct record *record);

/* The line of what is in the list, for measuring and testing... */
void event_line(const struct event *event, struct buf *out);

/* ... and by yajl, ten times as dear: the judge of both writers, and what
 * EVENTS=yajl builds in place of event_write(). */
void event_line_yajl(const struct event *event, struct json *json);

#endif /* ACCT_EVENT_H */
