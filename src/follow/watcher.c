/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotifytools.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "follow/watcher_bell.h"
#include "follow/watcher_fds.h"

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
			 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
};

struct watcher_dir {
	char *name;
	dev_t dev;
	ino_t ino;
	int wd; /* -1: no longer watched */
};

static uint64_t watcher_put_up;

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
	size_t count;
	/* The notice being told, once for each name of its directory. */
	int told_wd; /* -1: none */
	bool told_gone;
	size_t told_next;
	char directory[PATH_MAX], name[NAME_MAX + 1];
} watcher = {.fd = -1, .real = -1, .plug = -1, .told_wd = -1};

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

static void watcher_find(const struct watcher_fds *before)
{
	watcher.fd = watcher_fds_new(before);
	if (watcher.fd < 0)
		return;
	fcntl(watcher.fd, F_SETFD, FD_CLOEXEC);
	watcher.plug = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watcher.plug >= 0)
		watcher.real = fcntl(watcher.fd, F_DUPFD_CLOEXEC, 0);
}

static int watcher_start(void)
{
	struct watcher_fds before;

	watcher_fds_list(&before);
	if (!inotifytools_initialize()) {
		errno = inotifytools_error();
		return -1;
	}
	watcher.running = true;
	watcher_find(&before);
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
	if (inotifytools_watch_file(name, WATCHER_EVENTS)) {
		dir->wd = inotifytools_wd_from_filename(name);
		watcher_put_up++;
	}
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
	if (watcher_bell_open() < 0)
		return -1;
	if (watcher_start() < 0) {
		int saved = errno;

		watcher_bell_close();
		errno = saved;
		return -1;
	}
	watcher.overflow = false;
	watcher.told_wd = -1;
	return 0;
}

void watcher_close(void)
{
	watcher_stop();
	while (watcher.count)
		watcher_forget(watcher.count - 1);
	mem_free(watcher.dirs);
	watcher.dirs = NULL;
	watcher.stale = false;
	watcher_bell_close();
}

uint64_t watcher_watches(void)
{
	return watcher_put_up;
}

static size_t watcher_index(const char *directory)
{
	size_t i = 0;

	while (i < watcher.count &&
	       strcmp(watcher.dirs[i].name, directory) != 0)
		i++;
	return i;
}

/* Is it watched already?  Another directory at that name: start anew. */
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
	watcher.dirs = mem_resize_array(watcher.dirs, watcher.count + 1,
					sizeof(*watcher.dirs));
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

/*
 * One look for a notice within left_ms.  Without the library's descriptor it
 * alone can wait, in whole seconds, and hears the bell only in between.
 */
static enum watcher_what watcher_look(int64_t left_ms)
{
	const struct inotify_event *event;
	bool readable = false, blind = watcher.running && watcher.real < 0;

	/* What is in memory costs no call: a bell waits for one read's worth
	 * of notices at most. */
	if (watcher.buffered && (event = watcher_take(false))) {
		watcher_note(event);
		return WATCHER_NOTICE;
	}
	if (blind && left_ms >= 1000)
		left_ms = 0;
	else
		blind = false;
	if (watcher_bell_wait(watcher.real, left_ms, &readable))
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
	int64_t end_ms =
		watcher_bell_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
	enum watcher_what what;

	for (;;) {
		if (watcher_tell(notice_out))
			return WATCHER_NOTICE;
		if (watcher.stale)
			watcher_restart();
		if (watcher.overflow) {
			watcher.overflow = false;
			return WATCHER_OVERFLOW;
		}
		what = watcher_look(end_ms - watcher_bell_now_ms());
		if (what == WATCHER_WOKEN)
			return what;
		if (what == WATCHER_TIMEOUT && watcher_bell_now_ms() >= end_ms)
			return what;
	}
}
