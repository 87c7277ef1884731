/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/scratch.h"

#include "base/mem.h"

enum { SCRATCH_PIECE = 64 << 10 };

struct scratch_piece {
	struct scratch_piece *older;
	size_t size;
	char bytes[];
};

static void scratch_grow(struct scratch *scratch, size_t size)
{
	struct scratch_piece *piece;

	if (size < SCRATCH_PIECE)
		size = SCRATCH_PIECE;
	piece = mem_alloc(sizeof(*piece) + size);
	piece->older = scratch->pieces;
	piece->size = size;
	scratch->pieces = piece;
	scratch->used = 0;
}

void scratch_init(struct scratch *scratch)
{
	*scratch = (struct scratch){0};
	scratch_grow(scratch, 0);
}

void scratch_release(struct scratch *scratch)
{
	while (scratch->pieces) {
		struct scratch_piece *older = scratch->pieces->older;

		mem_free(scratch->pieces);
		scratch->pieces = older;
	}
	scratch->used = 0;
}

/* The oldest piece stays: what a huge row took is given back. */
void scratch_reset(struct scratch *scratch)
{
	while (scratch->pieces->older) {
		struct scratch_piece *older = scratch->pieces->older;

		mem_free(scratch->pieces);
		scratch->pieces = older;
	}
	scratch->used = 0;
}

char *scratch_take(struct scratch *scratch, size_t size)
{
	char *p;

	if (size > scratch->pieces->size - scratch->used)
		scratch_grow(scratch, size);
	p = scratch->pieces->bytes + scratch->used;
	scratch->used += size;
	return p;
}

struct slice scratch_copy(struct scratch *scratch, struct slice text)
{
	char *p = scratch_take(scratch, text.len);

	if (text.len)
		memcpy(p, text.p, text.len);
	return slice_of(p, text.len);
}
