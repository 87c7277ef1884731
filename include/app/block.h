/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_BLOCK_H
#define APP_BLOCK_H

/*
 * block - reads a run of whole rows of one file and makes its batch
 *
 *	struct block *b = block_new(config);
 *	switch (block_read(b, source, now_s)) {
 *	case BLOCK_MADE:	block_batch(b), block_gz(b)
 *	...
 *	block_free(&b);
 *
 * Reading, shaping and packing, and nothing that lasts: what is made here is
 * forgotten with the next call unless the caller seals it.  A block that packs
 * to more than batch.max_bytes is made again with half as many events.
 * Memory: one window of max_row + BLOCK_READ bytes, the JSON of one batch, its
 * gzip form; kept from block to block.  One thread for each.
 */

#include <stdint.h>

#include "acct/shape.h"
#include "app/config.h"
#include "follow/sources.h"

enum {
	BLOCK_READ = 1 << 20, /* bytes asked for at once */
	BLOCK_MAX = 32 << 20  /* of a file, for rows that make no events */
};

enum block_status {
	BLOCK_MADE = 0,	  /* maybe without events; to may equal from */
	BLOCK_NO_HEADER,  /* set the file aside */
	BLOCK_UNREADABLE, /* errno says why; the source is retried */
	BLOCK_TOO_LARGE	  /* one row alone passes batch.max_bytes */
};

struct block;

/* Bytes [from, to) of an open file, that were read once before. */
struct block_part {
	int fd;
	int64_t from, to;
	const struct shape_file *file; /* in force at "from" */
};

/* The configuration must outlive the block. */
struct block *block_new(const struct config *config);
void block_free(struct block **block);

enum block_status block_read(struct block *block, struct source *source,
			     int64_t now_s);

/* From the front of the part, as much as makes a batch. */
enum block_status block_read_part(struct block *block,
				  const struct block_part *part, int64_t now_s);

/* Good until the next block_read(). */
const struct shape_batch *block_batch(const struct block *block);

/* The batch's bytes; empty when it has no events. */
struct slice block_gz(const struct block *block);

#endif /* APP_BLOCK_H */
