/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "unit/check_all.h"

static const char *const fault_names[] = {"write",    "read",	   "pread",
					  "fsync",    "openat",	   "renameat",
					  "unlinkat", "ftruncate", "close"};

/* Instead of one kind's place among the names. */
enum { FAULT_NONE = -1, FAULT_ANY = -2 };

/* Atomic, because code under test may have threads. */
static _Atomic int fault_counts[NROF(fault_names)];
static _Atomic int fault_total;
static int fault_which = FAULT_NONE, fault_nth, fault_last, fault_error;
static bool fault_is_short, fault_is_exit, fault_lies;

static int fault_index(const char *call)
{
	for (size_t i = 0; i < NROF(fault_names); i++) {
		if (strcmp(call, fault_names[i]) == 0)
			return (int)i;
	}
	ck_abort_msg("fault: no such call: %s", call);
	return -1;
}

void fault_disarm(void)
{
	fault_which = FAULT_NONE;
}

static void fault_set(const char *call, int nth, int count, int error)
{
	for (size_t i = 0; i < NROF(fault_names); i++)
		fault_counts[i] = 0;
	fault_total = 0;
	fault_is_exit = fault_is_short = false;
	fault_nth = nth;
	fault_last = nth + count - 1;
	fault_error = error;
	fault_which = call ? fault_index(call) : FAULT_ANY;
}

void fault_arm(const char *call, int nth, int error)
{
	fault_set(call, nth, 1, error);
}

void fault_arm_from(const char *call, int nth, int error)
{
	fault_set(call, nth, INT_MAX - nth, error);
}

void fault_arm_some(const char *call, int nth, int count, int error)
{
	fault_set(call, nth, count, error);
}

void fault_short(const char *call, int nth)
{
	fault_set(call, nth, 1, 0);
	fault_is_short = true;
}

void fault_arm_exit(const char *call, int nth)
{
	fault_set(call, nth, 1, 0);
	fault_is_exit = true;
}

void fault_skip_syncs(bool skip)
{
	fault_lies = skip;
}

int fault_calls(const char *call)
{
	return call ? fault_counts[fault_index(call)] : fault_total;
}

/* Count the call; does the fault strike it? */
static bool fault_strikes(const char *call)
{
	int which = fault_index(call);
	int count = ++fault_counts[which];
	int total = ++fault_total;

	if (fault_which == FAULT_ANY)
		count = total;
	else if (fault_which != which)
		return false;
	if (count < fault_nth || count > fault_last)
		return false;
	if (fault_is_exit)
		_exit(FAULT_EXIT);
	return true;
}

static bool fault_fails(const char *call)
{
	if (!fault_strikes(call) || fault_is_short)
		return false;
	errno = fault_error;
	return true;
}

/* Bytes that may move: 1 where the fault is a short count. */
static ssize_t fault_room(const char *call, size_t n)
{
	if (!fault_strikes(call))
		return (ssize_t)n;
	if (fault_is_short)
		return n ? 1 : 0;
	errno = fault_error;
	return -1;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	ssize_t room = fault_room("write", n);

	return room < 0 ? -1 : __real_write(fd, p, (size_t)room);
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	ssize_t room = fault_room("read", n);

	return room < 0 ? -1 : __real_read(fd, p, (size_t)room);
}

ssize_t __real_pread(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t offset)
{
	ssize_t room = fault_room("pread", n);

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
	if (fault_fails("fsync"))
		return -1;
	return fault_lies ? 0 : __real_fsync(fd);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (fault_fails("openat"))
		return -1;
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_openat(dir, name, flags, mode);
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

int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name)
{
	return fault_fails("renameat") ? -1
				       : __real_renameat(from, old, to, name);
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
	return fault_fails("unlinkat") ? -1 : __real_unlinkat(dir, name, flags);
}

int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size)
{
	return fault_fails("ftruncate") ? -1 : __real_ftruncate(fd, size);
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
	if (!fault_fails("close"))
		return __real_close(fd);
	__real_close(fd);
	errno = fault_error;
	return -1;
}
