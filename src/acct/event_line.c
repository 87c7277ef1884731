/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event_line.h"

#define LINE_TYPE(type)                                                        \
	{                                                                      \
		"{\"msys\":{\"message_event\":{\"type\":\"" type "\"",         \
			sizeof("{\"msys\":{\"message_event\":{\"type\":"       \
			       "\"" type "\"") -                               \
				1                                              \
	}

/* As account_event_name() says, with all that stands before it. */
const struct slice event_line_types[EVENT_TYPES] = {
	[EVENT_RECEPTION] = LINE_TYPE("reception"),
	[EVENT_DELIVERY] = LINE_TYPE("delivery"),
	[EVENT_INBAND] = LINE_TYPE("inband"),
	[EVENT_TEMPFAIL] = LINE_TYPE("tempfail"),
	[EVENT_OUTOFBAND] = LINE_TYPE("outofband"),
	[EVENT_FEEDBACK] = LINE_TYPE("feedback"),
};

enum { LINE_PIECE = 1024 }; /* of a value, where room is short */

/* What was written becomes the buffer's. */
static void line_flush(struct event_line *line)
{
	if (line->p)
		line->out->len = (size_t)(line->p - line->out->p);
}

/* As much room as there may be, and no overflow for asking. */
void event_line_reserve(struct event_line *line)
{
	struct buf *out = line->out;
	size_t room = out->max - out->len;

	if (room > EVENT_LINE_ROOM)
		room = EVENT_LINE_ROOM;
	line->p = NULL;
	line->end = NULL;
	/* A buffer without a byte in it may be without memory, too. */
	if (!room || buf_reserve(out, room) < 0)
		return;
	line->p = out->p + out->len;
	line->end = line->p + room;
}

void event_line_more(struct event_line *line, struct slice json)
{
	line_flush(line);
	buf_add_slice(line->out, json);
	event_line_reserve(line);
}

void event_line_more_string(struct event_line *line, enum attribute attribute,
			    struct slice value)
{
	const struct attribute_key *key = &attribute_keys[attribute];
	char piece[JSON_RUN_ROOM(LINE_PIECE)];

	line_flush(line);
	buf_add(line->out, key->json, key->len + 1);
	while (value.len && !line->out->overflow) {
		size_t n = value.len < LINE_PIECE ? value.len : LINE_PIECE;
		const char *end = json_run(piece, slice_of(value.p, n));

		buf_add(line->out, piece, (size_t)(end - piece));
		value = slice_skip(value, n);
	}
	buf_add(line->out, "\"", 1);
	event_line_reserve(line);
}
