/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_CSV_STOPS_H
#define ACCT_CSV_STOPS_H

/*
 * csv_stops - where a field without quotes may end, sixty-four bytes at a time
 *
 *	struct csv_stops stops = {0};		for each row
 *	at = csv_stops_next(&stops, window, at);
 *
 * Fields are short: a search that begins anew for each of them costs more than
 * one look at a block, which finds all of its commas, quotes and line ends.
 * Reads nothing behind the window.  Inline, for csv.c alone.
 */

#include <stdint.h>

#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct csv_stops {
	size_t from;   /* of the block in the window */
	uint64_t bits; /* stops of the block that were not passed */
	size_t end;    /* of the block; 0: none yet */
};

enum { CSV_BLOCK = 64 };

#ifdef __SSE2__
static inline uint64_t csv_stops_of(const char *p)
{
	const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"');
	const __m128i line = _mm_set1_epi8('\n');
	uint64_t bits = 0;

	for (int i = 0; i < CSV_BLOCK / 16; i++) {
		__m128i v = _mm_loadu_si128(
			(const __m128i *)(const void *)(p + i * 16));
		__m128i hit =
			_mm_or_si128(_mm_cmpeq_epi8(v, line),
				     _mm_or_si128(_mm_cmpeq_epi8(v, comma),
						  _mm_cmpeq_epi8(v, quote)));

		bits |= (uint64_t)(unsigned int)_mm_movemask_epi8(hit)
			<< i * 16;
	}
	return bits;
}
#else
static inline uint64_t csv_stops_of(const char *p)
{
	uint64_t bits = 0;

	for (int i = 0; i < CSV_BLOCK; i++)
		bits |= (uint64_t)(p[i] == ',' || p[i] == '"' || p[i] == '\n')
			<< i;
	return bits;
}
#endif

/* The block that begins at "from". */
static inline void csv_stops_look(struct csv_stops *stops, struct slice window,
				  size_t from)
{
	size_t left = window.len - from;
	char last[CSV_BLOCK] = {0};

	stops->from = from;
	if (left >= CSV_BLOCK) {
		stops->end = from + CSV_BLOCK;
		stops->bits = csv_stops_of(window.p + from);
		return;
	}
	stops->end = window.len;
	if (left)
		memcpy(last, window.p + from, left);
	stops->bits = csv_stops_of(last);
}

/* The first stop at or behind "at"; the window's length when there is none. */
static inline size_t csv_stops_next(struct csv_stops *stops,
				    struct slice window, size_t at)
{
	if (at >= stops->end || at < stops->from)
		csv_stops_look(stops, window, at);
	else
		stops->bits &= ~UINT64_C(0) << (at - stops->from);
	while (!stops->bits) {
		if (stops->end >= window.len)
			return window.len;
		csv_stops_look(stops, window, stops->end);
	}
	return stops->from + (size_t)__builtin_ctzll(stops->bits);
}

#endif /* ACCT_CSV_STOPS_H */
