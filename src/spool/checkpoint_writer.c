/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "base/mem.h"
#include "spool/checkpoint_write.h"

/*
 * The i-th line of the text before is taken for the i-th position when number
 * and mark are the same.  Lines that follow each other are copied at once: in
 * a text of ten thousand there is one that changed.
 */

enum {
	WRITER_SPARE = 64 << 10, /* bytes more than the text before */
	WRITER_HEADERS = 64	 /* that may be kept for nobody */
};

struct checkpoint_line {
	uint64_t number, mark;
	size_t len;
};

struct checkpoint_writer {
	struct buf text, last; /* the one being made, and the one before */
	struct checkpoint_headers headers;
	uint32_t headers_made; /* when all lines were made anew */
	struct checkpoint_line *lines;
	size_t lines_cap;
	size_t lines_at;	 /* where they begin in the text */
	size_t known;		 /* so many lines the last text has */
	size_t positions;	 /* that were given */
	size_t last_at;		 /* the next line in "last" */
	size_t run_from, run_to; /* of "last", to be copied */
};

/* --- Lines that are still the same --- */

static void lines_flush(struct checkpoint_writer *writer)
{
	/* At first there is no last text to point into. */
	if (writer->run_to > writer->run_from)
		buf_add(&writer->text, writer->last.p + writer->run_from,
			writer->run_to - writer->run_from);
	writer->run_from = writer->run_to = 0;
}

static void lines_forget(struct checkpoint_writer *writer)
{
	writer->known = 0;
	checkpoint_headers_release(&writer->headers);
	writer->headers_made = 0;
}

/* Where the next one begins in the text before; its end follows. */
static struct checkpoint_line *lines_next(struct checkpoint_writer *writer)
{
	if (writer->positions == writer->lines_cap) {
		writer->lines_cap =
			writer->lines_cap ? writer->lines_cap * 2 : 16;
		writer->lines =
			mem_resize_array(writer->lines, writer->lines_cap,
					 sizeof(*writer->lines));
	}
	return &writer->lines[writer->positions++];
}

void checkpoint_position(struct checkpoint_writer *writer,
			 const struct position *position, uint64_t mark)
{
	struct checkpoint_line *line = lines_next(writer);
	bool first = writer->positions == 1;
	bool known = writer->positions <= writer->known;
	size_t from = writer->last_at;

	if (known)
		writer->last_at += line->len;
	if (known && mark && line->mark == mark &&
	    line->number == position->number) {
		if (writer->run_to != from) {
			lines_flush(writer);
			writer->run_from = from;
		}
		writer->run_to = writer->last_at;
		return;
	}
	lines_flush(writer);
	from = writer->text.len;
	if (!first)
		buf_add_slice(&writer->text, SLICE(","));
	checkpoint_write_position(&writer->text, position, &writer->headers);
	*line = (struct checkpoint_line){position->number, mark,
					 writer->text.len - from};
}

/* --- The whole --- */

struct checkpoint_writer *checkpoint_writer_new(void)
{
	struct checkpoint_writer *writer = mem_zero(1, sizeof(*writer));

	buf_init(&writer->text, CHECKPOINT_MAX);
	buf_init(&writer->last, CHECKPOINT_MAX);
	buf_init(&writer->headers.text, CHECKPOINT_MAX);
	return writer;
}

void checkpoint_writer_free(struct checkpoint_writer **writer)
{
	struct checkpoint_writer *w = *writer;

	if (!w)
		return;
	checkpoint_headers_release(&w->headers);
	buf_release(&w->text);
	buf_release(&w->last);
	mem_free(w->lines);
	mem_free(w);
	*writer = NULL;
}

/* The text before becomes the last one; what it took is given back when much
 * less is needed now. */
static void writer_turn(struct checkpoint_writer *writer)
{
	struct buf text = writer->last;
	size_t need = writer->text.len + WRITER_SPARE;

	writer->last = writer->text;
	writer->text = text;
	buf_reset(&writer->text);
	if (text.cap / 4 > need)
		buf_release(&writer->text);
	buf_reserve(&writer->text, need);
	buf_reset(&writer->text);
	/* Headers that nobody has any more go with the lines. */
	if (writer->headers.count > 2 * writer->headers_made + WRITER_HEADERS)
		lines_forget(writer);
	writer->last_at = writer->lines_at;
	writer->run_from = writer->run_to = 0;
	writer->positions = 0;
}

void checkpoint_begin(struct checkpoint_writer *writer,
		      const struct checkpoint *checkpoint)
{
	struct buf *out = &writer->text;

	writer_turn(writer);
	checkpoint_write_head(out, checkpoint);
	writer->lines_at = out->len;
}

int checkpoint_end(struct checkpoint_writer *writer, struct slice *text_out)
{
	struct buf *out = &writer->text;

	lines_flush(writer);
	if (!writer->known)
		writer->headers_made = writer->headers.count;
	writer->known = writer->positions;
	buf_add_slice(out, SLICE("],\n\"headers\":["));
	buf_add_slice(out, buf_slice(&writer->headers.text));
	buf_add_slice(out, SLICE("]}\n"));
	*text_out = buf_slice(out);
	if (!out->overflow && !writer->headers.text.overflow &&
	    writer->positions <= CHECKPOINT_SOURCES)
		return 0;
	lines_forget(writer);
	*text_out = SLICE("");
	errno = EFBIG;
	return -1;
}
