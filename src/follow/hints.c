/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/hints.h"

#include <string.h>

#include "base/mem.h"

static bool hints_have(const struct hints *hints, uint64_t key,
		       const char *directory, const char *name)
{
	const struct hint *one;

	for (size_t at = 0; (one = table_next(&hints->by_name, key, &at));) {
		if (strcmp(one->name, name) == 0 &&
		    strcmp(one->directory, directory) == 0)
			return true;
	}
	return false;
}

bool hints_add(struct hints *hints, const char *directory, const char *name)
{
	uint64_t key = table_key_of(table_key(slice_str(directory)),
				    table_key(slice_str(name)));
	struct hint *one;

	if (hints_have(hints, key, directory, name))
		return true;
	if (hints->count == HINTS_MAX)
		return false;
	if (!hints->list)
		hints->list = mem_zero(HINTS_MAX, sizeof(*hints->list));
	one = &hints->list[hints->count++];
	one->directory = mem_str(directory);
	one->name = mem_str(name);
	table_add(&hints->by_name, key, one);
	return true;
}

void hints_reset(struct hints *hints)
{
	for (size_t i = 0; i < hints->count; i++) {
		mem_free(hints->list[i].directory);
		mem_free(hints->list[i].name);
	}
	mem_free(hints->list);
	table_release(&hints->by_name);
	*hints = (struct hints){0};
}
