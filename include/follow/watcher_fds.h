/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_WATCHER_FDS_H
#define FOLLOW_WATCHER_FDS_H

/*
 * watcher_fds - which of our descriptors are inotify instances
 *
 *	watcher_fds_list(&before);
 *	... a library opens one and keeps it to itself ...
 *	fd = watcher_fds_new(&before);
 */

enum { WATCHER_FDS = 256 };

struct watcher_fds {
	int fd[WATCHER_FDS];
	int count; /* -1: not known, there is no /proc */
};

void watcher_fds_list(struct watcher_fds *fds_out);

/* The one that was not there before, or -1. */
int watcher_fds_new(const struct watcher_fds *before);

#endif /* FOLLOW_WATCHER_FDS_H */
