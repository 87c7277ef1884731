/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/schema.h"

#include <stdio.h>

#include "base/json_read.h"
#include "tools/standin/rules.h"

/* One line while it is read. */
struct reading {
	struct schema_event *event;
	size_t wrapper; /* RULES_WRAPPERS: none yet */
	unsigned int has;
	unsigned int wrappers_seen;
	int64_t timestamp;
};

const char *schema_name(int type)
{
	return type < SCHEMA_TYPES ? rules_types[type].name : "unknown";
}

/* The first fault is the one that is told. */
static void fault(struct reading *r, const char *what, const char *name)
{
	if (!r->event->error[0])
		snprintf(r->event->error, SCHEMA_ERROR, "%s%s", what, name);
}

static bool digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool id_fits(struct reading *r, struct slice s)
{
	unsigned long long id;

	if (s.len > 1 && s.p[0] == '0')
		return false;
	if (slice_number(s, INT64_MAX, &id) < 0)
		return false;
	r->event->id = id;
	return true;
}

static bool time_fits(struct reading *r, struct slice s)
{
	unsigned long long seconds;

	if (s.len != 10 || slice_number(s, INT64_MAX, &seconds) < 0)
		return false;
	r->timestamp = (int64_t)seconds;
	return true;
}

static bool string_fits(struct reading *r, enum form form, struct slice s)
{
	switch (form) {
	case FORM_WORD:
		return s.len > 0;
	case FORM_ID:
		return id_fits(r, s);
	case FORM_TIME:
		return time_fits(r, s);
	case FORM_CODE:
		return s.len == 3 && digits(s) && s.p[0] >= '2' &&
		       s.p[0] <= '5';
	case FORM_DIGITS:
	case FORM_NUMBER:
		return digits(s);
	case FORM_COMPOUND:
		return false;
	default:
		return true;
	}
}

static bool value_fits(struct reading *r, enum form form, enum json_event kind,
		       struct slice text)
{
	switch (kind) {
	case JSON_STRING:
		return string_fits(r, form, text);
	case JSON_NUMBER:
		return form == FORM_NUMBER && digits(text);
	case JSON_BOOL:
		return form == FORM_FLAG;
	case JSON_BEGIN:
	case JSON_BEGIN_ARRAY:
		return form == FORM_COMPOUND;
	default:
		return false;
	}
}

static void take_type(struct reading *r, struct slice text)
{
	r->event->type = 0;
	while (r->event->type < SCHEMA_TYPES &&
	       !slice_eq(text, slice_str(rules_types[r->event->type].name)))
		r->event->type++;
}

static void take_attribute(struct reading *r, struct slice name,
			   enum json_event kind, struct slice text)
{
	for (size_t i = 0; i < RULES_ATTRIBUTES; i++) {
		const struct rules_attribute *a = &rules_attributes[i];

		if (!slice_eq(name, slice_str(a->name)))
			continue;
		if (!value_fits(r, a->form, kind, text)) {
			fault(r, "Invalid value of attribute ", a->name);
			return;
		}
		r->has |= a->bit;
		if (a->bit == HAS_TYPE)
			take_type(r, text);
		return;
	}
}

static void take_wrapper(struct reading *r, struct slice name,
			 enum json_event kind)
{
	r->wrappers_seen++;
	for (r->wrapper = 0; r->wrapper < RULES_WRAPPERS; r->wrapper++)
		if (slice_eq(name, slice_str(rules_wrappers[r->wrapper])))
			break;
	if (r->wrapper == RULES_WRAPPERS || kind != JSON_BEGIN)
		fault(r, "Unknown event wrapper", "");
}

static int visit(void *ctx, struct slice path, enum json_event kind,
		 struct slice text)
{
	struct reading *r = ctx;
	struct slice rest, name, below;

	if (kind == JSON_END || kind == JSON_END_ARRAY)
		return 0;
	if (path.len == 0) {
		if (kind != JSON_BEGIN)
			fault(r, "An event must be a JSON object", "");
		return 0;
	}
	if (!slice_eq(slice_cut(path, '.', &rest), SLICE("msys")))
		return 0;
	name = slice_cut(rest, '.', &below);
	if (rest.len && !memchr(rest.p, '.', rest.len))
		take_wrapper(r, name, kind);
	else if (below.len && slice_find(below, '.') == below.len)
		take_attribute(r, below, kind, text);
	return 0;
}

static void check_required(struct reading *r)
{
	unsigned int required = rules_types[r->event->type].required;

	for (size_t i = 0; i < RULES_ATTRIBUTES; i++)
		if (required & ~r->has & rules_attributes[i].bit)
			fault(r, "Missing required attribute ",
			      rules_attributes[i].name);
	if (!(r->has & (HAS_RECV | HAS_DELV)))
		fault(r, "Missing recv_method or delv_method", "");
	if (r->has & HAS_RCPT_HASH && !(r->has & HAS_RCPT_DOMAIN))
		fault(r, "Missing rcpt_domain on event with rcpt_hash", "");
	if (r->has & HAS_RCPT_DOMAIN && !(r->has & HAS_RCPT_HASH))
		fault(r, "Missing rcpt_hash on event with rcpt_domain", "");
	if (!(r->has & (HAS_RCPT_TO | HAS_RCPT_HASH)))
		fault(r, "Missing rcpt_to or rcpt_hash", "");
}

static void check_whole(struct reading *r, int64_t now_s, int64_t max_age_s)
{
	if (r->wrappers_seen != 1) {
		fault(r, "An event needs exactly one wrapper inside msys", "");
		return;
	}
	if (!(r->has & HAS_TYPE)) {
		fault(r, "Missing required attribute type", "");
		return;
	}
	if (r->event->type == SCHEMA_TYPES) {
		fault(r, "Unknown event type", "");
		return;
	}
	if (rules_types[r->event->type].wrapper != r->wrapper)
		fault(r, "Wrong wrapper for type ",
		      rules_types[r->event->type].name);
	check_required(r);
	if (max_age_s && r->timestamp < now_s - max_age_s)
		fault(r, "Event is too old", "");
}

bool schema_check(struct slice line, int64_t now_s, int64_t max_age_s,
		  struct schema_event *event_out)
{
	struct reading r = {.event = event_out, .wrapper = RULES_WRAPPERS};

	*event_out = (struct schema_event){.type = SCHEMA_TYPES};
	if (json_read(line, visit, &r) < 0) {
		event_out->error[0] = '\0';
		fault(&r, "Invalid JSON", "");
		return false;
	}
	check_whole(&r, now_s, max_age_s);
	return !event_out->error[0];
}
