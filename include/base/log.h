/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * log - lines for the operator, on standard error
 *
 * One line a call, "module: what happened: object: numbers with units".  When
 * the journal reads standard error (JOURNAL_STREAM names the descriptor), each
 * line begins with its "<N>" priority; otherwise with "sparktail: ".  No time
 * stamps of our own.  Control characters and bytes that are not UTF-8 are
 * shown as "?", so that no row can forge a line or play with a terminal.
 * Lines are cut after 2047 bytes, and then end in "..." and the reason.
 *
 * log_error() and log_warn() append ": " and strerror(errno), the forms with x
 * do not.  All keep errno.  Any thread.  Never pass an API key, and no row
 * text or mail address at a level above debug.
 */

#include <stdbool.h>

enum log_level { LOG_LEVEL_QUIET = 0, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* QUIET: warnings and errors only.  Default INFO. */
void log_set_level(enum log_level level);
bool log_is_debug(void);

/*
 * Send lines to "sink" instead, or back to standard error with NULL.  For
 * tests, which assert the lines that they provoke.
 */
void log_set_sink(void (*sink)(int priority, const char *line));

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_errorx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* BASE_LOG_H */
