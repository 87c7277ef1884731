/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_CHECK_ALL_H
#define UNIT_CHECK_ALL_H

/*
 * check_all - what every unit test includes
 *
 * test/unit/check_X.c defines "Suite *X_suite(void)"; the Makefile finds it by
 * its file name.  ck_slice() compares a slice with a string.
 */

#include <check.h>

#include "base/slice.h"

#define NROF(array) (sizeof(array) / sizeof((array)[0]))

#define ck_slice(got, want)                                                    \
	do {                                                                   \
		struct slice ck_got = (got);                                   \
		ck_assert_msg(slice_eq(ck_got, slice_str(want)),               \
			      "got \"%.*s\", expected \"%s\"",                 \
			      SLICE_ARGS(ck_got), (want));                     \
	} while (0)

/* The prototypes of all suites. */
#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

#endif /* UNIT_CHECK_ALL_H */
