/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/memo.h"

#include <assert.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hint.h"
#include "base/mem.h"

/* A power of two; a campaign takes a handful.  Many, for two that come to one
 * place drive each other out; a megabyte, of which what is used is in memory.
 */
enum { MEMO_PLACES = 1024 };

#define MEMO_PRIME UINT64_C(0x9e3779b97f4a7c15)

/* One for each part, so that none waits for the one before. */
static const uint64_t memo_primes[MEMO_PARTS] = {
	UINT64_C(0xff51afd7ed558ccd), UINT64_C(0xc4ceb9fe1a85ec53),
	UINT64_C(0x87c37b91114253d5), UINT64_C(0x4cf5ad432745937f)};

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

static inline uint64_t memo_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint32_t memo_load_half(const char *p)
{
	uint32_t half;

	memcpy(&half, p, sizeof(half));
	return half;
}

/*
 * A text as a word: all of it when it has less than eight bytes, in parts that
 * may overlap; else both ends and the middle, which tell most texts apart.
 */
static inline uint64_t memo_word(struct slice part)
{
	const unsigned char *p = (const unsigned char *)part.p;

	if (part.len >= sizeof(uint64_t)) {
		size_t end = part.len - sizeof(uint64_t);

		return (memo_load(part.p) * 3 ^ memo_load(part.p + end)) +
		       (memo_load(part.p + end / 2) << 1);
	}
	if (part.len >= sizeof(uint32_t))
		return memo_load_half(part.p) |
		       (uint64_t)memo_load_half(part.p + part.len -
						sizeof(uint32_t))
			       << 32;
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

/* Of less than a step. */
static inline bool memo_same_few(const char *p, const char *key, size_t n)
{
	if (n >= sizeof(uint64_t)) {
		n -= sizeof(uint64_t);
		return memo_load(p) == memo_load(key) &&
		       memo_load(p + n) == memo_load(key + n);
	}
	if (n >= sizeof(uint32_t)) {
		n -= sizeof(uint32_t);
		return memo_load_half(p) == memo_load_half(key) &&
		       memo_load_half(p + n) == memo_load_half(key + n);
	}
	return !n || (p[0] == key[0] && p[n / 2] == key[n / 2] &&
		      p[n - 1] == key[n - 1]);
}

/* Of one length, by steps that may overlap: memcmp() is a call, and texts are
 * short. */
static inline bool memo_same(struct slice part, const char *key)
{
	size_t at = 0, last = part.len - MEMO_STEP;

	if (part.len < MEMO_STEP)
		return memo_same_few(part.p, key, part.len);
	for (; at < last; at += MEMO_STEP) {
		if (memo_differs(part.p + at, key + at))
			return false;
	}
	return !memo_differs(part.p + last, key + last);
}

static bool memo_is(const struct memo_entry *entry, const struct slice *parts,
		    size_t count)
{
	const char *key = entry->key;

	for (size_t i = 0; i < count; i++) {
		if (!memo_same(parts[i], key))
			return false;
		key += parts[i].len;
	}
	return true;
}

static void memo_take(struct memo_entry *entry, const struct slice *parts,
		      size_t count)
{
	char *key = entry->key;

	entry->has_from = entry->has_mapped = false;
	entry->json_len = 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len)
			memcpy(key, parts[i].p, parts[i].len);
		key += parts[i].len;
	}
}

struct memo_entry *memo_find(struct memo *memo, uint64_t which,
			     const struct slice *parts, size_t count)
{
	uint64_t lens = 0, hash = which;
	struct memo_entry *entry;
	size_t len = 0;

	assert(count <= MEMO_PARTS);
	for (size_t i = 0; i < count; i++) {
		uint64_t word = memo_word(parts[i]);

		hash += (word ^ word >> 32) * memo_primes[i];
		lens = lens << 16 | (parts[i].len & 0xffff);
		len += parts[i].len;
	}
	if (UNLIKELY(len > MEMO_KEY))
		return NULL;
	hash = ((hash ^ hash >> 32) + lens) * MEMO_PRIME;
	entry = &memo->entries[hash >> 32 & (MEMO_PLACES - 1)];
	if (LIKELY(entry->which == which && entry->lens == lens &&
		   memo_is(entry, parts, count)))
		return entry;
	if (entry->missed != hash) {
		entry->missed = hash;
		return NULL;
	}
	entry->which = which;
	entry->lens = lens;
	memo_take(entry, parts, count);
	return entry;
}
