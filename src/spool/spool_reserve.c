/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"

/*
 * A file that holds blocks and nothing else.  On a disk that others have filled
 * it goes, so that the checkpoint finds room; it is made again when there is
 * more than min_free_space.  Twice the checkpoint, for while one is written the
 * other is still there, and at least enough for a first one.
 *
 * Without min_free_space there is no reserve: then the operator wants none.
 */

#define RESERVE "reserve"

enum { RESERVE_LEAST = 256 << 10 };

static uint64_t reserve_size(const struct spool *spool)
{
	uint64_t size = 2 * spool->text_bytes;

	return size > RESERVE_LEAST ? size : RESERVE_LEAST;
}

/* Blocks of its own, not a hole. */
static int reserve_make(int dir, uint64_t size)
{
	int fd = openat(dir, RESERVE,
			O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	int error;

	if (fd < 0)
		return -1;
	error = posix_fallocate(fd, 0, (off_t)size);
	fs_close(&fd);
	if (!error)
		return 0;
	unlinkat(dir, RESERVE, 0);
	errno = error;
	return -1;
}

void spool_reserve_keep(struct spool *spool)
{
	uint64_t size = reserve_size(spool), free_bytes, least;

	pthread_mutex_lock(&spool->mutex);
	least = spool->settings.min_free_bytes;
	pthread_mutex_unlock(&spool->mutex);
	if (!least || spool->reserved >= size)
		return;
	if (fs_free_bytes(spool->rooms.dir, &free_bytes) < 0 ||
	    free_bytes < least + size)
		return;
	if (reserve_make(spool->rooms.dir, size) == 0)
		spool->reserved = size;
}

bool spool_reserve_give(struct spool *spool)
{
	int saved = errno;
	bool gave = false;

	if (errno == ENOSPC || errno == EDQUOT)
		gave = unlinkat(spool->rooms.dir, RESERVE, 0) == 0;
	if (gave)
		spool->reserved = 0;
	errno = saved;
	return gave;
}
