/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/decimal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Eight digits are made at once, each in a byte of a word, by halving: four and
 * four, two and two, one and one.  The divisions are multiplications by what
 * was checked to be exact for all numbers that can come.
 */

enum { DECIMAL_EIGHT = 8 };

#define DECIMAL_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The digits of number < 10^8 as bytes from 0 to 9, the first one lowest. */
static inline uint64_t decimal_digits(uint32_t number)
{
	uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
	uint64_t hundreds = (fours * 10486) >> 20 & UINT64_C(0x7f0000007f);
	uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = (twos * 103) >> 10 & UINT64_C(0x000f000f000f000f);

	return tens | (twos - tens * 10) << 8;
}

static void decimal_store(char *p, uint64_t digits)
{
	digits += DECIMAL_ALL('0');
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	digits = __builtin_bswap64(digits);
#endif
	memcpy(p, &digits, sizeof(digits));
}

#ifdef __SSE2__
/* The digits of two numbers < 10^8, in the same way, but for both at once. */
static void decimal_sixteen(char *p, uint32_t high, uint32_t low)
{
	const __m128i ten = _mm_set1_epi16(10);
	__m128i fours = _mm_set_epi32((int)(low % 10000), (int)(low / 10000),
				      (int)(high % 10000), (int)(high / 10000));
	__m128i hundreds =
		_mm_srli_epi16(_mm_mulhi_epu16(fours, _mm_set1_epi16(5243)), 3);
	__m128i rest = _mm_sub_epi16(
		fours, _mm_mullo_epi16(hundreds, _mm_set1_epi16(100)));
	__m128i twos = _mm_or_si128(hundreds, _mm_slli_epi32(rest, 16));
	__m128i tens = _mm_mulhi_epu16(twos, _mm_set1_epi16(6554));
	__m128i ones = _mm_sub_epi16(twos, _mm_mullo_epi16(tens, ten));
	__m128i digits = _mm_or_si128(tens, _mm_slli_epi16(ones, 8));

	_mm_storeu_si128((__m128i *)(void *)p,
			 _mm_add_epi8(digits, _mm_set1_epi8('0')));
}
#else
static void decimal_sixteen(char *p, uint32_t high, uint32_t low)
{
	decimal_store(p, decimal_digits(high));
	decimal_store(p + DECIMAL_EIGHT, decimal_digits(low));
}
#endif

/*
 * How many digits.  It is known long before the digits are, and what is written
 * behind them need not wait.
 */
static inline size_t decimal_length(uint64_t number)
{
	/* 10^i, but for the one digit of 0. */
	static const uint64_t powers[] = {0,
					  UINT64_C(10),
					  UINT64_C(100),
					  UINT64_C(1000),
					  UINT64_C(10000),
					  UINT64_C(100000),
					  UINT64_C(1000000),
					  UINT64_C(10000000),
					  UINT64_C(100000000),
					  UINT64_C(1000000000),
					  UINT64_C(10000000000),
					  UINT64_C(100000000000),
					  UINT64_C(1000000000000),
					  UINT64_C(10000000000000),
					  UINT64_C(100000000000000),
					  UINT64_C(1000000000000000),
					  UINT64_C(10000000000000000),
					  UINT64_C(100000000000000000),
					  UINT64_C(1000000000000000000),
					  UINT64_C(10000000000000000000)};
	/* Bits times log 2, rounded down. */
	size_t least = (size_t)(64 - __builtin_clzll(number | 1)) * 1233 >> 12;

	return least + (number >= powers[least]);
}

/* The last "n" of the eight digits; each further '0' behind them is written
 * over. */
static void decimal_some(char *p, uint32_t number, size_t n)
{
	decimal_store(p, decimal_digits(number) >> (DECIMAL_EIGHT - n) * 8);
}

char *decimal_put(char *p, uint64_t number)
{
	const uint64_t eight = 100000000;
	size_t len = decimal_length(number);
	char *end = p + len;
	uint64_t high;

	if (len <= DECIMAL_EIGHT) {
		decimal_some(p, (uint32_t)number, len);
		return end;
	}
	high = number / eight;
	if (len <= 2 * DECIMAL_EIGHT) {
		decimal_some(p, (uint32_t)high, len - DECIMAL_EIGHT);
		decimal_store(end - DECIMAL_EIGHT,
			      decimal_digits((uint32_t)(number % eight)));
		return end;
	}
	decimal_some(p, (uint32_t)(high / eight), len - 2 * DECIMAL_EIGHT);
	decimal_sixteen(end - 2 * DECIMAL_EIGHT, (uint32_t)(high % eight),
			(uint32_t)(number % eight));
	return end;
}
