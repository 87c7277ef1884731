/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/rows.h"

#include "acct/refused.h"
#include "base/fs.h"
#include "base/json_read.h"

enum { ROWS_READ = 1 << 20 }; /* bytes asked for at once */

/* A CSV field, quoted where it must be. */
static void rows_field(struct buf *out, struct slice text)
{
	if (slice_find(text, ',') == text.len &&
	    slice_find(text, '"') == text.len &&
	    slice_find(text, '\n') == text.len) {
		buf_add_slice(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, text.p[i]);
	}
	buf_add_char(out, '"');
}

void rows_name(struct slice lines, const char *path, struct buf *out)
{
	bool quoted = false, start = true;

	for (size_t i = 0; i < lines.len; i++) {
		if (start) {
			rows_field(out, slice_str(path));
			buf_add_char(out, ',');
		}
		buf_add_char(out, lines.p[i]);
		if (lines.p[i] == '"')
			quoted = !quoted;
		start = lines.p[i] == '\n' && !quoted;
	}
}

static int rows_visit_id(void *ctx, struct slice path, enum json_event event,
			 struct slice text)
{
	struct buf *out = ctx;

	if (event == JSON_STRING &&
	    slice_eq(path, SLICE("msys.message_event.event_id"))) {
		buf_reset(out);
		buf_add_slice(out, text);
	}
	return 0;
}

struct slice rows_event_id(struct slice json, struct buf *out)
{
	buf_reset(out);
	if (json_read(json, rows_visit_id, out) < 0)
		buf_reset(out);
	return buf_slice(out);
}

struct rows_search {
	const struct rows_query *query;
	struct refused refused;
	struct buf line;
	bool hide;
	struct buf *out;
	bool found;
};

static bool rows_has(const struct shape_trace *trace, struct slice event_id)
{
	for (size_t i = 0; i < trace->events_count; i++) {
		const struct shape_event *event = &trace->events[i];

		for (size_t k = 0; k < event->attributes_count; k++) {
			if (slice_eq(slice_str(event->attributes[k].name),
				     SLICE("event_id")) &&
			    slice_eq(event->attributes[k].value, event_id))
				return true;
		}
	}
	return false;
}

static void rows_visit(void *ctx, const struct shape_trace *trace)
{
	struct rows_search *search = ctx;
	struct refused_row row = {.offset = trace->offset,
				  .reason = "refused",
				  .text = trace->row,
				  .hide = search->hide,
				  .mask = trace->recipient};

	if (search->found || !rows_has(trace, search->query->event_id))
		return;
	search->found = true;
	if (refused_add(&search->refused, &row, &search->line) == 0)
		rows_name(buf_slice(&search->line), search->query->path,
			  search->out);
}

/* The header in force where the block begins. */
static void rows_header(const struct rows_query *query, struct shape_file *file)
{
	int64_t offset = query->batch->before.header_offset;
	char bytes[16384];
	ssize_t n = 0;
	struct slice line = query->columns;

	if (offset >= 0) {
		n = fs_pread(query->fd, bytes, sizeof(bytes), offset);
		line = slice_of(bytes, n > 0 ? (size_t)n : 0);
		line.len = slice_find(line, '\n');
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
	}
	buf_reset(&file->header);
	buf_add_slice(&file->header, line);
	file->header_offset = offset;
	file->skipping = query->batch->before.skipping;
}

/* More bytes into the window.  1, 0 when the block has no more, or -1. */
static int rows_fill(const struct rows_query *query, struct buf *window,
		     int64_t offset)
{
	int64_t left = query->batch->to - offset - (int64_t)window->len;
	size_t room = window->max - window->len;
	ssize_t n;

	if (left < (int64_t)room)
		room = (size_t)left;
	buf_reserve(window, room);
	n = fs_pread(query->fd, window->p + window->len, room,
		     offset + (int64_t)window->len);
	if (n < 0)
		return -1;
	window->len += (size_t)n;
	return n == (ssize_t)room && (int64_t)n < left;
}

static int rows_shape(struct shape *shape, const struct rows_query *query,
		      struct buf *window)
{
	int64_t offset = query->batch->from;
	enum shape_status status = SHAPE_MORE;
	int more = 1;

	while (more && status == SHAPE_MORE) {
		size_t at = 0, consumed;

		more = rows_fill(query, window, offset);
		if (more < 0)
			return -1;
		do {
			status = shape_feed(
				shape, slice_skip(buf_slice(window), at),
				offset + (int64_t)at, !more, &consumed);
			at += consumed;
			/* Nobody wants the events. */
			shape_json_take(shape);
		} while (status == SHAPE_PIECE);
		buf_consume(window, at);
		offset += (int64_t)at;
	}
	return 0;
}

int rows_find(const struct config *config, const struct rows_query *query,
	      struct buf *out)
{
	struct rows_search search = {.query = query,
				     .hide = config->events.privacy_sha1,
				     .out = out};
	struct shape *shape = shape_new(&config->events);
	struct shape_file file;
	struct buf window;
	int status;

	shape_file_init(&file);
	rows_header(query, &file);
	refused_init(&search.refused);
	buf_init(&search.line, REFUSED_MAX);
	buf_init(&window, config->events.max_row + ROWS_READ);
	shape_set_trace(shape, rows_visit, &search);
	shape_set_piece(shape, ROWS_READ);
	shape_begin(shape, &file, query->batch->sealed_s);
	status = rows_shape(shape, query, &window);
	shape_end(shape);
	buf_release(&window);
	buf_release(&search.line);
	refused_release(&search.refused);
	shape_free(&shape);
	shape_file_release(&file);
	return status < 0 ? -1 : search.found;
}
