/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acct/csv.h"
#include "base/fs.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "tools/measure/measure.h"

enum {
	READ = 1 << 20, /* bytes asked for at once, as the program does */
	MAX_ROW = 1 << 20,
	FILE_MAX = 1 << 30,
	BATCH_EVENTS = 10000, /* where a batch ends by default */
	BATCH_BYTES = 16 << 20,
	CHUNK_EVENTS = 100, /* in pieces at a time: they stay in the cache */
	ROUNDS = 4
};

/* Rows and their fields, and nothing is made of them. */
static size_t limit_rows(struct csv *csv, struct slice bytes, bool final,
			 size_t *rows)
{
	size_t at = 0;

	for (;;) {
		struct csv_row row;
		enum csv_status status =
			csv_next(csv, slice_skip(bytes, at), final, &row);

		if (status == CSV_MORE || at == bytes.len)
			return at;
		*rows += status == CSV_ROW;
		at += row.consumed;
	}
}

void limit_read(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct watch watch = {0};
	struct buf window;
	struct csv csv;
	size_t rows = 0;
	ssize_t n;

	if (fd < 0)
		measure_die(name);
	buf_init(&window, MAX_ROW + READ);
	csv_init(&csv, MAX_ROW);
	watch_start(&watch);
	do {
		buf_reserve(&window, READ);
		n = read(fd, window.p + window.len, READ);
		if (n < 0)
			measure_die(name);
		window.len += (size_t)n;
		buf_consume(&window, limit_rows(&csv, buf_slice(&window),
						n == 0, &rows));
	} while (n);
	watch_stop(&watch);
	close(fd);
	watch_report(&watch, 1);
	printf("%zu\n", rows);
	csv_release(&csv);
	buf_release(&window);
}

static void limit_load(const char *name, struct buf *out)
{
	buf_init(out, FILE_MAX);
	if (fs_read_file(AT_FDCWD, name, out) < 0)
		measure_die(name);
}

/* The next lines of "rest", at most so many, and so many bytes. */
static struct slice limit_lines(struct slice *rest, size_t lines, size_t bytes)
{
	struct slice all = *rest;
	size_t len = 0;

	for (size_t i = 0; i < lines && rest->len; i++) {
		struct slice after, line = slice_cut(*rest, '\n', &after);

		if (len && len + line.len + 1 > bytes)
			break;
		*rest = after;
		len = (size_t)(all.len - after.len);
	}
	return slice_of(all.p, len);
}

void limit_deflate(const char *name, int level)
{
	struct gzip_packer *packer = gzip_packer_new(level);
	unsigned long long total = 0;
	struct watch watch = {0};
	struct buf all, out;
	struct slice rest;

	limit_load(name, &all);
	buf_init(&out, BATCH_BYTES * 2);
	for (rest = buf_slice(&all); rest.len; total += out.len) {
		struct slice batch =
			limit_lines(&rest, BATCH_EVENTS, BATCH_BYTES);

		buf_reset(&out);
		watch_start(&watch);
		gzip_pack(packer, batch, &out);
		watch_stop(&watch);
	}
	watch_report(&watch, 1);
	printf("%llu\n", total);
	gzip_packer_free(&packer);
	buf_release(&out);
	buf_release(&all);
}

static void limit_same(struct slice written, struct slice read)
{
	if (slice_eq(written, read))
		return;
	fputs("measure: the writer gives other bytes than it was given\n",
	      stderr);
	exit(EXIT_FAILURE);
}

void limit_json(const char *name)
{
	struct watch watch = {0};
	struct events events;
	struct buf all, out;
	struct slice rest;

	limit_load(name, &all);
	buf_init(&out, FILE_MAX);
	events_init(&events);
	for (rest = buf_slice(&all); rest.len;) {
		struct slice chunk =
			limit_lines(&rest, CHUNK_EVENTS, BATCH_BYTES);

		events_take(&events, chunk);
		for (int i = 0; i < ROUNDS; i++) {
			buf_reset(&out);
			watch_start(&watch);
			emit_events(&events, &out);
			watch_stop(&watch);
			limit_same(buf_slice(&out), chunk);
		}
	}
	watch_report(&watch, ROUNDS);
	printf("%zu\n", all.len);
	events_release(&events);
	buf_release(&out);
	buf_release(&all);
}
