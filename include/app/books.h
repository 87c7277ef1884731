/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_BOOKS_H
#define APP_BOOKS_H

/*
 * books - the ledger in memory, and the checkpoint's text
 *
 *	struct books books;
 *	books_open(&books, &found->checkpoint, now_s);
 *	books_settle(&books, spool, sources);		what has left, for good
 *	draft = books_draft(&books, account);		what it would become
 *	text = books_text(&books, &draft, sources, seq, group, now_s);
 *	... spool_commit() or spool_save() ...
 *	books_keep(&books, &draft, spool)   or   books_drop(&draft)
 *	books_close(&books);
 *
 * What was read changes the books only when the text that says so is durable;
 * until then the change is a draft.  What has left is a fact that the spool's
 * directory knows already, and stays whatever becomes of the text.  One thread.
 */

#include <stdint.h>

#include "follow/sources.h"
#include "ingest/delivery.h"
#include "spool/spool.h"

struct books {
	struct ledger ledger;
	uint64_t departures;	/* up to which they are in the ledger */
	uint64_t failures_base; /* of earlier runs */
	struct checkpoint_process process;
	struct checkpoint_writer *writer;
};

struct books_draft {
	struct ledger ledger;
};

void books_open(struct books *books, const struct checkpoint *checkpoint,
		int64_t now_s);
void books_close(struct books *books);

/* The sources are others now (sources_new()): what is remembered of the text
 * goes by source_changes(). */
void books_forget(struct books *books);

/* What delivery says of itself.  True when status should hear of it soon. */
bool books_uploads(struct books *books, const struct delivery_state *state);

/* Departures into the ledger and the positions, for good. */
void books_settle(struct books *books, struct spool *spool,
		  struct sources *sources);

/* What the ledger has for single files goes to their positions. */
void books_credit(struct books *books, struct sources *sources);

/* The ledger with "account" added (NULL: nothing). */
struct books_draft books_draft(const struct books *books,
			       const struct account *account);

/* The checkpoint that says so; good until the next call.  Empty and errno
 * EFBIG when it would pass CHECKPOINT_MAX. */
struct slice books_text(struct books *books, const struct books_draft *draft,
			struct sources *sources, uint64_t seq, uint64_t group,
			int64_t now_s);

void books_keep(struct books *books, struct books_draft *draft,
		struct spool *spool);
void books_drop(struct books_draft *draft);

#endif /* APP_BOOKS_H */
