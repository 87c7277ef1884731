/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "tools/measure/measure.h"

enum { EVENTS_TEXT = 1 << 28 };

#define EVENTS_WRAPPER "msys.message_event."

void events_init(struct events *events)
{
	*events = (struct events){0};
	buf_init(&events->text, EVENTS_TEXT);
}

void events_release(struct events *events)
{
	buf_release(&events->text);
	mem_free(events->event);
	*events = (struct events){0};
}

static struct event *events_add(struct events *events)
{
	if (events->count == events->cap) {
		events->cap = events->cap ? events->cap * 2 : 256;
		events->event = mem_resize_array(events->event, events->cap,
						 sizeof(struct event));
	}
	events->event[events->count].count = 0;
	return &events->event[events->count++];
}

static enum attribute events_attribute(struct slice name)
{
	enum attribute a = 0;

	while (a < ATTRIBUTES &&
	       !slice_eq(name, slice_str(attribute_keys[a].name)))
		a++;
	return a;
}

static enum event_type events_type(struct slice name)
{
	enum event_type type = EVENT_RECEPTION;

	while (type < EVENT_FEEDBACK &&
	       !slice_eq(name, account_event_text(type)))
		type++;
	return type;
}

/* Values do not move: there is room for as many bytes as are read. */
static int events_visit(void *ctx, struct slice path, enum json_event kind,
			struct slice text)
{
	struct events *events = ctx;
	struct event *event = &events->event[events->count - 1];
	struct shape_attribute *a = &event->attributes[event->count];

	if (kind == JSON_BEGIN || kind == JSON_END)
		return 0;
	if (!slice_starts(path, SLICE(EVENTS_WRAPPER)) ||
	    event->count == EVENT_ATTRIBUTES ||
	    events->text.len + text.len > events->text.cap)
		return -1;
	path = slice_skip(path, sizeof(EVENTS_WRAPPER) - 1);
	*a = (struct shape_attribute){.attribute = events_attribute(path)};
	if (a->attribute == ATTRIBUTES)
		return -1;
	a->name = attribute_keys[a->attribute].name;
	a->kind = kind == JSON_STRING	? SHAPE_STRING
		  : kind == JSON_NUMBER ? SHAPE_INTEGER
					: SHAPE_TRUE;
	a->value = slice_of(events->text.p + events->text.len, text.len);
	buf_add_slice(&events->text, text);
	if (!event->count++)
		event->type = events_type(a->value);
	return 0;
}

void events_take(struct events *events, struct slice lines)
{
	events->count = 0;
	buf_reset(&events->text);
	if (buf_reserve(&events->text, lines.len) < 0) {
		errno = E2BIG;
		measure_die("events");
	}
	while (lines.len) {
		struct slice line = slice_cut(lines, '\n', &lines);

		events_add(events);
		if (json_read(line, events_visit, events) < 0) {
			errno = EBADMSG;
			measure_die("events");
		}
	}
}
