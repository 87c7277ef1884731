/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/record.h"

#include "acct/address.h"
#include "acct/mime.h"
#include "base/hint.h"
#include "base/utf8.h"
#include "base/when.h"

/*
 * How much longer a text may become: U+FFFD for a byte is three bytes, and a
 * decoder of a character set may write four.
 */
enum { RECORD_GROWTH = 8 };

void record_tools_init(struct record_tools *tools,
		       const struct settings *settings)
{
	size_t max = RECORD_GROWTH * settings->max_row;

	*tools = (struct record_tools){.settings = settings,
				       .node_name =
					       slice_str(settings->node_name)};
	scratch_init(&tools->scratch);
	charset_init(&tools->charset);
	tools->sender_memo = memo_new();
	tools->route_memo = memo_new();
	buf_init(&tools->text, max);
	buf_init(&tools->spare, max);
	buf_init(&tools->spare2, max);
	kept_init(tools->senders, 0);
	kept_init(tools->subjects, RECORD_GROWTH * KEPT_MAX);
}

void record_tools_release(struct record_tools *tools)
{
	scratch_release(&tools->scratch);
	charset_release(&tools->charset);
	memo_free(&tools->sender_memo);
	memo_free(&tools->route_memo);
	buf_release(&tools->text);
	buf_release(&tools->spare);
	buf_release(&tools->spare2);
	kept_release(tools->senders);
	kept_release(tools->subjects);
}

/* --- Texts --- */

struct slice record_lower(const struct record *record, struct slice text)
{
	char *p;

	if (LIKELY(!slice_has_upper(text)))
		return text;
	p = scratch_take(&record->tools->scratch, text.len);
	for (size_t i = 0; i < text.len; i++)
		p[i] = slice_lower(text.p[i]);
	return slice_of(p, text.len);
}

/* What tools->text holds, kept for the row, as UTF-8. */
static struct slice record_keep(const struct record *record)
{
	struct record_tools *tools = record->tools;
	struct slice text = buf_slice(&tools->text);

	if (utf8_valid(text) < text.len) {
		buf_reset(&tools->spare);
		utf8_repair(text, &tools->spare);
		text = buf_slice(&tools->spare);
	}
	return scratch_copy(&tools->scratch, text);
}

struct slice record_clean(const struct record *record, struct slice text)
{
	struct buf *out = &record->tools->text;

	if (record->mask && mask_holds(record->mask, text)) {
		buf_reset(out);
		mask_text(record->mask, text, out);
		return record_keep(record);
	}
	if (record->clean || utf8_valid(text) == text.len)
		return text;
	buf_reset(out);
	buf_add_slice(out, text);
	return record_keep(record);
}

struct slice record_sender(const struct record *record, struct slice address)
{
	if (!record->mask || !address.len)
		return record_text(record, address);
	buf_reset(&record->tools->text);
	mask_sender(record->mask, address, &record->tools->text);
	return record_keep(record);
}

struct slice record_reply(const struct record *record, struct slice text)
{
	if (!record->mask || !text.len)
		return record_text(record, text);
	buf_reset(&record->tools->text);
	mask_reply(record->mask, text, &record->tools->text);
	return record_keep(record);
}

static struct slice record_decode(const struct record *record,
				  struct slice encoded)
{
	struct record_tools *tools = record->tools;

	buf_reset(&tools->text);
	mime_decode(&tools->charset, encoded, &tools->spare, &tools->text);
	return record_keep(record);
}

struct slice record_subject(const struct record *record)
{
	struct slice subject = slice_trim(row_get(&record->row, ROW_SUBJECT));
	struct kept *kept;

	if (!mime_encoded(subject))
		return record_text(record, subject);
	kept = kept_place(record->tools->subjects, subject);
	if (!kept_is(kept, subject)) {
		struct slice text = record_decode(record, subject);

		buf_reset(&kept->from);
		buf_reset(&kept->text);
		if (subject.len > KEPT_MAX ||
		    buf_add_slice(&kept->text, text) < 0)
			return record_text(record, text);
		buf_add_slice(&kept->from, subject);
	}
	return record_text(record, buf_slice(&kept->text));
}

const char *record_origin(const struct record *record, const char *word,
			  const char *name)
{
	size_t n = strlen(word), m = strlen(name);
	char *p = scratch_take(&record->tools->scratch, n + m + 1);

	memcpy(p, word, n);
	memcpy(p + n, name, m + 1);
	return p;
}

/* --- Reading --- */

/*
 * Is it the usual form, and in the minute of the last one?  Then only the two
 * digits of the second are new.
 */
static bool record_same_minute(struct record_clock *clock, struct slice text)
{
	enum { SECOND = 17, ZONE = 19, USUAL = 24 };
	unsigned int tens, ones;

	if (text.len != USUAL || clock->len != USUAL || !clock->good ||
	    text.p[SECOND - 1] != ':' ||
	    memcmp(text.p, clock->text, SECOND) != 0 ||
	    memcmp(text.p + ZONE, clock->text + ZONE, USUAL - ZONE) != 0)
		return false;
	tens = (unsigned int)(text.p[SECOND] - '0');
	ones = (unsigned int)(text.p[SECOND + 1] - '0');
	if (tens > 5 || ones > 9)
		return false;
	clock->seconds += (int64_t)(tens * 10 + ones);
	clock->seconds -= (clock->text[SECOND] - '0') * 10 +
			  (clock->text[SECOND + 1] - '0');
	memcpy(clock->text + SECOND, text.p + SECOND, 2);
	return true;
}

static bool record_when(struct record_clock *clock, struct slice text,
			int64_t *seconds_out)
{
	text = slice_trim(text);
	if (UNLIKELY(!text.len || text.len > sizeof(clock->text)))
		return false;
	if (UNLIKELY(!record_same_minute(clock, text)) &&
	    !slice_eq(text, slice_of(clock->text, clock->len))) {
		memcpy(clock->text, text.p, text.len);
		clock->len = text.len;
		clock->good = when_parse(text, &clock->seconds) == 0 &&
			      clock->seconds >= 0;
	}
	*seconds_out = clock->seconds;
	return clock->good;
}

/* "local@domain", both there; anything else is no recipient. */
static bool record_recipient(struct record *record)
{
	struct slice bare, local;

	record->recipient = (struct mask){0};
	record->logged_rcpt = row_get(&record->row, ROW_RCPT);
	bare = address_bare(record->logged_rcpt);
	if (UNLIKELY(!bare.len || bare.len > ADDRESS_MAX))
		return false;
	record->rcpt = record_lower(record, bare);
	record->domain = address_domain(record->rcpt);
	local = record->rcpt;
	if (record->domain.p)
		local.len = (size_t)(record->domain.p - 1 - local.p);
	record->recipient = (struct mask){
		.local = local,
		.domain = record->domain,
		.spare = &record->tools->spare2,
	};
	return record->domain.len && record->recipient.local.len;
}

enum record_fault record_read(struct record *record, struct record_tools *tools,
			      enum kind kind, const struct row *row,
			      struct slice bytes)
{
	scratch_reset(&tools->scratch);
	charset_reset(&tools->charset);
	record->tools = tools;
	record->kind = kind;
	record->row = *row;
	record->mask = NULL;
	record->clean = row->clean || utf8_valid(bytes) == bytes.len;
	if (UNLIKELY(!record_recipient(record)))
		return RECORD_NO_RECIPIENT;
	if (UNLIKELY(tools->settings->privacy_sha1))
		record->mask = &record->recipient;
	record->has_logged =
		record_when(&tools->logged, row_get(row, ROW_TIME_LOGGED),
			    &record->logged_s);
	record->has_queued =
		record_when(&tools->queued, row_get(row, ROW_TIME_QUEUED),
			    &record->queued_s);
	if (UNLIKELY(!record->has_logged && !record->has_queued))
		return RECORD_NO_TIME;
	record->digest = digest_of(bytes);
	return RECORD_GOOD;
}

/* The address in a header. */
static struct slice record_address(struct kept senders[KEPT],
				   struct slice header)
{
	struct kept *kept = kept_place(senders, header);
	struct slice found;

	if (kept_is(kept, header))
		return slice_of(header.p + kept->at, kept->len);
	found = address_of_header(header);
	if (!found.len)
		return found;
	buf_reset(&kept->from);
	buf_add_slice(&kept->from, header);
	kept->at = (size_t)(found.p - header.p);
	kept->len = found.len;
	return found;
}

static const enum row_column record_headers[] = {ROW_FROM, ROW_SENDER};

enum { RECORD_HEADERS = sizeof(record_headers) / sizeof(record_headers[0]) };

/* The first of two headers and the envelope that holds an address.  The number
 * of the header. */
static int record_search(struct record *record,
			 const struct slice headers[RECORD_HEADERS])
{
	int i = 0;

	for (; i < RECORD_HEADERS; i++) {
		record->from_column = record_headers[i];
		record->from =
			record_address(record->tools->senders, headers[i]);
		if (record->from.len)
			return i;
	}
	record->from_column = ROW_ORIG;
	record->from = record->orig;
	return i;
}

static void record_from(struct record *record)
{
	const struct slice parts[] = {row_get(&record->row, ROW_FROM),
				      row_get(&record->row, ROW_SENDER),
				      row_get(&record->row, ROW_SUBJECT)};
	struct memo_entry *entry;
	int i;

	record->orig = address_bare(row_get(&record->row, ROW_ORIG));
	entry = memo_find(record->tools->sender_memo, 1, parts, 3);
	record->sender = entry;
	if (LIKELY(entry && entry->has_from)) {
		i = entry->from_part;
		record->from_column = record_headers[i];
		record->from =
			slice_of(parts[i].p + entry->from, entry->from_len);
		return;
	}
	i = record_search(record, parts);
	/* The envelope's sender is no part of the entry. */
	if (i == RECORD_HEADERS)
		record->sender = NULL;
	if (!record->sender)
		return;
	entry->has_from = true;
	entry->from_part = (uint8_t)i;
	entry->from = (uint16_t)(record->from.p - parts[i].p);
	entry->from_len = (uint16_t)record->from.len;
}

/* The mapping's answer, which is the same for rows with the same names unless
 * a filter asks for the sender. */
static void record_ask(struct record *record, struct mapping_query *query)
{
	const struct mapping *mapping = record->tools->settings->mapping;
	struct memo_entry *entry = record->route;

	if (LIKELY(entry && entry->has_mapped)) {
		record->mapped = entry->mapped;
		return;
	}
	query->from_domain = address_domain(record->from);
	mapping_lookup(mapping, query, &record->mapped);
	if (!entry || mapping_has_filters(mapping))
		return;
	entry->mapped = record->mapped;
	entry->has_mapped = true;
}

void record_map(struct record *record)
{
	bool report = kind_is_report(record->kind);
	struct mapping_query query = {
		.injection = record->kind == KIND_RECEIPT,
		.report = report,
	};

	record_from(record);
	record->route = NULL;
	if (!report) {
		const struct slice parts[] = {
			row_get(&record->row, ROW_VMTA),
			row_get(&record->row, ROW_VMTA_POOL),
			row_get(&record->row, ROW_JOB_ID),
			row_get(&record->row, ROW_DLV_SOURCE_IP)};

		query.vmta = parts[0];
		query.vmta_pool = parts[1];
		record->route = memo_find(record->tools->route_memo,
					  query.injection ? 2 : 1, parts, 4);
	}
	record_ask(record, &query);
}

void record_identify(struct record *record, int64_t offset)
{
	record->offset = offset;
	identity_read(&record->identity, &record->row, record->kind,
		      record->rcpt, record->tools->settings, record->mask);
}

int64_t record_time(const struct record *record, enum row_column *column_out)
{
	*column_out = record->has_logged ? ROW_TIME_LOGGED : ROW_TIME_QUEUED;
	return record->has_logged ? record->logged_s : record->queued_s;
}

int64_t record_injected(const struct record *record,
			enum row_column *column_out)
{
	if (record->has_queued &&
	    (!record->has_logged || record->queued_s <= record->logged_s)) {
		*column_out = ROW_TIME_QUEUED;
		return record->queued_s;
	}
	return record_time(record, column_out);
}
