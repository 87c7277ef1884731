/* SPDX-License-Identifier: GPL-2.0-only */
#include "fault/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fault/wrap.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

int __real_openat(int dir, const char *name, int flags, ...);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_close(int fd);

enum { INJECT_ANY = 9, INJECT_KINDS };

static const char *const inject_calls[INJECT_KINDS] = {
	"write",    "read",	"pread",     "fsync", "openat",
	"renameat", "unlinkat", "ftruncate", "close", "any"};

static const struct {
	const char *name;
	int number;
} inject_errors[] = {{"EIO", EIO},	 {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
		     {"EDQUOT", EDQUOT}, {"EROFS", EROFS},   {"EAGAIN", EAGAIN},
		     {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EACCES", EACCES},
		     {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM}, {"EFBIG", EFBIG},
		     {"ESTALE", ESTALE}};

/* Set before main(); only the counters change. */
static int inject_kind = -1, inject_error;
static long inject_nth, inject_last;
static bool inject_short, inject_exit, inject_lies;
static const char *inject_counts_file, *inject_clock_file;
static atomic_long inject_counts[INJECT_KINDS];

_Noreturn void inject_mistake(const char *name, const char *value)
{
	fprintf(stderr, "fault build: %s: cannot be understood: %s\n", name,
		value);
	_exit(64);
}

long inject_number(char *text)
{
	char *colon = strchr(text, ':');
	char *end;
	long n;

	if (!colon)
		return 1;
	*colon = '\0';
	n = strtol(colon + 1, &end, 10);
	return end == colon + 1 || *end ? -1 : n;
}

/* --- Counters --- */

static void inject_write_counts(void)
{
	char text[512];
	size_t len = 0;
	int fd;

	if (!inject_counts_file)
		return;
	for (int i = 0; i < INJECT_KINDS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s %ld\n", inject_calls[i],
					atomic_load(&inject_counts[i]));
	fd = __real_openat(AT_FDCWD, inject_counts_file,
			   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || __real_write(fd, text, len) != (ssize_t)len)
		inject_mistake("SPARKTAIL_CALLS", inject_counts_file);
	__real_close(fd);
}

_Noreturn void inject_die(void)
{
	inject_write_counts();
	_exit(INJECT_EXIT);
}

/* --- The environment --- */

static bool inject_what(const char *what)
{
	char *end;

	inject_short = strcmp(what, "short") == 0;
	inject_exit = strcmp(what, "exit") == 0;
	if (inject_short || inject_exit)
		return true;
	for (size_t i = 0; i < NROF(inject_errors); i++) {
		if (strcmp(what, inject_errors[i].name) == 0)
			inject_error = inject_errors[i].number;
	}
	if (!inject_error) {
		inject_error = (int)strtol(what, &end, 10);
		return inject_error > 0 && !*end;
	}
	return true;
}

/* CALL:N:WHAT[:COUNT] */
static bool inject_fault(char *text)
{
	char *save = NULL;
	const char *call = strtok_r(text, ":", &save);
	const char *nth = strtok_r(NULL, ":", &save);
	const char *what = strtok_r(NULL, ":", &save);
	const char *count = strtok_r(NULL, ":", &save);
	long times = count ? strtol(count, NULL, 10) : 1;

	if (!what || !inject_what(what) || times < 0)
		return false;
	inject_nth = strtol(nth, NULL, 10);
	if (inject_nth < 1)
		return false;
	inject_last = times ? inject_nth + times - 1 : LONG_MAX;
	for (int i = 0; i < INJECT_KINDS; i++) {
		if (strcmp(call, inject_calls[i]) == 0)
			inject_kind = i;
	}
	return inject_kind >= 0;
}

static const char *inject_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

__attribute__((constructor)) static void inject_read(void)
{
	const char *fault = inject_env("SPARKTAIL_FAULT");
	char *copy;

	inject_counts_file = inject_env("SPARKTAIL_CALLS");
	inject_clock_file = inject_env("SPARKTAIL_CLOCK");
	inject_lies = inject_env("SPARKTAIL_NOSYNC") != NULL;
	if (inject_counts_file && atexit(inject_write_counts) != 0)
		abort();
	if (!fault)
		return;
	copy = strdup(fault);
	if (!copy)
		abort();
	if (!inject_fault(copy))
		inject_mistake("SPARKTAIL_FAULT", fault);
	free(copy);
}

/* --- What wrap.c asks --- */

static bool inject_strikes(const char *call)
{
	long count, all;
	int kind = 0;

	while (strcmp(call, inject_calls[kind]) != 0)
		kind++;
	count = atomic_fetch_add(&inject_counts[kind], 1) + 1;
	all = atomic_fetch_add(&inject_counts[INJECT_ANY], 1) + 1;
	if (inject_kind == INJECT_ANY)
		count = all;
	else if (inject_kind != kind)
		return false;
	if (count < inject_nth || count > inject_last)
		return false;
	if (inject_exit)
		inject_die();
	return true;
}

bool wrap_fails(const char *call)
{
	if (!inject_strikes(call) || inject_short)
		return false;
	errno = inject_error;
	return true;
}

ssize_t wrap_room(const char *call, int fd, size_t n)
{
	/* What it says is how a test knows what happened. */
	if (fd == STDERR_FILENO || !inject_strikes(call))
		return (ssize_t)n;
	if (inject_short)
		return n ? 1 : 0;
	errno = inject_error;
	return -1;
}

bool wrap_lies(void)
{
	return inject_lies;
}

/* --- The clock --- */

time_t __real_time(time_t *out);
time_t __wrap_time(time_t *out);
time_t __wrap_time(time_t *out)
{
	time_t now = __real_time(NULL);
	char text[32] = "";
	ssize_t n;
	int fd;

	fd = inject_clock_file ? __real_openat(AT_FDCWD, inject_clock_file,
					       O_RDONLY | O_CLOEXEC)
			       : -1;
	if (fd >= 0) {
		n = __real_read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		now += (time_t)strtoll(text, NULL, 10);
		__real_close(fd);
	}
	if (out)
		*out = now;
	return now;
}
