/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_WRAP_H
#define FAULT_WRAP_H

/*
 * wrap - system calls of our objects that can be made to fail
 *
 * wrap.c has what the linker's --wrap (the Makefile's WRAPS) puts in place of
 * each call.  What is to happen is decided by the program it is linked with,
 * which has these: test/unit/fault.c for the unit tests, test/fault/inject.c
 * for the fault build.
 */

#include <stdbool.h>
#include <sys/types.h>

/* Count the call; true, and errno, when it is to fail. */
bool wrap_fails(const char *call);

/* Likewise for one that moves n bytes: how many may move, or -1. */
ssize_t wrap_room(const char *call, int fd, size_t n);

/* Is fsync only to pretend? */
bool wrap_lies(void);

/*
 * Somebody who is told of every change, after it was made; of those that failed
 * he hears nothing.  mkdirat is told as well, though it never fails on demand.
 * NULL: nobody.
 */
struct wrap_watch {
	void (*opened)(int fd, int dir, const char *name, int flags);
	void (*wrote)(int fd, const void *p, size_t n);
	void (*resized)(int fd, off_t size);
	void (*synced)(int fd);
	void (*made_dir)(int dir, const char *name);
	void (*renamed)(int from, const char *old, int to, const char *name);
	void (*unlinked)(int dir, const char *name);
};
void wrap_watch(const struct wrap_watch *watch);

/* Somebody who is told of pread(2) and posix_fadvise(2), before they are
 * called. */
void wrap_on_pread(void (*hook)(int fd, off_t offset));
void wrap_on_advice(void (*hook)(int fd, off_t offset, off_t n, int advice));

#endif /* FAULT_WRAP_H */
