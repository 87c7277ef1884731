/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "base/mem.h"
#include "spool/checkpoint.h"

/* Positions are in no order, and there may be many: an index is made, and only
 * when there is something to add. */

static int credit_order(const void *a, const void *b)
{
	const struct position *x = *(struct position *const *)a;
	const struct position *y = *(struct position *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static struct position *credit_find(struct position *const *index, size_t count,
				    uint64_t number)
{
	struct position key = {.number = number};
	const struct position *pointer = &key;
	struct position *const *found =
		bsearch(&pointer, index, count, sizeof(struct position *),
			credit_order);

	return found ? *found : NULL;
}

void checkpoint_credit(struct checkpoint *checkpoint)
{
	struct ledger *ledger = &checkpoint->ledger;
	size_t count = checkpoint->positions_count, left = 0;
	struct position **index;

	if (!ledger->files_count || !count)
		return;
	index = mem_alloc(count * sizeof(struct position *));
	for (size_t i = 0; i < count; i++)
		index[i] = &checkpoint->positions[i];
	qsort(index, count, sizeof(struct position *), credit_order);
	for (size_t i = 0; i < ledger->files_count; i++) {
		struct position *at =
			credit_find(index, count, ledger->files[i].number);

		if (at && at->number)
			position_credit_take(at, &ledger->files[i]);
		else
			ledger->files[left++] = ledger->files[i];
	}
	ledger->files_count = left;
	mem_free(index);
}
