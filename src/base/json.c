/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json.h"

#include <assert.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "base/mem.h"

/*
 * yajl_gen is set to hand its pieces to json_print(), so that there is no
 * second buffer; its own checks of UTF-8 are off, because the text has been
 * repaired where it came in.
 */

struct json {
	yajl_gen gen;
	struct buf *out;
	int open; /* objects and arrays */
};

/* Half of the pieces are one byte: a quote, a comma, a colon. */
static void json_print(void *ctx, const char *text, size_t len)
{
	struct json *json = ctx;
	struct buf *out = json->out;

	if (len == 1 && out->len < out->cap && out->len < out->max)
		out->p[out->len++] = *text;
	else
		buf_add(out, text, len);
}

/* Anything else is a call out of place, and yajl would have left it out. */
static void json_must(yajl_gen_status status)
{
	assert(status == yajl_gen_status_ok);
	(void)status;
}

struct json *json_new(struct buf *out)
{
	struct json *json = mem_zero(1, sizeof(*json));

	json->out = out;
	json->gen = yajl_gen_alloc(NULL);
	assert(json->gen);
	yajl_gen_config(json->gen, yajl_gen_print_callback, json_print, json);
	return json;
}

void json_free(struct json **json)
{
	if (!*json)
		return;
	yajl_gen_free((*json)->gen);
	mem_free(*json);
	*json = NULL;
}

static void json_text(struct json *json, struct slice text)
{
	json_must(yajl_gen_string(
		json->gen, (const unsigned char *)(text.len ? text.p : ""),
		text.len));
}

static void json_key(struct json *json, const char *key)
{
	json_text(json, slice_str(key));
}

void json_begin(struct json *json)
{
	json_must(yajl_gen_map_open(json->gen));
	json->open++;
}

void json_begin_in(struct json *json, const char *key)
{
	json_key(json, key);
	json_begin(json);
}

void json_end(struct json *json)
{
	json_must(yajl_gen_map_close(json->gen));
	json->open--;
}

void json_array_in(struct json *json, const char *key)
{
	json_key(json, key);
	json_must(yajl_gen_array_open(json->gen));
	json->open++;
}

void json_array_end(struct json *json)
{
	json_must(yajl_gen_array_close(json->gen));
	json->open--;
}

void json_item(struct json *json, struct slice value)
{
	json_text(json, value);
}

void json_str(struct json *json, const char *key, struct slice value)
{
	json_key(json, key);
	json_text(json, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	json_key(json, key);
	json_must(yajl_gen_integer(json->gen, value));
}

void json_uint_named(struct json *json, struct slice key, uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu",
			 (unsigned long long)value);

	json_text(json, key);
	json_must(yajl_gen_number(json->gen, digits, (size_t)n));
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	json_uint_named(json, slice_str(key), value);
}

void json_milli(struct json *json, const char *key, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%s%llu.%03u",
			 value < 0 ? "-" : "", (unsigned long long)size / 1000,
			 (unsigned int)(size % 1000));

	json_key(json, key);
	json_must(yajl_gen_number(json->gen, digits, (size_t)n));
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_must(yajl_gen_bool(json->gen, value));
}

void json_line(struct json *json)
{
	assert(json->open == 0);
	yajl_gen_reset(json->gen, NULL);
	buf_add_char(json->out, '\n');
}
