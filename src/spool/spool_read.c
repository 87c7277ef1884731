/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"

void spool_rooms_init(struct spool_rooms *rooms)
{
	*rooms = (struct spool_rooms){-1, -1, -1, -1, -1};
}

void spool_rooms_close(struct spool_rooms *rooms)
{
	fs_close(&rooms->refused);
	fs_close(&rooms->sent);
	fs_close(&rooms->ready);
	fs_close(&rooms->tmp);
	fs_close(&rooms->dir);
}

int spool_open_room(int dir, const char *name)
{
	return openat(dir, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- Names --- */

static int each_entry(DIR *stream, spool_visit_name *visit, void *ctx)
{
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return errno ? -1 : 0;
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (visit(ctx, entry->d_name) < 0)
			return -1;
	}
}

/* Through a descriptor of its own: a stream moves its descriptor's offset. */
int spool_each_name(int dir, spool_visit_name *visit, void *ctx)
{
	int fd = fs_open_dir(dir, ".");
	int saved, status;
	DIR *stream;

	if (fd < 0)
		return -1;
	stream = fdopendir(fd);
	if (!stream) {
		saved = errno;
		fs_close(&fd);
		errno = saved;
		return -1;
	}
	status = each_entry(stream, visit, ctx);
	saved = errno;
	closedir(stream);
	errno = saved;
	return status;
}

struct each {
	spool_visit *visit;
	void *ctx;
};

static int each_batch(void *ctx, const char *name)
{
	const struct each *each = ctx;
	struct batch batch;

	if (batch_parse(slice_str(name), &batch) < 0)
		return 0;
	return each->visit(each->ctx, &batch, name);
}

int spool_each(int dir, spool_visit *visit, void *ctx)
{
	struct each each = {visit, ctx};

	return spool_each_name(dir, each_batch, &each);
}

/* "NAME-<first>.ndjson.gz", where NAME is a batch's without its suffix. */
static int count_refused(void *ctx, const char *name)
{
	struct slice s = slice_str(name), suffix = SLICE(BATCH_SUFFIX);
	uint64_t *count = ctx;
	struct batch batch;
	char base[BATCH_NAME];
	size_t at;

	if (s.len <= suffix.len ||
	    !slice_eq(slice_skip(s, s.len - suffix.len), suffix))
		return 0;
	s.len -= suffix.len;
	at = slice_find_last(s, '-');
	if (at + suffix.len >= sizeof(base))
		return 0;
	memcpy(base, s.p, at);
	memcpy(base + at, suffix.p, suffix.len + 1);
	if (batch_parse(slice_str(base), &batch) == 0)
		++*count;
	return 0;
}

int spool_count_refused(int refused, uint64_t *count_out)
{
	*count_out = 0;
	return spool_each_name(refused, count_refused, count_out);
}

/* --- Checkpoints --- */

static int read_text(int fd, struct buf *text)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	/* One that is too long is no checkpoint: it reads as damaged. */
	if (st.st_size > CHECKPOINT_MAX || st.st_size == 0)
		return 0;
	if (buf_reserve(text, (size_t)st.st_size) < 0)
		return 0;
	n = fs_pread(fd, text->p, (size_t)st.st_size, 0);
	if (n < 0)
		return -1;
	text->len = (size_t)n;
	return 0;
}

int spool_read_saved(int dir, const char *name, struct spool_saved *saved_out)
{
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int saved, status;
	struct buf text;

	*saved_out = (struct spool_saved){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	buf_init(&text, CHECKPOINT_MAX);
	status = read_text(fd, &text);
	saved = errno;
	fs_close(&fd);
	if (status == 0) {
		saved_out->there = true;
		saved_out->status = checkpoint_parse(buf_slice(&text),
						     &saved_out->checkpoint);
	}
	buf_release(&text);
	errno = saved;
	return status;
}

void spool_saved_release(struct spool_saved *saved)
{
	checkpoint_release(&saved->checkpoint);
	*saved = (struct spool_saved){0};
}

/* --- The batches of a commit --- */

struct spool_group spool_group_of(const struct spool_saved *saved)
{
	uint64_t seq = saved->checkpoint.seq, group = saved->checkpoint.group;

	if (!saved->there || saved->status != CHECKPOINT_OK || !seq)
		return (struct spool_group){.first = 1};
	if (group > SPOOL_GROUP)
		group = SPOOL_GROUP;
	if (group > seq)
		group = seq;
	return (struct spool_group){.first = seq - (group ? group - 1 : 0),
				    .last = seq};
}

static uint64_t group_bit(const struct spool_group *group, uint64_t seq)
{
	if (seq < group->first || seq > group->last)
		return 0;
	return UINT64_C(1) << (seq - group->first);
}

void spool_group_meet(struct spool_group *group, uint64_t seq)
{
	group->met |= group_bit(group, seq);
}

bool spool_group_has(const struct spool_group *group, uint64_t seq)
{
	return group->met & group_bit(group, seq);
}

bool spool_group_whole(const struct spool_group *group)
{
	uint64_t last = group_bit(group, group->last);

	return last && group->met == (last | (last - 1));
}

static int group_visit(void *ctx, const struct batch *batch, const char *name)
{
	(void)name;
	spool_group_meet(ctx, batch->seq);
	return 0;
}

int spool_group_look(int dir, struct spool_group *group)
{
	return spool_each(dir, group_visit, group);
}

bool spool_next_counts(const struct spool_saved *saved,
		       const struct spool_saved *next, bool has_batch)
{
	if (!has_batch || !next->there || next->status != CHECKPOINT_OK)
		return false;
	return !saved->there || saved->status != CHECKPOINT_OK ||
	       saved->checkpoint.seq < next->checkpoint.seq;
}

int64_t spool_older(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}
