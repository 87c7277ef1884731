/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_CSV_STOPS_H
#define ACCT_CSV_STOPS_H

/*
 * csv_stops - what may end a field without quotes, sixty-four bytes at a time
 *
 *	struct csv_stops stops = {0};		for each row
 *	csv_stops_seek(&stops, window, at);	the block with "at"
 *	... stops.commas, stops.others: a bit for each byte from "at" on ...
 *	if (stops.end < window.len)
 *		csv_stops_look(&stops, window, stops.end);	the next one
 *	... csv_stops_ascii(&stops) ...	in all that was looked at
 *
 * Fields are short: a search that begins anew for each of them costs more than
 * one look at a block, which finds all of its commas, and its quotes and line
 * ends.  Reads nothing behind the window.  Inline, for csv.c alone.
 */

#include <stdint.h>

#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct csv_stops {
	size_t from;	 /* of the block in the window */
	size_t end;	 /* of the block; 0: none yet */
	uint64_t commas; /* by their place in the block */
	uint64_t others; /* quotes and line ends */
#ifdef __SSE2__
	__m128i all; /* all bytes, one or the other */
#else
	char all;
#endif
};

enum { CSV_BLOCK = 64 };

#ifdef __SSE2__
/* Sixteen bytes: commas below, quotes and line ends from bit 16 on. */
static inline uint32_t csv_stops_some(const char *p, __m128i *all)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i comma = _mm_cmpeq_epi8(v, _mm_set1_epi8(','));
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i line = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));

	*all = _mm_or_si128(*all, v);
	return (uint32_t)_mm_movemask_epi8(comma) |
	       (uint32_t)_mm_movemask_epi8(_mm_or_si128(quote, line)) << 16;
}

static inline __attribute__((always_inline)) void
csv_stops_of(struct csv_stops *stops, const char *p)
{
	__m128i all = stops->all;
	uint64_t a = csv_stops_some(p, &all), b = csv_stops_some(p + 16, &all);
	uint64_t c = csv_stops_some(p + 32, &all);
	uint64_t d = csv_stops_some(p + 48, &all);

	stops->all = all;
	stops->commas = (a & 0xffff) | (b & 0xffff) << 16 | (c & 0xffff) << 32 |
			d << 48;
	stops->others = a >> 16 | b >> 16 << 16 | c >> 16 << 32 | d >> 16 << 48;
}

static inline bool csv_stops_ascii(const struct csv_stops *stops)
{
	return _mm_movemask_epi8(stops->all) == 0;
}
#else
static inline __attribute__((always_inline)) void
csv_stops_of(struct csv_stops *stops, const char *p)
{
	stops->commas = stops->others = 0;
	for (int i = 0; i < CSV_BLOCK; i++) {
		stops->commas |= (uint64_t)(p[i] == ',') << i;
		stops->others |= (uint64_t)(p[i] == '"' || p[i] == '\n') << i;
		stops->all |= p[i];
	}
}

static inline bool csv_stops_ascii(const struct csv_stops *stops)
{
	return !(stops->all & 0x80);
}
#endif

/* The block that begins at "from". */
static inline void csv_stops_look(struct csv_stops *stops, struct slice window,
				  size_t from)
{
	size_t left = window.len - from;

	stops->from = from;
	if (left >= CSV_BLOCK) {
		stops->end = from + CSV_BLOCK;
		csv_stops_of(stops, window.p + from);
	} else {
		char last[CSV_BLOCK] = {0};

		stops->end = window.len;
		if (left)
			memcpy(last, window.p + from, left);
		csv_stops_of(stops, last);
	}
}

/* What stands before "at" is passed; what was not looked at of it can only be a
 * quote, a comma or a CR. */
static inline void csv_stops_seek(struct csv_stops *stops, struct slice window,
				  size_t at)
{
	uint64_t rest;

	if (at >= stops->end || at < stops->from) {
		csv_stops_look(stops, window, at);
		return;
	}
	rest = ~UINT64_C(0) << (at - stops->from);
	stops->commas &= rest;
	stops->others &= rest;
}

/* The first quote from "at" on, or the window's end. */
static inline size_t csv_stops_quote(struct csv_stops *stops,
				     struct slice window, size_t at)
{
	csv_stops_seek(stops, window, at);
	for (;;) {
		for (; stops->others; stops->others &= stops->others - 1) {
			at = stops->from +
			     (size_t)__builtin_ctzll(stops->others);
			if (window.p[at] == '"')
				return at;
		}
		if (stops->end >= window.len)
			return window.len;
		csv_stops_look(stops, window, stops->end);
	}
}

#endif /* ACCT_CSV_STOPS_H */
