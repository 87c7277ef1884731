/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"

/*
 * Lines that are kept for people: malformed rows, and under which id the
 * service took a batch.  Each addition is synced, and whole or absent: a line
 * that fails in the middle is cut off again, and one that a crash cut in the
 * middle is ended before the next.
 */

enum { ACCEPTED_MAX = 8 << 20, ROWS_MAX = 16 << 20, CHUNK = 64 << 10 };

#define ACCEPTED     "accepted.ndjson"
#define ACCEPTED_OLD "accepted.1.ndjson"
#define ROWS	     "rows.csv"

static int finish(int fd, int status)
{
	int saved = errno;

	if (fs_close(&fd) < 0 && status == 0)
		return -1;
	errno = saved;
	return status;
}

/* --- Appending --- */

static int open_append(int dir, const char *name)
{
	return openat(dir, name,
		      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      0640);
}

/* A last line without its end was cut by a crash. */
static int end_line(int fd, off_t size)
{
	char last = '\n';

	if (size && fs_pread(fd, &last, 1, size - 1) < 0)
		return -1;
	return last == '\n' ? 0 : fs_write_all(fd, "\n", 1);
}

static int append_at(int fd, off_t size, struct slice lines)
{
	int saved, status;

	if (end_line(fd, size) == 0 &&
	    fs_write_all(fd, lines.p, lines.len) == 0) {
		crash_point("append.written");
		if (fsync(fd) == 0)
			return 0;
	}
	saved = errno;
	/* What cannot be cut off stays, and is there twice in the end. */
	status = ftruncate(fd, size);
	(void)status;
	errno = saved;
	return -1;
}

static int append_to(int fd, struct slice lines)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	return append_at(fd, st.st_size, lines);
}

static int append(int dir, const char *name, struct slice lines)
{
	int fd = open_append(dir, name);
	bool is_new;

	if (fd < 0)
		return -1;
	is_new = lseek(fd, 0, SEEK_END) == 0;
	if (finish(fd, append_to(fd, lines)) < 0)
		return -1;
	return is_new ? fs_sync_dir(dir) : 0;
}

/* 0 when there is none. */
static int size_of(int dir, const char *name, int64_t *size_out)
{
	struct stat st;

	*size_out = 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	*size_out = st.st_size;
	return 0;
}

/* --- accepted.ndjson --- */

void spool_put_text(struct json *json, const char *key, struct slice text)
{
	struct buf fixed;

	buf_init(&fixed, (size_t)SPOOL_TEXT * 3);
	if (text.len > SPOOL_TEXT)
		text.len = SPOOL_TEXT;
	utf8_repair(text, &fixed);
	json_str(json, key, buf_slice(&fixed));
	buf_release(&fixed);
}

void spool_ready_name(const struct batch *batch, char name[BATCH_NAME])
{
	struct batch ready = *batch;

	ready.departure = BATCH_READY;
	batch_name(&ready, name);
}

static int note(struct spool *spool, struct slice line)
{
	int sent = spool->rooms.sent;
	int64_t size;

	if (size_of(sent, ACCEPTED, &size) < 0)
		return -1;
	if (size && size + (int64_t)line.len > ACCEPTED_MAX &&
	    renameat(sent, ACCEPTED, sent, ACCEPTED_OLD) < 0)
		return -1;
	if (append(sent, ACCEPTED, line) < 0)
		return -1;
	crash_point("accept.noted");
	return 0;
}

static void note_put(struct json *json, const struct spool_accepted *accepted,
		     int64_t now_s)
{
	char name[BATCH_NAME];

	spool_ready_name(accepted->batch, name);
	json_begin(json);
	spool_put_text(json, "id", slice_str(accepted->id));
	json_str(json, "batch", slice_str(name));
	json_uint(json, "first", accepted->first);
	json_uint(json, "count", accepted->count);
	json_int(json, "time", now_s);
	json_end(json);
	json_line(json);
}

int spool_note_accepted(struct spool *spool, const struct spool_accepted *notes,
			size_t count, int64_t now_s)
{
	struct json *json;
	struct buf lines;
	int status;

	buf_init(&lines, count * SPOOL_TEXT * 8);
	json = json_new(&lines);
	for (size_t i = 0; i < count; i++)
		note_put(json, &notes[i], now_s);
	json_free(&json);
	status = note(spool, buf_slice(&lines));
	buf_release(&lines);
	return status;
}

/* --- rows.csv --- */

/* Where the first line begins at or after "from"; "size" when there is none. */
static int64_t line_start(int fd, int64_t from, int64_t size)
{
	char chunk[4096];

	for (int64_t at = from ? from - 1 : 0; from && at < size;) {
		ssize_t n = fs_pread(fd, chunk, sizeof(chunk), at);
		size_t hit;

		if (n <= 0)
			return n < 0 ? -1 : size;
		hit = slice_find(slice_of(chunk, (size_t)n), '\n');
		if (hit < (size_t)n)
			return at + (int64_t)hit + 1;
		at += n;
	}
	return from ? size : 0;
}

static int copy_from(int from_fd, int64_t at, int to_fd)
{
	char *chunk = mem_alloc(CHUNK);
	ssize_t n;

	while ((n = fs_pread(from_fd, chunk, CHUNK, at)) > 0) {
		if (fs_write_all(to_fd, chunk, (size_t)n) < 0) {
			n = -1;
			break;
		}
		at += n;
	}
	mem_free(chunk);
	return n < 0 ? -1 : 0;
}

static int copy_newer(int old_fd, int64_t size, int new_fd)
{
	int64_t from = size > ROWS_MAX / 2 ? size - ROWS_MAX / 2 : 0;
	int64_t at = line_start(old_fd, from, size);

	return at < 0 ? -1 : copy_from(old_fd, at, new_fd);
}

static int fill_rows(struct spool *spool, int64_t size, int new_fd,
		     struct slice lines)
{
	int old_fd = openat(spool->rooms.refused, ROWS,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (old_fd < 0 || finish(old_fd, copy_newer(old_fd, size, new_fd)) < 0)
		return -1;
	return append_to(new_fd, lines);
}

static int replace_rows(struct spool *spool, int64_t size, struct slice lines)
{
	const struct spool_rooms *rooms = &spool->rooms;
	int fd = openat(rooms->tmp, ROWS,
			O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW |
				O_CLOEXEC,
			0640);
	int saved;

	if (fd < 0)
		return -1;
	if (finish(fd, fill_rows(spool, size, fd, lines)) == 0 &&
	    renameat(rooms->tmp, ROWS, rooms->refused, ROWS) == 0)
		return fs_sync_dir(rooms->refused);
	saved = errno;
	unlinkat(rooms->tmp, ROWS, 0);
	errno = saved;
	return -1;
}

int spool_add_rows(struct spool *spool, struct slice csv_lines)
{
	int64_t size;

	if (!csv_lines.len)
		return 0;
	/* More than half of it at once: the newer part, in whole lines. */
	if (csv_lines.len > ROWS_MAX / 2) {
		csv_lines =
			slice_skip(csv_lines, csv_lines.len - ROWS_MAX / 2 - 1);
		csv_lines =
			slice_skip(csv_lines, slice_find(csv_lines, '\n') + 1);
	}
	if (size_of(spool->rooms.refused, ROWS, &size) < 0)
		return -1;
	if (size + (int64_t)csv_lines.len + 1 > ROWS_MAX)
		return replace_rows(spool, size, csv_lines);
	if (append(spool->rooms.refused, ROWS, csv_lines) < 0)
		return -1;
	crash_point("rows.added");
	return 0;
}
