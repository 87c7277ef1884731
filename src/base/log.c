/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/*
 * A line is put together in one buffer and written by one write(2), so that
 * lines of two threads never mix.  What does not fit is cut and marked.
 */

#define LOG_LINE 2048

static atomic_int log_level = LOG_LEVEL_INFO;
static _Atomic(void (*)(int, const char *)) log_sink;

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

bool log_is_debug(void)
{
	return atomic_load(&log_level) >= LOG_LEVEL_DEBUG;
}

void log_set_sink(void (*sink)(int priority, const char *line))
{
	atomic_store(&log_sink, sink);
}

static void log_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void log_emit(int priority, char *text)
{
	void (*sink)(int, const char *) = atomic_load(&log_sink);
	char line[LOG_LINE + 32];
	int n;

	log_clean(text);
	if (sink) {
		sink(priority, text);
		return;
	}
	if (getenv("JOURNAL_STREAM"))
		n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "sparktail: %s\n", text);
	/* There is nobody to tell when standard error itself fails. */
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

__attribute__((format(printf, 3, 0))) static void
log_line(int priority, int error, const char *format, va_list args)
{
	char text[LOG_LINE];
	int saved = errno;
	int n = vsnprintf(text, sizeof(text), format, args);

	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(text)) {
		memcpy(text + sizeof(text) - 4, "...", 4);
		n = (int)sizeof(text) - 1;
	}
	if (error) {
		char why[128];

		snprintf(text + n, sizeof(text) - (size_t)n, ": %s",
			 strerror_r(error, why, sizeof(why)));
	}
	log_emit(priority, text);
	errno = saved;
}

#define LOG_BODY(priority, error)                                              \
	va_list args;                                                          \
	va_start(args, format);                                                \
	log_line(priority, error, format, args);                               \
	va_end(args)

void log_error(const char *format, ...)
{
	LOG_BODY(LOG_ERR, errno);
}

void log_errorx(const char *format, ...)
{
	LOG_BODY(LOG_ERR, 0);
}

void log_warn(const char *format, ...)
{
	LOG_BODY(LOG_WARNING, errno);
}

void log_warnx(const char *format, ...)
{
	LOG_BODY(LOG_WARNING, 0);
}

void log_info(const char *format, ...)
{
	if (atomic_load(&log_level) < LOG_LEVEL_INFO)
		return;
	LOG_BODY(LOG_INFO, 0);
}

void log_debug(const char *format, ...)
{
	if (!log_is_debug())
		return;
	LOG_BODY(LOG_DEBUG, 0);
}
