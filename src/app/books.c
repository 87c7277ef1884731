/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/books.h"

#include <errno.h>
#include <stdio.h>

/* Two ledgers must never share a tally: copy by merging into an empty one. */
static struct ledger books_copy(const struct ledger *from)
{
	struct ledger to = *from;

	to.account = (struct account){0};
	account_merge(&to.account, &from->account);
	return to;
}

void books_open(struct books *books, const struct checkpoint *checkpoint,
		int64_t now_s)
{
	*books = (struct books){.process = {.since_s = now_s, .phase = "idle"},
				.ledger = books_copy(&checkpoint->ledger),
				.departures = checkpoint->departures,
				.failures_base = checkpoint->ledger.failures};
	buf_init(&books->text, CHECKPOINT_MAX);
}

void books_close(struct books *books)
{
	account_release(&books->ledger.account);
	buf_release(&books->text);
}

/* Idle and sending follow each other with every batch and are no news; the
 * time of a success is, and costs no save more than the batch that leaves. */
static bool books_is_news(const struct books *books,
			  const struct delivery_state *state)
{
	const struct checkpoint_process *process = &books->process;

	if (state->last_success_s > books->ledger.last_success_s)
		return true;
	return process->next_try_s != state->next_try_s ||
	       strcmp(process->error, state->last_error) != 0;
}

bool books_uploads(struct books *books, const struct delivery_state *state)
{
	struct checkpoint_process *process = &books->process;
	bool news = books_is_news(books, state);

	books->ledger.failures = books->failures_base + state->failures;
	if (state->last_success_s)
		books->ledger.last_success_s = state->last_success_s;
	snprintf(process->phase, sizeof(process->phase), "%s",
		 delivery_phase_name(state->phase));
	snprintf(process->error, sizeof(process->error), "%s",
		 state->last_error);
	process->next_try_s = state->next_try_s;
	return news;
}

struct books_draft books_draft(struct books *books, struct spool *spool,
			       const struct account *account)
{
	struct books_draft draft = {.ledger = books_copy(&books->ledger)};

	if (account)
		account_merge(&draft.ledger.account, account);
	draft.departures = spool_settle(spool, &draft.ledger);
	return draft;
}

struct slice books_text(struct books *books, const struct books_draft *draft,
			struct sources *sources, uint64_t seq, int64_t now_s)
{
	struct checkpoint checkpoint = {.process = books->process,
					.saved_s = now_s,
					.seq = seq,
					.departures = draft->departures,
					.ledger = draft->ledger};
	struct checkpoint_writer *writer;

	buf_reset(&books->text);
	writer = checkpoint_begin(&checkpoint, &books->text);
	for (size_t i = 0; i < sources_count(sources); i++)
		checkpoint_position(writer,
				    source_position(sources_get(sources, i)));
	if (checkpoint_end(&writer) < 0) {
		errno = EFBIG;
		return SLICE("");
	}
	return buf_slice(&books->text);
}

void books_keep(struct books *books, struct books_draft *draft,
		struct spool *spool)
{
	account_release(&books->ledger.account);
	books->ledger = draft->ledger;
	books->departures = draft->departures;
	spool_settled(spool, draft->departures);
}

void books_drop(struct books_draft *draft)
{
	account_release(&draft->ledger.account);
}
