/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/books.h"

#include <stdio.h>

void books_open(struct books *books, const struct checkpoint *checkpoint,
		int64_t now_s)
{
	*books = (struct books){.process = {.since_s = now_s,
					    .phase = "idle",
					    .window = 1,
					    .room = "ok",
					    .rate = -1},
				.departures = checkpoint->departures,
				.failures_base = checkpoint->ledger.failures};
	ledger_copy(&books->ledger, &checkpoint->ledger);
	books->writer = checkpoint_writer_new();
}

void books_forget(struct books *books)
{
	checkpoint_writer_free(&books->writer);
	books->writer = checkpoint_writer_new();
}

void books_close(struct books *books)
{
	ledger_release(&books->ledger);
	checkpoint_writer_free(&books->writer);
}

/* Idle and sending follow each other with every batch and are no news, nor is
 * the window, which moves with an answer that is some; the time of a success
 * is, and costs no save more than the batch that leaves. */
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
	process->window = state->window;
	return news;
}

void books_credit(struct books *books, struct sources *sources)
{
	struct ledger *ledger = &books->ledger;

	for (size_t i = 0; i < ledger->files_count; i++) {
		const struct position_credit *file = &ledger->files[i];

		if (file->number)
			sources_credit(sources, file);
	}
	ledger_forget_files(ledger);
}

void books_settle(struct books *books, struct spool *spool,
		  struct sources *sources)
{
	books->departures = spool_settle(spool, &books->ledger);
	books_credit(books, sources);
}

struct books_draft books_draft(const struct books *books,
			       const struct account *account)
{
	struct books_draft draft = {0};

	ledger_copy(&draft.ledger, &books->ledger);
	if (account)
		account_merge(&draft.ledger.account, account);
	return draft;
}

struct slice books_text(struct books *books, const struct books_draft *draft,
			struct sources *sources, uint64_t seq, uint64_t group,
			int64_t now_s)
{
	struct checkpoint checkpoint = {.process = books->process,
					.saved_s = now_s,
					.seq = seq,
					.group = group,
					.departures = books->departures,
					.numbers = sources_numbers(sources),
					.ledger = draft->ledger};
	struct slice text;

	checkpoint_begin(books->writer, &checkpoint);
	for (size_t i = 0; i < sources_count(sources); i++) {
		const struct source *source = sources_get(sources, i);

		checkpoint_position(books->writer, source_position(source),
				    source_changes(source));
	}
	checkpoint_end(books->writer, &text);
	return text;
}

void books_keep(struct books *books, struct books_draft *draft,
		struct spool *spool)
{
	ledger_release(&books->ledger);
	books->ledger = draft->ledger;
	spool_settled(spool, books->departures);
}

void books_drop(struct books_draft *draft)
{
	ledger_release(&draft->ledger);
}
