/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_ODDS_H
#define FOLLOW_ODDS_H

/*
 * odds - names that were complained about, so that it is done once
 *
 * A name is remembered with its complaint until a round does not meet it.  An
 * all-zero struct is empty.
 */

#include <stdbool.h>
#include <stdint.h>

#include "follow/table.h"

struct odds_item;

struct odds {
	struct odds_item **items;
	size_t count, cap;
	struct table by_path;
};

/* Past this many names nothing new is said. */
enum { ODDS_MAX = 10000 };

/* Met "path" in this round: is the complaint about it a new one? */
bool odds_met(struct odds *odds, const char *path, int complaint,
	      uint64_t round);

/* Forget what was not met in this round. */
void odds_prune(struct odds *odds, uint64_t round);
void odds_release(struct odds *odds);

#endif /* FOLLOW_ODDS_H */
