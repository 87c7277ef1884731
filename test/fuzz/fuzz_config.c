/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>
#include <stdlib.h>

#include "app/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Either a configuration or mistakes, never both, never neither; and each
 * mistake is a line that begins with the file's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest, text = slice_of((const char *)data, size);
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config = config_parse("f", text, CONFIG_FOR_SHIPPING, &errors);
	if ((config == NULL) != (errors.len > 0))
		abort();
	rest = buf_slice(&errors);
	while (rest.len) {
		struct slice line = slice_cut(rest, '\n', &rest);

		if (!slice_starts(line, SLICE("f:")))
			abort();
	}
	config_free(&config);
	buf_release(&errors);
	return 0;
}
