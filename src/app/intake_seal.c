/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/intake_private.h"
#include "app/rows.h"
#include "base/log.h"

/*
 * A block is made, its position and account are put into a draft of the books,
 * and the spool commits batch and checkpoint together.  When that fails, the
 * draft is dropped and the position put back, so memory says what the disk
 * says; the rows are where they always were, in the accounting file.
 */

/* Room for the checkpoint, beside a batch. */
enum { INTAKE_ROOM_SLACK = 1 << 20 };

int intake_make_room(struct intake *in, uint64_t bytes, int64_t now_s)
{
	struct spool_evicted gone = {0};
	int status = spool_make_room(in->spool, bytes, now_s, &gone);

	if (!gone.batches)
		return status;
	in->dirty = true;
	intake_say_evicted(&gone);
	return status;
}

static int intake_commit(struct intake *in, const struct batch *batch,
			 const struct account *account, int64_t now_s)
{
	struct books_draft draft = books_draft(&in->books, in->spool, account);
	uint64_t seq = spool_next_seq(in->spool) - (batch ? 0 : 1);
	struct slice text =
		books_text(&in->books, &draft, in->sources, seq, now_s);
	int status = -1;

	if (text.len)
		status = batch ? spool_seal(in->spool, batch,
					    block_gz(in->block), text)
			       : spool_save(in->spool, text);
	if (status < 0) {
		books_drop(&draft);
		return -1;
	}
	books_keep(&in->books, &draft, in->spool);
	in->dirty = false;
	return 0;
}

int intake_save(struct intake *in, int64_t now_s)
{
	if (!in->dirty && !spool_unsettled(in->spool))
		return 0;
	if (intake_commit(in, NULL, NULL, now_s) < 0) {
		intake_set_stuck(in, true, "save the checkpoint");
		return -1;
	}
	intake_set_stuck(in, false, NULL);
	return 0;
}

static void intake_fill(struct intake *in, struct source *source,
			struct batch *batch, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);

	*batch = (struct batch){.seq = spool_next_seq(in->spool),
				.source = source_position(source)->id,
				.from = shaped->from,
				.to = shaped->to,
				.header_offset = shaped->file.header_offset,
				.skipping = shaped->file.skipping,
				.oldest_s = shaped->oldest_s,
				.sealed_s = now_s,
				.bytes = block_gz(in->block).len};
	for (size_t i = 0; i < EVENT_TYPES; i++)
		batch->events[i] = (uint32_t)shaped->account.events[i];
}

static void intake_keep_malformed(struct intake *in, struct source *source)
{
	const struct position *at = source_position(source);
	const struct shape_batch *batch = block_batch(in->block);

	if (!batch->malformed.len ||
	    (in->kept_ino == at->id.ino && in->kept_from == batch->from))
		return;
	buf_reset(&in->lines);
	rows_name(buf_slice(&batch->malformed), at->path, &in->lines);
	if (spool_add_rows(in->spool, buf_slice(&in->lines)) < 0) {
		if (!in->stuck)
			log_warn("spool: cannot keep malformed rows in "
				 "refused/rows.csv; they are counted");
		return;
	}
	in->kept_ino = at->id.ino;
	in->kept_from = batch->from;
}

/*
 * No event came of the block, so there is nothing that could be lost or come
 * twice: the next save says where reading is.  A crash before it reads these
 * rows again and counts them as if for the first time, which it is.
 */
static void intake_pass(struct intake *in, struct source *source,
			int64_t now_ms, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);

	source_advance(source, shaped->to, &shaped->file, &shaped->account,
		       now_s);
	account_merge(&in->books.ledger.account, &shaped->account);
	intake_dirty(in, now_ms);
}

/* Make the block that was just read durable.  False: it will be read again. */
static bool intake_seal(struct intake *in, struct source *source,
			int64_t now_ms, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);
	uint64_t bytes = block_gz(in->block).len;
	struct position before;
	struct batch batch;
	bool done;

	position_init(&before);
	position_copy(&before, source_position(source));
	intake_fill(in, source, &batch, now_s);
	source_advance(source, shaped->to, &shaped->file, &shaped->account,
		       now_s);
	batch.source = source_position(source)->id;
	done = intake_make_room(in, bytes + INTAKE_ROOM_SLACK, now_s) >= 0 &&
	       intake_commit(in, &batch, &shaped->account, now_s) == 0;
	intake_set_stuck(in, !done, "seal a batch");
	if (!done)
		source_restore(source, &before, now_ms, INTAKE_RETRY_MS);
	position_release(&before);
	return done;
}

static void intake_made(struct intake *in, struct source *source,
			int64_t now_ms, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);

	if (shaped->to == shaped->from) {
		source_advance(source, shaped->to, &shaped->file,
			       &shaped->account, now_s);
		return;
	}
	intake_keep_malformed(in, source);
	if (!block_gz(in->block).len)
		intake_pass(in, source, now_ms, now_s);
	else if (!intake_seal(in, source, now_ms, now_s))
		return;
	intake_say_notes(in, source_position(source)->path, shaped);
	intake_say_sealed(in, source);
}

void intake_block(struct intake *in, struct source *source, int64_t now_ms,
		  int64_t now_s)
{
	const char *path = source_position(source)->path;

	switch (block_read(in->block, source, now_s)) {
	case BLOCK_MADE:
		intake_made(in, source, now_ms, now_s);
		break;
	case BLOCK_NO_HEADER:
		log_errorx(
			"shape: %s has rows but no header line \"type,...\": "
			"the file is set aside; give its columns as "
			"sources[].columns",
			path);
		source_set_aside(source, "rows without a header line; give "
					 "sources[].columns");
		intake_dirty(in, now_ms);
		break;
	case BLOCK_TOO_LARGE:
		log_errorx("shape: %s: a row makes more than batch.max_bytes: "
			   "the file is set aside",
			   path);
		source_set_aside(source, "a row makes more than "
					 "batch.max_bytes");
		intake_dirty(in, now_ms);
		break;
	case BLOCK_UNREADABLE:
		break;
	}
	intake_say_events(in, now_ms);
}
