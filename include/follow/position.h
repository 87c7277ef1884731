/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_POSITION_H
#define FOLLOW_POSITION_H

/*
 * position - which file, and how far it has been read
 *
 * A file is known by device, inode and a digest of its first bytes, which
 * grows with the file up to POSITION_HEAD; its name is only where it was seen
 * last.  With the offset goes a digest of the bytes just before it, so that a
 * reused inode, or a file copied, truncated and grown again, is noticed even
 * when it is longer than before (DESIGN.md, File identity).
 *
 * Values without behaviour but copying and comparing; the checkpoint keeps
 * them, sources makes them true.
 */

#include <stdint.h>

#include "acct/account.h"
#include "acct/shape.h"
#include "base/digest.h"

enum { POSITION_HEAD = 1024, POSITION_TAIL = 1024 };

struct position_id {
	uint64_t dev, ino;
	uint32_t head_len; /* how many first bytes the digest covers */
	uint64_t head;	   /* digest_of() them, lower 64 bits */
};

/* What position.pmta_rows may say instead of a number. */
enum {
	POSITION_PMTA_UNKNOWN = -1,
	POSITION_PMTA_NEVER = -2 /* rows are missing in the account, or were
				    read twice: nothing to compare */
};

enum position_state {
	POSITION_FOLLOWING = 0, /* read to its present end, or being read */
	POSITION_WAITING,	/* cannot be read now: why says so; retried */
	POSITION_FINISHED,	/* read to its end, another name took over */
	POSITION_GONE,		/* no name any more; kept for the ledger */
	POSITION_SET_ASIDE /* rows without a header, or not a file of rows */
};

/* What became of events that were made from its rows and sealed. */
struct position_fate {
	uint64_t sent, refused, evicted, expired;
	uint64_t healed; /* made once more, after they were evicted */
};

struct position {
	char *path; /* owned */
	/* Its number, from 1, given when it was first met and never again:
	 * what batches and gaps of it are known by while its head grows. */
	uint64_t number;
	struct position_id id;
	uint64_t anew_seq; /* batches of lower numbers are of other bytes: the
			      file was written anew; 0: it never was */
	int64_t offset;
	uint32_t tail_len; /* digest of [offset - tail_len, offset) */
	uint64_t tail;
	struct shape_file file; /* without its header, though not without
				   header_offset, while the file is closed: it
				   is read again when needed */
	enum position_state state;
	int64_t size;	     /* as seen last */
	int64_t last_read_s; /* Unix seconds of the last block, 0 = none */
	struct account account;
	struct position_fate fate;
	int64_t pmta_rows; /* what PowerMTA's log says it has (pmta_log.h), once
			      that was compared with the account */
};

/* "following", "waiting", "finished", "gone", "set-aside". */
const char *position_state_name(enum position_state state);
int position_state_parse(struct slice name, enum position_state *state_out);

void position_init(struct position *position);
void position_release(struct position *position);

/* What is to be added to the position of that number. */
struct position_credit {
	uint64_t number;
	uint64_t events[EVENT_TYPES]; /* made */
	struct position_fate fate;
};

/* total += more; and the same into a position. */
void position_credit_add(struct position_credit *total,
			 const struct position_credit *more);
void position_credit_take(struct position *position,
			  const struct position_credit *credit);

/* "to" is initialized; what it held is released. */
void position_copy(struct position *to, const struct position *from);

#endif /* FOLLOW_POSITION_H */
