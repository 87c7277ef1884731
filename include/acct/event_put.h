/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_EVENT_PUT_H
#define ACCT_EVENT_PUT_H

/*
 * event_put - one attribute of an event, to where the event goes
 *
 * For event.c and event_cause.c alone, and inline: an event has two dozen
 * attributes.  Into the line goes the value; into the list also its origin,
 * for explain, which is worked out there alone.
 */

#include <assert.h>

#include "acct/event.h"
#include "base/hint.h"

/* Sets of event types, as the column "on" of mapping.md 4 names them. */
enum {
	EVENT_SENT = 1 << EVENT_RECEPTION | 1 << EVENT_DELIVERY |
		     1 << EVENT_INBAND | 1 << EVENT_TEMPFAIL,
	EVENT_TRIED =
		1 << EVENT_DELIVERY | 1 << EVENT_INBAND | 1 << EVENT_TEMPFAIL,
	EVENT_FAILED =
		1 << EVENT_INBAND | 1 << EVENT_OUTOFBAND | 1 << EVENT_TEMPFAIL,
};

static inline bool event_in(const struct event *event, int set)
{
	return set >> event->type & 1;
}

/* "kind" is one of shape_attribute's. */
static inline void event_note(struct event *event, enum attribute attribute,
			      struct slice value, int kind, const char *origin)
{
	assert(event->count < EVENT_ATTRIBUTES);
	event->attributes[event->count++] =
		(struct shape_attribute){.name = attribute_keys[attribute].name,
					 .value = value,
					 .kind = kind,
					 .origin = origin,
					 .attribute = attribute};
}

/* An attribute whose value the program has from itself: "json" is all of it,
 * as EVENT_JSON makes it. */
#define EVENT_JSON(name, value) SLICE(",\"" name "\":\"" value "\"")

static inline void event_word(struct event *event, enum attribute attribute,
			      struct slice value, struct slice json,
			      const char *origin)
{
	if (UNLIKELY(event->listed))
		event_note(event, attribute, value, SHAPE_STRING, origin);
	else
		event_line_json(&event->line, json);
}

/* Also when it is empty. */
static inline void event_always(struct event *event, enum attribute attribute,
				struct slice value, const char *origin)
{
	if (UNLIKELY(event->listed))
		event_note(event, attribute, value, SHAPE_STRING, origin);
	else
		event_line_string(&event->line, attribute, value);
}

static inline void event_add(struct event *event, enum attribute attribute,
			     struct slice value, const char *origin)
{
	if (value.len)
		event_always(event, attribute, value, origin);
}

/* A number that is a string on the wire; "text" is the list's. */
static inline void event_decimal(struct event *event, enum attribute attribute,
				 char text[DECIMAL_ROOM], uint64_t number,
				 const char *origin)
{
	if (UNLIKELY(event->listed))
		event_note(event, attribute, decimal_text(text, number),
			   SHAPE_STRING, origin);
	else
		event_line_decimal(&event->line, attribute, number);
}

static inline void event_column(struct event *event,
				const struct record *record,
				enum attribute attribute,
				enum row_column column)
{
	event_add(event, attribute,
		  record_text(record, row_get(&record->row, column)),
		  row_origin(column));
}

/* "word name", put together only for those who look. */
static inline const char *event_origin(const struct event *event,
				       const struct record *record,
				       const char *word, const char *name)
{
	return event->listed ? record_origin(record, word, name) : word;
}

static inline void event_mapped(struct event *event,
				const struct record *record,
				enum attribute attribute, struct slice value,
				const char *rule)
{
	event_add(event, attribute, record_text(record, value),
		  event_origin(event, record, "mapping ", rule));
}

/* --- event_cause.c --- */

/* Why it was not delivered, and what a complaint says. */
void event_failure(struct event *event, const struct record *record);
void event_complaint(struct event *event, const struct record *record);

#endif /* ACCT_EVENT_PUT_H */
