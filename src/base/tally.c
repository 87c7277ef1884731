/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/tally.h"

#include "base/mem.h"
#include "base/utf8.h"

/*
 * Names come from rows and go into JSON, where a bad byte would spoil the whole
 * text: so they are made clean here, once, and never looked at again.
 */
static struct slice tally_name(struct slice name, struct buf *clean)
{
	if (name.len > TALLY_NAME)
		name.len = TALLY_NAME;
	if (utf8_valid(name) == name.len && slice_find(name, '\0') == name.len)
		return name;
	while (name.len) {
		size_t n = utf8_char(name);

		if (n && name.p[0])
			buf_add(clean, name.p, n);
		else
			buf_add_char(clean, '?');
		name = slice_skip(name, n ? n : 1);
	}
	return buf_slice(clean);
}

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

static void tally_count(struct tally *tally, struct slice name, uint64_t n)
{
	bool found;
	size_t at = tally_find(tally, name, &found);

	if (!found && tally->count >= TALLY_MAX) {
		name = SLICE("(other)");
		at = tally_find(tally, name, &found);
	}
	if (found)
		tally->entries[at].count += n;
	else
		tally_insert(tally, at, name, n);
}

void tally_add(struct tally *tally, struct slice name, uint64_t n)
{
	struct buf clean;

	if (!n)
		return;
	buf_init(&clean, TALLY_NAME);
	tally_count(tally, tally_name(name, &clean), n);
	buf_release(&clean);
}

void tally_merge(struct tally *tally, const struct tally *more)
{
	for (size_t i = 0; i < more->count; i++)
		tally_add(tally, slice_str(more->entries[i].name),
			  more->entries[i].count);
}

uint64_t tally_get(const struct tally *tally, struct slice name)
{
	struct buf clean;
	size_t at;
	bool found;

	buf_init(&clean, TALLY_NAME);
	at = tally_find(tally, tally_name(name, &clean), &found);
	buf_release(&clean);
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
