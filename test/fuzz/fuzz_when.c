/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>
#include <stdlib.h>

#include "base/when.h"

/* A time that was read is written and read again as the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	int64_t seconds, again;
	char shown[WHEN_TEXT];

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	if (when_parse(text, &seconds) < 0)
		return 0;
	when_format(seconds, shown);
	if (shown[0] == '?' || seconds < 0)
		return 0;
	if (when_parse(slice_str(shown), &again) < 0 || again != seconds)
		abort();
	if (when_parse(text, &again) < 0 || again != seconds)
		abort();
	return 0;
}
