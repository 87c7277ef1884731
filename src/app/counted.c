/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/counted.h"

#include <fnmatch.h>
#include <inttypes.h>

#include "app/intake_private.h"
#include "base/log.h"
#include "base/mem.h"
#include "follow/pmta_log.h"

struct counted_log {
	struct pmta_log *log;
	bool said; /* that it cannot be read */
};

struct counted {
	const struct config *config;
	struct counted_log *logs; /* each path once */
	size_t count;
	size_t reading;	 /* the log that is being read; count: none */
	int64_t next_ms; /* not looked at before */
};

/* --- The logs --- */

static const char *counted_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The log of an entry, made when there is none; NULL: the entry has none. */
static struct pmta_log *counted_log(struct counted *c,
				    const struct source_settings *source)
{
	if (!source->pmta_log)
		return NULL;
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(pmta_log_path(c->logs[i].log), source->pmta_log) ==
		    0)
			return c->logs[i].log;
	}
	c->logs = mem_resize_array(c->logs, c->count + 1, sizeof(*c->logs));
	c->logs[c->count] =
		(struct counted_log){pmta_log_new(source->pmta_log), false};
	return c->logs[c->count++].log;
}

static void counted_release(struct counted *c)
{
	for (size_t i = 0; i < c->count; i++)
		pmta_log_free(&c->logs[i].log);
	mem_free(c->logs);
	c->logs = NULL;
	c->count = 0;
}

void counted_configure(struct counted *c, const struct config *config)
{
	counted_release(c);
	c->config = config;
	for (size_t i = 0; i < config->sources_count; i++) {
		struct pmta_log *log = counted_log(c, &config->sources[i]);

		if (log)
			pmta_log_want(log,
				      counted_base(config->sources[i].path));
	}
	c->reading = c->count;
	c->next_ms = INT64_MIN;
}

struct counted *counted_new(const struct config *config)
{
	struct counted *c = mem_zero(1, sizeof(*c));

	counted_configure(c, config);
	return c;
}

void counted_free(struct counted **counted)
{
	struct counted *c = *counted;

	if (!c)
		return;
	counted_release(c);
	mem_free(c);
	*counted = NULL;
}

/* --- A file --- */

/* Is there a log that would have it?  Then what it says, or -1. */
static bool counted_find(struct counted *c, const char *path,
			 int64_t *records_out)
{
	const char *name = counted_base(path);
	bool found = false;

	*records_out = -1;
	for (size_t i = 0; i < c->config->sources_count; i++) {
		const struct source_settings *s = &c->config->sources[i];

		if (s->pmta_log &&
		    fnmatch(s->path, path, FNM_PATHNAME | FNM_PERIOD) == 0) {
			*records_out =
				pmta_log_records(counted_log(c, s), name);
			return true;
		}
	}
	for (size_t i = 0; i < c->count && *records_out < 0; i++) {
		if (pmta_log_wants(c->logs[i].log, name)) {
			*records_out = pmta_log_records(c->logs[i].log, name);
			found = true;
		}
	}
	return found;
}

static bool counted_waits(struct counted *c, const struct position *at,
			  int64_t now_s)
{
	int64_t records;

	return (at->state == POSITION_FINISHED || at->state == POSITION_GONE) &&
	       at->pmta_rows == POSITION_PMTA_UNKNOWN &&
	       at->last_read_s > now_s - COUNTED_PATIENCE_S &&
	       counted_find(c, at->path, &records);
}

static bool counted_any_waits(struct counted *c, const struct intake *in,
			      int64_t now_s)
{
	for (size_t i = 0; i < sources_count(in->sources); i++) {
		struct source *source = sources_get(in->sources, i);

		if (counted_waits(c, source_position(source), now_s))
			return true;
	}
	return false;
}

static void counted_say(const struct counted *c, const struct position *at)
{
	if (at->account.rows != (uint64_t)at->pmta_rows)
		log_warnx("follow: differs: %s: PowerMTA counted %" PRId64
			  " records, %" PRIu64
			  " rows were read: keep the file, and see pmta_log in "
			  "sparktail.yaml(5)",
			  at->path, at->pmta_rows, at->account.rows);
	else if (c->config->verbose)
		log_info("follow: agrees: %s: PowerMTA counted %" PRId64
			 " records, as many rows were read",
			 at->path, at->pmta_rows);
}

static void counted_compare(struct counted *c, struct intake *in,
			    int64_t now_ms, int64_t now_s)
{
	for (size_t i = 0; i < sources_count(in->sources); i++) {
		struct source *source = sources_get(in->sources, i);
		const struct position *at = source_position(source);
		int64_t records;

		if (!counted_waits(c, at, now_s) ||
		    !counted_find(c, at->path, &records) || records < 0)
			continue;
		source_set_pmta_rows(source, records);
		intake_dirty(in, now_ms);
		counted_say(c, at);
	}
}

/* --- The step --- */

/* True when there is more of it.  Between two logs there may be none. */
static bool counted_read(struct counted_log *log)
{
	int more = pmta_log_read(log->log, COUNTED_TURN);

	if (more < 0 && !log->said)
		log_warn("follow: cannot read: %s: what PowerMTA counted is "
			 "not known",
			 pmta_log_path(log->log));
	log->said = more < 0;
	return more > 0;
}

/*
 * Called with everything that happens, so the files are looked at once in
 * COUNTED_EVERY_MS as well.  One that was finished since is met by the look
 * that the answer asks for.
 */
int64_t counted_step(struct counted *c, struct intake *in, int64_t now_ms,
		     int64_t now_s)
{
	if (!c->count)
		return INT64_MAX;
	if (c->reading == c->count) {
		if (now_ms < c->next_ms)
			return c->next_ms - now_ms;
		c->next_ms = now_ms + COUNTED_EVERY_MS;
		if (!counted_any_waits(c, in, now_s))
			return INT64_MAX;
		c->reading = 0;
	}
	if (!counted_read(&c->logs[c->reading]))
		c->reading++;
	if (c->reading < c->count)
		return 0;
	counted_compare(c, in, now_ms, now_s);
	return counted_any_waits(c, in, now_s) ? COUNTED_EVERY_MS : INT64_MAX;
}
