/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fs.h"

static int wake_fd = -1;

int wake_open(void)
{
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wake_fd < 0 ? -1 : 0;
}

void wake_close(void)
{
	fs_close(&wake_fd);
}

void wake_wait(int64_t timeout_ms)
{
	struct pollfd pfd = {.fd = wake_fd, .events = POLLIN};
	uint64_t count;

	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	if (poll(&pfd, 1, (int)timeout_ms) > 0 &&
	    read(wake_fd, &count, sizeof(count)) < 0)
		return;
}

void wake_up(void)
{
	uint64_t one = 1;
	int saved = errno;

	/* Full means that a wake-up is waiting already. */
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}
