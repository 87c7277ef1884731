/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/intake_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* How often room is looked at while batches wait, and sent ones for age. */
enum {
	INTAKE_ROOM_MS = 5000,
	INTAKE_CLEAN_MS = 60000,
	INTAKE_EVICTING_MS = 60000
};

static struct sources *intake_sources(const struct config *config, bool fresh)
{
	struct sources_limits limits = {.max_delay_ms =
						config->batch_max_delay_ms,
					.close_after_ms = 60000,
					.rescan_ms = 60000,
					.block_bytes = block_bytes(config),
					.max_open = 64};

	return sources_new(config->sources, config->sources_count, &limits,
			   fresh);
}

/* What makes blocks is built for a configuration. */
static void intake_tool(struct intake *in)
{
	in->own = in->block = block_new(in->config);
	in->crew = crew_new(in->config);
}

static void intake_untool(struct intake *in)
{
	crew_free(&in->crew);
	block_free(&in->own);
	in->block = NULL;
}

struct intake *intake_new(const struct config *config, struct spool *spool,
			  const struct spool_found *found, int64_t now_ms,
			  int64_t now_s)
{
	struct intake *in = mem_zero(1, sizeof(*in));

	in->config = config;
	in->spool = spool;
	in->sources = intake_sources(config, found->fresh);
	intake_tool(in);
	in->lost = lost_new();
	buf_init(&in->lines, 8 << 20);
	books_open(&in->books, &found->checkpoint, now_s);
	sources_set_seq(in->sources, spool_next_seq(spool));
	sources_adopt(in->sources, found->checkpoint.positions,
		      found->checkpoint.positions_count,
		      found->checkpoint.numbers);
	for (size_t i = 0; i < found->beyond_count; i++) {
		const struct batch *b = &found->beyond[i];
		struct sources_beyond beyond = {.id = b->source,
						.number = b->number,
						.to = b->to,
						.header_offset =
							b->after.header_offset,
						.skipping = b->after.skipping};

		sources_advance_to(in->sources, &beyond);
	}
	books_credit(&in->books, in->sources);
	/* The next start is not the first one, which may skip what is there. */
	in->dirty = found->fresh || found->beyond_count > 0;
	in->dirty_ms = found->fresh ? now_ms - INTAKE_SAVE_MS : now_ms;
	intake_rescan(in, now_ms, now_s);
	return in;
}

void intake_free(struct intake **intake)
{
	struct intake *in = *intake;

	if (!in)
		return;
	sources_free(&in->sources);
	intake_untool(in);
	lost_free(&in->lost);
	books_close(&in->books);
	buf_release(&in->lines);
	tally_release(&in->codes);
	mem_free(in);
	*intake = NULL;
}

void intake_dirty(struct intake *in, int64_t now_ms)
{
	if (!in->dirty)
		in->dirty_ms = now_ms;
	in->dirty = true;
}

void intake_configure(struct intake *in, const struct config *config,
		      int64_t now_ms, int64_t now_s)
{
	struct sources *sources = intake_sources(config, false);

	sources_set_seq(sources, spool_next_seq(in->spool));
	sources_inherit(sources, in->sources);
	sources_free(&in->sources);
	in->sources = sources;
	books_forget(&in->books);
	intake_untool(in);
	/* What was refused is tried at once. */
	in->refused = false;
	in->config = config;
	intake_tool(in);
	intake_rescan(in, now_ms, now_s);
}

/* --- Rows of refused events --- */

void intake_refused(struct intake *in, const struct batch *batch,
		    struct slice json)
{
	lost_add(in->lost, batch, json);
}

/* --- The step --- */

static int64_t intake_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Sent batches go when spool.keep_sent is over, or up to a minute later. */
static int64_t intake_clean(struct intake *in, bool waiting, int64_t now_ms,
			    int64_t now_s)
{
	int64_t keep_s = in->config->spool.keep_sent_s;

	if (!keep_s && !waiting)
		return INT64_MAX;
	if (now_ms >= in->clean_ms) {
		in->clean_ms = now_ms + INTAKE_CLEAN_MS;
		if (keep_s && keep_s < INTAKE_CLEAN_MS / 1000)
			in->clean_ms = now_ms + keep_s * 1000;
		spool_clean(in->spool, now_s);
	}
	return in->clean_ms - now_ms;
}

/* Look after the spool: room while batches wait, and old sent ones. */
static int64_t intake_housekeep(struct intake *in, int64_t now_ms,
				int64_t now_s)
{
	struct spool_totals totals;
	int64_t clean;

	spool_totals(in->spool, &totals);
	clean = intake_clean(in, totals.batches > 0, now_ms, now_s);
	if (!totals.batches) {
		if (in->alarm.on)
			intake_outlook(in, false, now_ms, now_s);
		pace_idle(&in->pace);
		return in->alarm.on ? intake_least(clean, INTAKE_ROOM_MS)
				    : clean;
	}
	if (now_ms >= in->room_ms) {
		in->room_ms = now_ms + INTAKE_ROOM_MS;
		if (intake_make_room(in, 0, now_s) < 0 && errno == EAGAIN)
			in->room_ms = now_ms; /* there is more to be done */
		intake_outlook(in, true, now_ms, now_s);
	}
	return intake_least(clean, in->room_ms - now_ms);
}

static int64_t intake_save_in_time(struct intake *in, int64_t now_ms,
				   int64_t now_s)
{
	if (spool_unsettled(in->spool))
		intake_dirty(in, now_ms);
	if (!in->dirty)
		return INT64_MAX;
	if (now_ms - in->dirty_ms < INTAKE_SAVE_MS)
		return INTAKE_SAVE_MS - (now_ms - in->dirty_ms);
	if (intake_save(in, now_s) == 0)
		return INT64_MAX;
	in->dirty_ms = now_ms + INTAKE_RETRY_MS - INTAKE_SAVE_MS;
	return INTAKE_RETRY_MS;
}

/* Seal what is due, a few groups at a time. */
static int64_t intake_blocks(struct intake *in, int64_t now_ms, int64_t now_s)
{
	if (in->paused && in->config->spool.pause &&
	    !spool_has_room(in->spool, block_gz(in->block).len + 1))
		return INTAKE_RETRY_MS;
	intake_set_paused(in, false);
	in->refused = in->refused && now_ms < in->again_ms;
	for (int turns = 0; turns < INTAKE_TURN;) {
		struct source *source = sources_due(in->sources, now_ms);
		size_t count = in->group.count;
		bool again;

		if (!source)
			break;
		again = intake_group_has(in, source);
		intake_block(in, source, now_ms, now_s);
		/* Files that join a group are one turn, but for their further
		 * blocks. */
		turns += again || in->group.count != count + 1;
	}
	intake_group_commit(in, now_ms, now_s);
	return INT64_MAX;
}

/* What status says of the room in the spool. */
static void intake_room(struct intake *in, int64_t now_ms)
{
	char *room = in->books.process.room;
	const char *now = "ok";

	if (in->evicted)
		in->evicting_ms = now_ms + INTAKE_EVICTING_MS;
	if (in->paused)
		now = "paused";
	else if (in->stuck)
		now = "full";
	else if (now_ms < in->evicting_ms)
		now = "evicting";
	if (strcmp(room, now) == 0)
		return;
	snprintf(room, sizeof(in->books.process.room), "%s", now);
	intake_dirty(in, now_ms);
}

int64_t intake_step(struct intake *in, int64_t now_ms, int64_t now_s)
{
	int64_t wait = intake_blocks(in, now_ms, now_s), heal;

	intake_room(in, now_ms);
	heal = intake_heal(in, now_ms, now_s);
	lost_find(in->lost, in->config, in->sources, in->spool);
	wait = intake_least(wait, heal);
	wait = intake_least(wait, intake_save_in_time(in, now_ms, now_s));
	wait = intake_least(wait, intake_housekeep(in, now_ms, now_s));
	if (sources_rescan_due(in->sources, now_ms))
		intake_rescan(in, now_ms, now_s);
	if (in->paused)
		return intake_least(wait, INTAKE_RETRY_MS);
	return intake_least(wait, sources_next_ms(in->sources, now_ms));
}

void intake_notice(struct intake *in, const char *directory, const char *name,
		   int64_t now_ms, int64_t now_s)
{
	sources_notice(in->sources, directory, name, now_ms, now_s);
	intake_say_events(in, now_ms);
}

void intake_rescan(struct intake *in, int64_t now_ms, int64_t now_s)
{
	sources_rescan(in->sources, now_ms, now_s);
	in->scans++;
	intake_say_events(in, now_ms);
}

uint64_t intake_scans(const struct intake *in)
{
	return in->scans;
}

const char *intake_directory(const struct intake *in, size_t i)
{
	return sources_directory(in->sources, i);
}

bool intake_pending(const struct intake *in)
{
	return !in->paused && sources_pending(in->sources);
}

void intake_flush(struct intake *in)
{
	sources_flush(in->sources);
}

bool intake_stuck(const struct intake *in)
{
	return in->stuck;
}

bool intake_settled(const struct intake *in)
{
	return !spool_unsettled(in->spool);
}

bool intake_healing(const struct intake *in)
{
	return in->healing;
}

bool intake_paused(const struct intake *in)
{
	return in->paused;
}

bool intake_done(struct intake *in, int64_t now_ms)
{
	return !in->stuck && !sources_due(in->sources, now_ms);
}

void intake_uploads(struct intake *in, const struct delivery_state *state,
		    int64_t now_ms)
{
	if (books_uploads(&in->books, state))
		intake_dirty(in, now_ms);
}

void intake_summary(struct intake *in, struct buf *out)
{
	const struct ledger *ledger = &in->books.ledger;
	struct spool_totals totals;

	spool_totals(in->spool, &totals);
	buf_addf(out,
		 "%zu files, %llu rows read, %llu events made, %llu sent, "
		 "%llu waiting in %llu batches",
		 sources_count(in->sources),
		 (unsigned long long)ledger->account.rows,
		 (unsigned long long)account_events(&ledger->account),
		 (unsigned long long)ledger->sent_events,
		 (unsigned long long)totals.events,
		 (unsigned long long)totals.batches);
}
