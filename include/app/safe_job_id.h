/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_SAFE_JOB_ID_H
#define APP_SAFE_JOB_ID_H

/*
 * safe_job_id - a name made safe for PowerMTA's X-Job header
 *
 * Printable 7-bit characters stay, but for blank, quote (") and backquote.
 * Every other character becomes one "_", however many bytes it has; a byte
 * that is not UTF-8 counts as a character.  Pure; any thread.
 */

#include "base/buf.h"

/* Append "text" made safe; line ends are characters like others. */
void safe_job_id_add(struct slice text, struct buf *out);

/*
 * The same for text that comes in pieces and has line ends (LF, CRLF), which
 * are kept.  Returns how many bytes were taken: what is left, less than four
 * bytes, is the beginning of a character; give it again with more behind it.
 * final: nothing follows, all is taken.
 */
size_t safe_job_id_lines(struct slice text, bool final, struct buf *out);

#endif /* APP_SAFE_JOB_ID_H */
