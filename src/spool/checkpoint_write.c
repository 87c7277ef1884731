/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint_write.h"

#include "base/utf8.h"
#include "spool/checkpoint_put.h"

/*
 * The text is written by hand, in constant runs, and not through json.h: it
 * goes with every batch, and with ten thousand sources the generator takes
 * 36 ms for what takes 5 here.  What is zero, empty or false is left out, and
 * lines that are still the same are kept (checkpoint_writer.c).
 *
 * Bytes that are no UTF-8 must come back as they were, or a file would not be
 * found again and a header would mean other columns: such paths and headers
 * are written in hexadecimal.  Names of mapping entries only label counts;
 * they are repaired, and cut to what the reader's path holds.
 */

/* As much of a name as stays within TALLY_NAME bytes once it is UTF-8. */
static void put_name(struct buf *out, struct slice name)
{
	struct buf fixed;
	size_t len = 0;

	buf_init(&fixed, (size_t)TALLY_NAME * 3);
	if (name.len > TALLY_NAME)
		name.len = TALLY_NAME;
	utf8_repair(name, &fixed);
	while (len < fixed.len) {
		size_t n = utf8_char(slice_skip(buf_slice(&fixed), len));

		if (len + n > TALLY_NAME)
			break;
		len += n;
	}
	checkpoint_put_string(out, slice_of(fixed.p, len));
	buf_release(&fixed);
}

/* --- An account --- */

/* Separators: an object's first member has none. */
static void put_comma(struct buf *out)
{
	if (out->len && out->p[out->len - 1] != '{' &&
	    out->p[out->len - 1] != '[')
		buf_add_char(out, ',');
}

static void put_member(struct buf *out, const char *name, uint64_t value)
{
	if (!value)
		return;
	put_comma(out);
	buf_add_slice(out, SLICE("\""));
	buf_add_str(out, name);
	checkpoint_put_count(out, SLICE("\":"), value);
}

static void put_skipped(struct buf *out, const struct account *account)
{
	buf_add_slice(out, SLICE(",\"skipped\":{"));
	for (int i = 0; i < SKIP_REASONS; i++)
		put_member(out, account_skip_name((enum skip_reason)i),
			   account->skipped[i]);
	buf_add_slice(out, SLICE("}"));
}

static void put_tally(struct buf *out, const struct tally *tally)
{
	buf_add_slice(out, SLICE(",\"not_shipped\":{"));
	for (size_t i = 0; i < tally->count; i++) {
		put_comma(out);
		put_name(out, slice_str(tally->entries[i].name));
		checkpoint_put_count(out, SLICE(":"), tally->entries[i].count);
	}
	buf_add_slice(out, SLICE("}"));
}

static bool any(const uint64_t *counts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (counts[i])
			return true;
	}
	return false;
}

static void put_events(struct buf *out, struct slice key,
		       const uint64_t events[EVENT_TYPES])
{
	if (!any(events, EVENT_TYPES))
		return;
	buf_add_slice(out, key);
	for (int i = 0; i < EVENT_TYPES; i++)
		put_member(out, account_event_name((enum event_type)i),
			   events[i]);
	buf_add_slice(out, SLICE("}"));
}

static void put_account(struct buf *out, const struct account *account)
{
	checkpoint_put_count(out, SLICE("\"account\":{\"rows\":"),
			     account->rows);
	put_member(out, "shipped", account->shipped);
	put_member(out, "malformed", account->malformed);
	put_member(out, "expired_rows", account->expired_rows);
	if (any(account->skipped, SKIP_REASONS))
		put_skipped(out, account);
	if (account->not_shipped.count)
		put_tally(out, &account->not_shipped);
	put_events(out, SLICE(",\"events\":{"), account->events);
	put_events(out, SLICE(",\"expired\":{"), account->expired);
	buf_add_slice(out, SLICE("}"));
}

static void put_ledger(struct buf *out, const struct ledger *ledger)
{
	buf_add_slice(out, SLICE("\"ledger\":{"));
	put_account(out, &ledger->account);
	put_member(out, "sent_batches", ledger->sent_batches);
	put_member(out, "sent_events", ledger->sent_events);
	put_member(out, "sent_bytes", ledger->sent_bytes);
	put_member(out, "refused_batches", ledger->refused_batches);
	put_member(out, "refused_events", ledger->refused_events);
	put_member(out, "evicted_batches", ledger->evicted_batches);
	put_member(out, "evicted_events", ledger->evicted_events);
	put_member(out, "expired_batches", ledger->expired_batches);
	put_member(out, "expired_events", ledger->expired_events);
	put_member(out, "healed_events", ledger->healed_events);
	put_member(out, "repeated_events", ledger->repeated_events);
	put_member(out, "lapsed_events", ledger->lapsed_events);
	put_member(out, "unreadable_events", ledger->unreadable_events);
	put_member(out, "failures", ledger->failures);
	checkpoint_put_signed(out, SLICE(",\"last_success\":"),
			      ledger->last_success_s);
	put_events(out, SLICE(",\"expired\":{"), ledger->expired);
	buf_add_slice(out, SLICE("}"));
}

/* In thousandths, for there are no fractions here. */
static int64_t put_rate(double rate)
{
	return rate < 0 || rate > 1e12 ? -1 : (int64_t)(rate * 1000 + 0.5);
}

static void put_process(struct buf *out,
			const struct checkpoint_process *process)
{
	struct buf error;

	buf_init(&error, sizeof(process->error) * 3);
	utf8_repair(slice_str(process->error), &error);
	checkpoint_put_signed(out, SLICE("\"process\":{\"since\":"),
			      process->since_s);
	buf_add_slice(out, SLICE(",\"phase\":"));
	checkpoint_put_string(out, slice_str(process->phase));
	buf_add_slice(out, SLICE(",\"error\":"));
	checkpoint_put_string(out, buf_slice(&error));
	checkpoint_put_signed(out, SLICE(",\"next_try\":"),
			      process->next_try_s);
	put_member(out, "window", process->window);
	buf_add_slice(out, SLICE(",\"room\":"));
	checkpoint_put_string(out, slice_str(process->room));
	checkpoint_put_signed(out, SLICE(",\"rate_milli\":"),
			      put_rate(process->rate));
	buf_add_slice(out, SLICE("}"));
	buf_release(&error);
}

/* --- Gaps --- */

static void put_id(struct buf *out, const struct position_id *id)
{
	checkpoint_put_quoted(out, SLICE(",\"dev\":"), id->dev);
	checkpoint_put_quoted(out, SLICE(",\"ino\":"), id->ino);
	checkpoint_put_count(out, SLICE(",\"head_len\":"), id->head_len);
	checkpoint_put_hex(out, SLICE(",\"head\":"), id->head);
}

static void put_gap(struct buf *out, const struct gap *gap)
{
	put_comma(out);
	checkpoint_put_count(out, SLICE("\n{\"number\":"), gap->number);
	put_id(out, &gap->source);
	checkpoint_put_signed(out, SLICE(",\"from\":"), gap->from);
	checkpoint_put_signed(out, SLICE(",\"to\":"), gap->to);
	checkpoint_put_signed(out, SLICE(",\"header_offset\":"),
			      gap->before.header_offset);
	if (gap->before.skipping)
		buf_add_slice(out, SLICE(",\"skipping\":true"));
	checkpoint_put_quoted(out, SLICE(",\"seq\":"), gap->seq);
	checkpoint_put_count(out, SLICE(",\"events\":"), gap->events);
	put_member(out, "repeats", gap->repeats);
	checkpoint_put_count(out, SLICE(",\"bytes\":"), gap->bytes);
	checkpoint_put_signed(out, SLICE(",\"oldest\":"), gap->oldest_s);
	checkpoint_put_signed(out, SLICE(",\"newest\":"), gap->newest_s);
	buf_add_slice(out, SLICE("}"));
}

static void put_gaps(struct buf *out, const struct gaps *gaps)
{
	if (!gaps->count)
		return;
	buf_add_slice(out, SLICE(",\"gaps\":["));
	for (size_t i = 0; i < gaps->count; i++)
		put_gap(out, &gaps->items[i]);
	buf_add_slice(out, SLICE("]"));
}

/* --- A position --- */

static void put_path(struct buf *out, const char *path)
{
	struct slice text = slice_str(path ? path : "");

	if (utf8_valid(text) == text.len) {
		buf_add_slice(out, SLICE("{\"path\":"));
		checkpoint_put_string(out, text);
	} else {
		buf_add_slice(out, SLICE("{\"path_hex\":"));
		checkpoint_put_hex_string(out, text);
	}
}

static void put_file(struct buf *out, const struct shape_file *file,
		     struct checkpoint_headers *headers)
{
	int64_t number = -1;

	if (file->header.len)
		number = checkpoint_headers_number(headers,
						   buf_slice(&file->header));
	checkpoint_put_signed(out, SLICE(",\"header\":"), number);
	checkpoint_put_signed(out, SLICE(",\"header_offset\":"),
			      file->header_offset);
	if (file->skipping)
		buf_add_slice(out, SLICE(",\"skipping\":true"));
	if (file->said_no_from)
		buf_add_slice(out, SLICE(",\"said_no_from\":true"));
	if (file->said_expired)
		buf_add_slice(out, SLICE(",\"said_expired\":true"));
}

static void put_fate(struct buf *out, const struct position_fate *fate)
{
	put_member(out, "sent", fate->sent);
	put_member(out, "refused", fate->refused);
	put_member(out, "evicted", fate->evicted);
	put_member(out, "expired", fate->expired);
	put_member(out, "healed", fate->healed);
}

void checkpoint_write_position(struct buf *out, const struct position *position,
			       struct checkpoint_headers *headers)
{
	buf_add_slice(out, SLICE("\n"));
	put_path(out, position->path);
	buf_add_slice(out, SLICE(",\"state\":\""));
	buf_add_str(out, position_state_name(position->state));
	checkpoint_put_count(out, SLICE("\",\"number\":"), position->number);
	put_id(out, &position->id);
	checkpoint_put_signed(out, SLICE(",\"offset\":"), position->offset);
	checkpoint_put_count(out, SLICE(",\"tail_len\":"), position->tail_len);
	checkpoint_put_hex(out, SLICE(",\"tail\":"), position->tail);
	put_file(out, &position->file, headers);
	checkpoint_put_signed(out, SLICE(",\"size\":"), position->size);
	checkpoint_put_signed(out, SLICE(",\"last_read\":"),
			      position->last_read_s);
	if (position->pmta_rows != POSITION_PMTA_UNKNOWN)
		checkpoint_put_signed(out, SLICE(",\"pmta_rows\":"),
				      position->pmta_rows);
	put_member(out, "anew", position->anew_seq);
	buf_add_slice(out, SLICE(","));
	put_account(out, &position->account);
	put_fate(out, &position->fate);
	buf_add_slice(out, SLICE("}"));
}

/* --- All but positions --- */

void checkpoint_write_head(struct buf *out, const struct checkpoint *checkpoint)
{
	checkpoint_put_count(out, SLICE("{\"version\":"), CHECKPOINT_VERSION);
	checkpoint_put_signed(out, SLICE(",\"saved\":"), checkpoint->saved_s);
	checkpoint_put_quoted(out, SLICE(",\"seq\":"), checkpoint->seq);
	put_member(out, "group", checkpoint->group);
	checkpoint_put_quoted(out, SLICE(",\"departures\":"),
			      checkpoint->departures);
	checkpoint_put_count(out, SLICE(",\"numbers\":"), checkpoint->numbers);
	buf_add_slice(out, SLICE(","));
	put_process(out, &checkpoint->process);
	buf_add_slice(out, SLICE(","));
	put_ledger(out, &checkpoint->ledger);
	put_gaps(out, &checkpoint->ledger.gaps);
	buf_add_slice(out, SLICE(",\"sources\":["));
}
