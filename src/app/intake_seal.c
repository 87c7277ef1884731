/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "app/intake_private.h"
#include "app/rows.h"
#include "base/log.h"

/*
 * A block is made and its position moves on (intake_group.c); its account is
 * put into a draft of the books, and the spool commits batch and checkpoint
 * together.  When that fails, the draft is dropped and the position put back,
 * so memory says what the disk says; the rows are where they always were, in
 * the accounting file.
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

int intake_commit(struct intake *in, struct books_draft *draft, int64_t now_s)
{
	size_t staged = spool_staged(in->spool);
	struct slice text =
		books_text(&in->books, draft, in->sources,
			   spool_next_seq(in->spool) - 1, staged, now_s);
	int status = -1;

	if (text.len)
		status = staged ? spool_commit(in->spool, text)
				: spool_save(in->spool, text);
	else
		spool_unstage(in->spool);
	sources_set_seq(in->sources, spool_next_seq(in->spool));
	if (status < 0) {
		books_drop(draft);
		return -1;
	}
	books_keep(&in->books, draft, in->spool);
	in->dirty = false;
	return 0;
}

void intake_settle(struct intake *in)
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
	if (intake_commit(in, &draft, now_s) < 0) {
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
	    intake_kept_has(in, at->id.ino, batch->from, batch->to))
		return;
	buf_reset(&in->lines);
	rows_name(buf_slice(&batch->malformed), at->path, &in->lines);
	if (spool_add_rows(in->spool, buf_slice(&in->lines)) == 0)
		intake_kept_add(in, at->id.ino, batch->from, batch->to);
	else if (!in->stuck)
		log_warn("spool: cannot keep malformed rows in "
			 "refused/rows.csv; they are counted");
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

	intake_kept_drop(in, source_position(source)->id.ino, shaped->from);
	block_measure(in->block, source);
	source_advance(source, shaped->to, &shaped->file, &shaped->account,
		       now_s);
	account_merge(&in->books.ledger.account, &shaped->account);
	intake_dirty(in, now_ms);
	intake_say_notes(in, source_position(source)->path, shaped);
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
	if (block_gz(in->block).len)
		intake_group_add(in, source, now_ms, now_s);
	else
		intake_pass(in, source, now_ms, now_s);
}

void intake_block(struct intake *in, struct source *source, int64_t now_ms,
		  int64_t now_s)
{
	enum block_status status = intake_make(in, source, now_s);
	bool batch = status == BLOCK_MADE && block_gz(in->block).len;
	const char *path;

	if (!batch && !intake_group_settle(in, source, now_ms, now_s))
		return;
	path = source_position(source)->path;
	switch (status) {
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
