/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure COMMAND [ARG ...]	run it; then "user sys wall maxrss_kb" on
 *				file descriptor 3, or standard error
 *
 * The limits that the program is held against, reported likewise:
 *
 * measure --read FILE		read rows and cut them into fields; prints how
 *				many there were
 * measure --json FILE		write the events of a file again, once they
 *				were taken to pieces; prints the bytes
 * measure --deflate LEVEL FILE	pack them in batches of the program's size;
 *				prints the bytes that came out
 *
 * And what the others cannot:
 *
 * measure --watch PID SECONDS	prints what a process did meanwhile: "cpu_s
 *				wakeups seconds", over all its threads
 * measure --forget FILE ...	drop files from the system's cache
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/measure/measure.h"

void measure_die(const char *what)
{
	perror(what);
	exit(71);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double clock_of(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		measure_die("clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double measure_clock_s(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

void watch_start(struct watch *watch)
{
	getrusage(RUSAGE_SELF, &watch->at);
	watch->at_s = measure_clock_s();
}

void watch_stop(struct watch *watch)
{
	struct rusage now;

	watch->wall_s += measure_clock_s() - watch->at_s;
	getrusage(RUSAGE_SELF, &now);
	watch->user_s += seconds(now.ru_utime) - seconds(watch->at.ru_utime);
	watch->sys_s += seconds(now.ru_stime) - seconds(watch->at.ru_stime);
	watch->at = now;
}

static void report(double user_s, double sys_s, double wall_s, long peak_kb)
{
	int fd = fcntl(3, F_GETFD) >= 0 ? 3 : 2;

	dprintf(fd, "%.4f %.4f %.4f %ld\n", user_s, sys_s, wall_s, peak_kb);
}

void watch_report(const struct watch *watch, unsigned int rounds)
{
	report(watch->user_s / rounds, watch->sys_s / rounds,
	       watch->wall_s / rounds, watch->at.ru_maxrss);
}

static int run(char **argv)
{
	double begin = measure_clock_s();
	struct rusage use;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		measure_die("fork");
	if (pid == 0) {
		close(3);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			measure_die("wait4");
	report(seconds(use.ru_utime), seconds(use.ru_stime),
	       measure_clock_s() - begin, use.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* How often a thread has gone to sleep, and so will have to be woken. */
static unsigned long long switches(int dir, const char *thread)
{
	static const char key[] = "voluntary_ctxt_switches:";
	char path[300], text[8192];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/status", thread);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static unsigned long long wakeups(const char *pid)
{
	unsigned long long sum = 0;
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
	tasks = opendir(path);
	if (!tasks)
		measure_die(path);
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			sum += switches(dirfd(tasks), entry->d_name);
	closedir(tasks);
	return sum;
}

static int watch_process(const char *pid, const char *for_s)
{
	struct timespec left = {.tv_sec = strtol(for_s, NULL, 10)};
	double cpu_s, begin = measure_clock_s();
	unsigned long long count;
	clockid_t clock;

	errno = clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &clock);
	if (errno)
		measure_die(pid);
	cpu_s = clock_of(clock);
	count = wakeups(pid);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	printf("%.6f", clock_of(clock) - cpu_s);
	printf(" %llu %.3f\n", wakeups(pid) - count, measure_clock_s() - begin);
	return EXIT_SUCCESS;
}

static int forget(char **names)
{
	for (; *names; names++) {
		int fd = open(*names, O_RDONLY | O_CLOEXEC);

		/* Only what is on disk can be dropped. */
		if (fd < 0 || fdatasync(fd) < 0)
			measure_die(*names);
		errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (errno)
			measure_die(*names);
		close(fd);
	}
	return EXIT_SUCCESS;
}

static int usage(void)
{
	fputs("usage: measure COMMAND [ARG ...] | --read FILE | --json FILE |"
	      " --deflate LEVEL FILE |\n"
	      "  --watch PID SECONDS | --forget FILE ...\n",
	      stderr);
	return 64;
}

static int limit(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		limit_read(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "--json") == 0)
		limit_json(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "--deflate") == 0 &&
		 argv[2][0] >= '1' && argv[2][0] <= '9' && !argv[2][1])
		limit_deflate(argv[3], argv[2][0] - '0');
	else
		return usage();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--watch") == 0)
		return watch_process(argv[2], argv[3]);
	if (argc > 2 && strcmp(argv[1], "--forget") == 0)
		return forget(argv + 2);
	if (argc > 1 && argv[1][0] != '-')
		return run(argv + 1);
	return limit(argc, argv);
}
