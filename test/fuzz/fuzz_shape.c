/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "acct/shape.h"
#include "base/json_read.h"
#include "base/utf8.h"
#include "judge.h"

/*
 * The first byte chooses settings, the second how the bytes are cut; the rest
 * is a file.  The accounts agree, each line is JSON and what yajl makes of it,
 * what is kept is UTF-8, and the cut makes no difference.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	struct buf text;
	struct account account;
	int64_t to;
	size_t blocks;
};

static void configure(struct settings *s, unsigned int bits)
{
	struct mapping_entry entry = MAPPING_ENTRY_INIT;
	struct buf why;

	buf_init(&why, 1000);
	settings_init(s);
	free(s->node_name);
	s->node_name = NULL;
	s->privacy_sha1 = bits & 1;
	s->engagement_tracking = bits & 2;
	s->delay = !(bits & 4);
	s->injection = (enum settings_injection)(bits >> 3 & 3);
	s->max_age_s = bits & 32 ? 1 : 0;
	s->max_row = bits & 64 ? 64 : 4096;
	s->max_event_bytes = bits & 64 ? 700 : 100000;
	s->max_events = 3;
	entry.ship = MAPPING_SHIP_FILTER;
	entry.filter = "list";
	if (bits & 128)
		mapping_add(s->mapping, MAPPING_VMTA, "v*", &entry);
	entry = MAPPING_ENTRY_INIT;
	entry.subaccount = 5;
	mapping_add_line(s->mapping, "list", "*.x", &entry);
	assert(mapping_finish(s->mapping, &why) == 0);
	buf_release(&why);
}

static int visit(void *ctx, struct slice path, enum json_event event,
		 struct slice text)
{
	(void)ctx;
	(void)path;
	(void)event;
	assert(utf8_valid(text) == text.len);
	return 0;
}

static void keep(struct outcome *out, const struct shape_batch *batch)
{
	struct slice json = batch->json;
	uint64_t lines = 0;

	while (json.len) {
		size_t end = slice_find(json, '\n');

		assert(end < json.len);
		assert(json_read(slice_of(json.p, end), visit, NULL) == 0);
		json = slice_skip(json, end + 1);
		lines++;
	}
	assert(lines == account_events(&batch->account));
	assert(account_agrees(&batch->account));
	assert(utf8_valid(buf_slice(&batch->malformed)) ==
	       batch->malformed.len);
	assert(batch->to >= batch->from && batch->from == out->to);
	buf_add_slice(&out->text, batch->json);
	buf_add_slice(&out->text, buf_slice(&batch->malformed));
	for (size_t i = 0; i < batch->notes_count; i++)
		buf_addf(&out->text, "%d %lld %s\n", (int)batch->notes[i].kind,
			 (long long)batch->notes[i].offset,
			 batch->notes[i].text);
	account_merge(&out->account, &batch->account);
	out->to = batch->to;
	out->blocks++;
}

/* A block; false: the file has no header. */
static bool block(struct shape *shape, struct slice bytes, size_t cut,
		  struct outcome *out)
{
	size_t at = (size_t)out->to, end = at, n;
	enum shape_status status;
	bool final;

	do {
		end = cut && bytes.len - end > cut ? end + cut : bytes.len;
		final = end == bytes.len;
		status = shape_feed(shape, slice_of(bytes.p + at, end - at),
				    (int64_t)at, final, &n);
		at += n;
	} while (status == SHAPE_MORE && !final);
	assert(status != SHAPE_MORE || at == bytes.len);
	keep(out, shape_end(shape));
	assert((size_t)out->to == at);
	return status != SHAPE_NO_HEADER;
}

static void run(const struct settings *settings, struct slice bytes, size_t cut,
		struct outcome *out)
{
	struct shape *shape = shape_new(settings);
	struct shape_file file;
	struct judge judge;
	int64_t before;
	bool more;

	*out = (struct outcome){0};
	buf_init(&out->text, 64 << 20);
	shape_file_init(&file);
	judge_init(&judge, 64 << 20);
	if (!cut)
		shape_set_trace(shape, judge_row, &judge);
	do {
		before = out->to;
		shape_begin(shape, &file, 1000);
		more = block(shape, bytes, cut, out);
		assert(cut || judge_agrees(&judge, shape_end(shape)->json));
		shape_file_copy(&file, &shape_end(shape)->file);
		assert(!more || out->to > before || !bytes.len);
	} while (more && (size_t)out->to < bytes.len);
	assert(account_agrees(&out->account));
	shape_file_release(&file);
	shape_free(&shape);
	judge_release(&judge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings;
	struct outcome whole, parts;
	struct slice bytes;

	if (size < 2 || size > 1 << 16)
		return 0;
	bytes = slice_of((const char *)data + 2, size - 2);
	configure(&settings, data[0]);
	run(&settings, bytes, 0, &whole);
	run(&settings, bytes, 1 + data[1] % 64, &parts);
	assert(slice_eq(buf_slice(&whole.text), buf_slice(&parts.text)));
	assert(whole.account.rows == parts.account.rows);
	assert(whole.to == parts.to && whole.blocks == parts.blocks);
	buf_release(&whole.text);
	buf_release(&parts.text);
	account_release(&whole.account);
	account_release(&parts.account);
	settings_release(&settings);
	return 0;
}
