/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_WATCHER_H
#define FOLLOW_WATCHER_H

/*
 * watcher - hints that something changed in a directory
 *
 *	watcher_open();
 *	watcher_add("/var/log/pmta");
 *	while ((what = watcher_wait(timeout_ms, &notice)) == WATCHER_NOTICE) ...
 *	watcher_close();
 *
 * Hints only: were every one lost, a rescan would find the same (DESIGN.md 1).
 * libinotifytools has global state, so there is one watcher in a process and
 * only one thread may use it; watcher_wake() alone may be called from any
 * thread and from a signal handler.
 *
 * Watches directories, not files: created, moved in or out, deleted, modified
 * and closed after writing or changed in their permissions are noticed, and
 * that a directory went away.  Ten thousand old files cost nothing.
 */

#include <stdbool.h>
#include <stdint.h>

enum watcher_what {
	WATCHER_TIMEOUT = 0, /* nothing until timeout_ms */
	WATCHER_NOTICE,	     /* see the notice */
	WATCHER_OVERFLOW,    /* notices were lost: rescan everything, and
				add every directory again */
	WATCHER_WOKEN	     /* watcher_wake() was called, or a signal came;
				notices already read are told before */
};

struct watcher_notice {
	const char *directory; /* as given to watcher_add() */
	const char *name;      /* in it; "" when it concerns the directory
				  itself (deleted, moved, unmounted: its
				  watch is gone, add it again) */
};

/* 0, or -1 with errno (EMFILE: too many inotify instances, or more than a
 * thousand descriptors are open: the library's select() knows no more). */
int watcher_open(void);
void watcher_close(void);

/*
 * Watch a directory; again is fine, and right after each rescan: it costs a
 * stat, and sees that another directory stands at that name now.  0, or -1
 * with errno (ENOENT, ENOTDIR, EACCES, ENOSPC: fs.inotify.max_user_watches).
 */
int watcher_add(const char *directory);
void watcher_remove(const char *directory);

/* A number that grows with each watch that is put up: what happened in a
 * directory before is found by a rescan alone. */
uint64_t watcher_watches(void);

/*
 * Wait up to timeout_ms (0: only look; never for ever) for the next notice.
 * Sub-second time-outs are kept although the library counts whole seconds.
 * The notice's strings are good until the next call.
 */
enum watcher_what watcher_wait(int64_t timeout_ms,
			       struct watcher_notice *notice_out);

/*
 * Wait up to timeout_ms for watcher_wake() or a signal alone: notices stay in
 * the kernel's queue, where equal ones are one.  For coalescing while rows
 * pour in.  True when it was woken.
 */
bool watcher_sleep(int64_t timeout_ms);

/* End a wait now, or the next one at once.  Async-signal-safe. */
void watcher_wake(void);

#endif /* FOLLOW_WATCHER_H */
