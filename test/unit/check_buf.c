/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/buf.h"

#include "unit/check_all.h"

static const struct {
	size_t max;
	const char *add;
	int want;
} limits[] = {{3, "abc", 0}, {2, "abc", -1}, {0, "", 0}, {0, "a", -1}};

START_TEST(buf_add_honours_its_maximum)
{
	struct buf b;

	buf_init(&b, limits[_i].max);
	ck_assert_int_eq(buf_add_str(&b, limits[_i].add), limits[_i].want);
	ck_assert_int_eq(b.overflow, limits[_i].want < 0);
	ck_assert_uint_eq(b.len,
			  limits[_i].want < 0 ? 0 : strlen(limits[_i].add));
	buf_release(&b);
}
END_TEST

START_TEST(buf_str_ends_a_buffer_that_is_full_to_its_maximum)
{
	struct buf b;

	buf_init(&b, 3);
	ck_assert_int_eq(buf_addf(&b, "%s%d", "ab", 7), 0);
	ck_assert_str_eq(buf_str(&b), "ab7");
	ck_assert_int_eq(buf_addf(&b, "%d", 1), -1);
	ck_assert_str_eq(buf_str(&b), "ab7");
	buf_release(&b);
}
END_TEST

START_TEST(buf_consume_moves_the_rest_to_the_front)
{
	struct buf b;

	buf_init(&b, 100);
	buf_add_str(&b, "hello world");
	buf_consume(&b, 6);
	ck_slice(buf_slice(&b), "world");
	buf_consume(&b, 5);
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

Suite *buf_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");

	tcase_add_loop_test(tc, buf_add_honours_its_maximum, 0, NROF(limits));
	tcase_add_test(tc, buf_str_ends_a_buffer_that_is_full_to_its_maximum);
	tcase_add_test(tc, buf_consume_moves_the_rest_to_the_front);
	suite_add_tcase(s, tc);
	return s;
}
