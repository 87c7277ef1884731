/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "base/mem.h"
#include "spool/checkpoint_write.h"

/*
 * The i-th line of the text before is taken for the i-th position when number
 * and mark are the same.  In a text of ten thousand lines there is one that
 * changed, so the text is made in place: lines that are still the same stay
 * where they are, or follow those before them that became longer or shorter.
 * A line that needs more room than the old ones before it have left opens a
 * gap: all lines behind it move up, and down again when their turn comes.
 *
 * What precedes the lines is another each time, and ends where they begin.
 */

enum {
	WRITER_SPARE = 64 << 10, /* bytes of a gap, more than are needed */
	WRITER_HEADERS = 64	 /* that may be kept for nobody */
};

struct checkpoint_line {
	uint64_t number, mark;
	size_t len;
};

struct checkpoint_writer {
	struct buf text, head;
	struct buf line; /* one that is made anew */
	bool overflow;	 /* a line's */
	struct checkpoint_headers headers;
	uint32_t headers_made; /* when all lines were made anew */
	struct checkpoint_line *lines;
	size_t lines_cap;
	size_t known;		    /* so many lines the last text has */
	size_t lines_at, lines_end; /* where in "text" */
	/* New lines end at "to", and the old ones that were not looked at
	 * begin at "from"; those from "run" to there are to be kept. */
	size_t to, run, from;
	size_t positions; /* that were given */
};

/* Move what begins at "at" up by "n" bytes. */
static int text_move(struct buf *text, size_t at, size_t n)
{
	if (buf_reserve(text, n) < 0)
		return -1;
	memmove(text->p + at + n, text->p + at, text->len - at);
	text->len += n;
	return 0;
}

/* --- Lines --- */

static void lines_forget(struct checkpoint_writer *writer)
{
	writer->known = 0;
	writer->lines_end = writer->lines_at;
	checkpoint_headers_release(&writer->headers);
	writer->headers_made = 0;
}

/* Those that are kept follow the new ones. */
static void lines_flush(struct checkpoint_writer *writer)
{
	size_t n = writer->from - writer->run;

	if (n && writer->run != writer->to)
		memmove(writer->text.p + writer->to,
			writer->text.p + writer->run, n);
	writer->to += n;
	writer->run = writer->from;
}

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

static void lines_put(struct checkpoint_writer *writer, struct slice line)
{
	size_t room = writer->from - writer->to;

	if (line.len > room) {
		size_t more = line.len - room + WRITER_SPARE;

		if (text_move(&writer->text, writer->from, more) < 0) {
			writer->overflow = true;
			return;
		}
		writer->run = writer->from += more;
	}
	memcpy(writer->text.p + writer->to, line.p, line.len);
	writer->to += line.len;
}

void checkpoint_position(struct checkpoint_writer *writer,
			 const struct position *position, uint64_t mark)
{
	struct checkpoint_line *line = lines_next(writer);
	bool first = writer->positions == 1;
	bool known = writer->positions <= writer->known;

	if (known && mark && line->mark == mark &&
	    line->number == position->number) {
		writer->from += line->len;
		return;
	}
	lines_flush(writer);
	if (known)
		writer->run = writer->from += line->len;
	buf_reset(&writer->line);
	if (!first)
		buf_add_slice(&writer->line, SLICE(","));
	checkpoint_write_position(&writer->line, position, &writer->headers);
	writer->overflow = writer->overflow || writer->line.overflow;
	*line = (struct checkpoint_line){position->number, mark,
					 writer->line.len};
	lines_put(writer, buf_slice(&writer->line));
}

/* --- The whole --- */

struct checkpoint_writer *checkpoint_writer_new(void)
{
	struct checkpoint_writer *writer = mem_zero(1, sizeof(*writer));

	buf_init(&writer->text, CHECKPOINT_MAX);
	buf_init(&writer->head, CHECKPOINT_MAX);
	buf_init(&writer->line, CHECKPOINT_MAX);
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
	buf_release(&w->head);
	buf_release(&w->line);
	mem_free(w->lines);
	mem_free(w);
	*writer = NULL;
}

/* What the text took is given back when much less is needed now. */
static void writer_shrink(struct checkpoint_writer *writer)
{
	if (writer->text.cap / 4 <= writer->lines_end + WRITER_SPARE)
		return;
	writer->lines_at = 0;
	lines_forget(writer);
	buf_release(&writer->text);
}

/* Room in front of the lines, and more than is needed: the head grows. */
static void writer_make_room(struct checkpoint_writer *writer)
{
	size_t need = writer->head.len, more = 2 * need - writer->lines_at;

	if (need <= writer->lines_at)
		return;
	if (text_move(&writer->text, writer->lines_at, more) < 0) {
		writer->overflow = true;
		return;
	}
	writer->lines_at += more;
	writer->lines_end += more;
}

void checkpoint_begin(struct checkpoint_writer *writer,
		      const struct checkpoint *checkpoint)
{
	buf_reset(&writer->head);
	checkpoint_write_head(&writer->head, checkpoint);
	writer->overflow = writer->head.overflow;
	/* Headers that nobody has any more go with the lines. */
	if (writer->headers.count > 2 * writer->headers_made + WRITER_HEADERS)
		lines_forget(writer);
	writer_shrink(writer);
	buf_truncate(&writer->text, writer->lines_end);
	writer_make_room(writer);
	writer->to = writer->run = writer->from = writer->lines_at;
	writer->positions = 0;
}

int checkpoint_end(struct checkpoint_writer *writer, struct slice *text_out)
{
	struct buf *text = &writer->text;
	const struct buf *headers = &writer->headers.text;
	struct slice head = buf_slice(&writer->head);

	lines_flush(writer);
	if (!writer->known)
		writer->headers_made = writer->headers.count;
	writer->known = writer->positions;
	writer->lines_end = writer->to;
	buf_truncate(text, writer->lines_end);
	buf_add_slice(text, SLICE("],\n\"headers\":["));
	buf_add_slice(text, buf_slice(headers));
	buf_add_slice(text, SLICE("]}\n"));
	if (!writer->overflow && !text->overflow && !headers->overflow &&
	    writer->positions <= CHECKPOINT_SOURCES) {
		size_t at = writer->lines_at - head.len;

		memcpy(text->p + at, head.p, head.len);
		*text_out = slice_skip(buf_slice(text), at);
		return 0;
	}
	lines_forget(writer);
	*text_out = SLICE("");
	errno = EFBIG;
	return -1;
}
