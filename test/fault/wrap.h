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

#endif /* FAULT_WRAP_H */
