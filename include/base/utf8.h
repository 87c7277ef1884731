/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/*
 * utf8 - text that is UTF-8 for certain
 *
 * Valid means: shortest form, no surrogates, nothing above U+10FFFF.
 * A byte that is not part of a valid character is invalid by itself, so three
 * stray bytes are three faults.  Pure; any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* How many bytes the first character takes, or 0 if its byte is invalid. */
size_t utf8_char(struct slice s);

/* Length of the longest valid prefix. */
size_t utf8_valid(struct slice s);

/* Append "s" with each invalid byte replaced by U+FFFD.  0 or -1 as buf_add. */
int utf8_repair(struct slice s, struct buf *out);

/* Append a code point; one that does not exist becomes U+FFFD. */
int utf8_encode(uint32_t code, struct buf *out);

#endif /* BASE_UTF8_H */
