/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/judge.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>
#include <zlib.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"

enum {
	JUDGE_ACCEPTED_MAX = 1 << 28,
	JUDGE_SAMPLE = 1000 /* in fast mode one line in so many is checked */
};

void judge_init(struct judge *judge, struct books *books, struct shelf *shelf)
{
	*judge = (struct judge){.books = books, .shelf = shelf};
	buf_init(&judge->accepted, JUDGE_ACCEPTED_MAX);
	judge->sample = 1;
}

/* The service's own reading of gzip, not the program's: they may disagree. */
static int judge_inflate(z_stream *z, struct buf *raw)
{
	int status = Z_OK;

	while (z->avail_in || status == Z_OK) {
		if (buf_reserve(raw, 65536) < 0)
			return -1;
		z->next_out = (Bytef *)raw->p + raw->len;
		z->avail_out = (uInt)(raw->cap - raw->len);
		status = inflate(z, Z_NO_FLUSH);
		raw->len = raw->cap - z->avail_out;
		if (status == Z_STREAM_END && z->avail_in)
			status = inflateReset(z);
		if (status != Z_OK)
			break;
	}
	return status == Z_STREAM_END ? 0 : -1;
}

int judge_unpack(struct slice body, struct buf *raw)
{
	z_stream z = {0};
	int status;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -1;
	z.next_in = (Bytef *)(uintptr_t)body.p;
	z.avail_in = (uInt)body.len;
	status = judge_inflate(&z, raw);
	inflateEnd(&z);
	return status;
}

/* The line again, with "error" as its last member if it is an object. */
static void judge_failure(struct shelf_batch *batch, struct slice line,
			  const char *error)
{
	struct buf *out = &batch->failures;
	struct slice cut = slice_trim(line);
	struct buf clean;
	struct json *j;

	if (utf8_valid(cut) == cut.len && slice_starts(cut, SLICE("{\"")) &&
	    cut.p[cut.len - 1] == '}') {
		cut.len--;
		buf_add_slice(out, cut);
		buf_addf(out, ",\"error\":\"%s\"}\n", error);
		return;
	}
	buf_init(&clean, 1 << 24);
	utf8_repair(cut, &clean);
	j = json_new(out);
	json_begin(j);
	json_str(j, "line", buf_slice(&clean));
	json_str(j, "error", slice_str(error));
	json_end(j);
	json_line(j);
	json_free(&j);
	buf_release(&clean);
}

/* The same event is the same bytes each time it is sent; but an injection may
 * be made up from any row of its message. */
static bool judge_differs(const struct schema_event *event, uint32_t first,
			  uint32_t bytes)
{
	return first != bytes &&
	       strcmp(schema_name(event->type), "reception") != 0;
}

static void judge_line(struct judge *judge, struct shelf_batch *batch,
		       struct slice line, const char *reject)
{
	struct schema_event event;
	bool is_new = true;
	uint32_t *seen, bytes;

	schema_check(line, time(NULL), judge->max_age_s, &event);
	if (reject && memmem(line.p, line.len, reject, strlen(reject)))
		snprintf(event.error, sizeof(event.error),
			 "Rejected by the plan");
	if (event.error[0]) {
		judge->books->rejected[event.type]++;
		batch->failed++;
		judge_failure(batch, line, event.error);
		return;
	}
	if (!judge->fast) {
		bytes = (uint32_t)digest_of(line).lo;
		seen = idmap_put(&judge->events, event.id, &is_new);
		if (is_new)
			*seen = bytes;
		judge->books->changed += judge_differs(&event, *seen, bytes);
	}
	if (!is_new) {
		judge->books->duplicate[event.type]++;
		batch->duplicates++;
		return;
	}
	judge->books->accepted[event.type]++;
	batch->succeeded++;
	buf_add_slice(&judge->accepted, line);
	buf_add_char(&judge->accepted, '\n');
}

static void judge_lines(struct judge *judge, struct shelf_batch *batch,
			struct slice rest, const char *reject)
{
	uint64_t n = 0;

	while (rest.len) {
		struct slice line = slice_cut(rest, '\n', &rest);

		if (!slice_trim(line).len)
			continue;
		judge->books->received++;
		if (!judge->fast || n++ % JUDGE_SAMPLE == 0) {
			judge_line(judge, batch, line, reject);
		} else {
			judge->books->accepted[SCHEMA_TYPES]++;
			batch->succeeded++;
		}
	}
}

/* The same lines as an earlier batch: nothing of it counts. */
static bool judge_repeated(struct judge *judge, struct shelf_batch *batch,
			   struct slice raw)
{
	bool is_new;

	idmap_put(&judge->batches, digest_of(raw).lo, &is_new);
	if (is_new)
		return false;
	while (raw.len)
		if (slice_trim(slice_cut(raw, '\n', &raw)).len)
			batch->duplicates++;
	judge->books->received += batch->duplicates;
	judge->books->duplicate[SCHEMA_TYPES] += batch->duplicates;
	return true;
}

static enum verdict judge_verdict(struct judge *judge,
				  struct shelf_batch *batch,
				  const struct judge_batch *in,
				  const struct fault *fault)
{
	const char *reject =
		fault->kind == FAULT_REJECT_IF ? fault->text : NULL;

	if (fault->kind == FAULT_VERDICT)
		return books_verdict_of(fault->text);
	if (in->unread) {
		judge->books->unread++;
		return VERDICT_SUCCESS;
	}
	if (in->damaged)
		return VERDICT_DECOMPRESS;
	if (!slice_trim(in->raw).len)
		return VERDICT_EMPTY_BATCH;
	if (!judge->fast && judge_repeated(judge, batch, in->raw))
		return VERDICT_DUPLICATE_BATCH;
	judge_lines(judge, batch, in->raw, reject);
	if (batch->failed)
		return VERDICT_VALIDATION;
	return batch->succeeded ? VERDICT_SUCCESS : VERDICT_DUPLICATE_BATCH;
}

bool judge_samples(struct judge *judge)
{
	return atomic_fetch_add(&judge->posts, 1) % judge->sample == 0;
}

const struct shelf_batch *judge_take(struct judge *judge,
				     const struct judge_batch *in,
				     const struct fault *fault)
{
	struct shelf_batch *batch = shelf_add(judge->shelf);

	buf_reset(&judge->accepted);
	batch->verdict = judge_verdict(judge, batch, in, fault);
	judge->books->batches++;
	judge->books->verdicts[batch->verdict]++;
	books_times(judge->books, in->came_us, in->raw);
	if (judge->fast)
		return batch;
	assert(!judge->accepted.overflow);
	books_accept(judge->books, buf_slice(&judge->accepted));
	if (judge->shelf->keep_bodies)
		buf_add_slice(&batch->body, in->body);
	return batch;
}

void judge_remember(struct judge *judge, struct slice lines)
{
	struct schema_event event;
	bool is_new;

	while (lines.len) {
		struct slice line = slice_cut(lines, '\n', &lines);

		if (schema_check(line, 0, 0, &event))
			*idmap_put(&judge->events, event.id, &is_new) =
				(uint32_t)digest_of(line).lo;
	}
}
