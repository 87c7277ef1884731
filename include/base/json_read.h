/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

/*
 * json_read - reads JSON text that may be hostile
 *
 * The text is handed to "visit" value by value, each with its path: names
 * joined by ".", and "[]" for a member of an array.  So
 *
 *	{"results": {"id": "x"}, "errors": [{"code": 1}, {"code": 2}]}
 *
 * gives  "" BEGIN, "results" BEGIN, "results.id" STRING x, "results" END,
 * "errors" BEGIN_ARRAY, "errors[]" BEGIN, "errors[].code" NUMBER 1,
 * "errors[]" END, ... , "errors" END_ARRAY, "" END.
 *
 * A name may hold "." or "[]" itself; where that could be mistaken for another
 * path, do not read names of somebody else's choice.
 *
 * No tree is built: memory is bounded by depth (JSON_READ_DEPTH) and path
 * length (JSON_READ_PATH), beyond which the text is refused.  A text that
 * ends early, has bytes after its end or is not UTF-8 is refused too; what was
 * visited before the fault was seen has been visited, so act only on success.
 * Half a surrogate pair (\ud800 alone) comes as U+FFFD, so that strings and
 * paths are always UTF-8; \u0000 comes as a NUL.
 * The caller caps the size of the text.  Pure; any thread.
 */

#include <stdint.h>

#include "base/slice.h"

enum { JSON_READ_DEPTH = 32, JSON_READ_PATH = 512 };

enum json_event {
	JSON_NULL = 0,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_BEGIN,
	JSON_END,
	JSON_BEGIN_ARRAY,
	JSON_END_ARRAY
};

/*
 * "text" is the value: a string decoded, a number as it was written, "true"
 * or "false"; empty for the others.  Both slices are good for this call only.
 * Return 0 to go on, -1 to refuse the text.
 */
typedef int json_visit(void *ctx, struct slice path, enum json_event event,
		       struct slice text);

/* Returns 0, or -1 when the text is not JSON, too deep, or was refused. */
int json_read(struct slice text, json_visit *visit, void *ctx);

/* A NUMBER's text as an integer.  Returns 0, or -1 when it is none (a
 * fraction, an exponent) or does not fit. */
int json_read_int(struct slice number, int64_t *value_out);

#endif /* BASE_JSON_READ_H */
