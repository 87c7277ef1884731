/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "app/intake_private.h"
#include "app/rows.h"
#include "base/log.h"

/*
 * A block is made, its position and account are put into a draft of the books,
 * and the spool commits batch and checkpoint together.  When that fails, the
 * draft is dropped and the position put back, so memory says what the disk
 * says; the rows are where they always were, in the accounting file.
 */

int intake_make_room(struct intake *in, uint64_t bytes, int64_t now_s)
{
	struct spool_evicted gone = {0};
	int status = spool_make_room(in->spool, bytes, now_s, &gone);

	if (!gone.batches)
		return status;
	in->dirty = true;
	in->evicted = in->evicted || !gone.expired;
	intake_say_evicted(&gone);
	return status;
}

int intake_commit(struct intake *in, const struct batch *batch,
		  struct books_draft *draft, int64_t now_s)
{
	uint64_t seq = spool_next_seq(in->spool) - (batch ? 0 : 1);
	struct slice text =
		books_text(&in->books, draft, in->sources, seq, now_s);
	int status = -1;

	if (text.len)
		status = batch ? spool_seal(in->spool, batch,
					    block_gz(in->block), text)
			       : spool_save(in->spool, text);
	if (status < 0) {
		books_drop(draft);
		return -1;
	}
	books_keep(&in->books, draft, in->spool);
	sources_set_seq(in->sources, spool_next_seq(in->spool));
	in->dirty = false;
	return 0;
}

/* What has left, for good; a new gap is worth a look before an end. */
static void intake_settle(struct intake *in)
{
	uint64_t evicted = in->books.ledger.evicted_events;

	books_settle(&in->books, in->spool, in->sources);
	if (in->books.ledger.evicted_events != evicted)
		in->healing = true;
}

int intake_save(struct intake *in, int64_t now_s)
{
	struct books_draft draft;

	if (!in->dirty && !spool_unsettled(in->spool))
		return 0;
	intake_settle(in);
	draft = books_draft(&in->books, NULL);
	if (intake_commit(in, NULL, &draft, now_s) < 0) {
		in->dirty = true;
		intake_set_stuck(in, INTAKE_SAVE, true);
		return -1;
	}
	intake_set_stuck(in, INTAKE_SAVE, false);
	return 0;
}

struct batch_edge intake_edge(const struct shape_file *file)
{
	return (struct batch_edge){file->header_offset, file->skipping};
}

void intake_fill(const struct intake *in, const struct shape_batch *shaped,
		 struct batch *batch, int64_t now_s)
{
	*batch = (struct batch){.seq = spool_next_seq(in->spool),
				.from = shaped->from,
				.to = shaped->to,
				.after = intake_edge(&shaped->file),
				.oldest_s = shaped->oldest_s,
				.newest_s = shaped->newest_s,
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
	struct books_draft draft;
	struct position before;
	struct batch batch;
	bool done, roomy, more;

	/* What has left stays in the books, whatever becomes of this. */
	intake_settle(in);
	position_init(&before);
	position_copy(&before, source_position(source));
	intake_fill(in, shaped, &batch, now_s);
	batch.number = before.number;
	batch.before = intake_edge(&before.file);
	source_advance(source, shaped->to, &shaped->file, &shaped->account,
		       now_s);
	batch.source = before.id;
	done = roomy = intake_make_room(in, bytes, now_s) >= 0;
	if (in->config->spool.pause)
		intake_set_paused(in, !done && errno == ENOSPC);
	if (done) {
		draft = books_draft(&in->books, &shaped->account);
		done = intake_commit(in, &batch, &draft, now_s) == 0;
	}
	more = !roomy && errno == EAGAIN;
	if (!in->paused && !more)
		intake_set_stuck(in, roomy ? INTAKE_SEAL : INTAKE_ROOM, !done);
	if (!done)
		source_restore(source, &before, now_ms,
			       more ? 0 : INTAKE_RETRY_MS);
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

	switch (intake_make(in, source, now_s)) {
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
