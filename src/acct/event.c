/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/event.h"

#include <assert.h>

#include "acct/address.h"
#include "acct/bounce.h"
#include "acct/mask.h"

/* Sets of event types, as the column "on" of mapping.md 4 names them. */
enum {
	EVENT_SENT = 1 << EVENT_RECEPTION | 1 << EVENT_DELIVERY |
		     1 << EVENT_INBAND | 1 << EVENT_TEMPFAIL,
	EVENT_TRIED =
		1 << EVENT_DELIVERY | 1 << EVENT_INBAND | 1 << EVENT_TEMPFAIL,
	EVENT_FAILED =
		1 << EVENT_INBAND | 1 << EVENT_OUTOFBAND | 1 << EVENT_TEMPFAIL,
};

static bool event_in(const struct event *event, int set)
{
	return set >> event->type & 1;
}

/* --- Numbers and lists --- */

/* Decimal digits into "text", from its end, two by two. */
static struct slice event_number(char text[EVENT_NUMBER], uint64_t number)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";
	size_t at = EVENT_NUMBER;

	for (; number > 9; number /= 100) {
		at -= 2;
		memcpy(text + at, pairs + number % 100 * 2, 2);
	}
	if (number || at == EVENT_NUMBER)
		text[--at] = (char)('0' + number);
	return slice_of(text + at, EVENT_NUMBER - at);
}

static void event_always(struct event *event, enum attribute attribute,
			 struct slice value, const char *origin)
{
	assert(event->count < EVENT_ATTRIBUTES);
	event->attributes[event->count++] =
		(struct shape_attribute){.name = attribute_keys[attribute].name,
					 .value = value,
					 .origin = origin,
					 .attribute = attribute};
}

static void event_add(struct event *event, enum attribute attribute,
		      struct slice value, const char *origin)
{
	if (value.len)
		event_always(event, attribute, value, origin);
}

static void event_column(struct event *event, const struct record *record,
			 enum attribute attribute, enum row_column column)
{
	event_add(event, attribute,
		  record_text(record, row_get(&record->row, column)),
		  row_origin(column));
}

/* "word name", put together only for those who look. */
static const char *event_origin(const struct record *record, const char *word,
				const char *name)
{
	struct record_tools *tools = record->tools;
	size_t n, m;
	char *p;

	if (!tools->trace)
		return word;
	n = strlen(word);
	m = strlen(name);
	p = scratch_take(&tools->scratch, n + m + 1);
	memcpy(p, word, n);
	memcpy(p + n, name, m + 1);
	return p;
}

static void event_mapped(struct event *event, const struct record *record,
			 enum attribute attribute, struct slice value,
			 const char *rule)
{
	event_add(event, attribute, record_text(record, value),
		  event_origin(record, "mapping ", rule));
}

/* --- Groups of attributes, in the order of mapping.md 4 --- */

static void event_identity(struct event *event, const struct record *record)
{
	const struct identity *id = &record->identity;
	const char *origin = id->origin;

	if (id->custom.len)
		origin = event_origin(record, "rule 3.1.1 column ",
				      record->tools->settings
					      ->message_id_columns[id->column]);
	event_always(event, ATTRIBUTE_TYPE, account_event_text(event->type),
		     event->synthesized ? "rule 2.2" : "column type");
	event_always(event, ATTRIBUTE_EVENT_ID,
		     event_number(event->id_text, event->id), "rule 3.2");
	event_always(event, ATTRIBUTE_MESSAGE_ID, id->message_id, origin);
	event_add(event, ATTRIBUTE_CUSTOM_MESSAGE_ID, id->custom, origin);
	event_always(event, ATTRIBUTE_TIMESTAMP,
		     event_number(event->time_text, (uint64_t)event->time_s),
		     row_origin(event->time_column));
}

static void event_recipient(struct event *event, const struct record *record)
{
	const char *origin = row_origin(ROW_RCPT);

	if (record->mask) {
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

static void event_sender(struct event *event, const struct record *record)
{
	event_add(event, ATTRIBUTE_MSG_FROM,
		  record_sender(record, record->orig), row_origin(ROW_ORIG));
	event_add(event, ATTRIBUTE_FRIENDLY_FROM,
		  record_sender(record, record->from),
		  row_origin(record->from_column));
	if (event_in(event, EVENT_SENT)) {
		event_add(event, ATTRIBUTE_SUBJECT, record_subject(record),
			  row_origin(ROW_SUBJECT));
		event_column(event, record, ATTRIBUTE_CAMPAIGN_ID, ROW_JOB_ID);
	} else if (event->type == EVENT_FEEDBACK) {
		event_column(event, record, ATTRIBUTE_CAMPAIGN_ID, ROW_X_JOB);
	}
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

static void event_route(struct event *event, const struct record *record)
{
	const struct mapping_answer *mapped = &record->mapped;
	struct slice ip = row_get(&record->row, ROW_DLV_DESTINATION_IP);

	if (event_in(event, EVENT_SENT)) {
		event_column(event, record, ATTRIBUTE_BINDING, ROW_VMTA);
		if (mapped->ip_pool_rule) {
			event_mapped(event, record, ATTRIBUTE_BINDING_GROUP,
				     mapped->ip_pool, mapped->ip_pool_rule);
			event_mapped(event, record, ATTRIBUTE_IP_POOL,
				     mapped->ip_pool, mapped->ip_pool_rule);
		} else {
			event_column(event, record, ATTRIBUTE_BINDING_GROUP,
				     ROW_VMTA_POOL);
			event_column(event, record, ATTRIBUTE_IP_POOL,
				     ROW_VMTA_POOL);
		}
	}
	if (event_in(event, EVENT_SENT | 1 << EVENT_FEEDBACK))
		event_sending_ip(event, record);
	if (event_in(event, EVENT_TRIED))
		event_add(event, ATTRIBUTE_IP_ADDRESS,
			  record_text(record, address_ip(ip)),
			  row_origin(ROW_DLV_DESTINATION_IP));
	event_add(event, ATTRIBUTE_ROUTING_DOMAIN,
		  record_text(record, record->domain), row_origin(ROW_RCPT));
}

static void event_subaccount(struct event *event, const struct record *record)
{
	struct slice text =
		slice_trim(row_get(&record->row, ROW_SUBACCOUNT_ID));
	const char *origin = "default";
	unsigned long long number = 0;

	if (slice_number(text, INT32_MAX, &number) == 0 && number) {
		origin = row_origin(ROW_SUBACCOUNT_ID);
	} else if (record->mapped.subaccount_rule) {
		number = (unsigned long long)record->mapped.subaccount;
		origin = event_origin(record, "mapping ",
				      record->mapped.subaccount_rule);
	} else {
		number = 0;
	}
	event_always(event, ATTRIBUTE_SUBACCOUNT_ID,
		     event_number(event->subaccount_text, number), origin);
	event->attributes[event->count - 1].kind = SHAPE_INTEGER;
}

static void event_methods(struct event *event, const struct record *record)
{
	struct slice source = row_get(&record->row, ROW_SRC_TYPE);
	struct slice way = row_get(&record->row, ROW_DLV_TYPE);

	if (event->type != EVENT_FEEDBACK) {
		bool api = slice_eq_nocase(source, SLICE("api"));

		event_always(event, ATTRIBUTE_RECV_METHOD,
			     api ? SLICE("rest") : SLICE("esmtp"),
			     source.len ? row_origin(ROW_SRC_TYPE) : "default");
	}
	if (event->type != EVENT_RECEPTION) {
		bool http = slice_eq_nocase(way, SLICE("http-delivery"));

		event_always(event, ATTRIBUTE_DELV_METHOD,
			     http ? SLICE("http") : SLICE("esmtp"),
			     way.len ? row_origin(ROW_DLV_TYPE) : "default");
	}
}

static void event_attempt(struct event *event, const struct record *record)
{
	if (event->type == EVENT_DELIVERY)
		event_column(event, record, ATTRIBUTE_MSG_SIZE, ROW_DLV_SIZE);
	if (event_in(event, EVENT_TRIED))
		event_always(event, ATTRIBUTE_NUM_RETRIES, SLICE("0"),
			     "default");
	if (event_in(event, EVENT_TRIED) && record->has_logged &&
	    record->has_queued) {
		int64_t waited = record->logged_s - record->queued_s;

		event_always(
			event, ATTRIBUTE_QUEUE_TIME,
			event_number(event->queue_text,
				     waited > 0 ? (uint64_t)waited * 1000 : 0),
			"columns timeQueued and timeLogged");
	}
	if (event->type == EVENT_DELIVERY &&
	    row_get(&record->row, ROW_DLV_TLS_PROTOCOL).len)
		event_always(event, ATTRIBUTE_OUTBOUND_TLS, SLICE("1"),
			     row_origin(ROW_DLV_TLS_PROTOCOL));
}

static void event_node(struct event *event, const struct record *record)
{
	const struct settings *settings = record->tools->settings;
	static const enum attribute names[] = {ATTRIBUTE_OPEN_TRACKING,
					       ATTRIBUTE_CLICK_TRACKING};

	for (int i = 0; settings->engagement_tracking &&
			event_in(event, EVENT_SENT) && i < 2;
	     i++) {
		event_always(event, names[i], SLICE("true"),
			     "events.engagement_tracking");
		event->attributes[event->count - 1].kind = SHAPE_TRUE;
	}
	event_add(event, ATTRIBUTE_NODE_NAME, record->tools->node_name,
		  "node_name");
}

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

static void event_failure(struct event *event, const struct record *record)
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
	event_always(event, ATTRIBUTE_BOUNCE_CLASS,
		     event_number(event->class_text, class), origin);
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

static void event_complaint(struct event *event, const struct record *record)
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
					   account_event_name(type));
}

void event_make(struct event *event, const struct record *record)
{
	event->count = 0;
	event_identity(event, record);
	event_recipient(event, record);
	event_sender(event, record);
	event_route(event, record);
	event_subaccount(event, record);
	event_methods(event, record);
	event_attempt(event, record);
	event_node(event, record);
	if (event_in(event, EVENT_FAILED))
		event_failure(event, record);
	if (event->type == EVENT_FEEDBACK)
		event_complaint(event, record);
}
