/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/crash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fault/inject.h"

static char *crash_name;
static long crash_nth;
static atomic_long crash_passes;

__attribute__((constructor)) static void crash_read(void)
{
	const char *value = getenv("SPARKTAIL_CRASH");

	if (!value || !*value)
		return;
	crash_name = strdup(value);
	if (!crash_name)
		abort();
	crash_nth = inject_number(crash_name);
	if (crash_nth < 1)
		inject_mistake("SPARKTAIL_CRASH", value);
}

void crash_point(const char *name)
{
	if (crash_name && strcmp(crash_name, name) == 0 &&
	    atomic_fetch_add(&crash_passes, 1) + 1 == crash_nth)
		inject_die();
}
