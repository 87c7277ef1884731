/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_EVENT_LINE_H
#define ACCT_EVENT_LINE_H

/*
 * event_line - the JSON of one event, straight into a buffer
 *
 *	struct event_line line;
 *	event_line_open(&line, &out, EVENT_DELIVERY);	its type is written
 *	event_line_string(&line, ATTRIBUTE_RCPT_TO, value); ...
 *	event_line_close(&line);	out.overflow: it did not fit
 *
 * Most of what a batch costs before it is packed is spent here, so room is
 * asked for once, and a value that is certain to fit in it is written without
 * another look at the buffer.  One that might not goes piece by piece.  Between
 * open and close "out" is the line's.
 */

#include "acct/account.h"
#include "acct/attribute.h"
#include "base/buf.h"
#include "base/decimal.h"
#include "base/hint.h"
#include "base/json_run.h"

enum { EVENT_LINE_ROOM = 16 << 10 }; /* asked for at once */

struct event_line {
	char *p;	 /* the next byte */
	const char *end; /* of what may be written to */
	struct buf *out;
};

/* "{"msys":{"message_event":{"type":"delivery"" */
extern const struct slice event_line_types[EVENT_TYPES];

/* --- Where there may be too little room --- */

void event_line_more_string(struct event_line *line, enum attribute attribute,
			    struct slice value);
void event_line_more(struct event_line *line, struct slice json);

void event_line_reserve(struct event_line *line);

static inline size_t event_line_room(const struct event_line *line)
{
	return (size_t)(line->end - line->p);
}

static inline void event_line_string(struct event_line *line,
				     enum attribute attribute,
				     struct slice value)
{
	const struct attribute_key *key = &attribute_keys[attribute];
	char *p = line->p;

	if (UNLIKELY(value.len > event_line_room(line) / 8 ||
		     ATTRIBUTE_KEY + 2 + JSON_RUN_ROOM(value.len) >
			     event_line_room(line))) {
		event_line_more_string(line, attribute, value);
		return;
	}
	memcpy(p, key->json, ATTRIBUTE_KEY);
	p = json_run(p + key->len + 1, value);
	*p = '"';
	line->p = p + 1;
}

/* Text that is JSON already: a comma, a key, a value, and so on. */
static inline void event_line_json(struct event_line *line, struct slice json)
{
	if (UNLIKELY(json.len > event_line_room(line))) {
		event_line_more(line, json);
		return;
	}
	memcpy(line->p, json.p, json.len);
	line->p += json.len;
}

/* A value that is written as it is: an integer, or true. */
static inline void event_line_bare(struct event_line *line,
				   enum attribute attribute, struct slice value)
{
	const struct attribute_key *key = &attribute_keys[attribute];

	event_line_json(line, slice_of(key->json, key->len));
	event_line_json(line, value);
}

/* A number, as a string. */
static inline void event_line_decimal(struct event_line *line,
				      enum attribute attribute, uint64_t number)
{
	const struct attribute_key *key = &attribute_keys[attribute];
	char text[DECIMAL_ROOM], *p = line->p;

	if (UNLIKELY(event_line_room(line) <
		     ATTRIBUTE_KEY + DECIMAL_ROOM + 1)) {
		event_line_more_string(line, attribute,
				       decimal_text(text, number));
		return;
	}
	memcpy(p, key->json, ATTRIBUTE_KEY);
	p = decimal_put(p + key->len + 1, number);
	*p = '"';
	line->p = p + 1;
}

static inline void event_line_open(struct event_line *line, struct buf *out,
				   enum event_type type)
{
	line->out = out;
	if (LIKELY(out->cap - out->len >= EVENT_LINE_ROOM &&
		   out->max - out->len >= EVENT_LINE_ROOM)) {
		line->p = out->p + out->len;
		line->end = line->p + EVENT_LINE_ROOM;
	} else {
		event_line_reserve(line);
	}
	event_line_json(line, event_line_types[type]);
}

static inline void event_line_close(struct event_line *line)
{
	event_line_json(line, SLICE("}}}\n"));
	if (line->p)
		line->out->len = (size_t)(line->p - line->out->p);
}

#endif /* ACCT_EVENT_LINE_H */
