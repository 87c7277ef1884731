/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "tools/generator/gen.h"

enum {
	FILES_FLUSH = 1 << 20,
	FILES_MAX = 1 << 24,
	FILES_NUMBERS = 10000,
	FILES_TAIL = 600
};

static const char *const events[GEN_TYPES] = {
	[GEN_D] = "delivery", [GEN_B] = "inband",     [GEN_T] = "tempfail",
	[GEN_R] = NULL,	      [GEN_RB] = "outofband", [GEN_F] = "feedback",
	[GEN_TQ] = NULL,      [GEN_RS] = NULL};

/* The next name that is free, as PowerMTA does: never an old file again. */
static int files_next(struct gen_files *files)
{
	time_t now = files->o->now_s ? files->o->now_s : time(NULL);
	char path[4096], day[16];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	do {
		snprintf(files->name, sizeof(files->name), "%s-%s-%04u.csv",
			 files->o->base, day, files->number);
		snprintf(path, sizeof(path), "%s/%s", files->o->dir,
			 files->name);
		files->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 0644);
		files->number++;
	} while (files->fd < 0 && errno == EEXIST &&
		 files->number < FILES_NUMBERS);
	files->in_file = 0;
	files->offset = 0;
	if (files->fd >= 0)
		gen_header(&files->layout, &files->out);
	return files->fd < 0 ? -1 : 0;
}

static int files_create(const char *name, int *fd_out)
{
	if (name)
		*fd_out = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			       0644);
	return name && *fd_out < 0 ? -1 : 0;
}

int gen_files_open(struct gen_files *files, const struct gen_options *o)
{
	*files = (struct gen_files){
		.o = o, .fd = -1, .list_fd = -1, .stamps_fd = -1};
	files->dice.state = o->seed ^ 0x5eed;
	buf_init(&files->out, FILES_MAX);
	buf_init(&files->list, FILES_MAX);
	gen_layout(&files->layout, o);
	if (files_create(o->manifest, &files->list_fd) < 0 ||
	    files_create(o->stamps, &files->stamps_fd) < 0)
		return -1;
	return files_next(files);
}

/* How many rows there are once what is at hand is written, and when it was. */
static void files_stamp(struct gen_files *files)
{
	struct timespec now;

	if (files->stamps_fd < 0 || !files->out.len)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(files->stamps_fd, "%" PRIu64 " %" PRId64 "\n", files->rows,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int gen_files_flush(struct gen_files *files)
{
	files_stamp(files);
	if (files->out.len &&
	    fs_write_all(files->fd, files->out.p, files->out.len) < 0)
		return -1;
	files->offset += files->out.len;
	buf_reset(&files->out);
	if (files->list_fd >= 0 && files->list.len &&
	    fs_write_all(files->list_fd, files->list.p, files->list.len) < 0)
		return -1;
	buf_reset(&files->list);
	return 0;
}

static int files_roll(struct gen_files *files)
{
	if (gen_files_flush(files) < 0 || fs_close(&files->fd) < 0)
		return -1;
	return files_next(files);
}

/* file, offset, length, type, events, their types, recipient, injection time */
static void files_list(struct gen_files *files, const struct gen_row *row,
		       uint64_t at, size_t len)
{
	const char *event = row->main_event ? events[row->type] : NULL;
	int count = row->reception + (event != NULL);

	buf_addf(&files->list, "%s\t%" PRIu64 "\t%zu\t%.*s\t%d\t", files->name,
		 at, len, SLICE_ARGS(row->value[COL_TYPE]), count);
	buf_addf(&files->list, "%s%s%s\t", row->reception ? "reception" : "",
		 row->reception && event ? "," : "",
		 event	 ? event
		 : count ? ""
			 : "-");
	buf_addf(&files->list, "%.*s\t%" PRId64 "\n", SLICE_ARGS(row->key),
		 row->reception_time);
}

/* A row in two pieces, as a reader may meet the tail of a live file. */
static int files_halve(struct gen_files *files)
{
	size_t cut = gen_roll(&files->dice) % (files->out.len + 1);

	if (cut && fs_write_all(files->fd, files->out.p, cut) < 0)
		return -1;
	files->offset += cut;
	buf_consume(&files->out, cut);
	return gen_files_flush(files);
}

int gen_files_tear(struct gen_files *files)
{
	size_t most = files->out.len < FILES_TAIL ? files->out.len : FILES_TAIL;
	size_t n = files->out.len - gen_roll(&files->dice) % (most + 1);

	if (fs_write_all(files->fd, files->out.p, n) < 0)
		return -1;
	files->offset += n;
	buf_consume(&files->out, n);
	return 0;
}

int gen_files_row(struct gen_files *files, const struct gen_row *row)
{
	size_t before;

	if (files->o->roll_every && files->in_file == files->o->roll_every &&
	    files_roll(files) < 0)
		return -1;
	if (files->o->halves && gen_files_flush(files) < 0)
		return -1;
	before = files->out.len;
	gen_write(&files->layout, row, &files->out);
	if (files->list_fd >= 0)
		files_list(files, row, files->offset + before,
			   files->out.len - before -
				   strlen(files->layout.line_end));
	files->in_file++;
	files->rows++;
	if (files->o->halves)
		return files_halve(files);
	if (files->out.len >= FILES_FLUSH || files->list.len >= FILES_FLUSH)
		return gen_files_flush(files);
	return 0;
}

int gen_files_close(struct gen_files *files)
{
	if (gen_files_flush(files) < 0 || fs_close(&files->fd) < 0 ||
	    fs_close(&files->list_fd) < 0 || fs_close(&files->stamps_fd) < 0)
		return -1;
	buf_release(&files->out);
	buf_release(&files->list);
	return 0;
}
