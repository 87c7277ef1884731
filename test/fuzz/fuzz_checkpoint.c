/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any text is judged without a fault, and what is taken for a checkpoint comes
 * back the same when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "spool/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_text(const struct checkpoint *checkpoint, struct buf *out)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct slice text;

	checkpoint_begin(writer, checkpoint);
	for (size_t i = 0; i < checkpoint->positions_count; i++)
		checkpoint_position(writer, &checkpoint->positions[i], 0);
	if (checkpoint_end(writer, &text) < 0)
		abort();
	buf_add_slice(out, text);
	checkpoint_writer_free(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint first = {0}, second = {0};
	struct buf once, twice;

	if (checkpoint_parse(slice_of((const char *)data, size), &first) !=
	    CHECKPOINT_OK) {
		if (first.positions || first.ledger.account.not_shipped.entries)
			abort();
		return 0;
	}
	buf_init(&once, CHECKPOINT_MAX);
	buf_init(&twice, CHECKPOINT_MAX);
	write_text(&first, &once);
	if (checkpoint_parse(buf_slice(&once), &second) != CHECKPOINT_OK)
		abort();
	write_text(&second, &twice);
	if (!slice_eq(buf_slice(&once), buf_slice(&twice)))
		abort();
	checkpoint_release(&first);
	checkpoint_release(&second);
	buf_release(&once);
	buf_release(&twice);
	return 0;
}
