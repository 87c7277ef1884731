/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * json - writes JSON text into a buffer
 *
 *	struct json *j = json_new(&buf);
 *	json_begin(j);				{
 *	json_str(j, "name", SLICE("x"));	  "name":"x"
 *	json_begin_in(j, "inner"); json_end(j);	  ,"inner":{}
 *	json_end(j);				}
 *	json_line(j);				newline, ready for the next one
 *	json_free(&j);
 *
 * Strings must be valid UTF-8 (utf8.h repairs them); control characters are
 * escaped.  Text that passes the buffer's maximum sets its "overflow", which
 * the caller looks at once, at the end.  Balanced calls are the caller's duty
 * and are asserted.  The library behind it is yajl; only the two json files
 * know.  One thread for each writer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json;

/* Write into "out", which the caller keeps and owns. */
struct json *json_new(struct buf *out);
void json_free(struct json **json);

/* An object at the top or as a member of an array; and as a named member. */
void json_begin(struct json *json);
void json_begin_in(struct json *json, const char *key);
void json_end(struct json *json);

/* An array as a named member; its members come by json_begin or json_item. */
void json_array_in(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_item(struct json *json, struct slice value);

/* Members of an object. */
void json_str(struct json *json, const char *key, struct slice value);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
/* In thousandths: 1234 is written as 1.234. */
void json_milli(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* A member whose name is data, not a literal. */
void json_uint_named(struct json *json, struct slice key, uint64_t value);

/* End a complete text with LF and be ready for another. */
void json_line(struct json *json);

#endif /* BASE_JSON_H */
