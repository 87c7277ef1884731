/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/memo.h"

#include <assert.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"

/* A power of two; a campaign takes a handful. */
enum { MEMO_PLACES = 256 };

#define MEMO_PRIME UINT64_C(0x9e3779b97f4a7c15)

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

static uint64_t memo_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * A text as a word: all of it when it has less than eight bytes, in parts that
 * may overlap; else both ends and the middle.
 */
static uint64_t memo_word(struct slice part)
{
	const unsigned char *p = (const unsigned char *)part.p;
	uint32_t first, last;

	if (part.len >= sizeof(uint64_t)) {
		size_t end = part.len - sizeof(uint64_t);

		return (memo_load(part.p) * 3 ^ memo_load(part.p + end)) +
		       (memo_load(part.p + end / 2) << 1);
	}
	if (part.len >= sizeof(first)) {
		memcpy(&first, p, sizeof(first));
		memcpy(&last, p + part.len - sizeof(last), sizeof(last));
		return first | (uint64_t)last << 32;
	}
	if (!part.len)
		return 0;
	return p[0] | (uint64_t)p[part.len / 2] << 8 |
	       (uint64_t)p[part.len - 1] << 16;
}

#ifdef __SSE2__
enum { MEMO_STEP = 16 };

static bool memo_differs(const char *p, const char *q)
{
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)q);

	return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) != 0xffff;
}
#else
enum { MEMO_STEP = sizeof(uint64_t) };

static bool memo_differs(const char *p, const char *q)
{
	return memo_load(p) != memo_load(q);
}
#endif

/* What the word does not say, by steps that may overlap: memcmp() is a call,
 * and texts are short. */
static bool memo_same(struct slice part, const char *key)
{
	size_t at = 0, last = part.len - MEMO_STEP;

	if (part.len < sizeof(uint64_t))
		return true;
	if (part.len < MEMO_STEP) {
		last = part.len - sizeof(uint64_t);
		return memo_load(part.p) == memo_load(key) &&
		       memo_load(part.p + last) == memo_load(key + last);
	}
	for (; at < last; at += MEMO_STEP) {
		if (memo_differs(part.p + at, key + at))
			return false;
	}
	return !memo_differs(part.p + last, key + last);
}

static bool memo_is(const struct memo_entry *entry, const uint64_t *words,
		    const struct slice *parts, size_t count)
{
	const char *key = entry->key;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].len != entry->lens[i] ||
		    words[i] != entry->words[i] || !memo_same(parts[i], key))
			return false;
		key += entry->lens[i];
	}
	return true;
}

static void memo_take(struct memo_entry *entry, const uint64_t *words,
		      const struct slice *parts, size_t count)
{
	char *key = entry->key;

	entry->has_from = entry->has_mapped = false;
	entry->json_len = 0;
	for (size_t i = 0; i < count; i++) {
		entry->words[i] = words[i];
		entry->lens[i] = (uint16_t)parts[i].len;
		if (parts[i].len)
			memcpy(key, parts[i].p, parts[i].len);
		key += parts[i].len;
	}
}

struct memo_entry *memo_find(struct memo *memo, uint64_t which,
			     const struct slice *parts, size_t count)
{
	uint64_t words[MEMO_PARTS], hash = which;
	struct memo_entry *entry;
	size_t len = 0;

	assert(count <= MEMO_PARTS);
	for (size_t i = 0; i < count; i++) {
		words[i] = memo_word(parts[i]);
		hash = (hash ^ (words[i] + parts[i].len)) * MEMO_PRIME;
		hash ^= hash >> 32;
		len += parts[i].len;
	}
	entry = &memo->entries[hash % MEMO_PLACES];
	if (entry->which == which && memo_is(entry, words, parts, count))
		return entry;
	if (entry->missed != hash || len > MEMO_KEY) {
		entry->missed = hash;
		return NULL;
	}
	entry->which = which;
	memo_take(entry, words, parts, count);
	return entry;
}
