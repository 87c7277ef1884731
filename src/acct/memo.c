/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/memo.h"

#include <assert.h>

#include "base/mem.h"

/* A power of two; a campaign takes a handful. */
enum { MEMO_PLACES = 256 };

struct memo {
	struct memo_entry entries[MEMO_PLACES];
};

struct memo *memo_new(void)
{
	return mem_zero(1, sizeof(struct memo));
}

void memo_free(struct memo **memo)
{
	mem_free(*memo);
	*memo = NULL;
}

static uint64_t memo_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t memo_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* All of less than eight bytes, but for their number; parts may overlap. */
static uint64_t memo_few(struct slice part)
{
	const unsigned char *p = (const unsigned char *)part.p;
	uint32_t first, last;

	if (part.len < sizeof(first))
		return part.len ? p[0] | (uint64_t)p[part.len / 2] << 8 |
					  (uint64_t)p[part.len - 1] << 16
				: 0;
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + part.len - sizeof(last), sizeof(last));
	return first | (uint64_t)last << 32;
}

/* Of a few bytes: both ends and the middle.  What comes to the same place for
 * it is told apart by the key. */
static uint64_t memo_hash(uint64_t hash, struct slice part)
{
	uint64_t word;

	if (part.len < sizeof(word)) {
		word = memo_few(part);
	} else {
		word = memo_load(part.p) * 3;
		word ^= memo_load(part.p + part.len - sizeof(word));
		word += memo_load(part.p + (part.len - sizeof(word)) / 2) << 1;
	}
	return memo_mix(hash, word + part.len);
}

/* memcmp() is a call, and most parts are a word or two. */
static bool memo_same(struct slice part, const char *key)
{
	size_t at = 0, last = part.len - sizeof(uint64_t);

	if (part.len < sizeof(uint64_t))
		return memo_few(part) == memo_few(slice_of(key, part.len));
	for (; at < last; at += sizeof(uint64_t)) {
		if (memo_load(part.p + at) != memo_load(key + at))
			return false;
	}
	return memo_load(part.p + last) == memo_load(key + last);
}

static bool memo_is(const struct memo_entry *entry, uint64_t which,
		    const struct slice *parts, size_t count)
{
	const char *key = entry->key;

	if (entry->which != which)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len != entry->lens[i] || !memo_same(parts[i], key))
			return false;
		key += entry->lens[i];
	}
	return true;
}

static void memo_take(struct memo_entry *entry, uint64_t which,
		      const struct slice *parts, size_t count)
{
	char *key = entry->key;

	*entry = (struct memo_entry){.which = which};
	for (size_t i = 0; i < count; i++) {
		entry->lens[i] = parts[i].len;
		if (parts[i].len)
			memcpy(key, parts[i].p, parts[i].len);
		key += parts[i].len;
	}
}

struct memo_entry *memo_find(struct memo *memo, uint64_t which,
			     const struct slice *parts, size_t count)
{
	uint64_t hash = which;
	struct memo_entry *entry;
	size_t len = 0;

	assert(count <= MEMO_PARTS);
	for (size_t i = 0; i < count; i++) {
		hash = memo_hash(hash, parts[i]);
		len += parts[i].len;
	}
	entry = &memo->entries[hash % MEMO_PLACES];
	if (memo_is(entry, which, parts, count))
		return entry;
	if (entry->missed != hash || len > MEMO_KEY) {
		entry->missed = hash;
		return NULL;
	}
	memo_take(entry, which, parts, count);
	return entry;
}
