/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/watcher_bell.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "follow/watcher.h"

static atomic_int watcher_bell = -1;

int watcher_bell_open(void)
{
	int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (bell < 0)
		return -1;
	atomic_store(&watcher_bell, bell);
	return 0;
}

void watcher_bell_close(void)
{
	int bell = atomic_exchange(&watcher_bell, -1);

	fs_close(&bell);
}

void watcher_bell_ring(void)
{
	static const uint64_t one = 1;
	int saved = errno, bell = atomic_load(&watcher_bell);

	/* A full counter is a bell that rings already. */
	if (bell >= 0 && write(bell, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}

bool watcher_bell_wait(int fd, int64_t timeout_ms, bool *readable_out)
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

int64_t watcher_bell_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- watcher.h --- */

bool watcher_sleep(int64_t timeout_ms)
{
	bool readable;

	return watcher_bell_wait(-1, timeout_ms, &readable);
}

void watcher_wake(void)
{
	watcher_bell_ring();
}
