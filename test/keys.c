/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "app/config.h"

/* Print each configuration key and its default, for test/docs.sh. */

int main(void)
{
	const char *key, *preset;

	for (size_t i = 0; (key = config_key(i, &preset)); i++)
		printf("%s\t%s\n", key, preset);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
