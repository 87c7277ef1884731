/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_run.h"

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * A word is copied and looked at in one go.  Where nothing in it needs an
 * escape, that was all; else the bytes before the first that does stay.
 */

/* One byte that is not as itself in a string. */
static char *run_escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char letters[32] = {['\b'] = 'b',
					 ['\t'] = 't',
					 ['\n'] = 'n',
					 ['\f'] = 'f',
					 ['\r'] = 'r'};

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = (char)c;
	} else if (letters[c]) {
		*out++ = letters[c];
	} else {
		memcpy(out, "u00", 3);
		out[3] = hex[c >> 4];
		out[4] = hex[c & 15];
		out += 5;
	}
	return out;
}

#define RUN_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Its high bit is set in each byte of "word" that needs an escape.  Bytes from
 * 0x80 on do not; no sum carries into the next byte. */
static uint64_t run_marks(uint64_t word)
{
	uint64_t low = word & RUN_ALL(0x7f);
	uint64_t quote = low ^ RUN_ALL('"'), slash = low ^ RUN_ALL('\\');
	uint64_t plain = (low + RUN_ALL(0x60)) & (quote + RUN_ALL(0x7f)) &
			 (slash + RUN_ALL(0x7f));

	return ~(plain | word) & RUN_ALL(0x80);
}

/* How many bytes stand before the first mark. */
static size_t run_before(uint64_t marks)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(marks) / 8;
#else
	return (size_t)__builtin_clzll(marks) / 8;
#endif
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Up to 8 bytes and zeros, without a loop: parts may overlap. */
static uint64_t run_load(const char *p, size_t n)
{
	const unsigned char *c = (const unsigned char *)p;
	uint32_t first, last;
	uint64_t word;

	if (n >= 8) {
		memcpy(&word, p, 8);
		return word;
	}
	if (n < 4)
		return (uint64_t)c[0] | (uint64_t)c[n / 2] << n / 2 * 8 |
		       (uint64_t)c[n - 1] << (n - 1) * 8;
	memcpy(&first, p, 4);
	memcpy(&last, p + n - 4, 4);
	return first | (uint64_t)last << (n - 4) * 8;
}
#else
static uint64_t run_load(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n < 8 ? n : 8);
	return word;
}
#endif

/* Bytes of a word that are copied as they are; the word is stored whole. */
static size_t run_word(char *out, const char *p, size_t n)
{
	uint64_t word = run_load(p, n), marks = run_marks(word);
	size_t good = marks ? run_before(marks) : sizeof(word);

	memcpy(out, &word, sizeof(word));
	return good < n ? good : n;
}

#ifdef __SSE2__
/* As run_marks(), a bit for each of the sixteen bytes at "p", which are copied
 * as well. */
static unsigned int run_wide(char *out, const char *p)
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

/* With escapes, or long. */
static char *run_long(char *out, struct slice text)
{
	const char *p = text.p;
	size_t left = text.len;

	while (left) {
		size_t most = 8, n;

#ifdef __SSE2__
		if (left >= 16) {
			unsigned int marks = run_wide(out, p);

			most = 16;
			n = marks ? (size_t)__builtin_ctz(marks) : most;
		} else
#endif
			n = run_word(out, p, left);
		out += n;
		p += n;
		left -= n;
		if (n < most && left) {
			out = run_escape(out, (unsigned char)*p);
			p++;
			left--;
		}
	}
	return out;
}

/* Most values are short and as they are: copied as two words that overlap. */
char *json_run(char *out, struct slice text)
{
	const char *p = text.p;
	size_t n = text.len;

	if (n >= 8 && n < 16) {
		uint64_t head = run_load(p, 8), tail = run_load(p + n - 8, 8);

		if (run_marks(head) | run_marks(tail))
			return run_long(out, text);
		memcpy(out, &head, sizeof(head));
		memcpy(out + n - 8, &tail, sizeof(tail));
		return out + n;
	}
#ifdef __SSE2__
	if (n >= 16 && n <= 32) {
		unsigned int marks = run_wide(out, p);

		if (marks | run_wide(out + n - 16, p + n - 16))
			return run_long(out, text);
		return out + n;
	}
#endif
	return run_long(out, text);
}
