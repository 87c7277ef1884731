/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_JSON_RUN_H
#define BASE_JSON_RUN_H

/*
 * json_run - the inside of a JSON string, copied in runs
 *
 *	out = room for JSON_RUN_ROOM(text.len) bytes
 *	out = json_run(out, text);	where the next byte goes
 *
 * For events, which are written by the million; everything else uses json.h.
 * Escapes as yajl_gen does, byte for byte (fuzz_event holds it to that):
 * quotes, backslashes and bytes below 0x20, nothing else.  UTF-8 is the
 * caller's duty.  Bytes behind the end of what was written may be changed, up
 * to JSON_RUN_ROOM.  Never fails, keeps nothing.
 *
 * A word is copied and looked at in one go.  Most values are of up to 64 bytes
 * without an escape: those are written here, as words that overlap; all others
 * by json_run_long().
 */

#include <stdint.h>

#include "base/hint.h"
#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A byte becomes six at most; and whole words are stored at the end. */
enum { JSON_RUN_SLACK = 16 };
#define JSON_RUN_ROOM(len) ((len)*6 + JSON_RUN_SLACK)

/* Any text. */
char *json_run_long(char *out, struct slice text);

#define JSON_RUN_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Its high bit is set in each byte of "word" that needs an escape.  Bytes from
 * 0x80 on do not; no sum carries into the next byte. */
static inline uint64_t json_run_marks(uint64_t word)
{
	uint64_t low = word & JSON_RUN_ALL(0x7f);
	uint64_t quote = low ^ JSON_RUN_ALL('"');
	uint64_t slash = low ^ JSON_RUN_ALL('\\');
	uint64_t plain = (low + JSON_RUN_ALL(0x60)) &
			 (quote + JSON_RUN_ALL(0x7f)) &
			 (slash + JSON_RUN_ALL(0x7f));

	return ~(plain | word) & JSON_RUN_ALL(0x80);
}

static inline uint64_t json_run_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

#ifdef __SSE2__
/* As json_run_marks(), a bit for each of the sixteen bytes at "p", which are
 * copied as well. */
static inline unsigned int json_run_wide(char *out, const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i control =
		_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	_mm_storeu_si128((__m128i *)(void *)out, v);
	return (unsigned int)_mm_movemask_epi8(
		_mm_or_si128(control, _mm_or_si128(quote, slash)));
}
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Four to seven bytes as a word, zeros behind them: halves that overlap. */
static inline uint64_t json_run_few(const char *p, size_t n)
{
	uint32_t first, last;

	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - sizeof(last), sizeof(last));
	return first | (uint64_t)last << (n - sizeof(last)) * 8;
}
#endif

static inline char *json_run(char *out, struct slice text)
{
	const char *p = text.p;
	size_t n = text.len;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (n >= 4 && n < 8) {
		uint64_t word = json_run_few(p, n);

		/* The zeros are marked as well: they go first. */
		if (UNLIKELY(json_run_marks(word) << (64 - n * 8)))
			return json_run_long(out, text);
		memcpy(out, &word, sizeof(word));
		return out + n;
	}
#endif
	if (n >= 8 && n < 16) {
		uint64_t head = json_run_load(p);
		uint64_t tail = json_run_load(p + n - 8);

		if (UNLIKELY(json_run_marks(head) | json_run_marks(tail)))
			return json_run_long(out, text);
		memcpy(out, &head, sizeof(head));
		memcpy(out + n - 8, &tail, sizeof(tail));
		return out + n;
	}
#ifdef __SSE2__
	if (n >= 16 && n <= 64) {
		unsigned int marks = json_run_wide(out, p);

		for (size_t at = 16; at + 16 < n; at += 16)
			marks |= json_run_wide(out + at, p + at);
		marks |= json_run_wide(out + n - 16, p + n - 16);
		return UNLIKELY(marks) ? json_run_long(out, text) : out + n;
	}
#endif
	return json_run_long(out, text);
}

#endif /* BASE_JSON_RUN_H */
