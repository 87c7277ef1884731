/* SPDX-License-Identifier: GPL-2.0-only */
/* What parses as a batch's name is exactly what would be written for it. */
#include <stdint.h>
#include <stdlib.h>

#include "spool/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice name = slice_of((const char *)data, size);
	struct batch batch;
	char again[BATCH_NAME];

	if (batch_parse(name, &batch) < 0)
		return 0;
	batch_name(&batch, again);
	if (!slice_eq(slice_str(again), name) || size >= 255)
		abort();
	return 0;
}
