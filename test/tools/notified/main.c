/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notified [--watchdog USEC] FILE COMMAND [ARG ...]: run a command as a
 * service manager that is to be notified (sd_notify(3)).  Each message becomes
 * a line of FILE, with "|" for its line ends, and a time in milliseconds
 * before it (CLOCK_MONOTONIC, as in MONOTONIC_USEC).
 *
 * The command takes this process's place, so that its pid is the one that the
 * caller knows; a child listens until the command's end of a pipe is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"

enum { MESSAGE_MAX = 8192 };

static const char usage[] =
	"usage: notified [--watchdog USEC] FILE COMMAND [ARG ...]\n";

static void die(const char *what)
{
	perror(what);
	exit(71);
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (len >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(addr.sun_path, path, len);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(path);
	return fd;
}

static void take(int sock, int file)
{
	char message[MESSAGE_MAX], line[MESSAGE_MAX + 64];
	ssize_t n = recv(sock, message, sizeof(message) - 1, 0);
	struct timespec now;
	int len;

	if (n < 0)
		die("recv");
	message[n] = '\0';
	for (char *p = message; (p = strchr(p, '\n'));)
		*p = '|';
	clock_gettime(CLOCK_MONOTONIC, &now);
	len = snprintf(line, sizeof(line), "%lld %s\n",
		       (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000,
		       message);
	if (fs_write_all(file, line, (size_t)len) < 0)
		die("write");
}

/* To the last message, which may have come with the command's end. */
static void attend(int sock, int pipe_end, int file)
{
	struct pollfd fds[2] = {{.fd = sock, .events = POLLIN},
				{.fd = pipe_end, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents & POLLIN)
			take(sock, file);
		else if (fds[1].revents)
			return;
	}
}

static void command(char **argv, const char *path, const char *watchdog)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (setenv("NOTIFY_SOCKET", path, 1) < 0)
		die("setenv");
	if (watchdog && (setenv("WATCHDOG_USEC", watchdog, 1) < 0 ||
			 setenv("WATCHDOG_PID", pid, 1) < 0))
		die("setenv");
	execvp(argv[0], argv);
	die(argv[0]);
}

int main(int argc, char **argv)
{
	const char *watchdog = NULL;
	char path[4096];
	int ends[2], sock, file;
	pid_t child;

	if (argc > 2 && strcmp(argv[1], "--watchdog") == 0) {
		watchdog = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 3) {
		fputs(usage, stderr);
		return 64;
	}
	snprintf(path, sizeof(path), "%s.sock", argv[1]);
	file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0)
		die(argv[1]);
	sock = listen_at(path);
	if (pipe(ends) < 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child) {
		close(ends[0]);
		command(argv + 2, path, watchdog);
	}
	close(ends[1]);
	attend(sock, ends[0], file);
	unlink(path);
	return EXIT_SUCCESS;
}
