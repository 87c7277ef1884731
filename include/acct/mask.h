/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_MASK_H
#define ACCT_MASK_H

/*
 * mask - takes mail addresses out of text (mapping.md 4, "reason", and 4.2)
 *
 * Functions append to "out" what is left of "text".  What was taken out shows
 * as "...".  Masking twice does no harm.
 */

#include <stdbool.h>

#include "base/buf.h"

/* Every address becomes "...@...", or "...@domain". */
void mask_addresses(struct slice text, bool keep_domain, struct buf *out);

/*
 * What a recipient is recognised by: the parts of its address, in any letter
 * case.  Between them may stand "@", "=" (VERP) or "%40".  "spare" is memory to
 * work in; it is no one's "out".
 */
struct mask {
	struct slice local, domain;
	struct buf *spare;
};

/* Is the recipient's address in "text"? */
bool mask_holds(const struct mask *mask, struct slice text);

/*
 * Free text: the recipient's local part goes wherever the address stands.
 * Should the remains hold the address still, all of the text goes.
 */
void mask_text(const struct mask *mask, struct slice text, struct buf *out);

/* A server's reply: all local parts, and the recipient's as a word, go. */
void mask_reply(const struct mask *mask, struct slice text, struct buf *out);

/*
 * A sender's address: the local part goes when it has an "=" or may have been
 * made from the recipient's.
 */
void mask_sender(const struct mask *mask, struct slice text, struct buf *out);

/*
 * A row that could not be read, so that nobody knows who the recipient is: all
 * that may be a local part goes, before "@", "=" and "%40".
 */
void mask_row(struct slice text, struct buf *spare, struct buf *out);

#endif /* ACCT_MASK_H */
