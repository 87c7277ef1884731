/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_IDSET_H
#define ACCT_IDSET_H

/*
 * idset - the ids that are in a batch already
 *
 * Grows with what is put in, which the caller bounds; idset_reset() forgets
 * the ids and keeps the memory.  Ids are digests below 2^63: they need no
 * further hashing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idset {
	uint64_t *slots; /* id + 1; 0: free */
	size_t size;	 /* a power of two, or 0 */
	size_t count;
};

bool idset_has(const struct idset *set, uint64_t id);
void idset_add(struct idset *set, uint64_t id);
void idset_reset(struct idset *set);
void idset_release(struct idset *set);

#endif /* ACCT_IDSET_H */
