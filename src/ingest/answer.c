/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/answer.h"

#include <stdbool.h>

#include "base/json_read.h"
#include "base/utf8.h"

/*
 * What the JSON of the service says is used only after the whole text was
 * read: half a reply proves nothing.  The depth is counted beside the path,
 * because a member called "results.id" has the same path as the real one.
 */

enum {
	ANSWER_BODY = 64 << 10,	 /* what is looked at */
	ANSWER_SHOWN = 4 << 10,	 /* what is made printable */
	ANSWER_TRY_LATER = 1502, /* resources unavailable, retry later */
	ANSWER_DEPTH_RESULTS = 2,
	ANSWER_DEPTH_ERRORS = 3
};

struct answer_reader {
	int depth;
	unsigned int errors; /* members of "errors" so far */
	bool try_later;
	bool has_id;
	char id[ANSWER_ID];
	struct buf message, description; /* of the first error */
};

static bool answer_id_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
	       c == ':';
}

/* An id goes into file names, queries and logs: no other characters. */
static void answer_take_id(struct answer_reader *r, struct slice id)
{
	r->has_id = false;
	if (!id.len || id.len >= sizeof(r->id))
		return;
	for (size_t i = 0; i < id.len; i++) {
		if (!answer_id_char(id.p[i]))
			return;
	}
	memcpy(r->id, id.p, id.len);
	r->id[id.len] = '\0';
	r->has_id = true;
}

static void answer_take_error(struct answer_reader *r, struct slice path,
			      struct slice text)
{
	unsigned long long code;

	if (slice_eq(path, SLICE("errors[].code")) &&
	    slice_number(text, ANSWER_TRY_LATER, &code) == 0 &&
	    code == ANSWER_TRY_LATER)
		r->try_later = true;
	if (r->errors != 1)
		return;
	if (text.len > ANSWER_WORDS)
		text.len = ANSWER_WORDS;
	if (slice_eq(path, SLICE("errors[].message"))) {
		buf_reset(&r->message);
		buf_add_slice(&r->message, text);
	} else if (slice_eq(path, SLICE("errors[].description"))) {
		buf_reset(&r->description);
		buf_add_slice(&r->description, text);
	}
}

static int answer_visit(void *ctx, struct slice path, enum json_event event,
			struct slice text)
{
	struct answer_reader *r = ctx;

	switch (event) {
	case JSON_BEGIN:
	case JSON_BEGIN_ARRAY:
		r->depth++;
		if (r->depth == ANSWER_DEPTH_ERRORS &&
		    slice_eq(path, SLICE("errors[]")))
			r->errors++;
		break;
	case JSON_END:
	case JSON_END_ARRAY:
		r->depth--;
		break;
	case JSON_STRING:
	case JSON_NUMBER:
		if (event == JSON_STRING && r->depth == ANSWER_DEPTH_RESULTS &&
		    slice_eq(path, SLICE("results.id")))
			answer_take_id(r, text);
		else if (r->depth == ANSWER_DEPTH_ERRORS)
			answer_take_error(r, path, text);
		break;
	default:
		break;
	}
	return 0;
}

/* Runs of blanks and control characters become one blank. */
static void answer_printable(struct slice text, struct buf *out)
{
	size_t n;

	for (; text.len; text = slice_skip(text, n)) {
		unsigned char c = (unsigned char)text.p[0];

		n = utf8_char(text);
		if (n == 0) {
			n = 1;
			buf_add_char(out, '?');
		} else if (n == 2 && c == 0xc2 &&
			   (unsigned char)text.p[1] < 0xa0) {
			buf_add_char(out, '?'); /* C1 controls */
		} else if (c > 0x20 && c != 0x7f) {
			buf_add(out, text.p, n);
		} else if (out->len && out->p[out->len - 1] != ' ') {
			buf_add_char(out, ' ');
		}
	}
}

/* As much as fits, no character cut in two. */
static void answer_copy_words(struct slice text, char words[ANSWER_WORDS])
{
	size_t n = 0;

	text = slice_trim(text);
	while (n < text.len) {
		size_t step = utf8_char(slice_skip(text, n));

		if (!step || n + step >= ANSWER_WORDS)
			break;
		n += step;
	}
	if (n)
		memcpy(words, text.p, n);
	words[n] = '\0';
}

static void answer_words(const struct answer_reader *r, struct slice body,
			 char words[ANSWER_WORDS])
{
	struct buf raw, shown;

	buf_init(&raw, ANSWER_SHOWN);
	buf_init(&shown, ANSWER_SHOWN);
	buf_add_slice(&raw, buf_slice(&r->message));
	if (r->message.len && r->description.len)
		buf_add_str(&raw, ": ");
	buf_add_slice(&raw, buf_slice(&r->description));
	if (!raw.len) {
		if (body.len > ANSWER_WORDS * 2)
			body.len = ANSWER_WORDS * 2;
		buf_add_slice(&raw, body);
	}
	answer_printable(buf_slice(&raw), &shown);
	answer_copy_words(buf_slice(&shown), words);
	buf_release(&raw);
	buf_release(&shown);
}

static enum answer_kind answer_kind_of(int status)
{
	if (status >= 300 && status < 400)
		return ANSWER_CONFIG;
	switch (status) {
	case 400:
	case 413:
	case 422:
		return ANSWER_REFUSED;
	case 401:
	case 403:
		return ANSWER_KEY;
	case 404:
	case 405:
	case 406:
	case 415:
		return ANSWER_CONFIG;
	case 420:
	case 429:
		return ANSWER_SLOW_DOWN;
	default:
		return ANSWER_RETRY;
	}
}

void answer_read(int status, struct slice body, struct answer *answer_out)
{
	struct answer_reader r = {0};

	memset(answer_out, 0, sizeof(*answer_out));
	buf_init(&r.message, ANSWER_WORDS);
	buf_init(&r.description, ANSWER_WORDS);
	if (body.len > ANSWER_BODY || json_read(body, answer_visit, &r) < 0) {
		r.has_id = r.try_later = false;
		buf_reset(&r.message);
		buf_reset(&r.description);
	}
	if (body.len > ANSWER_BODY)
		body.len = ANSWER_BODY;
	if (status >= 200 && status < 300)
		answer_out->kind =
			r.has_id ? ANSWER_ACCEPTED : ANSWER_NOT_SERVICE;
	else
		answer_out->kind = answer_kind_of(status);
	if (status == 400 && r.try_later)
		answer_out->kind = ANSWER_RETRY;
	if (answer_out->kind == ANSWER_ACCEPTED)
		memcpy(answer_out->id, r.id, sizeof(r.id));
	answer_words(&r, body, answer_out->words);
	buf_release(&r.message);
	buf_release(&r.description);
}

static bool answer_local_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80 ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* Where the local part that ends at "end" begins; "end" when there is none. */
static size_t answer_local_begin(struct slice text, size_t end)
{
	size_t at = end;

	if (at && text.p[at - 1] == '"') {
		for (at--; at && text.p[at - 1] != '"'; at--)
			;
		return at ? at - 1 : 0;
	}
	while (at && answer_local_char(text.p[at - 1]))
		at--;
	return at;
}

/* How long the "@" at the front is: itself, or as URLs write it; else 0. */
static size_t answer_at_sign(struct slice text)
{
	if (text.p[0] == '@')
		return 1;
	return slice_starts(text, SLICE("%40")) ? 3 : 0;
}

void answer_mask(char words[ANSWER_WORDS])
{
	struct slice text = slice_str(words);
	struct buf out;
	size_t done = 0;

	buf_init(&out, ANSWER_WORDS * 4);
	for (size_t i = 0; i < text.len; i++) {
		size_t n = answer_at_sign(slice_skip(text, i));
		size_t begin;

		if (!n)
			continue;
		begin = answer_local_begin(text, i);
		if (begin < done)
			begin = done;
		buf_add(&out, text.p + done, begin - done);
		if (begin < i)
			buf_add_str(&out, "...");
		buf_add(&out, text.p + i, n);
		done = i + n;
		i = done - 1;
	}
	buf_add_slice(&out, slice_skip(text, done));
	answer_copy_words(buf_slice(&out), words);
	buf_release(&out);
}
