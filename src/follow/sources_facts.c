/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/mem.h"
#include "follow/ident.h"
#include "follow/sources_private.h"

/*
 * The checkpoint moves after the batch, so a crash between the two leaves a
 * batch that lies beyond its position.  What it says about its file is kept
 * here until the file is met, and for as long as we run: a file may come back.
 */

struct sources_fact {
	struct position_id id;
	int64_t to, header_offset;
	bool skipping;
	bool used; /* whoever has that inode later is another file */
};

void sources_facts_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->facts_count; i++)
		mem_free(sources->facts[i]);
	mem_free(sources->facts);
	table_release(&sources->facts_by_id);
}

/* The fact of just this file, made when there is none. */
static struct sources_fact *sources_fact_of(struct sources *sources,
					    const struct position_id *id)
{
	uint64_t key = sources_id_key(id->dev, id->ino);
	struct sources_fact *fact;

	for (size_t at = 0;
	     (fact = table_next(&sources->facts_by_id, key, &at));) {
		if (fact->id.dev == id->dev && fact->id.ino == id->ino &&
		    fact->id.head_len == id->head_len &&
		    fact->id.head == id->head)
			return fact;
	}
	fact = mem_zero(1, sizeof(*fact));
	fact->id = *id;
	sources->facts =
		mem_resize_array(sources->facts, sources->facts_count + 1,
				 sizeof(*sources->facts));
	sources->facts[sources->facts_count++] = fact;
	table_add(&sources->facts_by_id, key, fact);
	return fact;
}

/*
 * Is it about this file?  An open file is asked; of one that is not there we
 * know only what its position says.
 */
static bool sources_fact_fits(const struct sources_fact *fact,
			      const struct source *source)
{
	if (source->fd >= 0)
		return ident_begins(source->fd, &fact->id) > 0;
	return fact->id.head_len == source->at.id.head_len &&
	       fact->id.head == source->at.id.head;
}

static void sources_move(struct source *source, const struct sources_fact *fact)
{
	struct position *at = &source->at;

	at->offset = fact->to;
	at->tail_len = 0;
	at->file.skipping = fact->skipping;
	source->stalled = -1;
	if (source->fd >= 0) {
		ident_tail(source->fd, at);
		if (fact->header_offset >= 0)
			ident_header(source->fd, fact->header_offset, false,
				     &at->file);
	} else if (fact->header_offset >= 0) {
		buf_reset(&at->file.header);
		at->file.header_offset = fact->header_offset;
	}
}

void sources_apply(struct source *source, uint64_t dev, uint64_t ino)
{
	const struct table *facts = &source->all->facts_by_id;
	uint64_t key = sources_id_key(dev, ino);
	struct sources_fact *fact;

	for (size_t at = 0; (fact = table_next(facts, key, &at));) {
		if (fact->used || fact->id.dev != dev || fact->id.ino != ino ||
		    !sources_fact_fits(fact, source))
			continue;
		fact->used = true;
		if (fact->to > source->at.offset)
			sources_move(source, fact);
	}
}

void sources_advance_to(struct sources *sources, const struct position_id *id,
			int64_t to, int64_t header_offset, bool skipping)
{
	uint64_t key = sources_id_key(id->dev, id->ino);
	struct sources_fact *fact = sources_fact_of(sources, id);
	struct source *source;

	if (fact->to >= to)
		return;
	fact->to = to;
	fact->used = false;
	fact->header_offset = header_offset;
	fact->skipping = skipping;
	for (size_t at = 0; (source = table_next(&sources->by_id, key, &at));) {
		if (!source->bound || source->unchecked ||
		    source->at.id.dev != id->dev ||
		    source->at.id.ino != id->ino)
			continue;
		if (source->fd < 0 && source->named)
			source_open(source);
		sources_apply(source, id->dev, id->ino);
		source_schedule(source);
	}
}
