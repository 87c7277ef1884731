/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_JSON_RUN_H
#define BASE_JSON_RUN_H

/*
 * json_run - the inside of a JSON string, copied in runs
 *
 *	out = room for JSON_RUN_ROOM(text.len) bytes
 *	out = json_run(out, text);	where the next byte goes
 *
 * For events, which are written by the million; everything else uses json.h.
 * Escapes as yajl_gen does, byte for byte (fuzz_event holds it to that):
 * quotes, backslashes and bytes below 0x20, nothing else.  UTF-8 is the
 * caller's duty.  Bytes behind the end of what was written may be changed, up
 * to JSON_RUN_ROOM.  Never fails, keeps nothing.
 */

#include "base/slice.h"

/* A byte becomes six at most; and whole words are stored at the end. */
enum { JSON_RUN_SLACK = 16 };
#define JSON_RUN_ROOM(len) ((len)*6 + JSON_RUN_SLACK)

char *json_run(char *out, struct slice text);

#endif /* BASE_JSON_RUN_H */
