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
	struct sources_beyond about;
	bool used; /* whoever has that inode later is another file */
};

void sources_facts_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->facts_count; i++)
		mem_free(sources->facts[i]);
	mem_free(sources->facts);
	mem_free(sources->debts);
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
		if (fact->about.id.dev == id->dev &&
		    fact->about.id.ino == id->ino &&
		    fact->about.id.head_len == id->head_len &&
		    fact->about.id.head == id->head)
			return fact;
	}
	fact = mem_zero(1, sizeof(*fact));
	fact->about.id = *id;
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
		return ident_begins(source->fd, &fact->about.id) > 0;
	return fact->about.id.head_len == source->at.id.head_len &&
	       fact->about.id.head == source->at.id.head;
}

static void sources_move(struct source *source, const struct sources_fact *fact)
{
	struct position *at = source_change(source);

	at->offset = fact->about.to;
	at->pmta_rows = POSITION_PMTA_NEVER;
	at->tail_len = 0;
	at->file.skipping = fact->about.skipping;
	source->stalled = -1;
	if (source->fd >= 0) {
		ident_tail(source->fd, at);
		if (fact->about.header_offset >= 0)
			ident_header(source->fd, fact->about.header_offset,
				     false, &at->file);
	} else if (fact->about.header_offset >= 0) {
		buf_reset(&at->file.header);
		at->file.header_offset = fact->about.header_offset;
	}
}

void sources_apply(struct source *source, uint64_t dev, uint64_t ino)
{
	const struct table *facts = &source->all->facts_by_id;
	uint64_t key = sources_id_key(dev, ino);
	struct sources_fact *fact;

	for (size_t at = 0; (fact = table_next(facts, key, &at));) {
		if (fact->used || fact->about.id.dev != dev ||
		    fact->about.id.ino != ino ||
		    !sources_fact_fits(fact, source))
			continue;
		fact->used = true;
		if (fact->about.number)
			sources_set_number(source, fact->about.number);
		sources_pay(source);
		if (fact->about.to > source->at.offset)
			sources_move(source, fact);
	}
}

void sources_advance_to(struct sources *sources,
			const struct sources_beyond *beyond)
{
	const struct position_id *id = &beyond->id;
	uint64_t key = sources_id_key(id->dev, id->ino);
	struct sources_fact *fact = sources_fact_of(sources, id);
	struct source *source;

	if (fact->about.to >= beyond->to)
		return;
	fact->about = *beyond;
	fact->used = false;
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

/* --- Credits --- */

static struct position_credit *facts_debt(struct sources *sources,
					  uint64_t number)
{
	for (size_t i = 0; i < sources->debts_count; i++) {
		if (sources->debts[i].number == number)
			return &sources->debts[i];
	}
	return NULL;
}

void sources_pay(struct source *source)
{
	struct sources *s = source->all;
	struct position_credit *debt = facts_debt(s, source->at.number);

	if (!debt)
		return;
	position_credit_take(source_change(source), debt);
	*debt = s->debts[--s->debts_count];
}

void sources_credit(struct sources *sources,
		    const struct position_credit *credit)
{
	struct source *source = sources_numbered(sources, credit->number);
	struct position_credit *debt = facts_debt(sources, credit->number);

	if (source) {
		position_credit_take(source_change(source), credit);
		return;
	}
	if (debt) {
		position_credit_add(debt, credit);
		return;
	}
	if (sources->debts_count == SOURCES_MAX)
		return;
	sources->debts =
		mem_resize_array(sources->debts, sources->debts_count + 1,
				 sizeof(*sources->debts));
	sources->debts[sources->debts_count++] = *credit;
}
