/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_read.h"

#include <assert.h>
#include <stdbool.h>
#include <yajl/yajl_parse.h>

#include "base/buf.h"

struct json_reader {
	json_visit *visit;
	void *ctx;
	struct buf path;
	int depth;
	/* For each open level: where its path ends, and whether an array. */
	size_t level_len[JSON_READ_DEPTH];
	bool level_array[JSON_READ_DEPTH];
};

/* The path of the value that comes now: in an array its level plus "[]". */
static int json_value(struct json_reader *r, enum json_event event,
		      struct slice text)
{
	size_t len = r->path.len;
	int status;

	if (r->depth && r->level_array[r->depth - 1]) {
		buf_truncate(&r->path, r->level_len[r->depth - 1]);
		if (buf_add_str(&r->path, "[]") < 0)
			return 0;
		len = r->path.len;
	}
	status = r->visit(r->ctx, slice_of(r->path.p, len), event, text);
	return status == 0;
}

static int json_open(struct json_reader *r, bool array)
{
	if (r->depth == JSON_READ_DEPTH ||
	    !json_value(r, array ? JSON_BEGIN_ARRAY : JSON_BEGIN, SLICE("")))
		return 0;
	r->level_len[r->depth] = r->path.len;
	r->level_array[r->depth] = array;
	r->depth++;
	return 1;
}

static int json_shut(struct json_reader *r, enum json_event event)
{
	assert(r->depth > 0);
	r->depth--;
	buf_truncate(&r->path, r->level_len[r->depth]);
	return r->visit(r->ctx, buf_slice(&r->path), event, SLICE("")) == 0;
}

static int json_on_null(void *ctx)
{
	return json_value(ctx, JSON_NULL, SLICE(""));
}

static int json_on_bool(void *ctx, int value)
{
	return json_value(ctx, JSON_BOOL, slice_str(value ? "true" : "false"));
}

static int json_on_number(void *ctx, const char *text, size_t len)
{
	return json_value(ctx, JSON_NUMBER, slice_of(text, len));
}

static int json_on_string(void *ctx, const unsigned char *text, size_t len)
{
	return json_value(ctx, JSON_STRING, slice_of((const char *)text, len));
}

static int json_on_map(void *ctx)
{
	return json_open(ctx, false);
}

static int json_on_array(void *ctx)
{
	return json_open(ctx, true);
}

static int json_on_map_end(void *ctx)
{
	return json_shut(ctx, JSON_END);
}

static int json_on_array_end(void *ctx)
{
	return json_shut(ctx, JSON_END_ARRAY);
}

static int json_on_key(void *ctx, const unsigned char *key, size_t len)
{
	struct json_reader *r = ctx;

	buf_truncate(&r->path, r->level_len[r->depth - 1]);
	if (r->path.len && buf_add_char(&r->path, '.') < 0)
		return 0;
	return buf_add(&r->path, key, len) == 0;
}

static const yajl_callbacks json_callbacks = {
	.yajl_null = json_on_null,
	.yajl_boolean = json_on_bool,
	.yajl_number = json_on_number,
	.yajl_string = json_on_string,
	.yajl_start_map = json_on_map,
	.yajl_map_key = json_on_key,
	.yajl_end_map = json_on_map_end,
	.yajl_start_array = json_on_array,
	.yajl_end_array = json_on_array_end,
};

int json_read(struct slice text, json_visit *visit, void *ctx)
{
	struct json_reader r = {.visit = visit, .ctx = ctx};
	yajl_handle handle;
	yajl_status status;

	buf_init(&r.path, JSON_READ_PATH);
	handle = yajl_alloc(&json_callbacks, NULL, &r);
	assert(handle);
	status = yajl_parse(handle,
			    (const unsigned char *)(text.len ? text.p : ""),
			    text.len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(handle);
	yajl_free(handle);
	buf_release(&r.path);
	return status == yajl_status_ok ? 0 : -1;
}

int json_read_int(struct slice number, int64_t *value_out)
{
	bool negative = number.len && number.p[0] == '-';
	unsigned long long value;

	if (slice_number(slice_skip(number, negative), INT64_MAX, &value) < 0)
		return -1;
	*value_out = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}
