/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_IDMAP_H
#define TOOLS_IDMAP_H

/*
 * idmap - 64-bit keys with a small value each, for the test tools
 *
 *	struct idmap m = {0};
 *	value = idmap_put(&m, key, &is_new);	value is 0 when new
 *	value = idmap_get(&m, key);		NULL: not there
 *	idmap_release(&m);
 *
 * Open addressing, at most three quarters full.  A pointer to a value is good
 * until the next idmap_put().  Nothing is ever taken out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct idmap_cell {
	uint64_t key;
	uint32_t value;
	bool used;
};

struct idmap {
	struct idmap_cell *cells;
	size_t mask; /* cells - 1, a power of two less one */
	size_t count;
};

/* The cell that holds "key", or the free one where it belongs. */
static inline struct idmap_cell *idmap_find(const struct idmap *map,
					    uint64_t key)
{
	size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & map->mask;

	while (map->cells[at].used && map->cells[at].key != key)
		at = (at + 1) & map->mask;
	return &map->cells[at];
}

static inline void idmap_grow(struct idmap *map)
{
	struct idmap old = *map;
	size_t cells = old.cells ? (old.mask + 1) * 2 : 1024;

	map->cells = mem_zero(cells, sizeof(*map->cells));
	map->mask = cells - 1;
	for (size_t i = 0; old.cells && i <= old.mask; i++)
		if (old.cells[i].used)
			*idmap_find(map, old.cells[i].key) = old.cells[i];
	mem_free(old.cells);
}

static inline uint32_t *idmap_put(struct idmap *map, uint64_t key,
				  bool *is_new_out)
{
	struct idmap_cell *cell;

	if (!map->cells || (map->count + 1) * 4 > (map->mask + 1) * 3)
		idmap_grow(map);
	cell = idmap_find(map, key);
	*is_new_out = !cell->used;
	if (!cell->used) {
		cell->used = true;
		cell->key = key;
		map->count++;
	}
	return &cell->value;
}

static inline uint32_t *idmap_get(const struct idmap *map, uint64_t key)
{
	struct idmap_cell *cell;

	if (!map->cells)
		return NULL;
	cell = idmap_find(map, key);
	return cell->used ? &cell->value : NULL;
}

static inline void idmap_release(struct idmap *map)
{
	mem_free(map->cells);
	*map = (struct idmap){0};
}

#endif /* TOOLS_IDMAP_H */
