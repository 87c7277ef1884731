/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event.h"
#include "base/json_run.h"

/*
 * Most of what a batch costs before it is packed is spent here, so the room
 * that a line may take is asked for once, and written to without a look at the
 * buffer.  A line that might not fit is written piece by piece instead.
 */

#define LINE_BEGIN "{\"msys\":{\"message_event\":{"
#define LINE_END   "}}}\n"

enum {
	LINE_ATTRIBUTE = ATTRIBUTE_KEY + 2, /* most besides the value */
	LINE_ROOM = 64 << 10,		    /* asked for at once */
	LINE_PIECE = 1024		    /* of a value, else */
};

static size_t line_room(const struct event *event)
{
	size_t room = sizeof(LINE_BEGIN) + sizeof(LINE_END) + JSON_RUN_SLACK +
		      ATTRIBUTE_KEY + event->count * LINE_ATTRIBUTE;

	for (size_t i = 0; i < event->count; i++)
		room += event->attributes[i].value.len * 6;
	return room;
}

static char *line_put(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

/* "skip" is 1 for the first key of an object, which has no comma. */
static char *line_attribute(char *p, const struct shape_attribute *a, int skip)
{
	const struct attribute_key *key = &attribute_keys[a->attribute];

	memcpy(p, key->json + skip, ATTRIBUTE_KEY - 1);
	p += key->len - (size_t)skip;
	if (a->kind != SHAPE_STRING)
		return line_put(p, a->value.p, a->value.len);
	*p++ = '"';
	p = json_run(p, a->value);
	*p++ = '"';
	return p;
}

static char *line_write(const struct event *event, char *p)
{
	p = line_put(p, LINE_BEGIN, sizeof(LINE_BEGIN) - 1);
	for (size_t i = 0; i < event->count; i++)
		p = line_attribute(p, &event->attributes[i], i == 0);
	return line_put(p, LINE_END, sizeof(LINE_END) - 1);
}

/* --- Long lines, and those near the maximum --- */

static void line_add_string(struct slice value, struct buf *out)
{
	char piece[JSON_RUN_ROOM(LINE_PIECE)];

	buf_add(out, "\"", 1);
	while (value.len && !out->overflow) {
		size_t n = value.len < LINE_PIECE ? value.len : LINE_PIECE;
		const char *end = json_run(piece, slice_of(value.p, n));

		buf_add(out, piece, (size_t)(end - piece));
		value = slice_skip(value, n);
	}
	buf_add(out, "\"", 1);
}

static void line_add(const struct event *event, struct buf *out)
{
	buf_add(out, LINE_BEGIN, sizeof(LINE_BEGIN) - 1);
	for (size_t i = 0; i < event->count; i++) {
		const struct shape_attribute *a = &event->attributes[i];
		const struct attribute_key *key = &attribute_keys[a->attribute];

		buf_add(out, key->json + (i == 0), key->len - (i == 0));
		if (a->kind == SHAPE_STRING)
			line_add_string(a->value, out);
		else
			buf_add_slice(out, a->value);
	}
	buf_add(out, LINE_END, sizeof(LINE_END) - 1);
}

void event_line(const struct event *event, struct buf *out)
{
	size_t room = line_room(event);

	if (room > LINE_ROOM || room > out->max - out->len) {
		line_add(event, out);
		return;
	}
	buf_reserve(out, room);
	out->len = (size_t)(line_write(event, out->p + out->len) - out->p);
}
