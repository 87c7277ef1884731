/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/watcher_fds.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"

void watcher_fds_list(struct watcher_fds *fds_out)
{
	int dir = fs_open_dir(AT_FDCWD, "/proc/self/fd");
	DIR *stream = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *entry;

	fds_out->count = stream ? 0 : -1;
	if (!stream) {
		fs_close(&dir);
		return;
	}
	while ((entry = readdir(stream)) && fds_out->count < WATCHER_FDS) {
		char link[32];
		ssize_t n = readlinkat(dir, entry->d_name, link, sizeof(link));

		if (slice_eq(slice_of(link, n < 0 ? 0 : (size_t)n),
			     SLICE("anon_inode:inotify")))
			fds_out->fd[fds_out->count++] =
				(int)strtol(entry->d_name, NULL, 10);
	}
	closedir(stream);
}

static bool watcher_fds_has(const struct watcher_fds *fds, int fd)
{
	for (int i = 0; i < fds->count; i++) {
		if (fds->fd[i] == fd)
			return true;
	}
	return false;
}

int watcher_fds_new(const struct watcher_fds *before)
{
	struct watcher_fds now;

	watcher_fds_list(&now);
	for (int i = 0; before->count >= 0 && i < now.count; i++) {
		if (!watcher_fds_has(before, now.fd[i]))
			return now.fd[i];
	}
	return -1;
}
