/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "follow/ident.h"
#include "follow/sources_private.h"

/*
 * Bytes that were read already are read once more: the descriptor is one of
 * its own, so that nothing of this is noticed by who reads on.
 */

static int reopen_file(const struct source *source)
{
	struct stat st;
	int fd;

	if (source->at.state == POSITION_GONE) {
		errno = ENOENT;
		return -1;
	}
	if (source->fd >= 0)
		return fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
	if (!source->named) {
		errno = EAGAIN;
		return -1;
	}
	fd = source_open_path(source->at.path, &st);
	if (fd < 0 || source_is(source, &st))
		return fd;
	/* Another file has its name; the next scan tells what became of it. */
	fs_close(&fd);
	errno = EAGAIN;
	return -1;
}

/* 0, or -1: not these bytes any more. */
static int reopen_check(const struct source *source, int fd,
			const struct sources_part *part)
{
	struct stat st;
	int begins;

	if (part->seq < source->at.anew_seq) {
		errno = ESTALE;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return -1;
	begins = ident_begins(fd, &part->id);
	if (begins < 0)
		return -1;
	if (begins && st.st_size >= part->to)
		return 0;
	errno = ESTALE;
	return -1;
}

/* What was in force where the part begins. */
static int reopen_header(const struct source *source, int fd,
			 const struct sources_part *part,
			 struct shape_file *file)
{
	const struct sources_glob *glob = &source->all->globs[source->setting];
	int got;

	if (part->header_offset < 0) {
		if (glob->set.columns)
			shape_file_columns(file, glob->set.columns);
	} else {
		got = ident_header(fd, part->header_offset, false, file);
		if (got <= 0) {
			errno = got < 0 ? errno : ESTALE;
			return -1;
		}
	}
	file->skipping = part->skipping;
	/* It was said when these rows were read first. */
	file->said_no_from = file->said_expired = true;
	return 0;
}

int sources_reopen(const struct sources *sources,
		   const struct sources_part *part, struct shape_file *file)
{
	const struct source *source = sources_numbered(sources, part->number);
	int fd, saved;

	if (!source) {
		errno = ENOENT;
		return -1;
	}
	fd = reopen_file(source);
	if (fd < 0)
		return -1;
	if (reopen_check(source, fd, part) == 0 &&
	    reopen_header(source, fd, part, file) == 0)
		return fd;
	saved = errno;
	fs_close(&fd);
	errno = saved;
	return -1;
}
