/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/gaps.h"

#include <string.h>

#include "base/mem.h"

void gaps_release(struct gaps *gaps)
{
	mem_free(gaps->items);
	*gaps = (struct gaps){0};
}

void gaps_copy(struct gaps *to, const struct gaps *from)
{
	gaps_release(to);
	if (!from->count)
		return;
	to->items = mem_alloc(from->count * sizeof(*to->items));
	memcpy(to->items, from->items, from->count * sizeof(*to->items));
	to->count = to->cap = from->count;
}

void gaps_of_batch(const struct batch *batch, struct gap *gap_out)
{
	*gap_out = (struct gap){.number = batch->number,
				.source = batch->source,
				.from = batch->from,
				.to = batch->to,
				.before = batch->before,
				.seq = batch->seq,
				.events = batch_events(batch),
				.bytes = batch->bytes,
				.oldest_s = batch->oldest_s,
				.newest_s = batch->newest_s};
}

/* The place of the first that does not come before. */
static size_t gaps_place(const struct gaps *gaps, const struct gap *gap)
{
	size_t low = 0, high = gaps->count;

	while (low < high) {
		size_t i = low + (high - low) / 2;
		const struct gap *at = &gaps->items[i];

		if (at->number < gap->number ||
		    (at->number == gap->number && at->from < gap->from))
			low = i + 1;
		else
			high = i;
	}
	return low;
}

static void gaps_remove(struct gaps *gaps, size_t i)
{
	gaps->count--;
	memmove(&gaps->items[i], &gaps->items[i + 1],
		(gaps->count - i) * sizeof(*gaps->items));
}

/* Can "b" go on where "a" ends?  A source's head may have grown meanwhile:
 * the longer one says more. */
static bool gaps_touch(const struct gap *a, const struct gap *b)
{
	return a->number == b->number && a->to == b->from &&
	       a->source.dev == b->source.dev &&
	       a->source.ino == b->source.ino &&
	       (a->source.head_len != b->source.head_len ||
		a->source.head == b->source.head);
}

static void gaps_join(struct gap *a, const struct gap *b)
{
	a->to = b->to;
	if (b->source.head_len > a->source.head_len)
		a->source = b->source;
	if (b->seq < a->seq)
		a->seq = b->seq;
	a->events += b->events;
	a->repeats += b->repeats;
	a->bytes += b->bytes;
	if (b->oldest_s < a->oldest_s)
		a->oldest_s = b->oldest_s;
	if (b->newest_s > a->newest_s)
		a->newest_s = b->newest_s;
	a->retry_ms = 0;
}

static void gaps_insert(struct gaps *gaps, size_t i, const struct gap *gap)
{
	if (gaps->count == gaps->cap) {
		gaps->cap = gaps->cap ? gaps->cap * 2 : 16;
		gaps->items = mem_resize_array(gaps->items, gaps->cap,
					       sizeof(*gaps->items));
	}
	memmove(&gaps->items[i + 1], &gaps->items[i],
		(gaps->count - i) * sizeof(*gaps->items));
	gaps->items[i] = *gap;
	gaps->count++;
}

uint64_t gaps_add(struct gaps *gaps, const struct gap *gap)
{
	size_t i = gaps_place(gaps, gap);
	bool left = i > 0 && gaps_touch(&gaps->items[i - 1], gap);
	bool right = i < gaps->count && gaps_touch(gap, &gaps->items[i]);

	if (left) {
		gaps_join(&gaps->items[i - 1], gap);
		if (right) {
			gaps_join(&gaps->items[i - 1], &gaps->items[i]);
			gaps_remove(gaps, i);
		}
		return 0;
	}
	if (right) {
		struct gap joined = *gap;

		gaps_join(&joined, &gaps->items[i]);
		gaps->items[i] = joined;
		return 0;
	}
	if (!gap->number || gaps->count == GAPS_MAX)
		return gap->events;
	gaps_insert(gaps, i, gap);
	return 0;
}

long gaps_next(const struct gaps *gaps, int64_t now_ms)
{
	long found = -1;

	for (size_t i = 0; i < gaps->count; i++) {
		if (gaps->items[i].retry_ms <= now_ms &&
		    (found < 0 ||
		     gaps->items[i].oldest_s < gaps->items[found].oldest_s))
			found = (long)i;
	}
	return found;
}

int64_t gaps_due_ms(const struct gaps *gaps)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < gaps->count; i++) {
		if (gaps->items[i].retry_ms < due)
			due = gaps->items[i].retry_ms;
	}
	return due;
}

static uint64_t gaps_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct gaps_outcome gaps_move(struct gaps *gaps, size_t i, int64_t to,
			      const struct batch_edge *before,
			      const struct gaps_read *read)
{
	struct gap *gap = &gaps->items[i];
	struct gaps_outcome outcome = {
		.healed = gaps_least(read->made - read->repeats, gap->events)};
	uint64_t repeated = read->made - outcome.healed, more;

	gap->from = to;
	gap->before = *before;
	gap->events -= outcome.healed;
	gap->repeats += repeated;
	outcome.repeated = (int64_t)repeated;
	outcome.lapsed = gaps_least(read->expired, gap->events);
	gap->events -= outcome.lapsed;
	if (gap->from < gap->to)
		return outcome;
	more = gaps_least(gap->events, gap->repeats);
	gap->events -= more;
	outcome.healed += more;
	outcome.repeated -= (int64_t)more;
	outcome.lapsed += gaps_drop(gaps, i);
	return outcome;
}

uint64_t gaps_drop(struct gaps *gaps, size_t i)
{
	uint64_t events = gaps->items[i].events;

	gaps_remove(gaps, i);
	return events;
}

uint64_t gaps_drop_older(struct gaps *gaps, int64_t oldest_s,
			 uint64_t *gone_out)
{
	uint64_t events = 0;

	*gone_out = 0;
	for (size_t i = gaps->count; i-- > 0;) {
		if (gaps->items[i].newest_s >= oldest_s)
			continue;
		if (gaps->items[i].gone)
			*gone_out += gaps_drop(gaps, i);
		else
			events += gaps_drop(gaps, i);
	}
	return events;
}

uint64_t gaps_events(const struct gaps *gaps)
{
	uint64_t events = 0;

	for (size_t i = 0; i < gaps->count; i++)
		events += gaps->items[i].events;
	return events;
}
