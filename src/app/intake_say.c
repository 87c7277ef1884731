/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "app/intake_private.h"
#include "base/log.h"
#include "base/when.h"

enum { INTAKE_CODES = 64 }; /* unknown types that are said once each */

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

void intake_say_events(struct intake *in, int64_t now_ms)
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

void intake_say_notes(struct intake *in, const char *path,
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

void intake_say_evicted(const struct spool_evicted *gone)
{
	char oldest[WHEN_TEXT];

	when_format(gone->oldest_s, oldest);
	if (gone->expired)
		log_warnx("spool: removed %llu batches with %llu events that "
			  "were too old to be sent, for lack of room",
			  (unsigned long long)gone->batches,
			  (unsigned long long)gone->events);
	else
		log_errorx("spool: evicted %llu batches with %llu events (%llu "
			   "bytes), the oldest from %s, for lack of room: "
			   "they will be read again when there is some",
			   (unsigned long long)gone->batches,
			   (unsigned long long)gone->events,
			   (unsigned long long)gone->bytes, oldest);
}

void intake_say_sealed(const struct intake *in,
		       const struct intake_member *member)
{
	const struct batch *batch = &member->batch;

	if (in->config->verbose)
		log_info("spool: sealed: %s: bytes %lld to %lld: %llu rows, "
			 "%llu events, %llu bytes",
			 source_position(member->source)->path,
			 (long long)batch->from, (long long)batch->to,
			 (unsigned long long)member->rows,
			 (unsigned long long)batch_events(batch),
			 (unsigned long long)batch->bytes);
}

void intake_set_paused(struct intake *in, bool paused)
{
	int saved = errno;

	if (paused && !in->paused)
		log_warnx("spool: %s is full: reading pauses until there is "
			  "room (spool.on_full: pause); rows wait in the "
			  "accounting files",
			  in->config->spool.directory);
	if (!paused && in->paused)
		log_info("spool: there is room again in %s: reading goes on",
			 in->config->spool.directory);
	in->paused = paused;
	errno = saved;
}

/* A checkpoint that can be saved says nothing about a batch, as long as there
 * is one to be sealed. */
static bool say_other_work(const struct intake *in, enum intake_work work)
{
	return work == INTAKE_SAVE && in->stuck_at != INTAKE_SAVE &&
	       sources_unread(in->sources);
}

void intake_set_stuck(struct intake *in, enum intake_work work, bool stuck)
{
	static const char *const what[] = {
		[INTAKE_SAVE] = "save the checkpoint",
		[INTAKE_SEAL] = "seal a batch",
		[INTAKE_ROOM] = ("seal a batch within spool.min_free_space and "
				 "spool.max_size"),
	};
	int saved = errno;

	if (stuck && !in->stuck)
		log_error("spool: cannot %s in %s; reading stops, nothing is "
			  "lost, trying again every %d s",
			  what[work], in->config->spool.directory,
			  INTAKE_RETRY_MS / 1000);
	if (!stuck && in->stuck && (in->refused || say_other_work(in, work)))
		return;
	if (!stuck && in->stuck)
		log_info("spool: writing to %s works again",
			 in->config->spool.directory);
	if (stuck)
		in->stuck_at = work;
	in->stuck = stuck;
	errno = saved;
}
