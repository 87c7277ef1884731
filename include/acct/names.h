/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_NAMES_H
#define ACCT_NAMES_H

/*
 * names - values by name or shell pattern (mapping.md 5)
 *
 *	struct names n = {0};
 *	names_add(&n, "mta1", value); names_add(&n, "promo-*", value); ...
 *	names_finish(&n);		sorts; no additions from here on
 *	value = names_find(&n, name, &literals);
 *	names_release(&n);		the values are the caller's
 *
 * Names match exactly but for ASCII case; else by pattern, where "*" stands
 * for any bytes and "?" for one, the pattern with the most literal characters
 * first, then the one added first.  Of two equal names the first counts.
 */

#include <stdbool.h>

#include "base/slice.h"

struct names_entry {
	char *name; /* in lower case */
	void *value;
	size_t literals; /* characters that are neither "*" nor "?" */
	size_t order;	 /* in which it was added */
};

struct names {
	struct names_entry *entries; /* names first, sorted; then patterns */
	size_t count;
	size_t exact; /* how many are names */
};

void names_add(struct names *names, const char *name, void *value);
void names_finish(struct names *names);
void names_release(struct names *names);

/*
 * The entry for a name, or NULL.  Only a pattern matches the empty name.
 */
const struct names_entry *names_find(const struct names *names,
				     struct slice name);

/* Is this a pattern, not a name? */
bool names_is_pattern(const char *name);

/* Does "name" match the lower-case "pattern"? */
bool names_match(const char *pattern, struct slice name);

#endif /* ACCT_NAMES_H */
