/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/sources.h"

#include <assert.h>

#include "base/fs.h"
#include "base/mem.h"
#include "follow/sources_private.h"

static char *sources_text(const char *text)
{
	return text ? mem_str(text) : NULL;
}

struct sources *sources_new(const struct source_settings *settings,
			    size_t count, const struct sources_limits *limits,
			    bool first_start)
{
	struct sources *s = mem_zero(1, sizeof(*s));

	s->globs = mem_zero(count, sizeof(*s->globs));
	s->globs_count = count;
	for (size_t i = 0; i < count; i++) {
		s->globs[i].set.path = mem_str(settings[i].path);
		s->globs[i].set.columns = sources_text(settings[i].columns);
		s->globs[i].set.start_end = settings[i].start_end;
		pattern_init(&s->globs[i].pattern, settings[i].path);
	}
	s->limits = *limits;
	/* One to keep, and one to look into what turns up. */
	if (s->limits.max_open < 2)
		s->limits.max_open = 2;
	s->opened = mem_zero(s->limits.max_open, sizeof(struct source *));
	s->first_start = first_start;
	s->first_scan = true;
	s->scan_wanted = true;
	s->tick_ms = s->again_ms = SOURCE_NEVER;
	s->ticked_ms = INT64_MIN / 2;
	s->scanned_ms = INT64_MIN / 2;
	return s;
}

void sources_free(struct sources **sources)
{
	struct sources *s = *sources;

	if (!s)
		return;
	while (s->count)
		sources_drop(s->list[s->count - 1]);
	for (size_t i = 0; i < s->globs_count; i++) {
		mem_free(s->globs[i].set.path);
		mem_free(s->globs[i].set.columns);
		pattern_release(&s->globs[i].pattern);
	}
	mem_free(s->globs);
	mem_free(s->list);
	mem_free(s->active);
	mem_free(s->opened);
	mem_free(s->directories);
	pattern_places_release(&s->places);
	odds_release(&s->odds);
	news_release(&s->news);
	sources_facts_free(s);
	table_release(&s->by_id);
	table_release(&s->by_path);
	table_release(&s->by_number);
	mem_free(s);
	*sources = NULL;
}

void sources_clock(struct sources *sources, int64_t now_ms, int64_t now_s)
{
	sources->now_ms = now_ms;
	sources->now_s = now_s;
	sources->unix_ms = now_s * 1000 - now_ms;
}

void sources_clock_ms(struct sources *sources, int64_t now_ms)
{
	sources->now_ms = now_ms;
	sources->now_s = (now_ms + sources->unix_ms) / 1000;
}

void sources_say(struct source *source, enum sources_event_kind kind,
		 const char *detail, int64_t bytes)
{
	news_add(&source->all->news, kind, source->at.path, detail, bytes);
}

uint64_t sources_id_key(uint64_t dev, uint64_t ino)
{
	return table_key_of(dev, ino);
}

void sources_set_id(struct source *source, uint64_t dev, uint64_t ino)
{
	struct position_id *id;

	if (source->at.id.dev == dev && source->at.id.ino == ino)
		return;
	id = &source_change(source)->id;
	table_remove(&source->all->by_id, sources_id_key(id->dev, id->ino),
		     source);
	id->dev = dev;
	id->ino = ino;
	table_add(&source->all->by_id, sources_id_key(dev, ino), source);
}

void sources_set_path(struct source *source, const char *path)
{
	struct table *by_path = &source->all->by_path;
	char *old = source->at.path;

	table_remove(by_path, table_key(slice_str(old)), source);
	source_change(source)->path = mem_str(path);
	table_add(by_path, table_key(slice_str(path)), source);
	mem_free(old);
}

struct source *sources_at(const struct sources *sources, const char *path)
{
	uint64_t key = table_key(slice_str(path));
	struct source *source;

	for (size_t at = 0;
	     (source = table_next(&sources->by_path, key, &at));) {
		if (source->named && strcmp(source->at.path, path) == 0)
			return source;
	}
	return NULL;
}

/* Room for one more?  Gone ones make it, but are looked for once a round. */
static bool sources_room(struct sources *sources)
{
	if (sources->count >= SOURCES_MAX && !sources->crowded) {
		sources_drop_gone(sources, INT64_MAX);
		sources->crowded = sources->count >= SOURCES_MAX;
	}
	return sources->count < SOURCES_MAX;
}

struct source *sources_numbered(const struct sources *sources, uint64_t number)
{
	struct source *source;

	for (size_t at = 0;
	     (source = table_next(&sources->by_number, number, &at));) {
		if (source->at.number == number)
			return source;
	}
	return NULL;
}

void sources_set_number(struct source *source, uint64_t number)
{
	struct sources *s = source->all;

	if (number == source->at.number || sources_numbered(s, number))
		return;
	table_remove(&s->by_number, source->at.number, source);
	source_change(source)->number = number;
	if (number > s->numbers)
		s->numbers = number;
	table_add(&s->by_number, number, source);
}

void sources_set_seq(struct sources *sources, uint64_t next_seq)
{
	for (size_t i = 0; next_seq < sources->next_seq && i < sources->count;
	     i++) {
		struct source *source = sources->list[i];

		if (source->at.anew_seq > next_seq)
			source_change(source)->anew_seq = next_seq;
	}
	sources->next_seq = next_seq;
}

uint64_t sources_numbers(const struct sources *sources)
{
	return sources->numbers;
}

struct source *sources_add(struct sources *sources, const char *path,
			   uint64_t number, uint64_t dev, uint64_t ino)
{
	struct source *source;
	struct position *at;

	if (!sources_room(sources))
		return NULL;
	if (sources->count == sources->cap) {
		sources->cap = sources->cap ? sources->cap * 2 : 16;
		sources->list = mem_resize_array(sources->list, sources->cap,
						 sizeof(*sources->list));
	}
	source = mem_zero(1, sizeof(*source));
	source->all = sources;
	source->fd = -1;
	source->stalled = -1;
	source->due_ms = SOURCE_NEVER;
	source->index = sources->count;
	at = source_change(source);
	position_init(at);
	at->path = mem_str(path);
	at->id.dev = dev;
	at->id.ino = ino;
	sources->list[sources->count++] = source;
	table_add(&sources->by_path, table_key(slice_str(path)), source);
	table_add(&sources->by_id, sources_id_key(dev, ino), source);
	if (!number || sources_numbered(sources, number))
		number = ++sources->numbers;
	at->number = number;
	table_add(&sources->by_number, number, source);
	return source;
}

void sources_discard(struct source *source)
{
	fs_close(&source->fd);
	position_release(source_change(source));
	mem_free(source->why);
	mem_free(source);
}

void sources_drop(struct source *source)
{
	struct sources *s = source->all;
	const struct position_id *id = &source->at.id;

	source_close(source);
	sources_deactivate(source);
	for (size_t i = 0; i < s->globs_count; i++) {
		if (s->globs[i].newest == source)
			s->globs[i].newest = NULL;
	}
	if (s->current == source)
		s->current = NULL;
	table_remove(&s->by_id, sources_id_key(id->dev, id->ino), source);
	table_remove(&s->by_path, table_key(slice_str(source->at.path)),
		     source);
	table_remove(&s->by_number, source->at.number, source);
	s->list[source->index] = s->list[--s->count];
	s->list[source->index]->index = source->index;
	sources_discard(source);
}

void sources_drop_gone(struct sources *sources, int64_t before_s)
{
	for (size_t i = sources->count; i-- > 0;) {
		struct source *source = sources->list[i];

		if (source->at.state == POSITION_GONE &&
		    source->at.last_read_s <= before_s)
			sources_drop(source);
	}
}

/* A checkpoint is read from disk: what cannot be is made harmless. */
static void sources_mend(struct position *at)
{
	if (at->offset < 0)
		at->offset = 0;
	if (at->tail_len > POSITION_TAIL || at->tail_len > at->offset)
		at->tail_len = 0;
	if (at->id.head_len > POSITION_HEAD)
		at->id.head_len = 0;
}

struct source *sources_adopt_one(struct sources *sources,
				 const struct position *from)
{
	struct source *source =
		sources_add(sources, from->path ? from->path : "", from->number,
			    from->id.dev, from->id.ino);
	struct position *at;
	uint64_t number;

	if (!source)
		return NULL;
	at = source_change(source);
	/* The path stays the same bytes, which the table knows. */
	number = at->number;
	position_copy(at, from);
	at->number = number;
	if (!from->path)
		at->path = mem_str("");
	sources_mend(at);
	source->named = from->state != POSITION_GONE;
	if (from->state == POSITION_SET_ASIDE)
		source->why = mem_str("its rows have no header");
	return source;
}

void sources_adopt(struct sources *sources, const struct position *positions,
		   size_t count, uint64_t numbers)
{
	assert(sources->first_scan);
	for (size_t i = 0; i < count; i++) {
		if (positions[i].number > numbers)
			numbers = positions[i].number;
	}
	sources->numbers = numbers;
	for (size_t i = 0; i < count; i++)
		sources_adopt_one(sources, &positions[i]);
}

const char *sources_directory(const struct sources *sources, size_t i)
{
	return i < sources->directories_count ? sources->directories[i] : NULL;
}

bool sources_unread(const struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		const struct position *at = &sources->list[i]->at;

		if (at->size > at->offset && (at->state == POSITION_FOLLOWING ||
					      at->state == POSITION_WAITING))
			return true;
	}
	return false;
}

bool sources_pending(const struct sources *sources)
{
	for (size_t i = 0; i < sources->active_count; i++) {
		if (sources->active[i] &&
		    sources->active[i]->due_ms != SOURCE_NEVER)
			return true;
	}
	return false;
}

size_t sources_count(const struct sources *sources)
{
	return sources->count;
}

struct source *sources_get(struct sources *sources, size_t i)
{
	return sources->list[i];
}

bool sources_event(struct sources *sources, struct sources_event *event_out)
{
	return news_next(&sources->news, event_out);
}
