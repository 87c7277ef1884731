/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/check_all.h"

#include <stdlib.h>

/*
 * All suites in one program.  CK_RUN_SUITE and CK_RUN_CASE choose, CK_FORK=no
 * stays in one process for a debugger.
 */

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

#define SUITE(name) srunner_add_suite(runner, name##_suite());
#include "suites.h"
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
