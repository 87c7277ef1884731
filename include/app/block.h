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
 *
 * A block is the whole rows that end within so many bytes of its beginning, or
 * fewer where the batch is full before; or, when not even one ends there, what
 * it takes to know one.  So where it ends depends on the file alone, and not on
 * how or when it is read.  The bytes are block_bytes(), and less for a file
 * once a batch of it was full before: so line ends say again where they end.
 * They grow again when batches are not half full.
 *
 * The bytes are read, shaped and packed in pieces that stay in the processor's
 * cache; where those end makes no difference.  Memory: a window of at most
 * max_row and a piece, as much JSON, and the gzip form of one batch; kept from
 * block to block.  One thread for each.
 */

#include <stdbool.h>
#include <stdint.h>

#include "acct/shape.h"
#include "app/config.h"
#include "follow/sources.h"

enum {
	/* Bytes of the file for each of batch.max_events, about as many as a
	 * row has: each batch costs eight syncs, so let it be full; but where
	 * a block ends by its bytes, its end can be foretold. */
	BLOCK_ROW = 512,
	BLOCK_MIN = 64 << 10,
	BLOCK_MAX = 8 << 20
};

enum block_status {
	BLOCK_MADE = 0,	  /* maybe without events; to may equal from */
	BLOCK_NO_HEADER,  /* set the file aside */
	BLOCK_UNREADABLE, /* errno says why; the source is retried */
	BLOCK_TOO_LARGE	  /* one row alone passes batch.max_bytes */
};

struct block;

/* Bytes [from, to) of an open file.  They have to be there, all that are
 * asked for: else it is unreadable, with ESTALE. */
struct block_part {
	int fd;
	int64_t from, to;
	const struct shape_file *file; /* in force at "from" */
	int64_t bytes;		       /* that make a block */
	bool repeat;		       /* shape_repeat() */
};

/* The bytes of a file that make a block at most; and now that this one was
 * made of the source. */
int64_t block_bytes(const struct config *config);
void block_measure(const struct block *block, struct source *source);

/* The configuration must outlive the block. */
struct block *block_new(const struct config *config);
void block_free(struct block **block);

enum block_status block_read(struct block *block, struct source *source,
			     int64_t now_s);

/* From the front of the part, as much as makes a batch. */
enum block_status block_read_part(struct block *block,
				  const struct block_part *part, int64_t now_s);

/*
 * A block that makes nothing but keeps what another one has made, so that this
 * can make the next: block_move() gives it all but the JSON.
 */
struct block *block_new_shelf(const struct config *config);
void block_move(struct block *to, struct block *from);

/*
 * For a part that was made before its turn: do its last bytes still stand in
 * the file?  And what was noted about the file meanwhile is noted no more.
 */
bool block_stands(const struct block *block, struct source *source);
void block_join(struct block *block, const struct shape_file *before);

/* Good until the next block_read() or block_move(). */
const struct shape_batch *block_batch(const struct block *block);

/* The batch's bytes; empty when it has no events. */
struct slice block_gz(const struct block *block);

#endif /* APP_BLOCK_H */
