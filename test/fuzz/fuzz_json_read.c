/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "base/utf8.h"

/* What a visitor may rely on, whatever the text is. */

struct seen {
	int depth;
	size_t values;
};

static int visit(void *ctx, struct slice path, enum json_event event,
		 struct slice text)
{
	struct seen *seen = ctx;
	int64_t value;

	assert(path.len <= JSON_READ_PATH);
	assert(utf8_valid(path) == path.len);
	assert(utf8_valid(text) == text.len);
	seen->values++;
	if (event == JSON_BEGIN || event == JSON_BEGIN_ARRAY)
		seen->depth++;
	if (event == JSON_END || event == JSON_END_ARRAY)
		seen->depth--;
	assert(seen->depth >= 0 && seen->depth <= JSON_READ_DEPTH);
	if (event == JSON_NUMBER)
		json_read_int(text, &value);
	return slice_eq(text, SLICE("refuse me")) ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct seen seen = {0};

	if (json_read(text, visit, &seen) == 0) {
		assert(seen.depth == 0 && seen.values > 0);
		assert(utf8_valid(text) == text.len);
	}
	return 0;
}
