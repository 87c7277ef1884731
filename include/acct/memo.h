/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_MEMO_H
#define ACCT_MEMO_H

/*
 * memo - what was made of texts that many rows share
 *
 *	struct memo *memo = memo_new();
 *	struct memo_entry *e = memo_find(memo, which, parts, n);
 *	if (e && e->json_len) ...	made before
 *	memo_free(&memo);
 *
 * The rows of a campaign have sender, subject, job and VirtualMTA in common, so
 * a good part of their events is the same bytes.  An entry is known by what
 * these bytes are made of: a number and a few texts, which are compared, not
 * only hashed.  What it holds is for the caller to fill; all zero, nothing is
 * known yet.
 *
 * An entry is good until the next memo_find() with the same memo.
 *
 * There is one place for a text, and what comes to it for the second time in a
 * row takes it: subjects that differ in each row do not drive out what is
 * shared.  Long texts have no entry.  Memory is fixed.  One thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "acct/mapping.h"

enum { MEMO_PARTS = 4, MEMO_KEY = 240, MEMO_JSON = 600 };

struct memo_entry {
	/* memo.c's; what is looked at for each row comes first. */
	uint64_t which;
	uint64_t missed; /* the hash that last came here in vain */
	uint64_t lens;	 /* of the parts, sixteen bits for each */

	/* The caller's. */
	uint16_t json_len; /* 0: not known */
	bool has_from, has_mapped;
	uint8_t from_part;	 /* which of the parts holds the sender, ... */
	uint16_t from, from_len; /* ... and where in it */

	char key[MEMO_KEY];
	char json[MEMO_JSON];
	struct mapping_answer mapped;
};

struct memo;

struct memo *memo_new(void);
void memo_free(struct memo **memo);

/* NULL: nothing is known of these texts, nor will be as yet.  "which" tells
 * what is made of them, and how many there are; not 0. */
struct memo_entry *memo_find(struct memo *memo, uint64_t which,
			     const struct slice *parts, size_t count);

#endif /* ACCT_MEMO_H */
