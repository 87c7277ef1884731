/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/idset.h"

#include <string.h>

#include "base/mem.h"

/* Open addressing, never more than half full. */
enum { IDSET_FIRST = 1024 };

/* Where the id stands, or the free slot where it would. */
static size_t idset_slot(const struct idset *set, uint64_t id)
{
	size_t at = (size_t)id & (set->size - 1);

	while (set->slots[at] && set->slots[at] != id + 1)
		at = (at + 1) & (set->size - 1);
	return at;
}

bool idset_has(const struct idset *set, uint64_t id)
{
	return set->size && set->slots[idset_slot(set, id)];
}

static void idset_grow(struct idset *set)
{
	struct idset bigger = {.size = set->size ? set->size * 2 : IDSET_FIRST};

	bigger.slots = mem_zero(bigger.size, sizeof(*bigger.slots));
	for (size_t i = 0; i < set->size; i++) {
		uint64_t slot = set->slots[i];

		if (slot)
			bigger.slots[idset_slot(&bigger, slot - 1)] = slot;
	}
	bigger.count = set->count;
	mem_free(set->slots);
	*set = bigger;
}

void idset_add(struct idset *set, uint64_t id)
{
	size_t at;

	if ((set->count + 1) * 2 > set->size)
		idset_grow(set);
	at = idset_slot(set, id);
	if (set->slots[at])
		return;
	set->slots[at] = id + 1;
	set->count++;
}

void idset_reset(struct idset *set)
{
	if (set->count)
		memset(set->slots, 0, set->size * sizeof(*set->slots));
	set->count = 0;
}

void idset_release(struct idset *set)
{
	mem_free(set->slots);
	*set = (struct idset){0};
}
