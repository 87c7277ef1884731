/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/digest.h"
#include "base/mem.h"

enum { SHELF_BODY_MAX = 1 << 28 };

static void shelf_name(const struct shelf *shelf, struct shelf_batch *batch)
{
	uint64_t d =
		digest_63(digest_mix(digest_of(SLICE("batch")),
				     shelf->salt + shelf->count, SLICE("")));

	snprintf(batch->id, sizeof(batch->id), "%08zx-%04x-4%03x-a%03x-%012llx",
		 shelf->count, (unsigned int)(d & 0xffff),
		 (unsigned int)(d >> 16 & 0xfff),
		 (unsigned int)(d >> 28 & 0xfff),
		 (unsigned long long)(shelf->salt & 0xffffffffffff));
}

struct shelf_batch *shelf_add(struct shelf *shelf)
{
	struct shelf_batch *batch = mem_zero(1, sizeof(*batch));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	batch->taken_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	buf_init(&batch->body, SHELF_BODY_MAX);
	buf_init(&batch->failures, SHELF_BODY_MAX);
	shelf_name(shelf, batch);
	shelf->batches = mem_resize_array(shelf->batches, shelf->count + 1,
					  sizeof(struct shelf_batch *));
	shelf->batches[shelf->count++] = batch;
	if (shelf->count > shelf->keep_bodies) {
		size_t old = shelf->count - shelf->keep_bodies - 1;

		buf_release(&shelf->batches[old]->body);
		buf_release(&shelf->batches[old]->failures);
	}
	return batch;
}

struct shelf_batch *shelf_find(const struct shelf *shelf, struct slice id)
{
	char digits[9] = "";
	unsigned long n;

	if (id.len != SHELF_ID - 1)
		return NULL;
	memcpy(digits, id.p, 8);
	n = strtoul(digits, NULL, 16);
	if (n >= shelf->count ||
	    !slice_eq(id, slice_str(shelf->batches[n]->id)))
		return NULL;
	return shelf->batches[n];
}
