/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/slice.h"

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		if (slice_lower(s.p[i]) != slice_lower(prefix.p[i]))
			return false;
	}
	return true;
}

#define SLICE_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* No sum carries into the next byte. */
static bool slice_upper_in(uint64_t word)
{
	uint64_t low = word & SLICE_ALL(0x7f);
	uint64_t from_a = low + SLICE_ALL(0x80 - 'A');
	uint64_t behind_z = low + SLICE_ALL(0x80 - 'Z' - 1);

	return (from_a & ~behind_z & ~word & SLICE_ALL(0x80)) != 0;
}

#ifdef __SSE2__
/* In sixteen bytes; those from 0x80 on are less than any letter. */
static inline bool slice_upper_near(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i upper =
		_mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
			      _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));

	return _mm_movemask_epi8(upper) != 0;
}
#endif

bool slice_has_upper(struct slice s)
{
	uint64_t word = 0;
	size_t at = 0;

#ifdef __SSE2__
	if (s.len >= 16) {
		for (; s.len - at > 16; at += 16) {
			if (slice_upper_near(s.p + at))
				return true;
		}
		return slice_upper_near(s.p + s.len - 16);
	}
#endif
	for (; s.len - at > sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.p + at, sizeof(word));
		if (slice_upper_in(word))
			return true;
	}
	/* The last word again as far as it overlaps, or what there is. */
	if (s.len >= sizeof(word)) {
		memcpy(&word, s.p + s.len - sizeof(word), sizeof(word));
		return slice_upper_in(word);
	}
	for (; at < s.len; at++) {
		if (s.p[at] >= 'A' && s.p[at] <= 'Z')
			return true;
	}
	return false;
}

struct slice slice_cut(struct slice s, char c, struct slice *rest_out)
{
	size_t at = slice_find(s, c);

	*rest_out = slice_skip(s, at < s.len ? at + 1 : at);
	s.len = at;
	return s;
}

int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

int slice_number(struct slice s, unsigned long long max,
		 unsigned long long *value_out)
{
	const unsigned long long tenth = max / 10;
	const unsigned int last = (unsigned int)(max % 10);
	unsigned long long value = 0;

	if (!s.len)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		unsigned int digit = (unsigned int)(s.p[i] - '0');

		if (digit > 9 || value > tenth ||
		    (value == tenth && digit > last))
			return -1;
		value = value * 10 + digit;
	}
	*value_out = value;
	return 0;
}
