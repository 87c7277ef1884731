/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/tally.h"

#include "base/mem.h"

/* The entry's place, or where it would go; found_out says which. */
static size_t tally_find(const struct tally *tally, struct slice name,
			 bool *found_out)
{
	size_t low = 0, high = tally->count;

	*found_out = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = slice_compare(name,
					  slice_str(tally->entries[mid].name));

		if (order == 0) {
			*found_out = true;
			return mid;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void tally_insert(struct tally *tally, size_t at, struct slice name,
			 uint64_t n)
{
	if (tally->count == tally->cap) {
		tally->cap = tally->cap ? tally->cap * 2 : 8;
		tally->entries = mem_resize_array(tally->entries, tally->cap,
						  sizeof(*tally->entries));
	}
	memmove(tally->entries + at + 1, tally->entries + at,
		(tally->count - at) * sizeof(*tally->entries));
	tally->entries[at] = (struct tally_entry){mem_str_of(name), n};
	tally->count++;
}

void tally_add(struct tally *tally, struct slice name, uint64_t n)
{
	bool found;
	size_t at;

	if (!n)
		return;
	if (name.len > TALLY_NAME)
		name.len = TALLY_NAME;
	at = tally_find(tally, name, &found);
	if (!found && tally->count >= TALLY_MAX) {
		name = SLICE("(other)");
		at = tally_find(tally, name, &found);
	}
	if (found)
		tally->entries[at].count += n;
	else
		tally_insert(tally, at, name, n);
}

void tally_merge(struct tally *tally, const struct tally *more)
{
	for (size_t i = 0; i < more->count; i++)
		tally_add(tally, slice_str(more->entries[i].name),
			  more->entries[i].count);
}

uint64_t tally_get(const struct tally *tally, struct slice name)
{
	bool found;
	size_t at = tally_find(tally, name, &found);

	return found ? tally->entries[at].count : 0;
}

uint64_t tally_sum(const struct tally *tally)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < tally->count; i++)
		sum += tally->entries[i].count;
	return sum;
}

void tally_release(struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		mem_free(tally->entries[i].name);
	mem_free(tally->entries);
	*tally = (struct tally){0};
}
