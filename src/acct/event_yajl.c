/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event.h"

void event_line_yajl(const struct event *event, struct json *json)
{
	json_begin(json);
	json_begin_in(json, "msys");
	json_begin_in(json, "message_event");
	for (size_t i = 0; i < event->count; i++) {
		const struct shape_attribute *a = &event->attributes[i];
		unsigned long long number = 0;

		switch (a->kind) {
		case SHAPE_STRING:
			json_str(json, a->name, a->value);
			break;
		case SHAPE_INTEGER:
			slice_number(a->value, INT64_MAX, &number);
			json_int(json, a->name, (int64_t)number);
			break;
		case SHAPE_TRUE:
			json_bool(json, a->name, true);
			break;
		}
	}
	json_end(json);
	json_end(json);
	json_end(json);
	json_line(json);
}
