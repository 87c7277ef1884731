/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "base/json_read.h"
#include "base/utf8.h"

/* Repaired text is valid, no longer than it may be, and survives JSON. */

static int same(void *ctx, struct slice path, enum json_event event,
		struct slice text)
{
	const struct buf *want = ctx;

	(void)path;
	if (event == JSON_STRING)
		assert(slice_eq(text, buf_slice(want)));
	return 0;
}

static void through_json(struct buf *clean)
{
	struct buf text;
	struct json *json;
	int status;

	buf_init(&text, clean->len * 6 + 100);
	json = json_new(&text);
	json_begin(json);
	json_str(json, "k", buf_slice(clean));
	json_end(json);
	json_line(json);
	json_free(&json);
	assert(!text.overflow);
	status = json_read(buf_slice(&text), same, clean);
	assert(status == 0);
	(void)status;
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	size_t good = utf8_valid(text);
	struct buf clean;

	assert(good <= size);
	assert(good == size || utf8_char(slice_skip(text, good)) == 0);
	buf_init(&clean, size * 3);
	if (utf8_repair(text, &clean) < 0 || clean.overflow)
		__builtin_trap();
	assert(utf8_valid(buf_slice(&clean)) == clean.len);
	assert((clean.len == size) == (good == size));
	assert(slice_starts(buf_slice(&clean), slice_of(text.p, good)));
	through_json(&clean);
	buf_release(&clean);
	return 0;
}
