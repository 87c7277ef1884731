/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/shape_book.h"

#include <assert.h>

#include "base/hint.h"

/*
 * A row is weighed before anything is booked, so that one which does not fit
 * leaves nothing behind but JSON, and that is cut off again.
 */

/* Unknown codes leave room for the other notes. */
enum { SHAPE_NOTES_UNKNOWN = SHAPE_NOTES - 2 };

static void shape_note(struct shape *shape, int kind, int64_t offset,
		       struct slice text)
{
	struct shape_batch *batch = &shape->batch;
	struct shape_note *note;

	if (batch->notes_count == SHAPE_NOTES)
		return;
	note = &batch->notes[batch->notes_count++];
	*note = (struct shape_note){.kind = kind, .offset = offset};
	assert(text.len < sizeof(note->text));
	if (text.len)
		memcpy(note->text, text.p, text.len);
}

/* Letters, digits and "-": anything else is not PowerMTA's, nor ours to show.
 */
static bool shape_is_code(struct slice code)
{
	for (size_t i = 0; i < code.len; i++) {
		char c = slice_lower(code.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-')
			return false;
	}
	return code.len && code.len <= 16;
}

/* Say an unknown code once for a block. */
static void shape_note_code(struct shape *shape, int64_t offset)
{
	struct shape_batch *batch = &shape->batch;
	struct slice code = shape->csv.fields[0];

	if (!shape_is_code(code))
		code = SLICE("(not a code)");
	for (size_t i = 0; i < batch->notes_count; i++) {
		const struct shape_note *note = &batch->notes[i];

		if (note->kind == SHAPE_NOTE_UNKNOWN_TYPE &&
		    slice_eq(slice_str(note->text), code))
			return;
	}
	if (batch->notes_count < SHAPE_NOTES_UNKNOWN)
		shape_note(shape, SHAPE_NOTE_UNKNOWN_TYPE, offset, code);
}

void shape_book_show(struct shape *shape, const struct shape_row *row, int kind,
		     const char *reason)
{
	struct shape_event events[VERDICT_EVENTS];
	struct shape_trace trace = {
		.offset = row->offset,
		.row = row->bytes,
		.verdict = kind,
		.reason = reason,
		.events = events,
	};
	const struct verdict *verdict = &shape->verdict;

	if (kind == SHAPE_ROW_SHIPPED || kind == SHAPE_ROW_EXPIRED) {
		trace.events_count = verdict->count;
		trace.recipient = &verdict->record.recipient;
	}
	for (size_t i = 0; i < trace.events_count; i++)
		events[i] = (struct shape_event){
			.type = verdict->events[i].type,
			.attributes = verdict->events[i].attributes,
			.attributes_count = verdict->events[i].count,
			.expired = row->expired[i],
			.duplicate = row->duplicate[i],
		};
	shape->visit(shape->visit_ctx, &trace);
}

void shape_book_malformed(struct shape *shape, const struct shape_row *row,
			  const char *reason, const struct mask *mask)
{
	struct refused_row refused = {
		.offset = row->offset,
		.reason = reason,
		.text = row->bytes,
		.hide = shape->settings->privacy_sha1,
		.mask = mask,
	};

	shape->batch.account.rows++;
	shape->batch.account.malformed++;
	if (refused_add(&shape->refused, &refused, &shape->batch.malformed) < 0)
		shape->batch.malformed_left_out++;
	shape_book_trace(shape, row, SHAPE_ROW_MALFORMED, reason);
}

static void shape_skipped(struct shape *shape, const struct shape_row *row)
{
	const struct verdict *verdict = &shape->verdict;

	shape->batch.account.rows++;
	shape->batch.account.skipped[verdict->skip]++;
	if (verdict->skip == SKIP_UNKNOWN_TYPE)
		shape_note_code(shape, row->offset);
	shape_book_trace(shape, row, SHAPE_ROW_SKIPPED, verdict->reason);
}

static void shape_not_shipped(struct shape *shape, const struct shape_row *row)
{
	const char *rule = shape->verdict.reason;

	shape->batch.account.rows++;
	tally_add(&shape->batch.account.not_shipped, slice_str(rule), 1);
	shape_book_trace(shape, row, SHAPE_ROW_NOT_SHIPPED, rule);
}

/* --- Rows with events --- */

/* Which events are sent; and their JSON, behind what there is. */
static void shape_weigh(struct shape *shape, struct shape_row *row)
{
	struct verdict *verdict = &shape->verdict;
	int64_t max_age_s = shape->settings->max_age_s;

	for (size_t i = 0; i < verdict->count; i++) {
		struct event *event = &verdict->events[i];

		row->expired[i] = max_age_s &&
				  shape->sealed_s - event->time_s > max_age_s;
		row->duplicate[i] = event->type == EVENT_RECEPTION &&
				    idset_has(&shape->receptions, event->id);
		row->sent[i] = !row->expired[i] &&
			       (!row->duplicate[i] || shape->repeat);
		if (UNLIKELY(shape->visit))
			event_list(event, &verdict->record);
		if (UNLIKELY(!row->sent[i]))
			continue;
		row->sent_count++;
#ifdef EVENTS_BY_YAJL
		event_list(event, &verdict->record);
		event_line_yajl(event, shape->json);
#else
		event_write(event, &verdict->record, &shape->json_text);
#endif
	}
}

/* Would the row, whose JSON is written already, pass a limit? */
static bool shape_passes(const struct shape *shape, const struct shape_row *row)
{
	return shape->events &&
	       (shape->events + row->sent_count > shape_book_most(shape) ||
		shape_book_bytes(shape) > shape->settings->max_raw_bytes);
}

static void shape_note_expired(struct shape *shape, const struct shape_row *row,
			       enum event_type type)
{
	if (shape->batch.file.said_expired)
		return;
	shape->batch.file.said_expired = true;
	shape_note(shape, SHAPE_NOTE_EXPIRED, row->offset,
		   slice_str(account_event_name(type)));
}

static void shape_shipped(struct shape *shape, const struct shape_row *row)
{
	struct shape_batch *batch = &shape->batch;
	struct account *account = &batch->account;
	bool shipped = false;

	account->rows++;
	for (size_t i = 0; i < shape->verdict.count; i++) {
		const struct event *event = &shape->verdict.events[i];

		/* A duplicate is in the batch: the row it is of is shipped. */
		shipped |= row->sent[i] || row->duplicate[i];
		if (LIKELY(row->sent[i])) {
			account->events[event->type]++;
			batch->repeats += row->duplicate[i];
			if (!shape->events || event->time_s < batch->oldest_s)
				batch->oldest_s = event->time_s;
			if (!shape->events++ || event->time_s > batch->newest_s)
				batch->newest_s = event->time_s;
			if (event->type == EVENT_RECEPTION)
				idset_add(&shape->receptions, event->id);
		} else if (!row->duplicate[i]) {
			account->expired[event->type]++;
			shape_note_expired(shape, row, event->type);
		}
	}
	if (shipped)
		account->shipped++;
	else
		account->expired_rows++;
	shape_book_trace(shape, row,
			 shipped ? SHAPE_ROW_SHIPPED : SHAPE_ROW_EXPIRED, NULL);
}

/* False: the batch is full, and the row not taken. */
static bool shape_events_of(struct shape *shape, struct shape_row *row)
{
	size_t start = shape->json_text.len;
	size_t max = shape->json_text.max;
	bool too_large, full;

	shape->json_text.max = start + shape->settings->max_event_bytes;
	shape_weigh(shape, row);
	shape->json_text.max = max;
	too_large = shape->json_text.overflow;
	full = !too_large && shape_passes(shape, row);
	if (UNLIKELY(too_large || full))
		buf_truncate(&shape->json_text, start);
	if (UNLIKELY(too_large))
		shape_book_malformed(shape, row, "too large",
				     &shape->verdict.record.recipient);
	else if (!full)
		shape_shipped(shape, row);
	return !full;
}

bool shape_book_fields(struct shape *shape, struct shape_row *row)
{
	struct verdict *verdict = &shape->verdict;
	struct shape_file *file = &shape->batch.file;
	const struct row fields = {
		.header = &shape->columns,
		.fields = shape->csv.fields,
		.count = shape->csv.count,
		.clean = row->ascii,
	};

	verdict_reach(verdict, &shape->tools, &fields, row->bytes, row->offset);
	switch (verdict->kind) {
	case VERDICT_MALFORMED:
		shape_book_malformed(shape, row, verdict->reason,
				     verdict->record.recipient.domain.len
					     ? &verdict->record.recipient
					     : NULL);
		return true;
	case VERDICT_SKIPPED:
		shape_skipped(shape, row);
		return true;
	case VERDICT_NOT_SHIPPED:
		shape_not_shipped(shape, row);
		break;
	case VERDICT_EVENT:
		if (!shape_events_of(shape, row))
			return false;
		break;
	}
	if (!file->said_no_from && verdict_without_from(verdict)) {
		file->said_no_from = true;
		shape_note(shape, SHAPE_NOTE_NO_FROM, row->offset,
			   slice_of(NULL, 0));
	}
	return true;
}
