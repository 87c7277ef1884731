/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/pmta_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "follow/pattern.h"

struct pmta_entry {
	char *name;
	int64_t records;
};

struct pmta_log {
	char *path;
	char **wanted;
	size_t wanted_count;

	dev_t dev;
	ino_t ino;
	off_t offset;
	bool skipping; /* in a line that is too long */
	struct buf window;

	struct pmta_entry *entries; /* a ring once it is full */
	size_t count, next;
};

struct pmta_log *pmta_log_new(const char *path)
{
	struct pmta_log *log = mem_zero(1, sizeof(*log));

	log->path = mem_str(path);
	buf_init(&log->window, PMTA_LOG_LINE);
	return log;
}

void pmta_log_free(struct pmta_log **log)
{
	struct pmta_log *l = *log;

	if (!l)
		return;
	for (size_t i = 0; i < l->wanted_count; i++)
		mem_free(l->wanted[i]);
	for (size_t i = 0; i < l->count; i++)
		mem_free(l->entries[i].name);
	mem_free(l->wanted);
	mem_free(l->entries);
	mem_free(l->path);
	buf_release(&l->window);
	mem_free(l);
	*log = NULL;
}

const char *pmta_log_path(const struct pmta_log *log)
{
	return log->path;
}

void pmta_log_want(struct pmta_log *log, const char *name)
{
	log->wanted = mem_resize_array(log->wanted, log->wanted_count + 1,
				       sizeof(*log->wanted));
	log->wanted[log->wanted_count++] = mem_str(name);
}

bool pmta_log_wants(const struct pmta_log *log, const char *name)
{
	for (size_t i = 0; i < log->wanted_count; i++) {
		if (pattern_fits(log->wanted[i], name))
			return true;
	}
	return false;
}

/* --- The table --- */

/* Newest first: a file is asked for soon after its line was written. */
static struct pmta_entry *pmta_find(const struct pmta_log *log,
				    struct slice name)
{
	for (size_t n = log->count, at = log->next; n; n--) {
		at = (at ? at : log->count) - 1;
		if (slice_eq(slice_str(log->entries[at].name), name))
			return &log->entries[at];
	}
	return NULL;
}

static void pmta_keep(struct pmta_log *log, const struct pmta_log_fact *fact)
{
	struct pmta_entry *entry = pmta_find(log, fact->name);

	if (entry) {
		entry->records = fact->records;
		return;
	}
	if (!log->entries)
		log->entries = mem_zero(PMTA_LOG_FILES, sizeof(*log->entries));
	entry = &log->entries[log->next];
	mem_free(entry->name);
	entry->name = mem_str_of(fact->name);
	entry->records = fact->records;
	log->next = (log->next + 1) % PMTA_LOG_FILES;
	if (log->count < PMTA_LOG_FILES)
		log->count++;
}

int64_t pmta_log_records(const struct pmta_log *log, const char *name)
{
	const struct pmta_entry *entry = pmta_find(log, slice_str(name));

	return entry ? entry->records : -1;
}

/* --- The file --- */

/* Whole lines of the window; how many bytes they are. */
static size_t pmta_lines(struct pmta_log *log)
{
	struct slice rest = buf_slice(&log->window);
	size_t done = 0;

	for (;;) {
		size_t end = slice_find(rest, '\n');
		struct pmta_log_fact fact;

		if (end == rest.len)
			return done;
		if (!log->skipping &&
		    pmta_log_line(log, slice_of(rest.p, end), &fact))
			pmta_keep(log, &fact);
		log->skipping = false;
		done += end + 1;
		rest = slice_skip(rest, end + 1);
	}
}

static int pmta_open(struct pmta_log *log)
{
	/* Nor may a fifo or a terminal keep us. */
	int fd = openat(AT_FDCWD, log->path,
			O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fs_close(&fd);
		errno = EINVAL;
		return -1;
	}
	if (st.st_dev != log->dev || st.st_ino != log->ino ||
	    st.st_size < log->offset) {
		log->offset = 0;
		log->skipping = false;
	}
	log->dev = st.st_dev;
	log->ino = st.st_ino;
	return fd;
}

/* One window: how many bytes were dealt with, 0: no whole line, or -1. */
static int64_t pmta_turn(struct pmta_log *log, int fd)
{
	struct buf *window = &log->window;
	ssize_t got;
	size_t done;

	buf_reset(window);
	if (buf_reserve(window, PMTA_LOG_LINE) < 0)
		return -1;
	got = fs_pread(fd, window->p, PMTA_LOG_LINE, log->offset);
	if (got < 0)
		return -1;
	window->len = (size_t)got;
	done = pmta_lines(log);
	if (!done && got == PMTA_LOG_LINE) {
		log->skipping = true;
		done = (size_t)got;
	}
	log->offset += (off_t)done;
	return (int64_t)done;
}

int pmta_log_read(struct pmta_log *log, int64_t most)
{
	int fd = pmta_open(log);
	int64_t done = 0, turn = 0;
	int saved;

	if (fd < 0)
		return -1;
	while (done < most && (turn = pmta_turn(log, fd)) > 0)
		done += turn;
	saved = errno;
	fs_close(&fd);
	errno = saved;
	if (turn < 0)
		return -1;
	return turn > 0;
}
