/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/bounce.h"
#include "acct/event_put.h"
#include "acct/mask.h"

/* The reply as one text and its masked form. */
static void event_reason(struct event *event, const struct record *record,
			 const struct bounce_reply *reply)
{
	struct buf *out = &record->tools->text;
	enum row_column column = ROW_DSN_DIAG;
	struct slice raw = reply->text;

	if (!raw.len) {
		column = ROW_DSN_STATUS;
		raw = row_get(&record->row, column);
	}
	raw = record_reply(record, raw);
	event_always(event, ATTRIBUTE_RAW_REASON, raw, row_origin(column));
	if (slice_find(raw, '@') < raw.len) {
		buf_reset(out);
		mask_addresses(raw, false, out);
		raw = scratch_copy(&record->tools->scratch, buf_slice(out));
	}
	event_always(event, ATTRIBUTE_REASON, raw, row_origin(column));
}

void event_failure(struct event *event, const struct record *record)
{
	const struct bounce_facts facts = {
		.category = row_get(&record->row, ROW_BOUNCE_CAT),
		.status = row_get(&record->row, ROW_DSN_STATUS),
		.mta = row_get(&record->row, ROW_DSN_MTA),
		.type = event->type,
	};
	struct bounce_reply reply;
	const char *origin;
	unsigned int class;

	bounce_read(row_get(&record->row, ROW_DSN_DIAG), &reply);
	class = bounce_class(&facts, &reply, record->tools->settings, &origin);
	event_decimal(event, ATTRIBUTE_BOUNCE_CLASS, event->class_text, class,
		      origin);
	if (reply.code.len)
		event_always(event, ATTRIBUTE_ERROR_CODE, reply.code,
			     row_origin(ROW_DSN_DIAG));
	else
		event_always(event, ATTRIBUTE_ERROR_CODE,
			     event->type == EVENT_TEMPFAIL ? SLICE("450")
							   : SLICE("550"),
			     "default");
	event_reason(event, record, &reply);
}

void event_complaint(struct event *event, const struct record *record)
{
	struct slice type =
		slice_trim(row_get(&record->row, ROW_FEEDBACK_TYPE));

	if (type.len)
		event_always(event, ATTRIBUTE_FBTYPE,
			     record_text(record, record_lower(record, type)),
			     row_origin(ROW_FEEDBACK_TYPE));
	else
		event_always(event, ATTRIBUTE_FBTYPE, SLICE("abuse"),
			     "default");
	event_column(event, record, ATTRIBUTE_REPORT_BY, ROW_REPORTING_MTA);
	event_column(event, record, ATTRIBUTE_USER_AGENT, ROW_USER_AGENT);
}
