/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CREW_H
#define APP_CREW_H

/*
 * crew - threads that make blocks before their turn comes
 *
 *	struct crew *crew = crew_new(config);	NULL: one thread is enough
 *	job = crew_find(crew, &order);		it is there, or being made
 *	crew_keep(crew, jobs, n);		of all others nothing is left
 *	job = crew_begin(crew, &order, fd);	NULL when all are busy
 *	if (crew_wait(crew, job) == BLOCK_MADE)
 *		... crew_block(job) ...
 *	crew_free(&crew);
 *
 * An order says all that a block depends on but the bytes of the file: what
 * was made of it is good for as long as those stand there (block_stands()).
 * Nothing here decides what is sealed, or in which order.
 *
 * A block is given up (BLOCK_UNREADABLE) when it comes to the end of the file:
 * by its turn that may be elsewhere, and its last line may be a row.
 *
 * One thread asks.  A block is its own from crew_wait() to the next
 * crew_keep().  Threads sleep until there is work.  Memory: a struct block for
 * each thread, and two times the gzip form of a batch.
 */

#include "app/block.h"

struct crew;
struct crew_job;

struct crew_order {
	uint64_t number;	       /* of the source (position.h) */
	int64_t from, bytes;	       /* of a block (block.h) */
	int64_t next;		       /* where it will end; -1: no idea */
	const struct shape_file *file; /* in force at "from"; copied */
	/* In force at "next", as far as can be told; copied.  NULL: no idea */
	const struct shape_file *after;
	int64_t now_s;
};

/* A block is found for so long: whether an event is too old goes by now_s. */
enum { CREW_FRESH_S = 10, CREW_MAX = 64, CREW_AHEAD_MAX = 2 * CREW_MAX };

/* As many as config->threads, which must outlive the crew; 0: one for each
 * processor. */
struct crew *crew_new(const struct config *config);

/* Waits for the blocks that are being made. */
void crew_free(struct crew **crew);

/* How many blocks there can be besides the one that is sealed: one being made
 * for each thread, and another one waiting. */
size_t crew_ahead(const struct crew *crew);

/* What was begun with the same order; NULL: nothing. */
struct crew_job *crew_find(struct crew *crew, const struct crew_order *order);

/* NULLs among them are passed over. */
void crew_keep(struct crew *crew, struct crew_job *const *jobs, size_t count);

/* The descriptor is the crew's from now on. */
struct crew_job *crew_begin(struct crew *crew, const struct crew_order *order,
			    int fd);

/* Where the next block begins, if that is known or can be guessed; "file" is
 * good as long as the job is kept. */
bool crew_after(struct crew *crew, const struct crew_job *job,
		int64_t *from_out, const struct shape_file **file_out);

enum block_status crew_wait(struct crew *crew, const struct crew_job *job);
struct block *crew_block(const struct crew_job *job);

#endif /* APP_CREW_H */
