/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_WATCHER_BELL_H
#define FOLLOW_WATCHER_BELL_H

/*
 * watcher_bell - what ends the watcher's wait, and the wait itself
 *
 * One in a process.  Anybody may ring, at any time: threads, signal handlers.
 * A ring before the wait ends it at once; several rings are one.
 */

#include <stdbool.h>
#include <stdint.h>

/* 0, or -1 with errno. */
int watcher_bell_open(void);
void watcher_bell_close(void);
void watcher_bell_ring(void);

/*
 * Wait up to timeout_ms for the bell, a signal (both: true), or for "fd" to
 * become readable (-1: not for it).
 */
bool watcher_bell_wait(int fd, int64_t timeout_ms, bool *readable_out);

/* The clock that the wait goes by. */
int64_t watcher_bell_now_ms(void);

#endif /* FOLLOW_WATCHER_BELL_H */
