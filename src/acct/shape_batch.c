/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/refused.h"
#include "acct/shape.h"

void shape_batch_init(struct shape_batch *batch)
{
	*batch = (struct shape_batch){0};
	buf_init(&batch->malformed, REFUSED_MAX);
	shape_file_init(&batch->file);
}

void shape_batch_release(struct shape_batch *batch)
{
	buf_release(&batch->malformed);
	shape_file_release(&batch->file);
	account_release(&batch->account);
}

void shape_batch_said(struct shape_batch *batch, const struct shape_file *file)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->notes_count; i++) {
		const struct shape_note *note = &batch->notes[i];

		if ((note->kind == SHAPE_NOTE_NO_FROM && file->said_no_from) ||
		    (note->kind == SHAPE_NOTE_EXPIRED && file->said_expired))
			continue;
		batch->notes[kept++] = *note;
	}
	batch->notes_count = kept;
	batch->file.said_no_from |= file->said_no_from;
	batch->file.said_expired |= file->said_expired;
}
