/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Interrupted opens (of a FIFO, or over a network) are made again. */
static int fs_open(int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	do {
		fd = openat(dir, name, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

static int fs_sync(int fd)
{
	int status;

	do {
		status = fsync(fd);
	} while (status < 0 && errno == EINTR);
	return status;
}

int fs_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done == 0) {
			errno = EIO;
			return -1;
		}
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

ssize_t fs_pread(int fd, void *p, size_t n, off_t offset)
{
	size_t got = 0;

	while (got < n) {
		ssize_t done = pread(fd, (char *)p + got, n - got,
				     offset + (off_t)got);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done == 0)
			break;
		if (done > 0)
			got += (size_t)done;
	}
	return (ssize_t)got;
}

static int fs_read_all(int fd, struct buf *out)
{
	for (;;) {
		char block[16384];
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if (buf_add(out, block, (size_t)n) < 0) {
			errno = EFBIG;
			return -1;
		}
	}
}

int fs_close(int *fd)
{
	int old = *fd;

	*fd = -1;
	/* Linux has closed the descriptor even where it says EINTR. */
	if (old >= 0 && close(old) < 0 && errno != EINTR)
		return -1;
	return 0;
}

static int fs_finish(int fd, int status)
{
	int saved = errno;

	if (fs_close(&fd) < 0 && status == 0)
		return -1;
	errno = saved;
	return status;
}

int fs_read_file(int dir, const char *name, struct buf *out)
{
	int fd = fs_open(dir, name, O_RDONLY | O_NOCTTY, 0);

	if (fd < 0)
		return -1;
	return fs_finish(fd, fs_read_all(fd, out));
}

static void fs_remove(int dir, const char *name)
{
	int saved = errno;

	unlinkat(dir, name, 0);
	errno = saved;
}

int fs_store_begin(int dir, const char *name, const void *p, size_t n)
{
	int fd = fs_open(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
			 0640);

	if (fd < 0 || fs_write_all(fd, p, n) == 0)
		return fd;
	fs_finish(fd, -1);
	fs_remove(dir, name);
	return -1;
}

int fs_store_end(int *fd)
{
	int old = *fd;

	*fd = -1;
	return fs_finish(old, fs_sync(old));
}

int fs_store(int dir, const char *name, const void *p, size_t n)
{
	int fd = fs_store_begin(dir, name, p, n);

	if (fd < 0)
		return -1;
	if (fs_store_end(&fd) == 0)
		return 0;
	fs_remove(dir, name);
	return -1;
}

int fs_sync_dir(int dir)
{
	return fs_sync(dir);
}

int fs_make_dir(int dir, const char *name)
{
	struct stat st;

	if (mkdirat(dir, name, 0750) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (fstatat(dir, name, &st, 0) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

int fs_open_dir(int dir, const char *name)
{
	return fs_open(dir, name, O_RDONLY | O_DIRECTORY, 0);
}

int fs_free_bytes(int fd, uint64_t *bytes_out)
{
	struct statvfs vfs;

	while (fstatvfs(fd, &vfs) < 0) {
		if (errno != EINTR)
			return -1;
	}
	*bytes_out = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return 0;
}
