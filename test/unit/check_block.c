/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "fault/wrap.h"
#include "unit/check_all.h"
#include "unit/inlet.h"
#include "unit/shaping.h"

/*
 * A block is read and shaped in pieces.  Whatever stands where one piece ends,
 * what comes out is what the whole file would have made at once.
 */

enum { FILE_BYTES = 3 << 20 };

static struct buf rows;
static struct shape_file header;
static struct block *block;
static int file;
static uint32_t dice;

static void setup(void)
{
	inlet_setup();
	inlet.config->events.max_age_s = 0;
	shape_file_init(&header);
	buf_init(&rows, FILE_BYTES + (2 << 20));
	buf_add_str(&rows, INLET_HEADER);
	dice = 1;
	file = -1;
}

static void teardown(void)
{
	block_free(&block);
	buf_release(&rows);
	shape_file_release(&header);
	if (file >= 0)
		close(file);
	inlet_teardown();
}

static unsigned int draw(unsigned int sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

/* A row whose last field is so long, and holds line ends when it is quoted. */
static void add_row(size_t len, bool quoted)
{
	static unsigned int n;

	buf_addf(&rows, "d,1700000000,1699999990,a@f.example,u%u@t.example,",
		 n++);
	if (quoted)
		buf_add_char(&rows, '"');
	for (size_t i = 0; i < len; i++)
		buf_add_char(&rows, quoted && i % 7 == 3   ? '\n'
				    : quoted && i % 7 == 5 ? ','
							   : 'x');
	if (quoted)
		buf_add_char(&rows, '"');
	buf_add_char(&rows, '\n');
}

static void open_file(void)
{
	inlet_add("a.csv", buf_str(&rows));
	file = open(inlet_path("a.csv"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	block = block_new(inlet.config);
}

/* What is packed goes into one file, and comes out of it. */
static void keep_gz(struct slice gz)
{
	int fd;

	ck_assert_uint_le(gz.len, inlet.config->batch_max_bytes);
	fd = open(inlet_path("all.gz"),
		  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, gz.p, gz.len), 0);
	close(fd);
}

static void unpack(struct buf *json)
{
	int fd = open(inlet_path("all.gz"), O_RDONLY | O_CLOEXEC);
	struct gzip_reader *reader;
	ptrdiff_t n;

	ck_assert_int_ge(fd, 0);
	reader = gzip_reader_new(fd);
	do {
		ck_assert_int_eq(buf_reserve(json, 1 << 16), 0);
		n = gzip_read(reader, json->p + json->len, 1 << 16);
		ck_assert_int_ge(n, 0);
		json->len += (size_t)n;
	} while (n);
	gzip_reader_free(&reader);
	close(fd);
}

/* What the file's blocks have, one after the other. */
static void blocks_until(int64_t end, struct buf *json)
{
	struct block_part part = {
		.fd = file, .to = end, .bytes = 300000, .file = &header};

	while (part.from < end) {
		const struct shape_batch *batch;

		ck_assert_int_eq(block_read_part(block, &part, 1700000010),
				 BLOCK_MADE);
		batch = block_batch(block);
		ck_assert_int_eq(batch->from, part.from);
		ck_assert_int_gt(batch->to, part.from);
		keep_gz(block_gz(block));
		part.from = batch->to;
		shape_file_copy(&header, &batch->file);
	}
	unpack(json);
}

/* The same from one piece of memory. */
static void agree(void)
{
	struct shaping whole;
	struct buf json;

	open_file();
	buf_init(&json, 64 << 20);
	blocks_until((int64_t)rows.len, &json);
	shaping_init(&whole);
	free(whole.settings.node_name);
	whole.settings.node_name = strdup(inlet.config->events.node_name);
	whole.settings.injection = inlet.config->events.injection;
	whole.sealed_s = 1700000010;
	shaping_run(&whole, buf_slice(&rows), 0);
	ck_assert_uint_gt(whole.json.len, 0);
	ck_assert(slice_eq(buf_slice(&whole.json), buf_slice(&json)));
	shaping_release(&whole);
	buf_release(&json);
}

START_TEST(block_of_rows_of_any_length)
{
	while (rows.len < FILE_BYTES)
		add_row(draw(700), draw(4) == 0);
	agree();
}
END_TEST

/* Each is longer than a piece, and some than a block. */
START_TEST(block_of_rows_longer_than_a_piece)
{
	while (rows.len < FILE_BYTES)
		add_row(100000 + draw(500000), draw(2) == 0);
	agree();
}
END_TEST

/* A line end, or half of CRLF, at each place about the end of a piece. */
START_TEST(block_with_an_end_of_row_about_that_of_a_piece)
{
	enum { PIECE = 256 << 10 };

	add_row(PIECE - rows.len - 60 + (size_t)_i, false);
	rows.p[rows.len - 1] = '\r';
	buf_add_char(&rows, '\n');
	for (int i = 0; i < 100; i++)
		add_row(10, i % 3 == 0);
	agree();
}
END_TEST

/* A quote that is lost hides no rows, however far ahead one has to look. */
START_TEST(block_with_a_lost_quote)
{
	while (rows.len < FILE_BYTES) {
		add_row(draw(3000), false);
		if (draw(200) == 0)
			buf_add_str(&rows, "d,1700000000,,a@f,\"u@t\n");
	}
	agree();
}
END_TEST

/* Each block packs to more than a batch may have, which is seen with its first
 * piece or a later one. */
START_TEST(block_of_what_does_not_pack)
{
	inlet.config->batch_max_bytes = 65536 * (size_t)(1 + _i);
	while (rows.len < FILE_BYTES) {
		buf_addf(&rows, "d,1700000000,1699999990,a@f.example,u");
		for (int i = 0; i < 50; i++)
			buf_addf(&rows, "%x", draw(1 << 15));
		buf_add_str(&rows, "@t.example,2.0.0\n");
	}
	agree();
}
END_TEST

/* Between two pieces somebody copies the file and cuts it, and it grows again:
 * nothing is made of both. */
static void write_anew(int fd, off_t offset)
{
	(void)fd;
	if (offset < FILE_BYTES / 8)
		return;
	wrap_on_pread(NULL);
	ck_assert_int_eq(truncate(inlet_path("a.csv"), 0), 0);
	inlet_add("a.csv", buf_str(&rows));
}

START_TEST(block_of_two_files_is_none)
{
	struct block_part part = {
		.bytes = FILE_BYTES, .to = FILE_BYTES, .file = &header};
	size_t head;

	/* One long line, so that both begin with the same 32 KB. */
	buf_truncate(&rows, rows.len - 1);
	for (int i = 0; i < 8000; i++)
		buf_add_str(&rows, ",abc");
	buf_add_str(&rows, "\n");
	head = rows.len;
	while (rows.len < FILE_BYTES)
		add_row(draw(300), false);
	open_file();
	part.fd = file;
	/* The new ones have other recipients. */
	buf_truncate(&rows, head);
	while (rows.len < FILE_BYTES)
		add_row(draw(300), false);
	wrap_on_pread(write_anew);
	ck_assert_int_eq(block_read_part(block, &part, 1700000010),
			 BLOCK_UNREADABLE);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert_int_eq(block_read_part(block, &part, 1700000010), BLOCK_MADE);
}
END_TEST

Suite *block_suite(void)
{
	Suite *s = suite_create("block");
	TCase *tc = tcase_create("block");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, block_of_rows_of_any_length);
	tcase_add_test(tc, block_of_rows_longer_than_a_piece);
	tcase_add_loop_test(tc, block_with_an_end_of_row_about_that_of_a_piece,
			    0, 12);
	tcase_add_test(tc, block_with_a_lost_quote);
	tcase_add_loop_test(tc, block_of_what_does_not_pack, 0, 4);
	tcase_add_test(tc, block_of_two_files_is_none);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
