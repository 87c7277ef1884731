/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_RECORD_H
#define ACCT_RECORD_H

/*
 * record - what a row says, read once for all of its events
 *
 *	record_tools_init(&tools, &settings);	memory that rows share
 *	fault = record_read(&record, &tools, kind, &row, bytes);
 *	record_map(&record);			whose it is: mapping.md 5
 *	record_identify(&record);		mapping.md 3
 *	... events are made from it (event.h) ...
 *
 * Texts are good until the next record_read() with the same tools.  With
 * privacy every text that may leave goes through record_text(), record_sender()
 * or record_reply().
 */

#include "acct/charset.h"
#include "acct/identity.h"
#include "acct/kept.h"
#include "acct/memo.h"
#include "acct/scratch.h"

/* A time's text and what it was read as: rows of a minute share most of it. */
struct record_clock {
	char text[40];
	size_t len;
	bool good;
	int64_t seconds;
};

/* Attributes as they were written for the last event with the same "key". */
enum { RECORD_LAST = 200 };

struct record_last {
	int64_t key;
	uint16_t json_len; /* 0: not known */
	char json[RECORD_LAST];
};

struct record_tools {
	const struct settings *settings;
	struct slice node_name; /* of the settings */
	struct scratch scratch;
	struct charset charset;
	struct buf text, spare, spare2;
	struct record_clock logged, queued;
	struct kept subjects[KEPT], senders[KEPT];
	struct memo *sender_memo, *route_memo;
	struct record_last stamps[2]; /* by time; of injections made, others */
	struct record_last nodes[2];  /* with tracking, and without */
};

void record_tools_init(struct record_tools *tools,
		       const struct settings *settings);
void record_tools_release(struct record_tools *tools);

struct record {
	struct record_tools *tools;
	enum kind kind;
	struct row row;
	struct digest digest; /* of the row's bytes */
	int64_t offset;
	bool clean; /* all of the row is UTF-8 */

	bool has_logged, has_queued;
	int64_t logged_s, queued_s;

	struct slice logged_rcpt;  /* rcpt as it stands */
	struct slice rcpt, domain; /* normalised */
	struct slice orig;	   /* without angle brackets */
	struct slice from;	   /* friendly_from */
	enum row_column from_column;

	struct mapping_answer mapped;
	struct identity identity;

	/* What other rows have in common with this one; NULL: nothing that is
	 * known.  sender: with friendly_from and subject; route: campaign_id to
	 * sending_ip. */
	struct memo_entry *sender, *route;

	const struct mask *mask; /* NULL: events.privacy is retain */
	struct mask recipient;
};

enum record_fault { RECORD_GOOD = 0, RECORD_NO_RECIPIENT, RECORD_NO_TIME };

enum record_fault record_read(struct record *record, struct record_tools *tools,
			      enum kind kind, const struct row *row,
			      struct slice bytes);
void record_map(struct record *record);
void record_identify(struct record *record, int64_t offset);

/* The event's own time, and an injection's that is made from d, b or t. */
int64_t record_time(const struct record *record, enum row_column *column_out);
int64_t record_injected(const struct record *record,
			enum row_column *column_out);

/* A text as it may go out: valid UTF-8, without the recipient's address. */
struct slice record_clean(const struct record *record, struct slice text);

static inline struct slice record_text(const struct record *record,
				       struct slice text)
{
	return LIKELY(record->clean && !record->mask)
		       ? text
		       : record_clean(record, text);
}

struct slice record_sender(const struct record *record, struct slice address);
struct slice record_reply(const struct record *record, struct slice text);

/* header_Subject, decoded. */
struct slice record_subject(const struct record *record);

/* "word name", good as long as a text. */
const char *record_origin(const struct record *record, const char *word,
			  const char *name);

/* "text" in ASCII lower case: itself, or a copy. */
struct slice record_lower(const struct record *record, struct slice text);

#endif /* ACCT_RECORD_H */
