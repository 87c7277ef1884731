/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/table.h"

#include "base/digest.h"
#include "base/mem.h"

/* Open addressing; a removed item leaves a mark, so that a search goes on. */

struct table_slot {
	uint64_t key;
	void *item; /* NULL: empty, table_removed: was taken out */
};

static char table_removed[1];

void table_release(struct table *table)
{
	mem_free(table->slots);
	*table = (struct table){0};
}

static void table_put(struct table *table, uint64_t key, void *item)
{
	size_t i = key & (table->cap - 1);

	while (table->slots[i].item && table->slots[i].item != table_removed)
		i = (i + 1) & (table->cap - 1);
	table->used += table->slots[i].item == NULL;
	table->slots[i] = (struct table_slot){key, item};
	table->count++;
}

static void table_grow(struct table *table)
{
	struct table old = *table;
	size_t cap = 16;

	while (cap < old.count * 2)
		cap *= 2;
	*table = (struct table){.cap = cap};
	table->slots = mem_zero(cap, sizeof(*table->slots));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i].item && old.slots[i].item != table_removed)
			table_put(table, old.slots[i].key, old.slots[i].item);
	}
	mem_free(old.slots);
}

void table_add(struct table *table, uint64_t key, void *item)
{
	if ((table->used + 1) * 3 > table->cap * 2)
		table_grow(table);
	table_put(table, key, item);
}

void table_remove(struct table *table, uint64_t key, const void *item)
{
	if (!table->cap)
		return;
	for (size_t i = key & (table->cap - 1); table->slots[i].item;
	     i = (i + 1) & (table->cap - 1)) {
		if (table->slots[i].item == item &&
		    table->slots[i].key == key) {
			table->slots[i].item = table_removed;
			table->count--;
			return;
		}
	}
}

void *table_next(const struct table *table, uint64_t key, size_t *at)
{
	while (*at < table->cap) {
		size_t i = (key + (*at)++) & (table->cap - 1);

		if (!table->slots[i].item)
			break;
		if (table->slots[i].key == key &&
		    table->slots[i].item != table_removed)
			return table->slots[i].item;
	}
	return NULL;
}

uint64_t table_key(struct slice bytes)
{
	return digest_of(bytes).lo;
}

uint64_t table_key_of(uint64_t a, uint64_t b)
{
	uint64_t both[2] = {a, b};

	return table_key(slice_of((const char *)both, sizeof(both)));
}
