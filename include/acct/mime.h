/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_MIME_H
#define ACCT_MIME_H

/*
 * mime - header text with its encoded words (RFC 2047) decoded
 *
 * Blanks between two encoded words vanish, and words of one character set are
 * decoded together, because mailers cut characters in two.  What is not an
 * encoded word, or of an unknown character set, stays as it is.  A folded
 * line is unfolded.  The rest may be any bytes: the result is not yet UTF-8
 * for certain.
 */

#include "acct/charset.h"

/* Is there anything to do? */
bool mime_encoded(struct slice text);

/* Append the decoded text; "spare" is memory to work in. */
void mime_decode(struct charset *charset, struct slice text, struct buf *spare,
		 struct buf *out);

#endif /* ACCT_MIME_H */
