/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure COMMAND [ARG ...]	run it; then "user sys wall maxrss_kb" on
 *				file descriptor 3, or standard error
 * measure --read FILE		the same for reading a file, nothing else
 * measure --deflate LEVEL FILE	the same for packing it in batches of 4 MB;
 *				also prints the bytes that came out
 *
 * The two last are the limits the program is held against.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/gzip.h"
#include "base/mem.h"

enum { BLOCK = 4 << 20 };

static void die(const char *what)
{
	perror(what);
	exit(71);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct rusage *use, double wall)
{
	int fd = fcntl(3, F_GETFD) >= 0 ? 3 : 2;

	dprintf(fd, "%.3f %.3f %.3f %ld\n", seconds(use->ru_utime),
		seconds(use->ru_stime), wall, use->ru_maxrss);
}

static int run(char **argv)
{
	double begin = clock_s();
	struct rusage use;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(3);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			die("wait4");
	report(&use, clock_s() - begin);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int limit(const char *name, int level)
{
	struct gzip_packer *packer = level ? gzip_packer_new(level) : NULL;
	char *block = mem_alloc(BLOCK);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	unsigned long long total = 0;
	double begin = clock_s();
	struct rusage use;
	struct buf out;
	ssize_t n;

	if (fd < 0)
		die(name);
	buf_init(&out, BLOCK * 2);
	while ((n = read(fd, block, BLOCK)) > 0) {
		buf_reset(&out);
		if (packer)
			gzip_pack(packer, slice_of(block, (size_t)n), &out);
		total += out.len;
	}
	if (n < 0)
		die(name);
	close(fd);
	getrusage(RUSAGE_SELF, &use);
	report(&use, clock_s() - begin);
	if (packer)
		printf("%llu\n", total);
	gzip_packer_free(&packer);
	buf_release(&out);
	mem_free(block);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return limit(argv[2], 0);
	if (argc == 4 && strcmp(argv[1], "--deflate") == 0 &&
	    argv[2][0] >= '1' && argv[2][0] <= '9' && !argv[2][1])
		return limit(argv[3], argv[2][0] - '0');
	if (argc > 1 && argv[1][0] != '-')
		return run(argv + 1);
	fputs("usage: measure COMMAND [ARG ...] | --read FILE |"
	      " --deflate LEVEL FILE\n",
	      stderr);
	return 64;
}
