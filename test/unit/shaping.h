/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SHAPING_H
#define UNIT_SHAPING_H

/*
 * shaping - runs a whole file through shape, block after block
 *
 *	shaping_init(&run);		settings that depend on nothing outside
 *	run.settings.delay = false; ...
 *	shaping_run(&run, bytes, cut);	"cut" bytes more at each call; 0: all
 *	run.json, run.account, ...	of all blocks together
 *	shaping_release(&run);
 *
 * Each block is checked on the way: its account agrees, it moves on, and its
 * lines are JSON with all that the service requires of their type, the same
 * that yajl writes (judge.h).
 */

#include "acct/shape.h"
#include "base/buf.h"

struct shaping {
	struct settings settings;
	int64_t sealed_s;
	const char *columns; /* for a file without header; NULL: none */
	size_t limit;	     /* shape_limit() */
	struct buf json, malformed, notes;
	uint64_t left_out;
	struct account account;
	size_t blocks;
	int64_t consumed, oldest_s;
	enum shape_status status; /* the last one */
	struct shape_file file;
};

void shaping_init(struct shaping *run);
void shaping_release(struct shaping *run);
void shaping_run(struct shaping *run, struct slice bytes, size_t cut);

/* Of a string; the whole at once. */
void shaping_text(struct shaping *run, const char *text);

/*
 * The n-th event's attribute as text, "(none)" if it has none, "(no event)"
 * behind the last; good until the next call.
 */
const char *shaping_value(const struct shaping *run, size_t n,
			  const char *attribute);
size_t shaping_events(const struct shaping *run);

#endif /* UNIT_SHAPING_H */
