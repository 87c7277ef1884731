/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/odds.h"

#include "base/mem.h"

struct odds_item {
	char *path;
	int complaint;
	uint64_t round;
};

static struct odds_item *odds_find(const struct odds *odds, const char *path)
{
	uint64_t key = table_key(slice_str(path));
	struct odds_item *item;

	for (size_t at = 0; (item = table_next(&odds->by_path, key, &at));) {
		if (strcmp(item->path, path) == 0)
			return item;
	}
	return NULL;
}

bool odds_met(struct odds *odds, const char *path, int complaint,
	      uint64_t round)
{
	struct odds_item *item = odds_find(odds, path);
	bool is_new = !item || item->complaint != complaint;

	if (!item) {
		if (odds->count >= ODDS_MAX)
			return false;
		if (odds->count == odds->cap) {
			odds->cap = odds->cap ? odds->cap * 2 : 8;
			odds->items = mem_resize_array(odds->items, odds->cap,
						       sizeof(*odds->items));
		}
		item = mem_zero(1, sizeof(*item));
		item->path = mem_str(path);
		odds->items[odds->count++] = item;
		table_add(&odds->by_path, table_key(slice_str(path)), item);
	}
	item->complaint = complaint;
	item->round = round;
	return is_new;
}

void odds_prune(struct odds *odds, uint64_t round)
{
	size_t kept = 0;

	for (size_t i = 0; i < odds->count; i++) {
		struct odds_item *item = odds->items[i];

		if (item->round == round) {
			odds->items[kept++] = item;
			continue;
		}
		table_remove(&odds->by_path, table_key(slice_str(item->path)),
			     item);
		mem_free(item->path);
		mem_free(item);
	}
	odds->count = kept;
}

void odds_release(struct odds *odds)
{
	odds_prune(odds, UINT64_MAX);
	table_release(&odds->by_path);
	mem_free(odds->items);
	*odds = (struct odds){0};
}
