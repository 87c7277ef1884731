/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "unit/check_all.h"

START_TEST(mem_of_no_bytes_is_not_null)
{
	void *a = mem_alloc(0), *z = mem_zero(0, 8), *r = mem_resize(NULL, 0);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(z);
	ck_assert_ptr_nonnull(r);
	mem_free(a);
	mem_free(z);
	mem_free(r);
	mem_free(NULL);
}
END_TEST

START_TEST(mem_zero_is_all_zero)
{
	unsigned char *p = mem_zero(1000, 7);

	for (int i = 0; i < 7000; i++)
		ck_assert_int_eq(p[i], 0);
	mem_free(p);
}
END_TEST

START_TEST(mem_resize_keeps_the_bytes)
{
	char *p = mem_resize_array(NULL, 4, 1);

	memcpy(p, "abcd", 4);
	p = mem_resize_array(p, 1000, 100);
	ck_slice(slice_of(p, 4), "abcd");
	mem_free(p);
}
END_TEST

START_TEST(mem_str_copies_and_ends)
{
	char *a = mem_str("abc"), *b = mem_str_of(slice_of("abcdef", 2)),
	     *c = mem_str_of(slice_of(NULL, 0));

	ck_assert_str_eq(a, "abc");
	ck_assert_str_eq(b, "ab");
	ck_assert_str_eq(c, "");
	mem_free(a);
	mem_free(b);
	mem_free(c);
}
END_TEST

/* Ends this (forked) process with EX_OSERR; see the suite. */
START_TEST(mem_that_cannot_be_counted_is_out_of_memory)
{
	close(STDERR_FILENO);
	mem_free(mem_resize_array(NULL, SIZE_MAX / 4, 8));
}
END_TEST

Suite *mem_suite(void)
{
	Suite *s = suite_create("mem");
	TCase *tc = tcase_create("mem");
	const char *fork = getenv("CK_FORK");

	tcase_add_test(tc, mem_of_no_bytes_is_not_null);
	tcase_add_test(tc, mem_zero_is_all_zero);
	tcase_add_test(tc, mem_resize_keeps_the_bytes);
	tcase_add_test(tc, mem_str_copies_and_ends);
	if (!fork || strcmp(fork, "no") != 0)
		tcase_add_exit_test(tc,
				    mem_that_cannot_be_counted_is_out_of_memory,
				    EX_OSERR);
	suite_add_tcase(s, tc);
	return s;
}
