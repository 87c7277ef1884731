/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "acct/event.h"

/*
 * Both writers of events make the same bytes.  The first byte chooses how much
 * room the line has, each further attribute takes three bytes: which one, and
 * how long its value is.  Values are whatever follows, UTF-8 or not.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice take(struct slice *rest, size_t n)
{
	struct slice taken = *rest;

	if (taken.len > n)
		taken.len = n;
	*rest = slice_skip(*rest, taken.len);
	return taken;
}

static void fill(struct event *event, struct slice rest)
{
	event->type = (enum event_type)(rest.len % EVENT_TYPES);
	event->count = 1;
	event->attributes[0] = (struct shape_attribute){
		.name = attribute_keys[ATTRIBUTE_TYPE].name,
		.value = account_event_text(event->type)};
	while (rest.len >= 3 && event->count < EVENT_ATTRIBUTES) {
		struct slice head = take(&rest, 3);
		const unsigned char *h = (const unsigned char *)head.p;
		struct shape_attribute *a = &event->attributes[event->count++];

		*a = (struct shape_attribute){.attribute = h[0] % ATTRIBUTES};
		a->name = attribute_keys[a->attribute].name;
		if (h[0] & 64) {
			a->kind = h[0] & 128 ? SHAPE_TRUE : SHAPE_INTEGER;
			a->value = h[0] & 128 ? SLICE("true") : SLICE("4711");
			continue;
		}
		a->value = take(&rest, h[1] | (size_t)h[2] % 16 << 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event *event = malloc(sizeof(*event));
	struct buf ours, theirs;
	struct json *json;

	if (!event || !size) {
		free(event);
		return 0;
	}
	fill(event, slice_of((const char *)data + 1, size - 1));
	buf_init(&ours, data[0] & 1 ? 8 << 20 : (size_t)data[0] * 4);
	buf_init(&theirs, ours.max);
	json = json_new(&theirs);
	event_line_yajl(event, json);
	event_line(event, &ours);
	assert(ours.overflow == theirs.overflow);
	assert(ours.overflow || slice_eq(buf_slice(&ours), buf_slice(&theirs)));
	json_free(&json);
	buf_release(&ours);
	buf_release(&theirs);
	free(event);
	return 0;
}
