/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/decimal.h"

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

/* Without the zeros in front. */
static char *decimal_first(char *p, uint32_t number)
{
	uint64_t digits = decimal_digits(number);
	int zeros = digits ? __builtin_ctzll(digits) / 8 : DECIMAL_EIGHT - 1;

	/* Each further '0' behind the last digit is written over. */
	decimal_store(p, digits >> zeros * 8);
	return p + DECIMAL_EIGHT - zeros;
}

static char *decimal_next(char *p, uint32_t number)
{
	decimal_store(p, decimal_digits(number));
	return p + DECIMAL_EIGHT;
}

char *decimal_put(char *p, uint64_t number)
{
	const uint64_t eight = 100000000;
	uint64_t high = number / eight;
	uint32_t low = (uint32_t)(number % eight);

	if (!high)
		return decimal_first(p, low);
	if (high < eight) {
		p = decimal_first(p, (uint32_t)high);
	} else {
		p = decimal_first(p, (uint32_t)(high / eight));
		p = decimal_next(p, (uint32_t)(high % eight));
	}
	return decimal_next(p, low);
}
