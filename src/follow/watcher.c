/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/watcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotifytools.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

/*
 * What the library does, and what is done about it:
 *
 * - It keeps its descriptor to itself.  We find it in /proc/self/fd, so that it
 *   can be waited for together with the wake-up and in milliseconds.
 * - It reads many notices at once and hands out one; whether it has more cannot
 *   be asked, and asking for the next one waits for at least a second.  So
 *   while it may have more, an eventfd that is always readable stands in for
 *   its descriptor ("plugged"): the library hands out what it has, and then
 *   finds that FIONREAD is no call for an eventfd and returns at once.
 * - It does not forget a watch that the kernel removed, complains on standard
 *   error when told to, and would confuse it with the next one of that name.
 *   So a watch is taken away by starting the library anew ("stale"): rare, and
 *   what is lost meanwhile is an overflow, an ordinary rescan.
 */

enum {
	WATCHER_GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED,
	WATCHER_EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
			 IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |
			 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
	WATCHER_FDS = 256
};

struct watcher_dir {
	char *name;
	dev_t dev;
	ino_t ino;
	int wd; /* -1: no longer watched */
};

static struct {
	bool running;  /* the library is initialized */
	int fd;	       /* the library's descriptor, -1: not found */
	int real;      /* the same inotify instance while fd is plugged */
	int plug;      /* an eventfd that is always readable */
	bool plugged;  /* fd is the plug */
	bool buffered; /* the library may have notices in memory */
	bool stale;    /* a watch is gone or to be removed: start anew */
	bool overflow; /* to be told */
	struct watcher_dir *dirs;
	size_t count, cap;
	/* The notice being told, once for each name of its directory. */
	int told_wd; /* -1: none */
	bool told_gone;
	size_t told_next;
	char directory[PATH_MAX], name[NAME_MAX + 1];
} watcher = {.fd = -1, .real = -1, .plug = -1, .told_wd = -1};

static atomic_int watcher_bell = -1;

static int64_t watcher_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Which of our descriptors are inotify instances?  How many, -1: no /proc. */
static int watcher_list(int fds[WATCHER_FDS])
{
	int dir = fs_open_dir(AT_FDCWD, "/proc/self/fd"), count = 0;
	DIR *stream = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *entry;

	if (!stream) {
		fs_close(&dir);
		return -1;
	}
	while ((entry = readdir(stream)) && count < WATCHER_FDS) {
		char link[32];
		ssize_t n = readlinkat(dir, entry->d_name, link, sizeof(link));

		if (slice_eq(slice_of(link, n < 0 ? 0 : (size_t)n),
			     SLICE("anon_inode:inotify")))
			fds[count++] = atoi(entry->d_name);
	}
	closedir(stream);
	return count;
}

static bool watcher_listed(const int *fds, int count, int fd)
{
	for (int i = 0; i < count; i++) {
		if (fds[i] == fd)
			return true;
	}
	return false;
}

/* Put the plug in place of the library's descriptor, or take it out. */
static void watcher_set_plug(bool plugged)
{
	if (watcher.real < 0 || watcher.plugged == plugged)
		return;
	if (dup3(plugged ? watcher.plug : watcher.real, watcher.fd,
		 O_CLOEXEC) >= 0)
		watcher.plugged = plugged;
}

static void watcher_stop(void)
{
	if (!watcher.running)
		return;
	/* Its memory of notices would outlive the cleanup. */
	watcher_set_plug(true);
	while (watcher.plugged && inotifytools_next_event(1))
		;
	inotifytools_cleanup();
	fs_close(&watcher.real);
	fs_close(&watcher.plug);
	watcher.running = false;
	watcher.plugged = false;
	watcher.buffered = false;
	watcher.fd = -1;
}

static void watcher_find(const int *before, int before_count)
{
	int fds[WATCHER_FDS], count = watcher_list(fds);

	for (int i = 0; before_count >= 0 && i < count; i++) {
		if (!watcher_listed(before, before_count, fds[i]))
			watcher.fd = fds[i];
	}
	if (watcher.fd < 0)
		return;
	fcntl(watcher.fd, F_SETFD, FD_CLOEXEC);
	watcher.plug = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watcher.plug >= 0)
		watcher.real = fcntl(watcher.fd, F_DUPFD_CLOEXEC, 0);
}

static int watcher_start(void)
{
	int before[WATCHER_FDS], count = watcher_list(before);

	if (!inotifytools_initialize()) {
		errno = inotifytools_error();
		return -1;
	}
	watcher.running = true;
	watcher_find(before, count);
	if (watcher.fd < FD_SETSIZE)
		return 0;
	watcher_stop();
	errno = EMFILE;
	return -1;
}

/* Watch under the name with "/" behind it, as the library keeps it. */
static int watcher_watch(struct watcher_dir *dir)
{
	char *name = mem_alloc(strlen(dir->name) + 2);

	stpcpy(stpcpy(name, dir->name), "/");
	watcher_set_plug(false);
	dir->wd = -1;
	if (inotifytools_watch_file(name, WATCHER_EVENTS))
		dir->wd = inotifytools_wd_from_filename(name);
	errno = inotifytools_error();
	mem_free(name);
	return dir->wd < 0 ? -1 : 0;
}

static void watcher_forget(size_t i)
{
	mem_free(watcher.dirs[i].name);
	watcher.dirs[i] = watcher.dirs[--watcher.count];
}

static int watcher_shared(const struct watcher_dir *dir)
{
	for (size_t i = 0; i < watcher.count; i++) {
		struct watcher_dir *other = &watcher.dirs[i];

		if (other != dir && other->wd >= 0 && other->dev == dir->dev &&
		    other->ino == dir->ino)
			return other->wd;
	}
	return -1;
}

/*
 * One directory may be added under two names, but the library must hear of it
 * once: it loses the memory of the second watch.  0, or -1 with errno.
 */
static int watcher_attach(struct watcher_dir *dir)
{
	struct stat st;

	dir->wd = -1;
	if (stat(dir->name, &st) < 0)
		return -1;
	dir->dev = st.st_dev;
	dir->ino = st.st_ino;
	dir->wd = watcher_shared(dir);
	return dir->wd < 0 ? watcher_watch(dir) : 0;
}

static int watcher_restart(void)
{
	watcher_stop();
	watcher.stale = false;
	watcher.overflow = true;
	watcher.told_wd = -1;
	if (watcher_start() < 0)
		return -1;
	for (size_t i = 0; i < watcher.count; i++)
		watcher.dirs[i].wd = -1;
	for (size_t i = watcher.count; i-- > 0;) {
		if (watcher_attach(&watcher.dirs[i]) < 0)
			watcher_forget(i);
	}
	return 0;
}

int watcher_open(void)
{
	int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (bell < 0)
		return -1;
	if (watcher_start() < 0) {
		int saved = errno;

		close(bell);
		errno = saved;
		return -1;
	}
	watcher.overflow = false;
	watcher.told_wd = -1;
	atomic_store(&watcher_bell, bell);
	return 0;
}

void watcher_close(void)
{
	int bell = atomic_exchange(&watcher_bell, -1);

	watcher_stop();
	while (watcher.count)
		watcher_forget(watcher.count - 1);
	mem_free(watcher.dirs);
	watcher.dirs = NULL;
	watcher.cap = 0;
	watcher.stale = false;
	fs_close(&bell);
}

static size_t watcher_index(const char *directory)
{
	size_t i = 0;

	while (i < watcher.count &&
	       strcmp(watcher.dirs[i].name, directory) != 0)
		i++;
	return i;
}

/* Is it watched already?  Another directory at that name makes us start anew.
 */
static bool watcher_has(const char *directory)
{
	size_t i = watcher_index(directory);
	struct stat st;

	if (i == watcher.count)
		return false;
	if (stat(directory, &st) == 0 && st.st_dev == watcher.dirs[i].dev &&
	    st.st_ino == watcher.dirs[i].ino)
		return true;
	watcher_forget(i);
	watcher.stale = true;
	return false;
}

int watcher_add(const char *directory)
{
	struct watcher_dir dir = {.wd = -1};

	if (strlen(directory) >= sizeof(watcher.directory)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (watcher_has(directory) && !watcher.stale && watcher.running)
		return 0;
	if ((watcher.stale || !watcher.running) && watcher_restart() < 0)
		return -1;
	if (watcher_index(directory) < watcher.count)
		return 0;
	dir.name = mem_str(directory);
	if (watcher_attach(&dir) < 0) {
		int saved = errno;

		mem_free(dir.name);
		errno = saved;
		return -1;
	}
	if (watcher.count == watcher.cap) {
		watcher.cap = watcher.cap ? watcher.cap * 2 : 8;
		watcher.dirs = mem_resize_array(watcher.dirs, watcher.cap,
						sizeof(*watcher.dirs));
	}
	watcher.dirs[watcher.count++] = dir;
	return 0;
}

void watcher_remove(const char *directory)
{
	size_t i = watcher_index(directory);

	if (i == watcher.count)
		return;
	/* With another name of it left, the watch is still wanted. */
	if (watcher_shared(&watcher.dirs[i]) < 0)
		watcher.stale = true;
	watcher_forget(i);
}

/* Tell the notice under the next name of its directory; false: no more. */
static bool watcher_tell(struct watcher_notice *notice_out)
{
	while (watcher.told_wd >= 0 && watcher.told_next < watcher.count) {
		size_t i = watcher.told_next++;

		if (watcher.dirs[i].wd != watcher.told_wd)
			continue;
		snprintf(watcher.directory, sizeof(watcher.directory), "%s",
			 watcher.dirs[i].name);
		notice_out->directory = watcher.directory;
		notice_out->name = watcher.name;
		if (watcher.told_gone) {
			watcher_forget(i);
			watcher.told_next = i;
			watcher.stale = true;
		}
		return true;
	}
	watcher.told_wd = -1;
	return false;
}

static void watcher_note(const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		watcher.overflow = true;
		return;
	}
	watcher.told_wd = event->wd;
	watcher.told_next = 0;
	watcher.told_gone = event->mask & WATCHER_GONE;
	snprintf(watcher.name, sizeof(watcher.name), "%s",
		 event->len && !watcher.told_gone ? event->name : "");
}

static const struct inotify_event *watcher_take(bool readable)
{
	const struct inotify_event *event;

	if (watcher.buffered) {
		watcher_set_plug(true);
		event = watcher.plugged ? inotifytools_next_event(1) : NULL;
		if (event)
			return event;
		watcher.buffered = false;
		watcher_set_plug(false);
	}
	if (!readable)
		return NULL;
	watcher.buffered = watcher.real >= 0;
	return inotifytools_next_event(1);
}

/* Wait for the bell, a signal, and "fd" (-1: not for it). */
static bool watcher_poll(int fd, int64_t timeout_ms, bool *readable_out)
{
	struct pollfd p[2] = {
		{.fd = atomic_load(&watcher_bell), .events = POLLIN},
		{.fd = fd, .events = POLLIN}};
	uint64_t count;
	bool woken;
	int n;

	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	n = poll(p, 2, (int)timeout_ms);
	woken = n < 0 && errno == EINTR;
	*readable_out = n > 0 && p[1].revents;
	/* The handler of the signal may have rung: that is one waking. */
	if (woken || (n > 0 && p[0].revents))
		woken |= read(p[0].fd, &count, sizeof(count)) > 0;
	return woken;
}

/*
 * One look for a notice within left_ms.  Without the library's descriptor it
 * alone can wait, in whole seconds, and hears the bell only in between.
 */
static enum watcher_what watcher_look(int64_t left_ms)
{
	const struct inotify_event *event;
	bool readable, blind = watcher.running && watcher.real < 0;

	if (watcher.buffered || (blind && left_ms >= 1000))
		left_ms = 0;
	else
		blind = false;
	if (watcher_poll(watcher.real, left_ms, &readable))
		return WATCHER_WOKEN;
	event = watcher_take(readable || blind);
	if (!event)
		return WATCHER_TIMEOUT;
	watcher_note(event);
	return WATCHER_NOTICE;
}

enum watcher_what watcher_wait(int64_t timeout_ms,
			       struct watcher_notice *notice_out)
{
	int64_t end_ms = watcher_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
	enum watcher_what what;

	for (;;) {
		bool was_buffered = watcher.buffered;

		if (watcher_tell(notice_out))
			return WATCHER_NOTICE;
		if (watcher.stale)
			watcher_restart();
		if (watcher.overflow) {
			watcher.overflow = false;
			return WATCHER_OVERFLOW;
		}
		what = watcher_look(end_ms - watcher_now_ms());
		if (what == WATCHER_WOKEN)
			return what;
		if (what == WATCHER_TIMEOUT && !was_buffered &&
		    watcher_now_ms() >= end_ms)
			return what;
	}
}

void watcher_sleep(int64_t timeout_ms)
{
	bool readable;

	watcher_poll(-1, timeout_ms, &readable);
}

void watcher_wake(void)
{
	static const uint64_t one = 1;
	int saved = errno, bell = atomic_load(&watcher_bell);

	/* A full counter is a bell that rings already. */
	if (bell >= 0 && write(bell, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}
