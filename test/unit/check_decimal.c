/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>

#include "unit/check_all.h"

/* printf() is the judge; nothing behind DECIMAL_ROOM is touched. */
static void agree(uint64_t number)
{
	char text[DECIMAL_ROOM + 1], want[32];
	struct slice digits;

	text[DECIMAL_ROOM] = '#';
	digits = decimal_text(text, number);
	snprintf(want, sizeof(want), "%" PRIu64, number);
	ck_assert_ptr_eq(digits.p, text);
	ck_assert_uint_eq(digits.len, strlen(want));
	ck_assert_mem_eq(digits.p, want, digits.len);
	ck_assert_int_eq(text[DECIMAL_ROOM], '#');
}

START_TEST(decimal_of_each_length)
{
	uint64_t ten = 1;

	agree(0);
	for (int i = 0; i < 20; i++, ten *= 10) {
		agree(ten - 1);
		agree(ten);
		agree(ten + 1);
		agree(ten * 9);
	}
	agree(UINT64_MAX);
	agree(INT64_MAX);
}
END_TEST

/* The divisions are multiplications: right for all that they can meet. */
START_TEST(decimal_of_all_fours)
{
	for (uint64_t i = 0; i < 10000; i++) {
		agree(i);
		agree(i * 10000 + 9999 - i);
		agree(i * 100000000 + i);
	}
}
END_TEST

START_TEST(decimal_of_any_number)
{
	uint64_t x = UINT64_C(88172645463325252);

	for (int i = 0; i < 100000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		agree(x >> i % 64);
	}
}
END_TEST

Suite *decimal_suite(void)
{
	Suite *s = suite_create("decimal");
	TCase *tc = tcase_create("decimal");

	tcase_add_test(tc, decimal_of_each_length);
	tcase_add_test(tc, decimal_of_all_fours);
	tcase_add_test(tc, decimal_of_any_number);
	suite_add_tcase(s, tc);
	return s;
}
