/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_ADDRESS_H
#define ACCT_ADDRESS_H

/*
 * address - mail and IP addresses inside the text of a column
 *
 * What comes back is cut from what was given: nothing is copied, nothing can
 * fail, an empty slice means that there is no address.  Letter case means
 * ASCII; the rest of a domain, in UTF-8 or not, stays as it is.  Pure.
 */

#include "base/slice.h"

/* A recipient longer than this cannot be read. */
enum { ADDRESS_MAX = 512 };

/* Without blanks and angle brackets around it.  All of those come before the
 * letters, and most addresses begin and end with one. */
struct slice address_strip(struct slice text);

static inline struct slice address_bare(struct slice text)
{
	if (text.len && (unsigned char)text.p[0] > '>' &&
	    (unsigned char)text.p[text.len - 1] > '>')
		return text;
	return address_strip(text);
}

/* What follows the last "@", and what precedes it (all, without one). */
struct slice address_domain(struct slice address);
struct slice address_local(struct slice address);

/*
 * The first mail address of a From or Sender header: "Name <a@b>", "a@b (c)",
 * "Group: a@b, c@d;", with quoted names, comments and routes.
 */
struct slice address_of_header(struct slice header);

/* The IP address of "192.0.2.1", "[192.0.2.1]", "192.0.2.1 (x)", "x (::1)". */
struct slice address_ip(struct slice text);

#endif /* ACCT_ADDRESS_H */
