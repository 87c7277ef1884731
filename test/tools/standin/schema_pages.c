/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "tools/standin/rules.h"

static void document_type(struct json *j, int type)
{
	json_begin(j);
	for (size_t i = 0; i < RULES_ATTRIBUTES; i++) {
		const char *sample = rules_attributes[i].sample;

		json_begin_in(j, rules_attributes[i].name);
		json_str(j, "description", slice_str(rules_attributes[i].name));
		if (rules_attributes[i].bit == HAS_TYPE)
			sample = rules_types[type].name;
		if (sample)
			json_str(j, "sampleValue", slice_str(sample));
		if (rules_types[type].required & rules_attributes[i].bit)
			json_bool(j, "required", true);
		json_end(j);
	}
	json_end(j);
}

void schema_documentation(struct buf *out)
{
	struct json *j = json_new(out);

	json_begin(j);
	json_array_in(j, "results");
	for (int type = 0; type < SCHEMA_TYPES; type++)
		document_type(j, type);
	json_array_end(j);
	json_end(j);
	json_free(&j);
}

static void sample_type(struct json *j, int type)
{
	unsigned int wanted =
		rules_types[type].required | HAS_RECV | HAS_RCPT_TO;
	char now[24];

	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	json_begin(j);
	json_begin_in(j, "msys");
	json_begin_in(j, rules_wrappers[rules_types[type].wrapper]);
	for (size_t i = 0; i < RULES_ATTRIBUTES; i++) {
		const char *sample = rules_attributes[i].sample;

		if (rules_attributes[i].bit == HAS_TYPE)
			sample = rules_types[type].name;
		if (rules_attributes[i].bit == HAS_TIMESTAMP)
			sample = now;
		if (sample && wanted & rules_attributes[i].bit)
			json_str(j, rules_attributes[i].name,
				 slice_str(sample));
	}
	json_end(j);
	json_end(j);
	json_end(j);
}

void schema_samples(struct buf *out, const char *type)
{
	struct json *j = json_new(out);

	json_begin(j);
	json_array_in(j, "results");
	for (int i = 0; i < SCHEMA_TYPES; i++)
		if (!type || strcmp(type, rules_types[i].name) == 0)
			sample_type(j, i);
	json_array_end(j);
	json_end(j);
	json_free(&j);
}
