/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_SHELF_H
#define STANDIN_SHELF_H

/*
 * shelf - the batches that were taken, and what became of each
 *
 * Bodies and failures are kept of the last "keep_bodies" batches only, what
 * became of them for all.  A batch's id is a UUID that holds its number, so
 * that it is found without a search.  The caller holds the lock.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tools/standin/books.h"

enum { SHELF_ID = 37 };

struct shelf_batch {
	char id[SHELF_ID];
	int64_t taken_ms;
	enum verdict verdict;
	uint64_t succeeded, failed, duplicates;
	struct buf body;     /* gzip, as it came */
	struct buf failures; /* rejected lines, each with its "error" */
};

struct shelf {
	struct shelf_batch **batches;
	size_t count;
	size_t keep_bodies;
	uint64_t salt; /* makes the ids of two runs differ */
};

/* A new batch, with its id; the shelf owns it for good. */
struct shelf_batch *shelf_add(struct shelf *shelf);

/* NULL: there is none of that id. */
struct shelf_batch *shelf_find(const struct shelf *shelf, struct slice id);

#endif /* STANDIN_SHELF_H */
