/* SPDX-License-Identifier: GPL-2.0-only */
#include "fault/wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

static const struct wrap_watch *watcher;
static void (*on_advice)(int fd, off_t offset, off_t n, int advice);
static void (*on_pread)(int fd, off_t offset);

void wrap_watch(const struct wrap_watch *watch)
{
	watcher = watch;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	ssize_t room = wrap_room("write", fd, n);
	ssize_t done = room < 0 ? -1 : __real_write(fd, p, (size_t)room);

	if (watcher && done > 0)
		watcher->wrote(fd, p, (size_t)done);
	return done;
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	ssize_t room = wrap_room("read", fd, n);

	return room < 0 ? -1 : __real_read(fd, p, (size_t)room);
}

ssize_t __real_pread(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset)
{
	ssize_t room = wrap_room("pread", fd, n);

	if (on_pread)
		on_pread(fd, offset);
	return room < 0 ? -1 : __real_pread(fd, p, (size_t)room, offset);
}

ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t n, off_t offset)
{
	return __wrap_pread(fd, p, n, offset);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (wrap_fails("fsync") || (!wrap_lies() && __real_fsync(fd) < 0))
		return -1;
	if (watcher)
		watcher->synced(fd);
	return 0;
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;
	int fd;

	if (wrap_fails("openat"))
		return -1;
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	fd = __real_openat(dir, name, flags, mode);
	if (watcher && fd >= 0)
		watcher->opened(fd, dir, name, flags);
	return fd;
}

int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __wrap_openat(dir, name, flags, mode);
}

int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
	if (__real_mkdirat(dir, name, mode) < 0)
		return -1;
	if (watcher)
		watcher->made_dir(dir, name);
	return 0;
}

int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name)
{
	if (wrap_fails("renameat") || __real_renameat(from, old, to, name) < 0)
		return -1;
	if (watcher)
		watcher->renamed(from, old, to, name);
	return 0;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
	if (wrap_fails("unlinkat") || __real_unlinkat(dir, name, flags) < 0)
		return -1;
	if (watcher)
		watcher->unlinked(dir, name);
	return 0;
}

int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size)
{
	if (wrap_fails("ftruncate") || __real_ftruncate(fd, size) < 0)
		return -1;
	if (watcher)
		watcher->resized(fd, size);
	return 0;
}

int __wrap_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size)
{
	return __wrap_ftruncate(fd, size);
}

/* A failing close has closed all the same, as Linux does. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	int saved;

	if (!wrap_fails("close"))
		return __real_close(fd);
	saved = errno;
	__real_close(fd);
	errno = saved;
	return -1;
}

void wrap_on_pread(void (*hook)(int fd, off_t offset))
{
	on_pread = hook;
}

void wrap_on_advice(void (*hook)(int fd, off_t offset, off_t n, int advice))
{
	on_advice = hook;
}

int __real_posix_fadvise(int fd, off_t offset, off_t n, int advice);
int __wrap_posix_fadvise(int fd, off_t offset, off_t n, int advice);
int __wrap_posix_fadvise(int fd, off_t offset, off_t n, int advice)
{
	if (on_advice)
		on_advice(fd, offset, n, advice);
	return __real_posix_fadvise(fd, offset, n, advice);
}

int __wrap_posix_fadvise64(int fd, off_t offset, off_t n, int advice);
int __wrap_posix_fadvise64(int fd, off_t offset, off_t n, int advice)
{
	return __wrap_posix_fadvise(fd, offset, n, advice);
}
