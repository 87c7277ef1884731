/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/check_all.h"

/*
 * The C library may know a call by another name than the source; then its fault
 * would never strike and the tests that count on it would prove nothing.
 */

static const char *const calls[] = {"write",	"read",	     "pread",
				    "fsync",	"openat",    "renameat",
				    "unlinkat", "ftruncate", "close"};

static int call_it(int which, int fd)
{
	char c = 'x';

	switch (which) {
	case 0:
		return (int)write(fd, &c, 1);
	case 1:
		return (int)read(fd, &c, 1);
	case 2:
		return (int)pread(fd, &c, 1, 0);
	case 3:
		return fsync(fd);
	case 4:
		return openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
	case 5:
		return renameat(fd, "a", fd, "b");
	case 6:
		return unlinkat(fd, "a", 0);
	case 7:
		return ftruncate(fd, 0);
	default:
		return close(fd);
	}
}

START_TEST(fault_strikes_the_call_that_was_armed)
{
	int fd = memfd_create("fault", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	fault_arm(calls[_i], 2, EDOM);
	errno = 0;
	call_it(_i, _i == 8 ? dup(fd) : fd);
	ck_assert_int_ne(errno, EDOM);
	ck_assert_int_eq(call_it(_i, _i == 8 ? dup(fd) : fd), -1);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(fault_calls(calls[_i]), 2);
	fault_disarm();
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(fault_may_last)
{
	char c;

	fault_arm_from("read", 2, EDOM);
	for (int nth = 1; nth < 5; nth++) {
		errno = 0;
		ck_assert_int_eq(read(-1, &c, 1), -1);
		ck_assert_int_eq(errno, nth < 2 ? EBADF : EDOM);
	}
	fault_disarm();
}
END_TEST

START_TEST(fault_may_be_a_short_count)
{
	int fd = memfd_create("fault", MFD_CLOEXEC);
	char bytes[5];

	ck_assert_int_eq(write(fd, "bytes", 5), 5);
	fault_short("pread", 1);
	ck_assert_int_eq(pread(fd, bytes, 5, 0), 1);
	ck_assert_int_eq(pread(fd, bytes, 5, 0), 5);
	fault_disarm();
	close(fd);
}
END_TEST

Suite *fault_suite(void)
{
	Suite *s = suite_create("fault");
	TCase *tc = tcase_create("fault");

	tcase_add_loop_test(tc, fault_strikes_the_call_that_was_armed, 0,
			    NROF(calls));
	tcase_add_test(tc, fault_may_last);
	tcase_add_test(tc, fault_may_be_a_short_count);
	suite_add_tcase(s, tc);
	return s;
}
