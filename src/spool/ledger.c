/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/ledger.h"

#include <inttypes.h>

#include "base/mem.h"

void ledger_release(struct ledger *ledger)
{
	account_release(&ledger->account);
	gaps_release(&ledger->gaps);
	mem_free(ledger->files);
	*ledger = (struct ledger){0};
}

static void ledger_add_file(struct ledger *total,
			    const struct position_credit *more)
{
	position_credit_add(ledger_of_file(total, more->number), more);
}

void ledger_copy(struct ledger *to, const struct ledger *from)
{
	ledger_release(to);
	*to = *from;
	to->account = (struct account){0};
	to->gaps = (struct gaps){0};
	to->files = NULL;
	to->files_count = to->files_cap = 0;
	account_merge(&to->account, &from->account);
	gaps_copy(&to->gaps, &from->gaps);
	for (size_t i = 0; i < from->files_count; i++)
		ledger_add_file(to, &from->files[i]);
}

static void ledger_add_gap(struct ledger *ledger, const struct gap *gap)
{
	ledger->unreadable_events += gaps_add(&ledger->gaps, gap);
}

void ledger_merge(struct ledger *total, const struct ledger *more)
{
	account_merge(&total->account, &more->account);
	total->sent_batches += more->sent_batches;
	total->sent_events += more->sent_events;
	total->sent_bytes += more->sent_bytes;
	total->refused_batches += more->refused_batches;
	total->refused_events += more->refused_events;
	total->evicted_batches += more->evicted_batches;
	total->evicted_events += more->evicted_events;
	total->expired_batches += more->expired_batches;
	total->expired_events += more->expired_events;
	for (int i = 0; i < EVENT_TYPES; i++)
		total->expired[i] += more->expired[i];
	total->healed_events += more->healed_events;
	total->repeated_events += more->repeated_events;
	total->lapsed_events += more->lapsed_events;
	total->unreadable_events += more->unreadable_events;
	for (size_t i = 0; i < more->gaps.count; i++)
		ledger_add_gap(total, &more->gaps.items[i]);
	for (size_t i = 0; i < more->files_count; i++)
		ledger_add_file(total, &more->files[i]);
}

/* Few at a time: those with a batch that left since the last checkpoint. */
struct position_credit *ledger_of_file(struct ledger *ledger, uint64_t number)
{
	for (size_t i = ledger->files_count; i-- > 0;) {
		if (ledger->files[i].number == number)
			return &ledger->files[i];
	}
	if (ledger->files_count == ledger->files_cap) {
		ledger->files_cap =
			ledger->files_cap ? ledger->files_cap * 2 : 4;
		ledger->files =
			mem_resize_array(ledger->files, ledger->files_cap,
					 sizeof(*ledger->files));
	}
	ledger->files[ledger->files_count] =
		(struct position_credit){.number = number};
	return &ledger->files[ledger->files_count++];
}

void ledger_forget_files(struct ledger *ledger)
{
	mem_free(ledger->files);
	ledger->files = NULL;
	ledger->files_count = ledger->files_cap = 0;
}

void ledger_made(struct ledger *ledger, const struct batch *batch)
{
	struct position_credit *file = ledger_of_file(ledger, batch->number);

	for (int i = 0; i < EVENT_TYPES; i++) {
		ledger->account.events[i] += batch->events[i];
		file->events[i] += batch->events[i];
	}
}

static void ledger_sent(struct ledger *ledger, const struct batch *batch,
			struct position_fate *fate)
{
	uint64_t sent = batch_events(batch) - batch->refused;

	ledger->sent_batches++;
	ledger->sent_bytes += batch->bytes;
	ledger->sent_events += sent;
	ledger->refused_events += batch->refused;
	fate->sent += sent;
	fate->refused += batch->refused;
}

static void ledger_evicted(struct ledger *ledger, const struct batch *batch,
			   struct position_fate *fate)
{
	struct gap gap;

	ledger->evicted_batches++;
	ledger->evicted_events += batch_events(batch);
	fate->evicted += batch_events(batch);
	gaps_of_batch(batch, &gap);
	ledger_add_gap(ledger, &gap);
}

static void ledger_expired(struct ledger *ledger, const struct batch *batch,
			   struct position_fate *fate)
{
	ledger->expired_batches++;
	ledger->expired_events += batch_events(batch);
	fate->expired += batch_events(batch);
	for (int i = 0; i < EVENT_TYPES; i++)
		ledger->expired[i] += batch->events[i];
}

/* Each batch leaves once, so each is counted as one of the four. */
void ledger_depart(struct ledger *ledger, const struct batch *batch)
{
	struct position_fate *fate =
		&ledger_of_file(ledger, batch->number)->fate;

	switch (batch->departure) {
	case BATCH_READY:
		break;
	case BATCH_SENT:
		ledger_sent(ledger, batch, fate);
		break;
	case BATCH_REFUSED:
		ledger->refused_batches++;
		ledger->refused_events += batch_events(batch);
		fate->refused += batch_events(batch);
		break;
	case BATCH_EVICTED:
		ledger_evicted(ledger, batch, fate);
		break;
	case BATCH_EXPIRED:
		ledger_expired(ledger, batch, fate);
		break;
	}
}

bool ledger_agrees(const struct ledger *ledger, uint64_t waiting,
		   struct buf *why)
{
	uint64_t made = account_events(&ledger->account) +
			ledger->healed_events + ledger->repeated_events;
	uint64_t known = waiting + ledger->sent_events +
			 ledger->refused_events + ledger->evicted_events +
			 ledger->expired_events;
	uint64_t ended = ledger->healed_events + gaps_events(&ledger->gaps) +
			 ledger->lapsed_events + ledger->unreadable_events;

	if (made != known) {
		buf_addf(why,
			 "%" PRIu64 " events were made, %" PRIu64
			 " are accounted for",
			 made, known);
		return false;
	}
	if (ledger->evicted_events != ended) {
		buf_addf(why,
			 "%" PRIu64 " events were evicted, %" PRIu64
			 " are healed, in gaps, or given up",
			 ledger->evicted_events, ended);
		return false;
	}
	return true;
}
