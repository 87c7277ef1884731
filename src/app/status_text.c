/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "app/status.h"
#include "base/when.h"

/* The same facts as status.c, for people: what is fine is short. */

enum { STATUS_SOURCES = 20 }; /* files shown; the rest are counted */

static void status_bytes(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB",
					    "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	buf_addf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void status_time(struct buf *out, int64_t seconds)
{
	char text[WHEN_TEXT];

	when_format(seconds, text);
	buf_add_str(out, seconds ? text : "never");
}

/* Has PowerMTA counted other than we did? */
static bool status_differs(const struct position *at)
{
	return at->pmta_rows >= 0 &&
	       (uint64_t)at->pmta_rows != at->account.rows;
}

static void status_text_source(struct buf *out, const struct position *at,
			       int64_t now_s)
{
	struct status_source now;

	status_source(at, now_s, &now);
	buf_addf(out, "  %-10s %s: %" PRIu64 " rows, ",
		 position_state_name(at->state), at->path, at->account.rows);
	if (now.lag_bytes) {
		status_bytes(out, (uint64_t)now.lag_bytes);
		buf_addf(out, " behind, %" PRId64 " s", now.lag_s);
	} else {
		buf_add_str(out, "read to its end");
	}
	if (status_differs(at))
		buf_addf(out, "; PowerMTA COUNTED %" PRId64, at->pmta_rows);
	buf_add_char(out, '\n');
}

/* Files that are done say nothing new, unless PowerMTA says otherwise; the
 * others come first. */
static void status_text_sources(struct buf *out, const struct checkpoint *c,
				int64_t now_s)
{
	size_t shown = 0, done = 0;

	buf_addf(out, "files\n");
	for (size_t i = 0; i < c->positions_count; i++) {
		const struct position *at = &c->positions[i];

		bool is_done = at->state == POSITION_FINISHED ||
			       at->state == POSITION_GONE;

		if ((is_done && !status_differs(at)) ||
		    shown >= STATUS_SOURCES) {
			done++;
			continue;
		}
		status_text_source(out, at, now_s);
		shown++;
	}
	if (done)
		buf_addf(out, "  %zu more, finished or not shown\n", done);
}

static void status_text_rows(struct buf *out, const struct account *a)
{
	buf_addf(out,
		 "rows       %" PRIu64 " read: %" PRIu64 " shipped, %" PRIu64
		 " skipped, %" PRIu64 " not shipped, %" PRIu64
		 " malformed, %" PRIu64 " expired\n",
		 a->rows, a->shipped, account_skipped(a),
		 tally_sum(&a->not_shipped), a->malformed, a->expired_rows);
	for (int i = 0; i < SKIP_REASONS; i++) {
		if (a->skipped[i])
			buf_addf(out, "  skipped      %-18s %" PRIu64 "\n",
				 account_skip_name((enum skip_reason)i),
				 a->skipped[i]);
	}
	for (size_t i = 0; i < a->not_shipped.count; i++)
		buf_addf(out, "  not shipped  %-18s %" PRIu64 "\n",
			 a->not_shipped.entries[i].name,
			 a->not_shipped.entries[i].count);
	buf_addf(out, "events     %" PRIu64 " made:", account_events(a));
	for (int i = 0; i < EVENT_TYPES; i++)
		buf_addf(out, " %s %" PRIu64,
			 account_event_name((enum event_type)i), a->events[i]);
	buf_add_char(out, '\n');
}

static void status_text_spool(struct buf *out, const struct spool_view *view,
			      const struct config *config)
{
	const struct spool_totals *t = &view->totals;
	const struct ledger *l = &view->checkpoint.ledger;

	buf_addf(out,
		 "spool      %" PRIu64 " batches with %" PRIu64
		 " events wait, ",
		 t->batches, t->events);
	status_bytes(out, t->bytes);
	buf_add_str(out, "; free ");
	status_bytes(out, t->free_bytes);
	buf_add_char(out, '\n');
	if (t->oldest_event_s) {
		buf_add_str(out, "           oldest event ");
		status_time(out, t->oldest_event_s);
		if (config->events.max_age_s) {
			buf_add_str(out, ", to be sent before ");
			status_time(out, t->oldest_event_s +
						 config->events.max_age_s);
		}
		buf_add_char(out, '\n');
	}
	if (view->running && strcmp(view->checkpoint.process.room, "ok") != 0)
		buf_addf(out, "           room: %s\n",
			 view->checkpoint.process.room);
	if (l->expired_events || l->refused_events)
		buf_addf(out,
			 "lost       %" PRIu64 " events expired in the spool, "
			 "%" PRIu64 " refused by the service (see refused/)\n",
			 l->expired_events, l->refused_events);
}

/* What went for lack of room, and what became of it. */
static void status_text_gaps(struct buf *out, const struct ledger *l)
{
	if (!l->evicted_events)
		return;
	buf_addf(out,
		 "evicted    %" PRIu64 " events for lack of room: %" PRIu64
		 " healed, %" PRIu64 " in %zu gaps to be read again\n",
		 l->evicted_events, l->healed_events, gaps_events(&l->gaps),
		 l->gaps.count);
	if (l->lapsed_events || l->unreadable_events)
		buf_addf(out,
			 "           lost: %" PRIu64
			 " too old by then, %" PRIu64
			 " whose file is gone or other\n",
			 l->lapsed_events, l->unreadable_events);
}

static void status_text_forecast(struct buf *out, const struct spool_view *view,
				 const struct config *config, int64_t now_s)
{
	struct forecast f;

	status_forecast(view, config, now_s, &f);
	if (!f.expiring_events)
		return;
	buf_addf(out,
		 "forecast   at %.1f events a second %" PRIu64
		 " will be too old before they are sent,\n           from ",
		 f.rate, f.expiring_events);
	status_time(out, f.first_s);
	buf_add_str(out, " to ");
	status_time(out, f.last_s);
	buf_add_char(out, '\n');
}

static void status_text_upload(struct buf *out, const struct spool_view *view)
{
	const struct ledger *l = &view->checkpoint.ledger;
	const struct checkpoint_process *p = &view->checkpoint.process;

	buf_addf(out, "upload     %s", view->running ? p->phase : "stopped");
	if (view->running && p->window)
		buf_addf(out, ", up to %" PRIu32 " at once", p->window);
	buf_addf(out,
		 ": %" PRIu64 " events in %" PRIu64
		 " batches sent, last success ",
		 l->sent_events, l->sent_batches);
	status_time(out, l->last_success_s);
	buf_add_char(out, '\n');
	if (p->error[0])
		buf_addf(out, "           last error: %s\n", p->error);
	if (view->running && p->next_try_s) {
		buf_add_str(out, "           next try ");
		status_time(out, p->next_try_s);
		buf_add_char(out, '\n');
	}
}

void status_text(const struct spool_view *view, const struct config *config,
		 int64_t now_s, struct buf *out)
{
	const struct checkpoint *c = &view->checkpoint;
	struct buf why;

	buf_init(&why, 8192);
	if (view->running)
		buf_addf(out, "sparktail %s runs with pid %" PRId64 "\n",
			 VERSION, view->pid);
	else
		buf_addf(out, "sparktail %s does not run\n", VERSION);
	status_text_rows(out, &c->ledger.account);
	status_text_spool(out, view, config);
	status_text_gaps(out, &c->ledger);
	status_text_forecast(out, view, config, now_s);
	status_text_upload(out, view);
	status_text_sources(out, c, now_s);
	if (status_agrees(view, &why))
		buf_add_str(out, "ledger     every row and event has its "
				 "account\n");
	else
		buf_addf(out, "ledger     DOES NOT AGREE: %s\n", buf_str(&why));
	buf_release(&why);
}
