/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event_put.h"

#include "acct/address.h"

/* --- What rows have in common --- */

/* Attributes that were written before, or are, to be kept for the next time. */
struct event_span {
	char *json; /* NULL: nowhere */
	uint16_t *json_len;
	size_t max;
	const char *from;
	size_t before; /* bytes in the buffer: as many if nothing has moved */
};

/* Write what is known of the attributes that come next.  False: they have to be
 * made, and event_keep() called behind them. */
static bool event_recall(struct event *event, struct event_span *span)
{
	if (UNLIKELY(event->listed))
		span->json = NULL;
	if (!span->json)
		return false;
	if (LIKELY(*span->json_len)) {
		event_line_json(&event->line,
				slice_of(span->json, *span->json_len));
		return true;
	}
	span->from = event->line.p;
	span->before = event->line.out->len;
	return false;
}

static void event_keep(const struct event *event, const struct event_span *span)
{
	size_t len;

	if (!span->json || !span->from || span->before != event->line.out->len)
		return;
	len = (size_t)(event->line.p - span->from);
	if (len > span->max)
		return;
	memcpy(span->json, span->from, len);
	*span->json_len = (uint16_t)len;
}

/* Those of a row with an entry in a memo, if they show nothing but its texts.
 */
static struct event_span event_memo(const struct record *record,
				    struct memo_entry *entry)
{
	struct event_span span = {.max = MEMO_JSON};

	if (entry && record->clean && !record->mask) {
		span.json = entry->json;
		span.json_len = &entry->json_len;
	}
	return span;
}

static struct event_span event_last(struct record_last *last, int64_t key)
{
	if (UNLIKELY(last->key != key)) {
		last->key = key;
		last->json_len = 0;
	}
	return (struct event_span){.json = last->json,
				   .json_len = &last->json_len,
				   .max = RECORD_LAST};
}

/* --- Groups of attributes, in the order of mapping.md 4 --- */

static void event_timestamp(struct event *event, const struct record *record)
{
	struct record_last *stamps = record->tools->stamps;
	struct event_span span =
		event_last(&stamps[event->synthesized], event->time_s);

	if (event_recall(event, &span))
		return;
	event_decimal(event, ATTRIBUTE_TIMESTAMP, event->time_text,
		      (uint64_t)event->time_s, row_origin(event->time_column));
	event_keep(event, &span);
}

static void event_identity(struct event *event, const struct record *record)
{
	const struct identity *id = &record->identity;
	const char *origin = id->origin;

	if (id->custom.len)
		origin = event_origin(event, record, "rule 3.1.1 column ",
				      record->tools->settings
					      ->message_id_columns[id->column]);
	if (UNLIKELY(event->listed))
		event_note(event, ATTRIBUTE_TYPE,
			   account_event_text(event->type), SHAPE_STRING,
			   event->synthesized ? "rule 2.2" : "column type");
	event_decimal(event, ATTRIBUTE_EVENT_ID, event->id_text, event->id,
		      "rule 3.2");
	event_always(event, ATTRIBUTE_MESSAGE_ID, id->message_id, origin);
	event_add(event, ATTRIBUTE_CUSTOM_MESSAGE_ID, id->custom, origin);
	event_timestamp(event, record);
}

static void event_recipient(struct event *event, const struct record *record)
{
	const char *origin = row_origin(ROW_RCPT);

	if (UNLIKELY(record->mask)) {
		digest_sha1_base64(record->rcpt, event->hash);
		event_always(event, ATTRIBUTE_RCPT_HASH,
			     slice_of(event->hash, DIGEST_SHA1_BASE64 - 1),
			     "rule 4.2 SHA-1 of rcpt");
		event_always(event, ATTRIBUTE_RCPT_DOMAIN,
			     record_text(record, record->domain), origin);
		return;
	}
	event_always(event, ATTRIBUTE_RCPT_TO,
		     record_text(record, record->rcpt), origin);
	if (!slice_eq(record->rcpt, record->logged_rcpt))
		event_add(event, ATTRIBUTE_RAW_RCPT_TO,
			  record_text(record, record->logged_rcpt), origin);
}

static void event_friendly(struct event *event, const struct record *record)
{
	event_add(event, ATTRIBUTE_FRIENDLY_FROM,
		  record_sender(record, record->from),
		  row_origin(record->from_column));
}

static void event_sender(struct event *event, const struct record *record)
{
	struct event_span span = event_memo(record, record->sender);

	event_add(event, ATTRIBUTE_MSG_FROM,
		  record_sender(record, record->orig), row_origin(ROW_ORIG));
	if (!event_in(event, EVENT_SENT)) {
		event_friendly(event, record);
		return;
	}
	if (event_recall(event, &span))
		return;
	event_friendly(event, record);
	event_add(event, ATTRIBUTE_SUBJECT, record_subject(record),
		  row_origin(ROW_SUBJECT));
	event_keep(event, &span);
}

static void event_sending_ip(struct event *event, const struct record *record)
{
	struct slice ip = row_get(&record->row, ROW_DLV_SOURCE_IP);

	if (ip.len)
		event_add(event, ATTRIBUTE_SENDING_IP,
			  record_text(record, address_ip(ip)),
			  row_origin(ROW_DLV_SOURCE_IP));
	else if (record->mapped.sending_ip_rule)
		event_mapped(event, record, ATTRIBUTE_SENDING_IP,
			     record->mapped.sending_ip,
			     record->mapped.sending_ip_rule);
}

static void event_pool(struct event *event, const struct record *record,
		       enum attribute attribute)
{
	const struct mapping_answer *mapped = &record->mapped;

	if (mapped->ip_pool_rule)
		event_mapped(event, record, attribute, mapped->ip_pool,
			     mapped->ip_pool_rule);
	else
		event_column(event, record, attribute, ROW_VMTA_POOL);
}

static void event_route(struct event *event, const struct record *record)
{
	struct event_span span = event_memo(record, record->route);

	if (!event_in(event, EVENT_SENT)) {
		if (event->type == EVENT_FEEDBACK) {
			event_column(event, record, ATTRIBUTE_CAMPAIGN_ID,
				     ROW_X_JOB);
			event_sending_ip(event, record);
		}
		return;
	}
	if (event_recall(event, &span))
		return;
	event_column(event, record, ATTRIBUTE_CAMPAIGN_ID, ROW_JOB_ID);
	event_column(event, record, ATTRIBUTE_BINDING, ROW_VMTA);
	event_pool(event, record, ATTRIBUTE_BINDING_GROUP);
	event_pool(event, record, ATTRIBUTE_IP_POOL);
	event_sending_ip(event, record);
	event_keep(event, &span);
}

static void event_target(struct event *event, const struct record *record)
{
	struct slice ip = row_get(&record->row, ROW_DLV_DESTINATION_IP);

	if (event_in(event, EVENT_TRIED))
		event_add(event, ATTRIBUTE_IP_ADDRESS,
			  record_text(record, address_ip(ip)),
			  row_origin(ROW_DLV_DESTINATION_IP));
	event_add(event, ATTRIBUTE_ROUTING_DOMAIN,
		  record_text(record, record->domain), row_origin(ROW_RCPT));
}

/* Whose it is, and where that is said. */
static uint64_t event_account(const struct event *event,
			      const struct record *record,
			      const char **origin_out)
{
	struct slice text = row_get(&record->row, ROW_SUBACCOUNT_ID);
	unsigned long long number = 0;

	*origin_out = row_origin(ROW_SUBACCOUNT_ID);
	if (text.len &&
	    slice_number(slice_trim(text), INT32_MAX, &number) == 0 && number)
		return number;
	*origin_out = "default";
	if (!record->mapped.subaccount_rule)
		return 0;
	*origin_out = event_origin(event, record, "mapping ",
				   record->mapped.subaccount_rule);
	return (uint64_t)record->mapped.subaccount;
}

static void event_subaccount(struct event *event, const struct record *record)
{
	const char *origin;
	uint64_t number = event_account(event, record, &origin);
	struct slice digits;

	if (LIKELY(!event->listed && !number)) {
		event_line_json(&event->line, SLICE(",\"subaccount_id\":0"));
		return;
	}
	digits = decimal_text(event->subaccount_text, number);
	if (UNLIKELY(event->listed))
		event_note(event, ATTRIBUTE_SUBACCOUNT_ID, digits,
			   SHAPE_INTEGER, origin);
	else
		event_line_bare(&event->line, ATTRIBUTE_SUBACCOUNT_ID, digits);
}

static void event_received(struct event *event, const struct record *record)
{
	struct slice source = row_get(&record->row, ROW_SRC_TYPE);
	const char *origin = source.len ? row_origin(ROW_SRC_TYPE) : "default";

	if (slice_eq_nocase(source, SLICE("api")))
		event_word(event, ATTRIBUTE_RECV_METHOD, SLICE("rest"),
			   EVENT_JSON("recv_method", "rest"), origin);
	else
		event_word(event, ATTRIBUTE_RECV_METHOD, SLICE("esmtp"),
			   EVENT_JSON("recv_method", "esmtp"), origin);
}

static void event_delivered(struct event *event, const struct record *record)
{
	struct slice way = row_get(&record->row, ROW_DLV_TYPE);
	const char *origin = way.len ? row_origin(ROW_DLV_TYPE) : "default";

	if (slice_eq_nocase(way, SLICE("http-delivery")))
		event_word(event, ATTRIBUTE_DELV_METHOD, SLICE("http"),
			   EVENT_JSON("delv_method", "http"), origin);
	else
		event_word(event, ATTRIBUTE_DELV_METHOD, SLICE("esmtp"),
			   EVENT_JSON("delv_method", "esmtp"), origin);
}

static void event_methods(struct event *event, const struct record *record)
{
	if (event->type != EVENT_FEEDBACK)
		event_received(event, record);
	if (event->type != EVENT_RECEPTION)
		event_delivered(event, record);
}

static void event_attempt(struct event *event, const struct record *record)
{
	if (event->type == EVENT_DELIVERY)
		event_column(event, record, ATTRIBUTE_MSG_SIZE, ROW_DLV_SIZE);
	if (event_in(event, EVENT_TRIED))
		event_word(event, ATTRIBUTE_NUM_RETRIES, SLICE("0"),
			   EVENT_JSON("num_retries", "0"), "default");
	if (event_in(event, EVENT_TRIED) && record->has_logged &&
	    record->has_queued) {
		int64_t waited = record->logged_s - record->queued_s;

		event_decimal(event, ATTRIBUTE_QUEUE_TIME, event->queue_text,
			      waited > 0 ? (uint64_t)waited * 1000 : 0,
			      "columns timeQueued and timeLogged");
	}
	if (event->type == EVENT_DELIVERY &&
	    row_get(&record->row, ROW_DLV_TLS_PROTOCOL).len)
		event_word(event, ATTRIBUTE_OUTBOUND_TLS, SLICE("1"),
			   EVENT_JSON("outbound_tls", "1"),
			   row_origin(ROW_DLV_TLS_PROTOCOL));
}

static void event_tracking(struct event *event, enum attribute attribute)
{
	if (UNLIKELY(event->listed))
		event_note(event, attribute, SLICE("true"), SHAPE_TRUE,
			   "events.engagement_tracking");
	else
		event_line_bare(&event->line, attribute, SLICE("true"));
}

static void event_node(struct event *event, const struct record *record)
{
	bool tracked = record->tools->settings->engagement_tracking &&
		       event_in(event, EVENT_SENT);
	struct event_span span = event_last(&record->tools->nodes[tracked], 0);

	if (event_recall(event, &span))
		return;
	if (tracked) {
		event_tracking(event, ATTRIBUTE_OPEN_TRACKING);
		event_tracking(event, ATTRIBUTE_CLICK_TRACKING);
	}
	event_add(event, ATTRIBUTE_NODE_NAME, record->tools->node_name,
		  "node_name");
	event_keep(event, &span);
}

void event_plan(struct event *event, const struct record *record,
		enum event_type type, bool synthesized)
{
	event->type = type;
	event->synthesized = synthesized;
	event->count = 0;
	if (synthesized)
		event->time_s = record_injected(record, &event->time_column);
	else
		event->time_s = record_time(record, &event->time_column);
	if (type == EVENT_RECEPTION)
		event->id = identity_reception(record->identity.message_id);
	else
		event->id = identity_event(record->digest, record->offset,
					   account_event_text(type));
}

static void event_make(struct event *event, const struct record *record)
{
	event_identity(event, record);
	event_recipient(event, record);
	event_sender(event, record);
	event_route(event, record);
	event_target(event, record);
	event_subaccount(event, record);
	event_methods(event, record);
	event_attempt(event, record);
	event_node(event, record);
	if (event_in(event, EVENT_FAILED))
		event_failure(event, record);
	if (event->type == EVENT_FEEDBACK)
		event_complaint(event, record);
}

void event_write(struct event *event, const struct record *record,
		 struct buf *out)
{
	event->listed = false;
	event_line_open(&event->line, out, event->type);
	event_make(event, record);
	event_line_close(&event->line);
}

void event_list(struct event *event, const struct record *record)
{
	event->listed = true;
	event->count = 0;
	event_make(event, record);
}

void event_line(const struct event *event, struct buf *out)
{
	struct event_line line;

	event_line_open(&line, out, event->type);
	for (size_t i = 1; i < event->count; i++) {
		const struct shape_attribute *a = &event->attributes[i];

		if (a->kind == SHAPE_STRING)
			event_line_string(&line, a->attribute, a->value);
		else
			event_line_bare(&line, a->attribute, a->value);
	}
	event_line_close(&line);
}
