/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/intake.h"

#include <errno.h>

#include "app/block.h"
#include "app/books.h"
#include "app/lost.h"
#include "app/rows.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * A block is made, its position and account are put into a draft of the books,
 * and the spool commits batch and checkpoint together.  When that fails, the
 * draft is dropped and the position put back, so memory says what the disk
 * says; the rows are where they always were, in the accounting file.
 */

enum {
	INTAKE_CODES = 64,	    /* unknown types that are said once each */
	INTAKE_ROOM_MS = 5000,	    /* how often room is looked at when idle */
	INTAKE_ROOM_SLACK = 1 << 20 /* for the checkpoint, beside a batch */
};

struct intake {
	const struct config *config;
	struct spool *spool;
	struct sources *sources;
	struct block *block;
	struct books books;
	struct lost *lost; /* rows of refused events, to be found */

	bool dirty; /* something is in memory that no checkpoint says */
	int64_t dirty_ms;
	bool stuck; /* the disk refused the last commit */
	int64_t room_ms;
	uint64_t scans;
	struct buf lines;   /* for rows.csv */
	struct tally codes; /* unknown row types that were said */
	/* The block whose malformed rows were kept last, so that a commit that
	 * is tried again does not keep them again. */
	uint64_t kept_ino;
	int64_t kept_from;
};

static struct sources *intake_sources(const struct config *config, bool fresh)
{
	struct sources_limits limits = {
		.max_delay_ms = config->batch_max_delay_ms,
		.close_after_ms = 60000,
		.rescan_ms = 60000,
		.block_bytes = (int64_t)config->events.max_events * 256,
		.max_open = 64};

	return sources_new(config->sources, config->sources_count, &limits,
			   fresh);
}

struct intake *intake_new(const struct config *config, struct spool *spool,
			  const struct spool_found *found, int64_t now_ms,
			  int64_t now_s)
{
	struct intake *in = mem_zero(1, sizeof(*in));

	in->config = config;
	in->spool = spool;
	in->sources = intake_sources(config, found->fresh);
	in->block = block_new(config);
	in->lost = lost_new();
	in->kept_from = -1;
	buf_init(&in->lines, 8 << 20);
	books_open(&in->books, &found->checkpoint, now_s);
	sources_adopt(in->sources, found->checkpoint.positions,
		      found->checkpoint.positions_count);
	for (size_t i = 0; i < found->beyond_count; i++) {
		const struct batch *b = &found->beyond[i];

		sources_advance_to(in->sources, &b->source, b->to,
				   b->header_offset, b->skipping);
	}
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
	block_free(&in->block);
	lost_free(&in->lost);
	books_close(&in->books);
	buf_release(&in->lines);
	tally_release(&in->codes);
	mem_free(in);
	*intake = NULL;
}

static void intake_dirty(struct intake *in, int64_t now_ms)
{
	if (!in->dirty)
		in->dirty_ms = now_ms;
	in->dirty = true;
}

void intake_configure(struct intake *in, const struct config *config,
		      int64_t now_ms, int64_t now_s)
{
	struct sources *sources = intake_sources(config, false);
	size_t count = sources_count(in->sources);
	struct position *positions = mem_zero(count, sizeof(*positions));

	for (size_t i = 0; i < count; i++) {
		position_init(&positions[i]);
		position_copy(&positions[i],
			      source_position(sources_get(in->sources, i)));
	}
	sources_adopt(sources, positions, count);
	for (size_t i = 0; i < count; i++)
		position_release(&positions[i]);
	mem_free(positions);
	sources_free(&in->sources);
	in->sources = sources;
	block_free(&in->block);
	in->block = block_new(config);
	in->config = config;
	intake_rescan(in, now_ms, now_s);
}

/* --- What is said --- */

static void intake_say_event(const struct sources_event *e, bool verbose)
{
	switch (e->kind) {
	case SOURCES_FOUND:
		if (verbose)
			log_info("follow: found: %s: %lld bytes", e->path,
				 (long long)e->bytes);
		break;
	case SOURCES_FINISHED:
		if (verbose)
			log_info("follow: finished: %s: %lld bytes", e->path,
				 (long long)e->bytes);
		break;
	case SOURCES_RENAMED:
		if (verbose)
			log_info("follow: renamed: %s: was %s", e->path,
				 e->detail);
		break;
	case SOURCES_TRUNCATED:
		log_warnx("follow: truncated: %s: it is shorter than the %lld "
			  "bytes read before; reading it from its start",
			  e->path, (long long)e->bytes);
		break;
	case SOURCES_REPLACED:
		log_info(
			"follow: replaced: %s: another file has this name now; "
			"reading it from its start",
			e->path);
		break;
	case SOURCES_REWRITTEN:
		log_warnx("follow: rewritten: %s: the bytes before offset %lld "
			  "are not those read before; reading it from its "
			  "start",
			  e->path, (long long)e->bytes);
		break;
	case SOURCES_GONE:
		if (e->detail && e->detail[0])
			log_warnx("follow: gone: %s: %s", e->path, e->detail);
		else if (verbose)
			log_info("follow: gone: %s: it was read to its end",
				 e->path);
		break;
	case SOURCES_UNREADABLE:
		log_warnx("follow: cannot read: %s: %s; trying again", e->path,
			  e->detail);
		break;
	case SOURCES_READABLE:
		log_info("follow: can be read again: %s", e->path);
		break;
	case SOURCES_NOT_A_FILE:
		log_warnx("follow: ignored: %s: not a regular file", e->path);
		break;
	}
}

/* What happens to a file is status's business as well. */
static void intake_say_events(struct intake *in, int64_t now_ms)
{
	struct sources_event event;

	while (sources_event(in->sources, &event)) {
		intake_say_event(&event, in->config->verbose);
		intake_dirty(in, now_ms);
	}
}

static void intake_say_code(struct intake *in, const char *path,
			    const struct shape_note *note)
{
	struct slice code = slice_str(note->text);

	if (tally_get(&in->codes, code) || in->codes.count >= INTAKE_CODES)
		return;
	tally_add(&in->codes, code, 1);
	log_warnx("shape: rows of unknown type \"%s\" are skipped: %s: first "
		  "at offset %lld",
		  note->text, path, (long long)note->offset);
}

static void intake_say_notes(struct intake *in, const char *path,
			     const struct shape_batch *batch)
{
	for (size_t i = 0; i < batch->notes_count; i++) {
		const struct shape_note *note = &batch->notes[i];

		if (note->kind == SHAPE_NOTE_UNKNOWN_TYPE)
			intake_say_code(in, path, note);
		if (note->kind == SHAPE_NOTE_NO_FROM)
			log_warnx("shape: %s logs no From header, so filters "
				  "are asked with the bounce domain: add "
				  "header_From to record-fields",
				  path);
		if (note->kind == SHAPE_NOTE_EXPIRED)
			log_warnx("shape: %s has events older than "
				  "events.max_age, which the service would "
				  "refuse: not sent, counted as expired: first "
				  "at offset %lld",
				  path, (long long)note->offset);
	}
}

/* --- Commits --- */

static int intake_make_room(struct intake *in, uint64_t bytes, int64_t now_s)
{
	struct spool_evicted gone = {0};
	int status = spool_make_room(in->spool, bytes, now_s, &gone);

	if (!gone.batches)
		return status;
	in->dirty = true;
	if (gone.expired)
		log_warnx("spool: removed %llu batches with %llu events that "
			  "were too old to be sent, for lack of room",
			  (unsigned long long)gone.batches,
			  (unsigned long long)gone.events);
	else
		log_errorx("spool: evicted %llu batches with %llu events (%llu "
			   "bytes), the oldest from %lld, for lack of room: "
			   "reports will have a hole",
			   (unsigned long long)gone.batches,
			   (unsigned long long)gone.events,
			   (unsigned long long)gone.bytes,
			   (long long)gone.oldest_s);
	return status;
}

/* The disk refused a commit, or took one again.  Keeps errno. */
static void intake_set_stuck(struct intake *in, bool stuck, const char *what)
{
	int saved = errno;

	if (stuck && !in->stuck)
		log_error("spool: cannot %s in %s; reading stops, nothing is "
			  "lost, trying again every %d s",
			  what, in->config->spool.directory,
			  INTAKE_RETRY_MS / 1000);
	if (!stuck && in->stuck)
		log_info("spool: writing to %s works again",
			 in->config->spool.directory);
	in->stuck = stuck;
	errno = saved;
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
	       intake_commit(in, bytes ? &batch : NULL, &shaped->account,
			     now_s) == 0;
	intake_set_stuck(in, !done, "seal a batch");
	if (!done)
		source_restore(source, &before, now_ms, INTAKE_RETRY_MS);
	position_release(&before);
	return done;
}

static void intake_say_sealed(struct intake *in, struct source *source)
{
	const struct shape_batch *shaped = block_batch(in->block);

	if (in->config->verbose && shaped->json.len)
		log_info("spool: sealed: %s: bytes %lld to %lld: %llu rows, "
			 "%llu events, %zu bytes",
			 source_position(source)->path, (long long)shaped->from,
			 (long long)shaped->to,
			 (unsigned long long)shaped->account.rows,
			 (unsigned long long)account_events(&shaped->account),
			 block_gz(in->block).len);
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
	if (!intake_seal(in, source, now_ms, now_s))
		return;
	intake_say_notes(in, source_position(source)->path, shaped);
	intake_say_sealed(in, source);
}

static void intake_block(struct intake *in, struct source *source,
			 int64_t now_ms, int64_t now_s)
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

/* Look after the spool: room while batches wait, and old sent ones. */
static int64_t intake_housekeep(struct intake *in, int64_t now_ms,
				int64_t now_s)
{
	struct spool_totals totals;

	spool_totals(in->spool, &totals);
	if (!totals.batches && !in->config->spool.keep_sent_s)
		return INT64_MAX;
	if (now_ms >= in->room_ms) {
		in->room_ms = now_ms + INTAKE_ROOM_MS;
		intake_make_room(in, 0, now_s);
		spool_clean(in->spool, now_s);
	}
	return in->room_ms - now_ms;
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

int64_t intake_step(struct intake *in, int64_t now_ms, int64_t now_s)
{
	struct source *source;
	int64_t wait;

	for (int i = 0; i < INTAKE_TURN; i++) {
		source = sources_due(in->sources, now_ms);
		if (!source)
			break;
		intake_block(in, source, now_ms, now_s);
	}
	lost_find(in->lost, in->config, in->sources, in->spool);
	wait = intake_save_in_time(in, now_ms, now_s);
	wait = intake_least(wait, intake_housekeep(in, now_ms, now_s));
	if (sources_rescan_due(in->sources, now_ms))
		intake_rescan(in, now_ms, now_s);
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
	return sources_unread(in->sources);
}

void intake_flush(struct intake *in)
{
	sources_flush(in->sources);
}

bool intake_stuck(const struct intake *in)
{
	return in->stuck;
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
