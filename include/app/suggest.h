/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_SUGGEST_H
#define APP_SUGGEST_H

/*
 * suggest - the name that was probably meant
 *
 *	struct suggest s = suggest_for(word);
 *	suggest_try(&s, "connections"); ...	each name that would do
 *	if (s.best) ... did you mean s.best?
 *
 * Nearest by edit distance (a swap of neighbours counts once), without regard
 * to ASCII case, and only when it is close: one edit for each three characters
 * of the longer word, at least one, at most three.  The first of equals wins.
 */

#include "base/slice.h"

enum { SUGGEST_LEN = 64 };

struct suggest {
	struct slice word;
	const char *best; /* NULL: nothing is close */
	size_t distance;
};

struct suggest suggest_for(struct slice word);
void suggest_try(struct suggest *suggest, const char *name);

/* Words longer than SUGGEST_LEN bytes count as SUGGEST_LEN apart. */
size_t suggest_distance(struct slice a, struct slice b);

#endif /* APP_SUGGEST_H */
