/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_KIND_H
#define ACCT_KIND_H

/*
 * kind - the record types of an accounting file, by their codes
 *
 * Codes and their long forms are taken in any letter case; "type", which marks
 * a header, only as it is.  Pure.
 */

#include <stdbool.h>

#include "base/slice.h"

enum kind {
	KIND_UNKNOWN = 0,
	KIND_HEADER,
	KIND_RECEIPT,	      /* r */
	KIND_DELIVERY,	      /* d */
	KIND_BOUNCE,	      /* b */
	KIND_TRANSIENT,	      /* t */
	KIND_TRANSIENT_QUEUE, /* tq */
	KIND_REMOTE_BOUNCE,   /* rb */
	KIND_REMOTE_STATUS,   /* rs */
	KIND_FEEDBACK	      /* f */
};

/* Of the first field of a row. */
enum kind kind_of(struct slice code);

/*
 * Does a line begin with a known code (or "type") and a comma?  Such a line
 * is where reading resumes after a lost quote (mapping.md 1.4).
 */
bool kind_begins(struct slice line);

/* Is it that of a header?  As kind_of() says. */
static inline bool kind_is_header(struct slice code)
{
	return slice_eq(code, SLICE("type"));
}

/* Written by an attempt to deliver: d, b or t. */
static inline bool kind_is_attempt(enum kind kind)
{
	return kind == KIND_DELIVERY || kind == KIND_BOUNCE ||
	       kind == KIND_TRANSIENT;
}

/* Written when a report came back: rb or f. */
static inline bool kind_is_report(enum kind kind)
{
	return kind == KIND_REMOTE_BOUNCE || kind == KIND_FEEDBACK;
}

#endif /* ACCT_KIND_H */
