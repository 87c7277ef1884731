/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "follow/sources_private.h"

/*
 * Two things depend on the time alone: a block may become due, and a file may
 * become final, finished or gone.  The first is kept in each source as due_ms;
 * the second is looked at for all active ones at once when tick_ms comes.  A
 * backlog therefore costs the same for each block, however many files it has.
 */

void sources_tick_by(struct sources *sources, int64_t ms)
{
	int64_t soonest = sources->ticked_ms + SOURCES_TICK_MS;

	if (ms < soonest)
		ms = soonest;
	if (ms < sources->tick_ms)
		sources->tick_ms = ms;
}

static int turn_compare(const void *a, const void *b)
{
	const struct source *const *x = a, *const *y = b;

	return source_younger(*x, *y) ? 1 : -1;
}

void sources_activate(struct source *source)
{
	struct sources *s = source->all;

	if (source->active)
		return;
	if (s->active_count == s->active_cap) {
		s->active_cap = s->active_cap ? s->active_cap * 2 : 16;
		s->active = mem_resize_array(s->active, s->active_cap,
					     sizeof(*s->active));
	}
	s->active[s->active_count++] = source;
	source->active = s->active_count;
	s->unsorted = true;
}

void sources_deactivate(struct source *source)
{
	struct sources *s = source->all;

	if (!source->active)
		return;
	s->active[source->active - 1] = NULL;
	source->active = 0;
	s->holes++;
}

/* Close the holes, and put the oldest first. */
static void turn_order(struct sources *s)
{
	size_t kept = 0;

	if (!s->unsorted && s->holes * 2 <= s->active_count)
		return;
	for (size_t i = 0; i < s->active_count; i++) {
		if (s->active[i])
			s->active[kept++] = s->active[i];
	}
	s->active_count = kept;
	s->active_first = 0;
	s->holes = 0;
	if (s->unsorted && kept)
		qsort(s->active, kept, sizeof(*s->active), turn_compare);
	s->unsorted = false;
	for (size_t i = 0; i < kept; i++)
		s->active[i]->active = i + 1;
}

static void turn_find_newest(struct sources *s)
{
	bool lost = false;

	for (size_t i = 0; i < s->globs_count; i++) {
		if (s->globs[i].newest_lost)
			s->globs[i].newest = NULL;
		lost |= s->globs[i].newest_lost;
	}
	if (!lost)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct source *one = s->list[i];
		struct sources_glob *glob = &s->globs[one->setting];

		if (glob->newest_lost && one->named && one->bound &&
		    (!glob->newest || source_younger(one, glob->newest)))
			glob->newest = one;
	}
	for (size_t i = 0; i < s->globs_count; i++)
		s->globs[i].newest_lost = false;
}

static void turn_tick(struct sources *s)
{
	s->ticked_ms = s->now_ms;
	s->tick_ms = SOURCE_NEVER;
	for (size_t i = 0; i < s->active_count; i++) {
		if (s->active[i])
			sources_tick_by(s, source_look(s->active[i]));
	}
}

/* --- Whose turn is it --- */

static struct source *turn_newest(const struct sources *s)
{
	struct source *best = NULL;

	for (size_t i = 0; i < s->globs_count; i++) {
		struct source *one = s->globs[i].newest;

		if (one && one->due_ms <= s->now_ms &&
		    (!best || one->turn < best->turn))
			best = one;
	}
	return best;
}

static struct source *turn_oldest(struct sources *s)
{
	size_t width = (s->limits.max_open + 3) / 4, found = 0;
	struct source *best = NULL;

	while (s->active_first < s->active_count && !s->active[s->active_first])
		s->active_first++;
	for (size_t i = s->active_first; i < s->active_count && found < width;
	     i++) {
		struct source *one = s->active[i];

		if (!one || one->due_ms > s->now_ms ||
		    s->globs[one->setting].newest == one)
			continue;
		if (!best || one->turn < best->turn)
			best = one;
		found++;
	}
	return best;
}

static struct source *turn_next(struct sources *s)
{
	struct source *next = s->newest_next ? turn_newest(s) : turn_oldest(s);

	if (!next)
		next = s->newest_next ? turn_oldest(s) : turn_newest(s);
	return next;
}

static void turn_take(struct source *source)
{
	struct sources *s = source->all;

	source->turn = ++s->turns;
	s->newest_next = s->globs[source->setting].newest != source;
}

struct source *sources_due(struct sources *sources, int64_t now_ms)
{
	struct source *source = sources->current;

	sources_clock_ms(sources, now_ms);
	sources->current = NULL;
	turn_find_newest(sources);
	if (source)
		sources_tick_by(sources, source_look(source));
	if (now_ms >= sources->tick_ms)
		turn_tick(sources);
	turn_order(sources);
	for (;;) {
		source = turn_next(sources);
		if (!source)
			return NULL;
		if (source_prepare(source))
			break;
		if (source->due_ms <= now_ms) {
			source->retry_ms = now_ms + SOURCES_LOST_MS;
			source_schedule(source);
		}
	}
	turn_take(source);
	sources->current = source;
	return source;
}

/* Turns are taken for a look, and given back. */
size_t sources_ahead(struct sources *sources, struct source **out, size_t max)
{
	bool newest_next = sources->newest_next;
	uint64_t turns = sources->turns, was[SOURCES_AHEAD] = {0};
	size_t count = 0;

	if (max > SOURCES_AHEAD)
		max = SOURCES_AHEAD;
	while (count < max && (out[count] = turn_next(sources))) {
		was[count] = out[count]->turn;
		turn_take(out[count++]);
	}
	for (size_t i = count; i-- > 0;)
		out[i]->turn = was[i];
	sources->turns = turns;
	sources->newest_next = newest_next;
	return count;
}

void sources_flush(struct sources *sources)
{
	for (size_t i = 0; i < sources->active_count; i++) {
		struct source *source = sources->active[i];
		struct stat st;

		if (!source || source->at.state != POSITION_FOLLOWING)
			continue;
		if (source->fd >= 0 && fstat(source->fd, &st) == 0 &&
		    st.st_size > source->at.size)
			source_grew(source, st.st_size);
		source->flush = source->at.size;
		source_schedule(source);
	}
}

int64_t sources_next_ms(const struct sources *sources, int64_t now_ms)
{
	int64_t next = sources->scanned_ms + sources->limits.rescan_ms;

	if (sources->scan_wanted)
		next = sources->scanned_ms + SOURCES_TICK_MS;
	if (sources->again_ms < next)
		next = sources->again_ms;
	if (sources->tick_ms < next)
		next = sources->tick_ms;
	for (size_t i = 0; i < sources->active_count; i++) {
		if (sources->active[i] && sources->active[i]->due_ms < next)
			next = sources->active[i]->due_ms;
	}
	return next > now_ms ? next - now_ms : 0;
}

bool sources_rescan_due(const struct sources *sources, int64_t now_ms)
{
	int64_t wait_ms = sources->scan_wanted ? SOURCES_TICK_MS
					       : sources->limits.rescan_ms;

	return now_ms - sources->scanned_ms >= wait_ms ||
	       now_ms >= sources->again_ms;
}
