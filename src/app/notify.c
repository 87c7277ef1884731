/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/slice.h"

static int notify_fd = -1;
static int64_t notify_watchdog;

/* WATCHDOG_PID says whom the watchdog watches, when it is not a child. */
static int64_t notify_read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	unsigned long long value, whom;

	if (!usec || slice_number(slice_str(usec), 86400000000ULL, &value) < 0)
		return 0;
	if (pid && (slice_number(slice_str(pid), 1ULL << 31, &whom) < 0 ||
		    (pid_t)whom != getpid()))
		return 0;
	return (int64_t)(value / 1000);
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;

	notify_watchdog = notify_read_watchdog();
	if (len < 2 || len >= sizeof(addr.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd < 0)
		return;
	len += offsetof(struct sockaddr_un, sun_path);
	if (connect(notify_fd, (struct sockaddr *)&addr, (socklen_t)len) < 0)
		notify_close();
}

void notify_close(void)
{
	fs_close(&notify_fd);
}

void notify_send(const char *lines)
{
	if (notify_fd < 0)
		return;
	/* A full or vanished socket is the supervisor's trouble, not ours. */
	if (send(notify_fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT) <
	    0)
		return;
}

void notify_reloading(void)
{
	struct timespec ts;
	char lines[80];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	notify_send(lines);
}

int64_t notify_watchdog_ms(void)
{
	return notify_watchdog;
}
