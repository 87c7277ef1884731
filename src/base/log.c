/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/utf8.h"

/*
 * A line is put together in one buffer and written by one write(2), so that
 * lines of two threads never mix.  What does not fit is cut and marked; the
 * reason at the end has room of its own.
 */

enum { LOG_LINE = 2048, LOG_REASON = 128 };

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

/* ASCII's controls, and those from U+0080: U+009B alone is an "ESC [". */
static bool log_is_control(const char *p, size_t n)
{
	unsigned char first = (unsigned char)p[0];

	if (n == 1)
		return first < 0x20 || first == 0x7f;
	return n == 2 && first == 0xc2 && (unsigned char)p[1] < 0xa0;
}

static void log_clean(char *text)
{
	struct slice rest = slice_str(text);

	while (rest.len) {
		size_t n = utf8_char(rest), taken = n ? n : 1;

		if (!n || log_is_control(rest.p, n))
			memset(text, '?', taken);
		text += taken;
		rest = slice_skip(rest, taken);
	}
}

/*
 * The variable alone is inherited by whatever the service starts, with its
 * standard error elsewhere: it names the device and inode of the journal's end.
 */
static bool log_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

static void log_emit(int priority, char *text)
{
	void (*sink)(int, const char *) = atomic_load(&log_sink);
	char line[LOG_LINE + LOG_REASON + 32];
	int n;

	log_clean(text);
	if (sink) {
		sink(priority, text);
		return;
	}
	if (log_to_journal())
		n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "sparktail: %s\n", text);
	/* There is nobody to tell when standard error itself fails. */
	if (n > 0)
		(void)fs_write_all(STDERR_FILENO, line, (size_t)n);
}

__attribute__((format(printf, 3, 0))) static void
log_line(int priority, int error, const char *format, va_list args)
{
	char text[LOG_LINE + LOG_REASON];
	int saved = errno;
	int n = vsnprintf(text, LOG_LINE, format, args);

	if (n < 0) {
		n = 0;
		text[0] = '\0';
	}
	if (n >= LOG_LINE) {
		memcpy(text + LOG_LINE - 4, "...", 4);
		n = LOG_LINE - 1;
	}
	if (error) {
		char why[LOG_REASON];

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
