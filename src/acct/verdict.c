/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/verdict.h"

#include "acct/address.h"
#include "base/hint.h"

static bool verdict_skip(struct verdict *verdict, enum skip_reason reason)
{
	verdict->kind = VERDICT_SKIPPED;
	verdict->skip = reason;
	verdict->reason = account_skip_name(reason);
	return true;
}

/* Types of which no row makes an event. */
static bool verdict_of_type(struct verdict *verdict, enum kind kind)
{
	switch (kind) {
	case KIND_TRANSIENT_QUEUE:
		return verdict_skip(verdict, SKIP_TQ);
	case KIND_REMOTE_STATUS:
		return verdict_skip(verdict, SKIP_RS);
	case KIND_UNKNOWN:
	case KIND_HEADER:
		return verdict_skip(verdict, SKIP_UNKNOWN_TYPE);
	default:
		return false;
	}
}

static bool verdict_inbound(const struct record *record)
{
	const struct settings *settings = record->tools->settings;

	for (size_t i = 0; i < settings->inbound_domains_count; i++) {
		if (slice_eq_nocase(record->domain,
				    slice_str(settings->inbound_domains[i])))
			return true;
	}
	return false;
}

/* Rule 2.1: mail that PowerMTA did not send to anybody outside. */
static bool verdict_of_attempt(struct verdict *verdict,
			       const struct record *record)
{
	struct slice way = slice_trim(row_get(&record->row, ROW_DLV_TYPE));

	if (way.len && !slice_eq_nocase(way, SLICE("smtp")) &&
	    !slice_eq_nocase(way, SLICE("http-delivery")))
		return verdict_skip(verdict, SKIP_DLV_TYPE);
	if (slice_starts(row_get(&record->row, ROW_QUEUE), SLICE("{")))
		return verdict_skip(verdict, SKIP_SPARKPOST_QUEUE);
	if (verdict_inbound(record))
		return verdict_skip(verdict, SKIP_INBOUND_DOMAIN);
	return false;
}

static bool verdict_of_settings(struct verdict *verdict,
				const struct record *record)
{
	const struct settings *settings = record->tools->settings;
	struct slice feedback = row_get(&record->row, ROW_FEEDBACK_TYPE);

	switch (record->kind) {
	case KIND_TRANSIENT:
		if (!settings->delay)
			return verdict_skip(verdict, SKIP_DELAY_OFF);
		return false;
	case KIND_RECEIPT:
		if (settings->injection == INJECTION_OFF)
			return verdict_skip(verdict, SKIP_INJECTION_OFF);
		return false;
	case KIND_FEEDBACK:
		if (slice_eq_nocase(slice_trim(feedback), SLICE("not-spam")))
			return verdict_skip(verdict, SKIP_NOT_SPAM);
		return false;
	default:
		return false;
	}
}

static void verdict_malformed(struct verdict *verdict, enum record_fault fault)
{
	verdict->kind = VERDICT_MALFORMED;
	verdict->reason = fault == RECORD_NO_TIME ? "no time" : "no recipient";
}

/* Rule 2.2: does a row of d, b or t stand for an injection, too? */
static bool verdict_synthesizes(const struct record *record)
{
	const struct row_header *header = record->row.header;

	if (!kind_is_attempt(record->kind))
		return false;
	switch (record->tools->settings->injection) {
	case INJECTION_AUTO:
		return !row_header_has(header, ROW_RCV_SOURCE_IP) &&
		       !row_header_has(header, ROW_RCV_DESTINATION_IP);
	case INJECTION_SYNTHESIZE:
		return true;
	default:
		return false;
	}
}

static void verdict_events(struct verdict *verdict)
{
	static const enum event_type types[] = {
		[KIND_RECEIPT] = EVENT_RECEPTION,
		[KIND_DELIVERY] = EVENT_DELIVERY,
		[KIND_BOUNCE] = EVENT_INBAND,
		[KIND_TRANSIENT] = EVENT_TEMPFAIL,
		[KIND_REMOTE_BOUNCE] = EVENT_OUTOFBAND,
		[KIND_FEEDBACK] = EVENT_FEEDBACK,
	};
	const struct record *record = &verdict->record;

	verdict->kind = VERDICT_EVENT;
	verdict->reason = NULL;
	if (verdict_synthesizes(record))
		event_plan(&verdict->events[verdict->count++], record,
			   EVENT_RECEPTION, true);
	event_plan(&verdict->events[verdict->count++], record,
		   types[record->kind], false);
}

void verdict_reach(struct verdict *verdict, struct record_tools *tools,
		   const struct row *row, struct slice bytes, int64_t offset)
{
	struct record *record = &verdict->record;
	enum kind kind = kind_of(row->fields[0]);
	enum record_fault fault;

	verdict->count = 0;
	if (verdict_of_type(verdict, kind))
		return;
	fault = record_read(record, tools, kind, row, bytes);
	if (UNLIKELY(fault)) {
		verdict_malformed(verdict, fault);
		return;
	}
	if (verdict_of_settings(verdict, record))
		return;
	if (kind_is_attempt(kind) && verdict_of_attempt(verdict, record))
		return;
	record_map(record);
	if (UNLIKELY(!record->mapped.ship)) {
		verdict->kind = VERDICT_NOT_SHIPPED;
		verdict->reason = record->mapped.ship_rule;
		return;
	}
	record_identify(record, offset);
	verdict_events(verdict);
}

bool verdict_without_from(const struct verdict *verdict)
{
	const struct record *record = &verdict->record;

	if (verdict->kind != VERDICT_EVENT &&
	    verdict->kind != VERDICT_NOT_SHIPPED)
		return false;
	return record->mapped.filtered && record->from_column == ROW_ORIG &&
	       !row_header_has(record->row.header, ROW_FROM);
}
