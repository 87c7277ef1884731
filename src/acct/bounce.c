/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/bounce.h"

#include <stdbool.h>

enum {
	BOUNCE_UNDETERMINED = 1,
	BOUNCE_INVALID_RECIPIENT = 10,
	BOUNCE_SOFT = 20,
	BOUNCE_DNS = 21,
	BOUNCE_ADMIN = 25,
	BOUNCE_GENERIC = 40,
	BOUNCE_BLOCK = 50,
	BOUNCE_TRANSIENT = 70
};

/* PowerMTA's own categories; "unreached" counts where dsnMta is empty. */
static const struct {
	const char *name;
	unsigned int reached, unreached;
} bounce_categories[] = {
	{"bad-mailbox", 10, 10},	 {"inactive-mailbox", 10, 10},
	{"bad-domain", 10, 21},		 {"routing-errors", 21, 21},
	{"quota-issues", 22, 22},	 {"message-expired", 24, 24},
	{"no-answer-from-host", 24, 24}, {"bad-connection", 24, 24},
	{"protocol-errors", 40, 40},	 {"bad-configuration", 40, 25},
	{"invalid-sender", 50, 50},	 {"policy-related", 50, 50},
	{"spam-related", 51, 51},	 {"content-related", 52, 52},
	{"virus-related", 53, 53},	 {"relaying-issues", 54, 54},
};

/* Subject and detail of an enhanced status code, whatever its class. */
static const struct {
	unsigned int subject, detail;
	unsigned int bounce_class;
} bounce_statuses[] = {
	{1, 0, 10}, {1, 1, 10}, {1, 3, 10}, {1, 6, 10}, {2, 1, 10},
	{1, 2, 21}, {4, 3, 21}, {4, 4, 21}, {2, 2, 22}, {2, 3, 23},
	{3, 4, 23}, {4, 1, 24}, {4, 2, 24}, {4, 7, 24},
};

struct bounce_status {
	unsigned int kind; /* the first number: 2, 4 or 5; 0: none */
	unsigned int subject, detail;
};

static bool bounce_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One to three digits from the front. */
static bool bounce_number(struct slice *s, unsigned int *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->len && n < 3 && bounce_digit(s->p[n]))
		*out = *out * 10 + (unsigned int)(s->p[n++] - '0');
	*s = slice_skip(*s, n);
	return n > 0;
}

static bool bounce_point(struct slice *s)
{
	bool point = s->len && s->p[0] == '.';

	*s = slice_skip(*s, point);
	return point;
}

/* The enhanced status code that "s" begins with; its length, or 0. */
static size_t bounce_status(struct slice s, struct bounce_status *out)
{
	struct bounce_status got;
	struct slice rest = s;

	*out = (struct bounce_status){0};
	if (!bounce_number(&rest, &got.kind) || !bounce_point(&rest) ||
	    !bounce_number(&rest, &got.subject) || !bounce_point(&rest) ||
	    !bounce_number(&rest, &got.detail))
		return 0;
	/* More digits, or four numbers: no code, but perhaps an IP address. */
	if ((rest.len && bounce_digit(rest.p[0])) ||
	    (rest.len > 1 && rest.p[0] == '.' && bounce_digit(rest.p[1])))
		return 0;
	if (got.kind != 2 && got.kind != 4 && got.kind != 5)
		return 0;
	*out = got;
	return s.len - rest.len;
}

static struct slice bounce_blanks(struct slice s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	return s;
}

/* A part of dsnDiag that begins with a reply code replaces what there was. */
static void bounce_part(struct slice part, struct bounce_reply *reply)
{
	struct bounce_status status;
	struct slice rest;

	part = bounce_blanks(part);
	if (part.len < 3 || part.p[0] < '2' || part.p[0] > '5' ||
	    !bounce_digit(part.p[1]) || !bounce_digit(part.p[2]) ||
	    (part.len > 3 && bounce_digit(part.p[3])))
		return;
	reply->code = slice_of(part.p, 3);
	rest = slice_skip(part, 3);
	if (rest.len && rest.p[0] == '-')
		rest = slice_skip(rest, 1);
	rest = bounce_blanks(rest);
	reply->status = slice_of(rest.p, bounce_status(rest, &status));
}

void bounce_read(struct slice diag, struct bounce_reply *reply_out)
{
	const struct slice mark = SLICE("smtp;");
	size_t at = slice_find(diag, ';');

	*reply_out = (struct bounce_reply){.text = diag};
	if (slice_starts_nocase(diag, mark))
		reply_out->text = slice_skip(diag, mark.len);
	/* Parts begin behind "smtp;", but "esmtp;" is somebody's word. */
	for (; at < diag.len;
	     at += 1 + slice_find(slice_skip(diag, at + 1), ';')) {
		size_t word = mark.len - 1;

		if (at < word ||
		    !slice_starts_nocase(slice_skip(diag, at - word), mark))
			continue;
		if (at > word) {
			char before = slice_lower(diag.p[at - word - 1]);

			if (bounce_digit(before) ||
			    (before >= 'a' && before <= 'z'))
				continue;
		}
		bounce_part(slice_skip(diag, at + 1), reply_out);
	}
}

static unsigned int bounce_by_category(const struct bounce_facts *facts)
{
	struct slice category = slice_trim(facts->category);

	for (size_t i = 0;
	     i < sizeof(bounce_categories) / sizeof(bounce_categories[0]);
	     i++) {
		if (!slice_eq_nocase(category,
				     slice_str(bounce_categories[i].name)))
			continue;
		return facts->mta.len ? bounce_categories[i].reached
				      : bounce_categories[i].unreached;
	}
	return 0;
}

static unsigned int bounce_by_status(const struct bounce_status *status,
				     enum event_type type)
{
	bool delayed = type == EVENT_TEMPFAIL;

	if (status->kind != 4 && status->kind != 5)
		return delayed ? BOUNCE_TRANSIENT : BOUNCE_UNDETERMINED;
	for (size_t i = 0;
	     i < sizeof(bounce_statuses) / sizeof(bounce_statuses[0]); i++) {
		if (bounce_statuses[i].subject == status->subject &&
		    bounce_statuses[i].detail == status->detail)
			return bounce_statuses[i].bounce_class;
	}
	if (status->subject == 7)
		return BOUNCE_BLOCK;
	if (status->kind == 5)
		return BOUNCE_GENERIC;
	return delayed ? BOUNCE_TRANSIENT : BOUNCE_SOFT;
}

unsigned int bounce_class(const struct bounce_facts *facts,
			  const struct bounce_reply *reply,
			  const struct settings *settings,
			  const char **origin_out)
{
	struct slice category = slice_trim(facts->category);
	struct bounce_status status;
	unsigned int found;

	*origin_out = "events.bounce_classes";
	for (size_t i = 0; i < settings->bounce_classes_count; i++) {
		const struct settings_class *own = &settings->bounce_classes[i];

		if (slice_eq_nocase(category, slice_str(own->category)))
			return own->bounce_class;
	}
	*origin_out = "rule 4.1 bounceCat";
	found = bounce_by_category(facts);
	if (found)
		return found;
	*origin_out = "rule 4.1 dsnStatus";
	bounce_status(slice_trim(facts->status), &status);
	if (status.kind && !status.subject && !status.detail &&
	    reply->status.len) {
		*origin_out = "rule 4.1 dsnDiag";
		bounce_status(reply->status, &status);
	}
	return bounce_by_status(&status, facts->type);
}
