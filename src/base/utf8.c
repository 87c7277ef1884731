/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

static bool utf8_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The second byte's range depends on the first (Unicode, table 3-7). */
static bool utf8_second(unsigned char first, unsigned char c)
{
	switch (first) {
	case 0xe0:
		return c >= 0xa0 && c <= 0xbf;
	case 0xed:
		return c >= 0x80 && c <= 0x9f;
	case 0xf0:
		return c >= 0x90 && c <= 0xbf;
	case 0xf4:
		return c >= 0x80 && c <= 0x8f;
	default:
		return utf8_tail(c);
	}
}

size_t utf8_char(struct slice s)
{
	unsigned char first;
	size_t need;

	if (!s.len)
		return 0;
	first = (unsigned char)s.p[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	need = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (s.len < need || !utf8_second(first, (unsigned char)s.p[1]))
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!utf8_tail((unsigned char)s.p[i]))
			return 0;
	}
	return need;
}

#define UTF8_HIGH UINT64_C(0x8080808080808080)

#ifdef __SSE2__
/* A bit for each of 64 bytes that is 0x80 or more. */
static uint64_t utf8_high(const char *bytes)
{
	const __m128i *p = (const __m128i *)(const void *)bytes;
	uint64_t bits = 0;

	for (int i = 0; i < 4; i++)
		bits |= (uint64_t)(unsigned int)_mm_movemask_epi8(
				_mm_loadu_si128(p + i))
			<< i * 16;
	return bits;
}

static bool utf8_any_high(const char *bytes)
{
	const __m128i *p = (const __m128i *)(const void *)bytes;

	return _mm_movemask_epi8(_mm_or_si128(
		       _mm_or_si128(_mm_loadu_si128(p), _mm_loadu_si128(p + 1)),
		       _mm_or_si128(_mm_loadu_si128(p + 2),
				    _mm_loadu_si128(p + 3)))) != 0;
}
#endif

/* Where the first byte of 0x80 or more may be: not far behind the result. */
static size_t utf8_ascii(struct slice s, size_t at)
{
	uint64_t w;

#ifdef __SSE2__
	for (; s.len - at >= 64; at += 64) {
		if (utf8_any_high(s.p + at))
			return at +
			       (size_t)__builtin_ctzll(utf8_high(s.p + at));
	}
#endif
	for (; s.len - at >= sizeof(w); at += sizeof(w)) {
		memcpy(&w, s.p + at, sizeof(w));
		if (w & UTF8_HIGH)
			break;
	}
	return at;
}

size_t utf8_valid(struct slice s)
{
	size_t at = 0;

	while (at < s.len) {
		size_t n;

		at = utf8_ascii(s, at);
		if (at == s.len)
			break;
		n = utf8_char(slice_skip(s, at));
		if (!n)
			break;
		at += n;
	}
	return at;
}

int utf8_repair(struct slice s, struct buf *out)
{
	for (;;) {
		size_t n = utf8_valid(s);

		if (buf_add(out, s.p, n) < 0)
			return -1;
		s = slice_skip(s, n);
		if (!s.len)
			return 0;
		if (buf_add_str(out, UTF8_REPLACEMENT) < 0)
			return -1;
		s = slice_skip(s, 1);
	}
}

int utf8_encode(uint32_t code, struct buf *out)
{
	char c[4];

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return buf_add_str(out, UTF8_REPLACEMENT);
	if (code < 0x80)
		return buf_add_char(out, (char)code);
	if (code < 0x800) {
		c[0] = (char)(0xc0 | code >> 6);
		c[1] = (char)(0x80 | (code & 0x3f));
		return buf_add(out, c, 2);
	}
	if (code < 0x10000) {
		c[0] = (char)(0xe0 | code >> 12);
		c[1] = (char)(0x80 | (code >> 6 & 0x3f));
		c[2] = (char)(0x80 | (code & 0x3f));
		return buf_add(out, c, 3);
	}
	c[0] = (char)(0xf0 | code >> 18);
	c[1] = (char)(0x80 | (code >> 12 & 0x3f));
	c[2] = (char)(0x80 | (code >> 6 & 0x3f));
	c[3] = (char)(0x80 | (code & 0x3f));
	return buf_add(out, c, 4);
}
