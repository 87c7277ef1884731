/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/buf.h"

#include <stdint.h>

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

START_TEST(buf_addition_past_the_maximum_adds_nothing)
{
	struct buf b;

	buf_init(&b, 4);
	buf_add_str(&b, "abc");
	ck_assert_int_eq(buf_add_str(&b, "de"), -1);
	ck_assert_int_eq(buf_addf(&b, "%s", "de"), -1);
	ck_assert_int_eq(buf_reserve(&b, 2), -1);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -1);
	ck_slice(buf_slice(&b), "abc");
	ck_assert(b.overflow);
	ck_assert_int_eq(buf_add_char(&b, 'd'), 0);
	ck_slice(buf_slice(&b), "abcd");
	ck_assert_msg(b.overflow, "a later success hid the lost bytes");
	buf_reset(&b);
	ck_assert(!b.overflow);
	ck_assert_uint_eq(b.len, 0);
	buf_release(&b);
}
END_TEST

START_TEST(buf_truncate_forgets_the_overflow)
{
	struct buf b;

	buf_init(&b, 4);
	buf_add_str(&b, "abcd");
	ck_assert_int_eq(buf_add_char(&b, 'e'), -1);
	buf_truncate(&b, 2);
	ck_assert(!b.overflow);
	ck_slice(buf_slice(&b), "ab");
	buf_truncate(&b, 2);
	ck_slice(buf_slice(&b), "ab");
	buf_release(&b);
}
END_TEST

/* Each length around the steps by which memory grows. */
START_TEST(buf_addf_fills_exactly_what_there_is)
{
	for (int len = 0; len < 300; len++) {
		struct buf b;

		buf_init(&b, (size_t)len);
		ck_assert_int_eq(buf_addf(&b, "%*s", len, ""), 0);
		ck_assert_uint_eq(b.len, (size_t)len);
		ck_assert(!b.overflow);
		ck_assert_uint_eq(strlen(buf_str(&b)), (size_t)len);
		ck_assert_int_eq(buf_addf(&b, "x"), -1);
		ck_assert(b.overflow);
		buf_release(&b);
	}
}
END_TEST

START_TEST(buf_grows_and_keeps_its_bytes)
{
	struct buf b;

	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(buf_add_char(&b, (char)(i % 251)), 0);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(b.p[i], (char)(i % 251));
	ck_assert_uint_le(b.cap, 100001);
	ck_assert_int_eq(buf_add_char(&b, 'x'), -1);
	buf_release(&b);
}
END_TEST

START_TEST(buf_reset_keeps_memory_and_release_gives_it_back)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_ptr_null(b.p);
	ck_assert_int_eq(buf_add_slice(&b, slice_of(NULL, 0)), 0);
	ck_assert_ptr_null(b.p);
	buf_add_str(&b, "a");
	buf_reset(&b);
	ck_assert_ptr_nonnull(b.p);
	buf_release(&b);
	ck_assert_ptr_null(b.p);
	ck_assert_uint_eq(b.max, 1000);
	ck_assert_str_eq(buf_str(&b), "");
	buf_release(&b);
	buf_release(&b);
}
END_TEST

START_TEST(buf_without_a_maximum_is_only_bound_by_memory)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	ck_assert_int_eq(buf_addf(&b, "%d", 1), 0);
	ck_assert_int_eq(buf_add_str(&b, "23"), 0);
	ck_assert_str_eq(buf_str(&b), "123");
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
	tcase_add_test(tc, buf_addition_past_the_maximum_adds_nothing);
	tcase_add_test(tc, buf_truncate_forgets_the_overflow);
	tcase_add_test(tc, buf_addf_fills_exactly_what_there_is);
	tcase_add_test(tc, buf_grows_and_keeps_its_bytes);
	tcase_add_test(tc, buf_reset_keeps_memory_and_release_gives_it_back);
	tcase_add_test(tc, buf_without_a_maximum_is_only_bound_by_memory);
	suite_add_tcase(s, tc);
	return s;
}
