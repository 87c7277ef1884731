/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_read.h"

#include <assert.h>
#include <stdbool.h>
#include <yajl/yajl_parse.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

/*
 * yajl takes overlong and surrogate bytes for UTF-8, so the text is checked
 * before.  And half a surrogate pair makes it decode nonsense, in some
 * versions from beyond the end of the string: it never gets to see one.
 */

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

/* yajl does not look at what malloc gives it; these end the program. */
static void *json_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return mem_alloc(size);
}

static void *json_resize(void *ctx, void *p, size_t size)
{
	(void)ctx;
	return mem_resize(p, size);
}

static void json_give_back(void *ctx, void *p)
{
	(void)ctx;
	mem_free(p);
}

static yajl_alloc_funcs json_memory = {
	.malloc = json_alloc, .realloc = json_resize, .free = json_give_back};

static int json_parse(struct slice text, struct json_reader *r)
{
	yajl_handle handle = yajl_alloc(&json_callbacks, &json_memory, r);
	yajl_status status;

	status = yajl_parse(handle,
			    (const unsigned char *)(text.len ? text.p : ""),
			    text.len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(handle);
	yajl_free(handle);
	return status == yajl_status_ok ? 0 : -1;
}

/* The value of "\uXXXX" at the front, or -1. */
static int json_escape(struct slice s)
{
	int code = 0;

	if (s.len < 6 || s.p[0] != '\\' || s.p[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		char c = slice_lower(s.p[i]);

		if (c >= '0' && c <= '9')
			code = code * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			code = code * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return code;
}

/* How many bytes the escape at the front takes; is it half a pair? */
static size_t json_escape_len(struct slice s, bool *half_out)
{
	int code = json_escape(s), next;

	*half_out = false;
	if (code < 0)
		return s.len < 2 ? s.len : 2;
	if (code < 0xd800 || code > 0xdfff)
		return 6;
	next = code < 0xdc00 ? json_escape(slice_skip(s, 6)) : -1;
	if (next >= 0xdc00 && next <= 0xdfff)
		return 12;
	*half_out = true;
	return 6;
}

/*
 * Where the first half pair stands at or after "at", or text.len.  Outside of
 * strings a backslash is a fault anyway, so they need not be told apart.
 */
static size_t json_find_half(struct slice text, size_t at)
{
	bool half = false;

	for (;;) {
		size_t n;

		at += slice_find(slice_skip(text, at), '\\');
		if (at >= text.len)
			return text.len;
		n = json_escape_len(slice_skip(text, at), &half);
		if (half)
			return at;
		at += n;
	}
}

/* Parse a copy, in which each half is U+FFFD: as many bytes, as it happens. */
static int json_parse_mended(struct slice text, struct json_reader *r)
{
	char *copy = mem_str_of(text);
	struct slice mended = slice_of(copy, text.len);
	size_t at = json_find_half(mended, 0);
	int status;

	for (; at < text.len; at = json_find_half(mended, at + 6))
		memcpy(copy + at, "\\ufffd", 6);
	status = json_parse(mended, r);
	mem_free(copy);
	return status;
}

int json_read(struct slice text, json_visit *visit, void *ctx)
{
	struct json_reader r = {.visit = visit, .ctx = ctx};
	int status;

	if (utf8_valid(text) != text.len)
		return -1;
	buf_init(&r.path, JSON_READ_PATH);
	if (json_find_half(text, 0) == text.len)
		status = json_parse(text, &r);
	else
		status = json_parse_mended(text, &r);
	buf_release(&r.path);
	return status;
}

int json_read_int(struct slice number, int64_t *value_out)
{
	bool negative = number.len && number.p[0] == '-';
	unsigned long long max = INT64_MAX, value;

	if (slice_number(slice_skip(number, negative), max + negative, &value) <
	    0)
		return -1;
	/* The lowest number has no positive counterpart. */
	if (negative && value)
		*value_out = -(int64_t)(value - 1) - 1;
	else
		*value_out = (int64_t)value;
	return 0;
}
