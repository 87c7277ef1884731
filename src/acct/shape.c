/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/shape.h"

#include <assert.h>

#include "acct/shape_book.h"
#include "base/hint.h"
#include "base/mem.h"

struct shape *shape_new(const struct settings *settings)
{
	struct shape *shape = mem_zero(1, sizeof(*shape));

	shape->settings = settings;
	csv_init(&shape->csv, settings->max_row);
	row_header_init(&shape->columns, settings->message_id_columns,
			settings->message_id_columns_count);
	buf_init(&shape->columns_text, SHAPE_HEADER_MAX);
	record_tools_init(&shape->tools, settings);
	buf_init(&shape->json_text,
		 settings->max_raw_bytes + settings->max_event_bytes);
	shape->json = json_new(&shape->json_text);
	refused_init(&shape->refused);
	shape_batch_init(&shape->batch);
	return shape;
}

void shape_free(struct shape **shape)
{
	if (!*shape)
		return;
	csv_release(&(*shape)->csv);
	row_header_release(&(*shape)->columns);
	buf_release(&(*shape)->columns_text);
	record_tools_release(&(*shape)->tools);
	json_free(&(*shape)->json);
	buf_release(&(*shape)->json_text);
	idset_release(&(*shape)->receptions);
	refused_release(&(*shape)->refused);
	shape_batch_release(&(*shape)->batch);
	mem_free(*shape);
	*shape = NULL;
}

/* --- Headers --- */

/* Take the names of a header whose fields are in shape->csv. */
static void shape_columns(struct shape *shape, struct slice text)
{
	row_header_read(&shape->columns, shape->csv.fields, shape->csv.count);
	buf_reset(&shape->columns_text);
	buf_add_slice(&shape->columns_text, text);
}

/* The header that the block inherits; one that is no row counts as none. */
static void shape_inherit(struct shape *shape)
{
	struct buf *header = &shape->batch.file.header;
	struct slice text = buf_slice(header);
	struct csv_row row;

	if (!text.len || slice_eq(text, buf_slice(&shape->columns_text)))
		return;
	shape->csv.max_row = SHAPE_HEADER_MAX + 1;
	if (csv_next(&shape->csv, text, true, &row) == CSV_ROW &&
	    row.consumed == text.len)
		shape_columns(shape, text);
	else
		buf_reset(header);
	shape->csv.max_row = shape->settings->max_row;
}

static void shape_header(struct shape *shape, const struct shape_row *row)
{
	struct shape_file *file = &shape->batch.file;

	if (!slice_eq(row->bytes, buf_slice(&shape->columns_text)))
		shape_columns(shape, row->bytes);
	buf_reset(&file->header);
	buf_add_slice(&file->header, row->bytes);
	file->header_offset = row->offset;
	shape_book_trace(shape, row, SHAPE_ROW_HEADER, NULL);
}

/* --- Blocks --- */

void shape_begin(struct shape *shape, const struct shape_file *file,
		 int64_t sealed_s)
{
	struct shape_batch *batch = &shape->batch;

	shape_file_copy(&batch->file, file);
	shape_inherit(shape);
	account_release(&batch->account);
	buf_reset(&batch->malformed);
	batch->malformed_left_out = 0;
	batch->notes_count = 0;
	batch->from = batch->to = 0;
	batch->oldest_s = batch->newest_s = 0;
	batch->repeats = 0;
	buf_reset(&shape->json_text);
	shape->taken = 0;
	idset_reset(&shape->receptions);
	shape->events = 0;
	shape->sealed_s = sealed_s;
	shape->begun = false;
}

void shape_repeat(struct shape *shape, bool repeat)
{
	shape->repeat = repeat;
}

/* The rest of a row that is too long, and was counted when that was seen. */
static size_t shape_skip(struct shape *shape, struct slice bytes)
{
	size_t end = slice_find(bytes, '\n');

	if (end == bytes.len)
		return end;
	shape->batch.file.skipping = false;
	return end + 1;
}

static enum shape_status shape_row(struct shape *shape, struct shape_row *row,
				   enum csv_status status)
{
	bool header = status == CSV_ROW && kind_is_header(shape->csv.fields[0]);
	const char *fault = NULL;

	if (UNLIKELY(!header && !shape->batch.file.header.len))
		return SHAPE_NO_HEADER;
	if (status == CSV_BROKEN)
		fault = "broken quoting";
	else if (status == CSV_LONG)
		fault = "too long";
	else if (status == CSV_TOO_MANY)
		fault = "too many fields";
	else if (header && row->bytes.len > SHAPE_HEADER_MAX)
		fault = "header too long";
	if (UNLIKELY(fault != NULL))
		shape_book_malformed(shape, row, fault, NULL);
	else if (header)
		shape_header(shape, row);
	else if (!shape_book_fields(shape, row))
		return SHAPE_FULL;
	return SHAPE_MORE;
}

/* One step at the front of "bytes"; *taken_out 0 when it cannot be done. */
static enum shape_status shape_step(struct shape *shape, struct slice bytes,
				    int64_t offset, bool final,
				    size_t *taken_out)
{
	struct csv_row cut;
	struct shape_row row = {0};
	enum csv_status csv;
	enum shape_status status;

	*taken_out = 0;
	if (UNLIKELY(shape->batch.file.skipping)) {
		*taken_out = shape_skip(shape, bytes);
		return SHAPE_MORE;
	}
	csv = csv_next(&shape->csv, bytes, final, &cut);
	if (UNLIKELY(csv == CSV_MORE))
		return SHAPE_MORE;
	if (LIKELY(csv != CSV_EMPTY)) {
		row.bytes = cut.bytes;
		row.ascii = cut.ascii;
		row.offset = offset + (int64_t)cut.lead;
		status = shape_row(shape, &row, csv);
		if (status != SHAPE_MORE)
			return status;
	}
	shape->batch.file.skipping = csv == CSV_LONG;
	*taken_out = cut.consumed;
	if (UNLIKELY(shape_book_full(shape)))
		return SHAPE_FULL;
	return shape->piece && shape->json_text.len >= shape->piece
		       ? SHAPE_PIECE
		       : SHAPE_MORE;
}

enum shape_status shape_feed(struct shape *shape, struct slice bytes,
			     int64_t offset, bool final, size_t *consumed_out)
{
	enum shape_status status = SHAPE_MORE;
	size_t at = 0, taken;

	if (!shape->begun)
		shape->batch.from = shape->batch.to = offset;
	shape->begun = true;
	assert(offset == shape->batch.to);
	if (shape_book_full(shape))
		status = SHAPE_FULL;
	while (status == SHAPE_MORE && at < bytes.len) {
		status = shape_step(shape, slice_skip(bytes, at),
				    offset + (int64_t)at, final, &taken);
		at += taken;
		if (UNLIKELY(!taken))
			break;
	}
	shape->batch.to += (int64_t)at;
	*consumed_out = at;
	return status;
}

void shape_set_piece(struct shape *shape, size_t bytes)
{
	shape->piece = bytes;
}

struct slice shape_json_take(struct shape *shape)
{
	struct slice json = buf_slice(&shape->json_text);

	shape->taken += json.len;
	buf_reset(&shape->json_text);
	return json;
}

struct shape_batch *shape_end(struct shape *shape)
{
	shape->batch.json = buf_slice(&shape->json_text);
	shape->batch.json_bytes = shape_book_bytes(shape);
	return &shape->batch;
}

void shape_take(struct shape *shape, struct shape_batch *batch)
{
	struct shape_batch taken = shape->batch;

	taken.json = slice_of(NULL, 0);
	shape->batch = *batch;
	*batch = taken;
}

size_t shape_events(const struct shape *shape)
{
	return shape->events;
}

void shape_limit(struct shape *shape, size_t max_events)
{
	shape->limit = max_events;
}

void shape_set_trace(struct shape *shape,
		     void (*visit)(void *ctx, const struct shape_trace *trace),
		     void *ctx)
{
	shape->visit = visit;
	shape->visit_ctx = ctx;
}
