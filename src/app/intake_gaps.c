/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/intake_private.h"
#include "base/crash.h"
#include "base/fs.h"
#include "base/log.h"

/*
 * What was evicted is read again from the accounting file when there is room:
 * the same bytes make the same events with the same ids.  The rows had their
 * account when they were read first, so only events are counted: as healed, and
 * waiting again.  The part of the gap that a batch covers is closed by the
 * checkpoint that is committed with the batch, so no crash heals it twice.
 *
 * Room means more than the limits ask for, and none of it taken back lately, or
 * what is healed now would be evicted next.
 */

enum {
	HEAL_REST_MS = 10000, /* after an eviction */
	HEAL_ROOM_MS = 5000,  /* until room is looked for again */
	HEAL_RETRY_MS = 60000 /* until a file is tried again */
};

static const char *heal_path(const struct intake *in, const struct gap *gap)
{
	const struct source *source =
		sources_numbered(in->sources, gap->number);

	return source ? source_position(source)->path : "a forgotten file";
}

/* --- Giving up --- */

static void heal_lapse(struct intake *in, int64_t now_ms, int64_t now_s)
{
	struct ledger *ledger = &in->books.ledger;
	int64_t max_age_s = in->config->events.max_age_s;
	size_t count = ledger->gaps.count;
	uint64_t events, gone;

	if (max_age_s <= 0)
		return;
	events = gaps_drop_older(&ledger->gaps, now_s - max_age_s, &gone);
	if (ledger->gaps.count == count)
		return;
	ledger->lapsed_events += events;
	ledger->unreadable_events += gone;
	intake_dirty(in, now_ms);
	log_errorx("spool: %" PRIu64 " evicted events are too old now to be "
		   "read again: they are lost to reports",
		   events + gone);
}

static void heal_give_up(struct intake *in, size_t i, const char *why,
			 int64_t now_ms)
{
	struct ledger *ledger = &in->books.ledger;
	const struct gap *gap = &ledger->gaps.items[i];

	log_errorx("spool: cannot heal: %s: bytes %" PRId64 " to %" PRId64
		   ": %s: %" PRIu64 " events are lost to reports",
		   heal_path(in, gap), gap->from, gap->to, why, gap->events);
	ledger->unreadable_events += gaps_drop(&ledger->gaps, i);
	intake_dirty(in, now_ms);
}

/* --- Reading again --- */

static int heal_open(struct intake *in, const struct gap *gap,
		     struct shape_file *file)
{
	struct sources_part part = {.number = gap->number,
				    .seq = gap->seq,
				    .id = gap->source,
				    .to = gap->to,
				    .header_offset = gap->before.header_offset,
				    .skipping = gap->before.skipping};

	return sources_reopen(in->sources, &part, file);
}

/* It cannot be opened now, or not any more. */
static void heal_unopened(struct intake *in, size_t i, int64_t now_ms)
{
	struct gap *gap = &in->books.ledger.gaps.items[i];
	int error = errno;

	if (error == ESTALE) {
		heal_give_up(in, i, "other bytes stand there now", now_ms);
		return;
	}
	/* Without a limit of age it would be tried for ever. */
	if (error == ENOENT && in->config->events.max_age_s <= 0) {
		heal_give_up(in, i, "the file is gone", now_ms);
		return;
	}
	if (!gap->retry_ms)
		log_warn("spool: cannot read %s again, which was evicted "
			 "(%" PRIu64 " events); trying until they are too old",
			 heal_path(in, gap), gap->events);
	gap->gone = error == ENOENT;
	gap->retry_ms = now_ms + HEAL_RETRY_MS;
}

static void heal_fill(struct intake *in, const struct gap *gap,
		      struct batch *batch, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);

	intake_fill(in, shaped, batch, now_s);
	batch->source = gap->source;
	batch->number = gap->number;
	batch->before = gap->before;
}

/* The ledger with this part of the gap closed; what its file gets to know. */
static struct books_draft heal_draft(struct intake *in, size_t i,
				     struct position_credit *file_out)
{
	const struct shape_batch *shaped = block_batch(in->block);
	struct batch_edge edge = intake_edge(&shaped->file);
	struct books_draft draft = books_draft(&in->books, NULL);
	struct gaps_read read = {.made = account_events(&shaped->account),
				 .repeats = shaped->repeats};
	struct gaps_outcome outcome;

	for (int type = 0; type < EVENT_TYPES; type++)
		read.expired += shaped->account.expired[type];
	*file_out = (struct position_credit){
		.number = draft.ledger.gaps.items[i].number,
		.fate = {.healed = read.made}};
	outcome = gaps_move(&draft.ledger.gaps, i, shaped->to, &edge, &read);
	draft.ledger.healed_events += outcome.healed;
	draft.ledger.lapsed_events += outcome.lapsed;
	/* Wraps around where it is less than nothing. */
	draft.ledger.repeated_events += (uint64_t)outcome.repeated;
	return draft;
}

/* Take back what a file was credited: sums wrap around. */
static void heal_uncredit(struct intake *in, struct position_credit *file)
{
	file->fate.healed = 0 - file->fate.healed;
	sources_credit(in->sources, file);
}

static bool heal_seal(struct intake *in, size_t i, int64_t now_s)
{
	const struct gap *gap = &in->books.ledger.gaps.items[i];
	struct position_credit file;
	struct books_draft draft;
	struct batch batch;

	heal_fill(in, gap, &batch, now_s);
	draft = heal_draft(in, i, &file);
	sources_credit(in->sources, &file);
	crash_point("heal.shaped");
	if (spool_stage(in->spool, &batch, block_gz(in->block)) < 0) {
		books_drop(&draft);
	} else if (intake_commit(in, &draft, now_s) == 0) {
		crash_point("heal.sealed");
		return true;
	}
	heal_uncredit(in, &file);
	return false;
}

/* Nothing of it can be sent any more. */
static void heal_pass(struct intake *in, size_t i, int64_t now_ms)
{
	struct position_credit file;
	struct books_draft draft = heal_draft(in, i, &file);

	ledger_release(&in->books.ledger);
	in->books.ledger = draft.ledger;
	intake_dirty(in, now_ms);
}

static void heal_made(struct intake *in, size_t i, int64_t now_ms,
		      int64_t now_s)
{
	const struct gap before = in->books.ledger.gaps.items[i];
	const struct shape_batch *shaped = block_batch(in->block);
	char path[512];

	snprintf(path, sizeof(path), "%s", heal_path(in, &before));
	if (shaped->to <= shaped->from) {
		heal_give_up(in, i, "no rows stand there", now_ms);
		return;
	}
	if (!block_gz(in->block).len) {
		heal_pass(in, i, now_ms);
	} else if (!heal_seal(in, i, now_s)) {
		in->heal_ms = now_ms + HEAL_ROOM_MS;
		return;
	}
	if (in->config->verbose || shaped->to >= before.to)
		log_info("spool: healed: %s: bytes %" PRId64 " to %" PRId64
			 ": %" PRIu64 " of %" PRIu64
			 " events are waiting again",
			 path, shaped->from, shaped->to,
			 account_events(&shaped->account), before.events);
}

static void heal_block(struct intake *in, size_t i, int64_t now_ms,
		       int64_t now_s)
{
	struct gap *gap = &in->books.ledger.gaps.items[i];
	struct shape_file file;
	struct block_part part = {.from = gap->from,
				  .to = gap->to,
				  .file = &file,
				  .bytes = block_bytes(in->config),
				  .repeat = true};

	shape_file_init(&file);
	part.fd = heal_open(in, gap, &file);
	if (part.fd < 0) {
		heal_unopened(in, i, now_ms);
		shape_file_release(&file);
		return;
	}
	in->block = in->own;
	switch (block_read_part(in->block, &part, now_s)) {
	case BLOCK_MADE:
		heal_made(in, i, now_ms, now_s);
		break;
	case BLOCK_NO_HEADER:
		heal_give_up(in, i, "its header is not known", now_ms);
		break;
	case BLOCK_TOO_LARGE:
		heal_give_up(in, i, "a row makes more than batch.max_bytes",
			     now_ms);
		break;
	case BLOCK_UNREADABLE:
		heal_unopened(in, i, now_ms);
		break;
	}
	fs_close(&part.fd);
	shape_file_release(&file);
}

int64_t intake_heal(struct intake *in, int64_t now_ms, int64_t now_s)
{
	const struct gaps *gaps = &in->books.ledger.gaps;
	uint64_t bytes = (uint64_t)in->config->batch_max_bytes;
	int64_t due;
	long i;

	in->healing = false;
	if (in->evicted)
		in->heal_ms = now_ms + HEAL_REST_MS;
	in->evicted = false;
	if (!gaps->count)
		return INT64_MAX;
	heal_lapse(in, now_ms, now_s);
	if (now_ms < in->heal_ms)
		return in->heal_ms - now_ms;
	i = gaps_next(gaps, now_ms);
	if (i < 0) {
		due = gaps_due_ms(gaps);
		return due == INT64_MAX ? due : due - now_ms;
	}
	if (gaps->items[i].bytes < bytes)
		bytes = gaps->items[i].bytes;
	if (!spool_is_roomy(in->spool, bytes)) {
		in->heal_ms = now_ms + HEAL_ROOM_MS;
		return HEAL_ROOM_MS;
	}
	heal_block(in, (size_t)i, now_ms, now_s);
	in->healing = now_ms >= in->heal_ms;
	return 0;
}
