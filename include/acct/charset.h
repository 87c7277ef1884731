/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_CHARSET_H
#define ACCT_CHARSET_H

/*
 * charset - text of a mail's character set made UTF-8
 *
 * UTF-8, ASCII, ISO 8859-1 and -15 and Windows-1252 are known here; for any
 * other the C library's iconv is asked, and what it opened is kept for the next
 * text.  What cannot be decoded becomes U+FFFD, so the result is always valid.
 * One thread for each struct charset.
 */

#include <iconv.h>
#include <stdbool.h>

#include "base/buf.h"

enum { CHARSET_NAME = 40, CHARSET_KEPT = 8 };

/* How many new character sets iconv is asked for between two resets. */
enum { CHARSET_OPENS = 16 };

struct charset {
	struct charset_known {
		char name[CHARSET_NAME + 1]; /* "": free */
		iconv_t cd;		     /* (iconv_t)-1: there is none */
	} known[CHARSET_KEPT];
	unsigned int turn;  /* which one is replaced next */
	unsigned int opens; /* since the last charset_reset() */
};

void charset_init(struct charset *charset);
void charset_release(struct charset *charset);

/* Before each row, so that a hostile one cannot open without end. */
void charset_reset(struct charset *charset);

/* Append "text" as UTF-8.  0, or -1: unknown, and nothing was appended. */
int charset_decode(struct charset *charset, struct slice name,
		   struct slice text, struct buf *out);

#endif /* ACCT_CHARSET_H */
