/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_CHECKPOINT_HEADERS_H
#define SPOOL_CHECKPOINT_HEADERS_H

/*
 * checkpoint_headers - header lines once each, by number, for the checkpoint's
 * writer alone
 *
 * All zero but for "text" is an empty list; text.max is the caller's.
 */

#include "base/buf.h"
#include "base/digest.h"

struct checkpoint_header {
	struct digest digest;
	uint32_t number; /* from 1; 0 = a free place */
};

struct checkpoint_headers {
	struct checkpoint_header *table; /* open hashing */
	size_t slots;			 /* a power of two */
	uint32_t count;
	struct buf text; /* all of them as JSON strings */
};

/* Its number, from 0; it is added when it is not known. */
uint32_t checkpoint_headers_number(struct checkpoint_headers *headers,
				   struct slice header);
void checkpoint_headers_release(struct checkpoint_headers *headers);

#endif /* SPOOL_CHECKPOINT_HEADERS_H */
