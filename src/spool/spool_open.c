/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

/*
 * The lock is one of an open file description, so that the kernel gives it
 * back whatever way the process ends, and status can ask for it without
 * taking it, which a classic flock(2) does not allow.
 *
 * The checkpoints are read before anything is changed: a later version's spool
 * is left as it is.
 */

/* --- What to say --- */

static const char *remedy(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "; chown it to the user that sparktail runs as, mode "
		       "0750";
	case EROFS:
		return "; the file system is mounted read-only: remount it, "
		       "or move spool.directory";
	case ENOSPC:
	case EDQUOT:
		return "; free some space there, or move spool.directory";
	case ENOENT:
		return "; make the directory above it first";
	case ENOTDIR:
	case ELOOP:
		return "; there must be a plain directory or file, not a "
		       "link or something else: move it away";
	case EXDEV:
		return "; all of the spool must be on one file system";
	case EIO:
		return "; the disk fails, see the kernel's log";
	default:
		return "";
	}
}

enum spool_open_status spool_failed(const struct spool *spool, const char *what,
				    const char *name, struct buf *why)
{
	int error = errno;

	buf_addf(why, "cannot %s %s%s%s: %s%s", what, spool->settings.directory,
		 *name ? "/" : "", name, strerror(error), remedy(error));
	return SPOOL_OPEN_FAILED;
}

/* --- Directories and lock --- */

/* The directory may be new.  One above that may not be read is its owner's. */
static void sync_above(int dir)
{
	int above = fs_open_dir(dir, "..");

	if (above >= 0)
		fs_sync_dir(above);
	fs_close(&above);
}

static enum spool_open_status open_directory(struct spool *spool,
					     struct buf *why)
{
	if (fs_make_dir(AT_FDCWD, spool->settings.directory) < 0)
		return spool_failed(spool, "make", "", why);
	spool->rooms.dir = fs_open_dir(AT_FDCWD, spool->settings.directory);
	if (spool->rooms.dir < 0)
		return spool_failed(spool, "open", "", why);
	sync_above(spool->rooms.dir);
	return SPOOL_OPEN_OK;
}

static enum spool_open_status taken(const struct spool *spool, struct buf *why)
{
	char pid[24];
	ssize_t n = fs_pread(spool->lock, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	buf_addf(why, "another sparktail (pid %s) holds %s/%s",
		 *pid ? pid : "unknown", spool->settings.directory, SPOOL_LOCK);
	return SPOOL_OPEN_TAKEN;
}

static enum spool_open_status take_lock(struct spool *spool, struct buf *why)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	spool->lock = openat(spool->rooms.dir, SPOOL_LOCK,
			     O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (spool->lock < 0)
		return spool_failed(spool, "open", SPOOL_LOCK, why);
	if (fcntl(spool->lock, F_OFD_SETLK, &lock) == 0)
		return SPOOL_OPEN_OK;
	if (errno == EAGAIN || errno == EACCES)
		return taken(spool, why);
	return spool_failed(spool, "lock", SPOOL_LOCK, why);
}

/* The pid is for people: a disk too full for it is no reason to stop. */
static void write_pid(struct spool *spool)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIdMAX "\n",
			 (intmax_t)getpid());

	if (fs_write_all(spool->lock, text, (size_t)n) == 0 &&
	    ftruncate(spool->lock, n) < 0)
		errno = 0;
}

static enum spool_open_status open_room(struct spool *spool, const char *name,
					int *fd_out, struct buf *why)
{
	struct stat top, room;

	if (fs_make_dir(spool->rooms.dir, name) < 0)
		return spool_failed(spool, "make", name, why);
	*fd_out = spool_open_room(spool->rooms.dir, name);
	if (*fd_out < 0 || fstat(*fd_out, &room) < 0 ||
	    fstat(spool->rooms.dir, &top) < 0)
		return spool_failed(spool, "open", name, why);
	if (room.st_dev == top.st_dev)
		return SPOOL_OPEN_OK;
	errno = EXDEV;
	return spool_failed(spool, "use", name, why);
}

static enum spool_open_status open_rooms(struct spool *spool, struct buf *why)
{
	struct spool_rooms *rooms = &spool->rooms;
	const struct {
		const char *name;
		int *fd;
	} all[] = {{"tmp", &rooms->tmp},
		   {"ready", &rooms->ready},
		   {"sent", &rooms->sent},
		   {"refused", &rooms->refused}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum spool_open_status status =
			open_room(spool, all[i].name, all[i].fd, why);

		if (status != SPOOL_OPEN_OK)
			return status;
	}
	if (fs_sync_dir(rooms->dir) < 0)
		return spool_failed(spool, "sync", "", why);
	return SPOOL_OPEN_OK;
}

/* --- The whole --- */

static struct spool *spool_new(const struct spool_settings *settings)
{
	struct spool *spool = mem_zero(1, sizeof(*spool));

	spool->settings = *settings;
	spool->settings.directory = mem_str(settings->directory);
	spool->lock = -1;
	spool_rooms_init(&spool->rooms);
	pthread_mutex_init(&spool->leaving, NULL);
	pthread_mutex_init(&spool->mutex, NULL);
	return spool;
}

static enum spool_open_status
open_spool(struct spool *spool, struct spool_found *found, struct buf *why)
{
	struct spool_pair pair = {0};
	enum spool_open_status status = spool_read_pair(spool, &pair, why);

	if (status == SPOOL_OPEN_OK)
		status = open_rooms(spool, why);
	if (status == SPOOL_OPEN_OK) {
		write_pid(spool);
		status = spool_recover(spool, &pair, found, why);
	}
	spool_saved_release(&pair.saved);
	spool_saved_release(&pair.next);
	return status;
}

enum spool_open_status spool_open(const struct spool_settings *settings,
				  struct spool **spool_out,
				  struct spool_found *found_out,
				  struct buf *why)
{
	struct spool *spool = spool_new(settings);
	enum spool_open_status status = open_directory(spool, why);

	*spool_out = NULL;
	*found_out = (struct spool_found){0};
	if (status == SPOOL_OPEN_OK)
		status = take_lock(spool, why);
	if (status == SPOOL_OPEN_OK)
		status = open_spool(spool, found_out, why);
	if (status == SPOOL_OPEN_OK) {
		*spool_out = spool;
		return status;
	}
	spool_found_release(found_out);
	spool_close(&spool);
	return status;
}

void spool_found_release(struct spool_found *found)
{
	checkpoint_release(&found->checkpoint);
	mem_free(found->beyond);
	*found = (struct spool_found){0};
}

void spool_close(struct spool **spool)
{
	struct spool *s = *spool;

	if (!s)
		return;
	spool_rooms_close(&s->rooms);
	fs_close(&s->lock);
	pthread_mutex_destroy(&s->mutex);
	pthread_mutex_destroy(&s->leaving);
	mem_free(s->settings.directory);
	ledger_release(&s->left);
	mem_free(s);
	*spool = NULL;
}

void spool_configure(struct spool *spool, const struct spool_settings *settings)
{
	pthread_mutex_lock(&spool->mutex);
	spool->settings.min_free_bytes = settings->min_free_bytes;
	spool->settings.max_bytes = settings->max_bytes;
	spool->settings.pause = settings->pause;
	spool->settings.keep_sent_s = settings->keep_sent_s;
	spool->settings.max_age_s = settings->max_age_s;
	deadlines_set_max_age(&spool->deadlines, settings->max_age_s);
	pthread_mutex_unlock(&spool->mutex);
}
