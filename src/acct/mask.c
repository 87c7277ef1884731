/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/mask.h"

#include "acct/address.h"

#define MASK "..."

/* How far back the opening quote of a quoted local part is looked for. */
enum { MASK_QUOTED = 256 };

/* A local part longer than this keeps its beginning. */
enum { MASK_LOCAL = 2 * ADDRESS_MAX };

/* The longest local part there may be by RFC 5321; no longer word is one. */
enum { MASK_WORD = 64 };

/* The longest domain literal, "[192.0.2.1]". */
enum { MASK_LITERAL = 64 };

static bool mask_alnum(char c)
{
	char l = slice_lower(c);

	return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9') ||
	       ((unsigned char)c & 0x80);
}

static bool mask_local_char(char c)
{
	return mask_alnum(c) || (c && strchr("!#$%&'*+/=?^_`{|}~.-", c));
}

static bool mask_domain_char(char c)
{
	return mask_alnum(c) || c == '.' || c == '-';
}

/*
 * Where the quoted string begins whose closing quote is before "at"; or "at".
 * In the text of a row each of its quotes is doubled.
 */
static size_t mask_quoted(struct slice text, size_t from, size_t at)
{
	size_t i = at;

	while (i > from && text.p[i - 1] == '"')
		i--;
	if (i == at)
		return at;
	while (i > from && text.p[i - 1] != '"' && at - i < MASK_QUOTED)
		i--;
	return i > from && text.p[i - 1] == '"' ? i - 1 : at;
}

/* Where the local part begins that ends before "at"; not before "from". */
static size_t mask_left(struct slice text, size_t from, size_t at)
{
	size_t i = mask_quoted(text, from, at);

	if (i < at)
		return i;
	while (i > from && at - i < MASK_LOCAL &&
	       mask_local_char(text.p[i - 1]))
		i--;
	while (i < at && (text.p[i] == '\'' || text.p[i] == '`'))
		i++;
	return i;
}

/*
 * Where the domain that begins at "at" ends; "a@b@c" is one thing.  run_out:
 * up to where no other address begins when this one is none.
 */
static size_t mask_right(struct slice text, size_t at, size_t *run_out)
{
	struct slice rest = slice_skip(text, at);
	size_t i = at;

	if (rest.len > MASK_LITERAL)
		rest.len = MASK_LITERAL;
	if (rest.len && rest.p[0] == '[' && slice_find(rest, ']') < rest.len) {
		*run_out = at + slice_find(rest, ']') + 1;
		return *run_out;
	}
	while (i < text.len &&
	       (mask_domain_char(text.p[i]) || text.p[i] == '@'))
		i++;
	*run_out = i;
	while (i > at && strchr(".-@", text.p[i - 1]))
		i--;
	return i;
}

void mask_addresses(struct slice text, bool keep_domain, struct buf *out)
{
	size_t from = 0, at = slice_find(text, '@');

	while (at < text.len) {
		size_t next = at + 1, left = mask_left(text, from, at);
		size_t right = left < at ? mask_right(text, next, &next) : 0;

		if (right > at + 1) {
			struct slice all = slice_of(text.p, right);

			buf_add(out, text.p + from, left - from);
			buf_add_str(out, MASK "@");
			if (keep_domain)
				buf_add_slice(out, address_domain(all));
			else
				buf_add_str(out, MASK);
			from = next = right;
		}
		at = next + slice_find(slice_skip(text, next), '@');
	}
	buf_add_slice(out, slice_skip(text, from));
}

/* --- A certain recipient --- */

/* The "n" bytes before "end", or nothing. */
static struct slice mask_before(struct slice text, size_t end, size_t n)
{
	return n <= end ? slice_of(text.p + end - n, n) : slice_of(NULL, 0);
}

/* The length of what may stand for "@" at "at", or 0. */
static size_t mask_separator(struct slice text, size_t at)
{
	if (text.p[at] == '@' || text.p[at] == '=')
		return 1;
	return text.p[at] == '%' &&
			       slice_starts(slice_skip(text, at), SLICE("%40"))
		       ? 3
		       : 0;
}

/*
 * The recipient's address from "from" on: where its separator stands, or
 * text.len; end_out: where it ends.
 */
static size_t mask_find(const struct mask *mask, struct slice text, size_t from,
			size_t *end_out)
{
	size_t local = mask->local.len;

	for (size_t at = from + local; at < text.len; at++) {
		size_t n = mask_separator(text, at);

		if (n &&
		    slice_starts_nocase(slice_skip(text, at + n),
					mask->domain) &&
		    slice_eq_nocase(mask_before(text, at, local),
				    mask->local)) {
			*end_out = at + n + mask->domain.len;
			return at;
		}
	}
	return text.len;
}

bool mask_holds(const struct mask *mask, struct slice text)
{
	size_t end;

	return mask_find(mask, text, 0, &end) < text.len;
}

static void mask_recipient(const struct mask *mask, struct slice text,
			   struct buf *out)
{
	size_t from = 0, end = 0, at;

	while ((at = mask_find(mask, text, from, &end)) < text.len) {
		buf_add(out, text.p + from, at - mask->local.len - from);
		buf_add_str(out, MASK);
		buf_add(out, text.p + at, end - at);
		from = end;
	}
	buf_add_slice(out, slice_skip(text, from));
}

/* The last word about what was appended to "out" from "start" on. */
static void mask_certain(const struct mask *mask, struct buf *out, size_t start)
{
	if (!mask_holds(mask, slice_skip(buf_slice(out), start)))
		return;
	buf_truncate(out, start);
	buf_add_str(out, MASK);
}

void mask_text(const struct mask *mask, struct slice text, struct buf *out)
{
	size_t start = out->len;

	mask_recipient(mask, text, out);
	mask_certain(mask, out, start);
}

/* May a word end before "at", seen from its last character? */
static bool mask_edge_after(struct slice text, size_t at)
{
	if (at < text.len && text.p[at] == '.')
		at++;
	return at >= text.len || !mask_alnum(text.p[at]);
}

static bool mask_edge_before(struct slice text, size_t at)
{
	if (at > 0 && text.p[at - 1] == '.')
		at--;
	return at == 0 || !mask_alnum(text.p[at - 1]);
}

/*
 * The local part as a word by itself, from "from" on; or text.len.  The edges
 * are looked at first: they spare most comparisons, hostile ones too.
 */
static size_t mask_find_word(struct slice text, size_t from, struct slice local)
{
	if (!local.len || local.len > MASK_WORD)
		return text.len;
	for (size_t at = from; at + local.len <= text.len; at++) {
		if (mask_edge_before(text, at) &&
		    mask_edge_after(text, at + local.len) &&
		    slice_starts_nocase(slice_skip(text, at), local))
			return at;
	}
	return text.len;
}

/* "text" without the local part as a word. */
static void mask_words(struct slice text, struct slice local, struct buf *out)
{
	size_t from = 0, at;

	while ((at = mask_find_word(text, from, local)) < text.len) {
		buf_add(out, text.p + from, at - from);
		buf_add_str(out, MASK);
		from = at + local.len;
	}
	buf_add_slice(out, slice_skip(text, from));
}

void mask_reply(const struct mask *mask, struct slice text, struct buf *out)
{
	size_t start = out->len;
	struct slice step;

	buf_reset(mask->spare);
	mask_addresses(text, true, mask->spare);
	mask_words(buf_slice(mask->spare), mask->local, out);
	buf_reset(mask->spare);
	step = slice_skip(buf_slice(out), start);
	mask_text(mask, step, mask->spare);
	buf_truncate(out, start);
	buf_add_slice(out, buf_slice(mask->spare));
}

/* Might a sender's local part have been made from the recipient's? */
static bool mask_verp(const struct mask *mask, struct slice local)
{
	if (slice_find(local, '=') < local.len)
		return true;
	if (mask_find_word(local, 0, mask->local) < local.len)
		return true;
	for (size_t at = 0; mask->local.len >= 3 && at < local.len; at++) {
		if (slice_starts_nocase(slice_skip(local, at), mask->local))
			return true;
	}
	return false;
}

void mask_sender(const struct mask *mask, struct slice text, struct buf *out)
{
	size_t start = out->len;
	struct slice local = address_local(text);

	if (mask_verp(mask, local)) {
		buf_add_str(out, MASK);
		buf_add_slice(out, slice_skip(text, local.len));
	} else {
		mask_recipient(mask, text, out);
	}
	mask_certain(mask, out, start);
}

/* --- An unknown recipient --- */

/* The next "=" or "%40" from "at" on, or text.len. */
static size_t mask_next(struct slice text, size_t at)
{
	while (at < text.len && !mask_separator(text, at))
		at++;
	return at;
}

/* Whatever stands before a separator may be a local part. */
void mask_row(struct slice text, struct buf *spare, struct buf *out)
{
	size_t from = 0, at;

	buf_reset(spare);
	mask_addresses(text, true, spare);
	text = buf_slice(spare);
	for (at = mask_next(text, 0); at < text.len;
	     at = mask_next(text, at + 1)) {
		size_t left = mask_left(text, from, at);

		if (left == at)
			continue;
		buf_add(out, text.p + from, left - from);
		buf_add_str(out, MASK);
		from = at;
	}
	buf_add_slice(out, slice_skip(text, from));
}
