/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/status.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/utf8.h"

void status_source(const struct position *at, int64_t now_s,
		   struct status_source *out)
{
	struct stat st;
	int64_t since = at->last_read_s;

	*out = (struct status_source){.size = at->size};
	if (stat(at->path, &st) == 0 && (uint64_t)st.st_ino == at->id.ino) {
		out->size = (int64_t)st.st_size;
		if (!since)
			since = (int64_t)st.st_mtime;
	}
	if (out->size > at->offset && at->state != POSITION_SET_ASIDE)
		out->lag_bytes = out->size - at->offset;
	if (out->lag_bytes && since && now_s > since)
		out->lag_s = now_s - since;
}

/* Does every event of the file have its account?  One of an earlier version
 * has no number, and is not asked. */
static bool status_file_agrees(const struct spool_view *view,
			       const struct position *at)
{
	const struct position_fate *fate = &at->fate;
	uint64_t made = account_events(&at->account) + fate->healed;
	uint64_t known =
		fate->sent + fate->refused + fate->evicted + fate->expired;

	return !at->number ||
	       made == known + spool_view_waiting(view, at->number);
}

bool status_agrees(const struct spool_view *view, struct buf *why)
{
	const struct checkpoint *c = &view->checkpoint;

	if (!account_agrees(&c->ledger.account)) {
		buf_addf(why, "the rows read and their accounts differ");
		return false;
	}
	if (!ledger_agrees(&c->ledger, view->totals.events, why))
		return false;
	for (size_t i = 0; i < c->positions_count; i++) {
		const struct position *at = &c->positions[i];

		if (account_agrees(&at->account) &&
		    status_file_agrees(view, at))
			continue;
		buf_addf(why, "the %s of %s and their accounts differ",
			 account_agrees(&at->account) ? "events" : "rows",
			 at->path);
		return false;
	}
	return true;
}

static void status_str(struct json *j, const char *key, const char *value)
{
	struct buf clean;

	buf_init(&clean, 16384);
	utf8_repair(slice_str(value), &clean);
	json_str(j, key, buf_slice(&clean));
	buf_release(&clean);
}

static void status_json_fate(struct json *j, const struct spool_view *view,
			     const struct position *at)
{
	json_uint(j, "events", account_events(&at->account));
	json_uint(j, "waiting", spool_view_waiting(view, at->number));
	json_uint(j, "sent", at->fate.sent);
	json_uint(j, "refused", at->fate.refused);
	json_uint(j, "evicted", at->fate.evicted);
	json_uint(j, "expired", at->fate.expired);
	json_uint(j, "healed", at->fate.healed);
}

static void status_json_sources(struct json *j, const struct spool_view *view,
				int64_t now_s)
{
	const struct checkpoint *c = &view->checkpoint;

	json_array_in(j, "sources");
	for (size_t i = 0; i < c->positions_count; i++) {
		const struct position *at = &c->positions[i];
		struct status_source now;

		status_source(at, now_s, &now);
		json_begin(j);
		status_str(j, "path", at->path);
		status_str(j, "state", position_state_name(at->state));
		json_int(j, "offset", at->offset);
		json_int(j, "size", now.size);
		json_int(j, "lag_bytes", now.lag_bytes);
		json_int(j, "lag_seconds", now.lag_s);
		json_uint(j, "rows", at->account.rows);
		json_int(j, "pmta_rows",
			 at->pmta_rows < 0 ? -1 : at->pmta_rows);
		json_uint(j, "shipped", at->account.shipped);
		json_uint(j, "malformed", at->account.malformed);
		status_json_fate(j, view, at);
		json_end(j);
	}
	json_array_end(j);
}

static void status_json_rows(struct json *j, const struct account *a)
{
	json_begin_in(j, "rows");
	json_uint(j, "read", a->rows);
	json_uint(j, "shipped", a->shipped);
	json_begin_in(j, "skipped");
	for (int i = 0; i < SKIP_REASONS; i++) {
		if (a->skipped[i])
			json_uint(j, account_skip_name((enum skip_reason)i),
				  a->skipped[i]);
	}
	json_end(j);
	json_uint(j, "malformed", a->malformed);
	json_uint(j, "expired", a->expired_rows);
	json_begin_in(j, "not_shipped");
	for (size_t i = 0; i < a->not_shipped.count; i++)
		json_uint_named(j, slice_str(a->not_shipped.entries[i].name),
				a->not_shipped.entries[i].count);
	json_end(j);
	json_end(j);
}

static void status_json_events(struct json *j, const struct account *a)
{
	uint64_t expired = 0;

	json_begin_in(j, "events");
	for (int i = 0; i < EVENT_TYPES; i++) {
		json_uint(j, account_event_name((enum event_type)i),
			  a->events[i]);
		expired += a->expired[i];
	}
	json_uint(j, "expired", expired);
	json_end(j);
}

/* While nothing runs, nothing is delivered. */
void status_forecast(const struct spool_view *view, const struct config *config,
		     int64_t now_s, struct forecast *out)
{
	struct deadlines deadlines = view->deadlines;
	double rate = view->running ? view->checkpoint.process.rate : 0;

	deadlines_set_max_age(&deadlines, config->events.max_age_s);
	deadlines_forecast(&deadlines, rate, now_s, out);
	out->rate = rate;
}

static void status_json_forecast(struct json *j, const struct spool_view *view,
				 const struct config *config, int64_t now_s)
{
	struct forecast forecast;

	status_forecast(view, config, now_s, &forecast);
	json_begin_in(j, "forecast");
	json_milli(j, "rate", (int64_t)(forecast.rate * 1000));
	json_uint(j, "expiring_events", forecast.expiring_events);
	json_int(j, "first", forecast.first_s);
	json_int(j, "last", forecast.last_s);
	json_end(j);
}

static void status_json_gaps(struct json *j, const struct ledger *l)
{
	json_uint(j, "evicted_batches", l->evicted_batches);
	json_uint(j, "evicted_events", l->evicted_events);
	json_uint(j, "open_gaps", l->gaps.count);
	json_uint(j, "open_gap_events", gaps_events(&l->gaps));
	json_uint(j, "healed_events", l->healed_events);
	json_uint(j, "repeated_events", l->repeated_events);
	json_uint(j, "lapsed_events", l->lapsed_events);
	json_uint(j, "unreadable_events", l->unreadable_events);
	json_uint(j, "expired_batches", l->expired_batches);
	json_uint(j, "expired_events", l->expired_events);
	json_begin_in(j, "expired");
	for (int i = 0; i < EVENT_TYPES; i++)
		json_uint(j, account_event_name((enum event_type)i),
			  l->expired[i]);
	json_end(j);
}

static void status_json_spool(struct json *j, const struct spool_view *view,
			      const struct config *config, int64_t now_s)
{
	const struct spool_totals *t = &view->totals;
	const struct ledger *l = &view->checkpoint.ledger;
	int64_t deadline = 0;

	if (t->oldest_event_s && config->events.max_age_s)
		deadline = t->oldest_event_s + config->events.max_age_s;
	json_begin_in(j, "spool");
	json_uint(j, "batches", t->batches);
	json_uint(j, "events", t->events);
	json_uint(j, "bytes", t->bytes);
	json_int(j, "oldest_event", t->oldest_event_s);
	json_int(j, "deadline", deadline);
	json_uint(j, "free_bytes", t->free_bytes);
	status_str(j, "state",
		   view->running ? view->checkpoint.process.room : "stopped");
	status_json_gaps(j, l);
	json_uint(j, "refused_batches", l->refused_batches);
	json_uint(j, "refused_events", l->refused_events);
	status_json_forecast(j, view, config, now_s);
	json_end(j);
}

static void status_json_upload(struct json *j, const struct spool_view *view)
{
	const struct ledger *l = &view->checkpoint.ledger;
	const struct checkpoint_process *p = &view->checkpoint.process;

	json_begin_in(j, "upload");
	status_str(j, "state", view->running ? p->phase : "idle");
	json_uint(j, "window", view->running ? p->window : 0);
	json_uint(j, "batches", l->sent_batches);
	json_uint(j, "events", l->sent_events);
	json_uint(j, "bytes", l->sent_bytes);
	json_uint(j, "failures", l->failures);
	json_int(j, "last_success", l->last_success_s);
	status_str(j, "last_error", p->error);
	json_int(j, "next_try", view->running ? p->next_try_s : 0);
	json_end(j);
	/* Outcomes are not fetched yet: nothing is known to be confirmed. */
	json_begin_in(j, "outcome");
	json_uint(j, "confirmed_events", 0);
	json_uint(j, "rejected_events", 0);
	json_uint(j, "duplicate_events", 0);
	json_uint(j, "unconfirmed_batches", l->sent_batches);
	json_end(j);
}

void status_json(const struct spool_view *view, const struct config *config,
		 int64_t now_s, struct buf *out)
{
	const struct checkpoint *c = &view->checkpoint;
	struct json *j = json_new(out);
	struct buf why;

	buf_init(&why, 8192);
	json_begin(j);
	json_str(j, "version", SLICE(VERSION));
	json_bool(j, "running", view->running);
	json_int(j, "pid", view->running ? view->pid : 0);
	json_int(j, "since", view->running ? c->process.since_s : 0);
	status_str(j, "node", config->events.node_name);
	status_json_sources(j, view, now_s);
	status_json_rows(j, &c->ledger.account);
	status_json_events(j, &c->ledger.account);
	status_json_spool(j, view, config, now_s);
	status_json_upload(j, view);
	json_begin_in(j, "ledger");
	json_bool(j, "agrees", status_agrees(view, &why));
	status_str(j, "difference", buf_str(&why));
	json_end(j);
	json_end(j);
	json_line(j);
	json_free(&j);
	buf_release(&why);
}
