/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/mime.h"

#include "base/utf8.h"

struct mime_word {
	struct slice charset;
	char encoding; /* 'q' or 'b' */
	struct slice text;
	size_t size; /* all of the word, from "=?" to "?=" */
};

/* Words of one character set that are decoded but not yet converted. */
struct mime_run {
	struct slice charset;
	struct slice source; /* as it was written */
};

bool mime_encoded(struct slice text)
{
	size_t at = slice_find(text, '=');

	if (slice_find(text, '\n') < text.len)
		return true;
	while (at + 1 < text.len) {
		if (text.p[at + 1] == '?')
			return true;
		at++;
		at += slice_find(slice_skip(text, at), '=');
	}
	return false;
}

/* Where "?=" stands, or text.len. */
static size_t mime_end(struct slice text)
{
	const char *hit = text.len ? memmem(text.p, text.len, "?=", 2) : NULL;

	return hit ? (size_t)(hit - text.p) : text.len;
}

/*
 * The encoded word that "text" begins with.  more_out is false when there is
 * no end of a word in all that follows: then nobody need look again.
 */
static bool mime_word(struct slice text, struct mime_word *word, bool *more_out)
{
	struct slice rest, encoding;
	size_t end;

	if (!slice_starts(text, SLICE("=?")))
		return false;
	rest = slice_skip(text, 2);
	/* A language may follow the character set (RFC 2231). */
	end = slice_find(slice_of(rest.p, rest.len < 2 * CHARSET_NAME
						  ? rest.len
						  : 2 * CHARSET_NAME),
			 '?');
	if (!end || end >= rest.len || rest.p[end] != '?')
		return false;
	word->charset = slice_of(rest.p, end);
	word->charset.len = slice_find(word->charset, '*');
	encoding = slice_skip(rest, end + 1);
	if (encoding.len < 2 || encoding.p[1] != '?')
		return false;
	word->encoding = slice_lower(encoding.p[0]);
	if (word->encoding != 'q' && word->encoding != 'b')
		return false;
	rest = slice_skip(encoding, 2);
	end = mime_end(rest);
	*more_out = end < rest.len;
	word->text = slice_of(rest.p, end);
	word->size = (size_t)(rest.p - text.p) + end + 2;
	return *more_out;
}

static int mime_hex(char c)
{
	c = slice_lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void mime_quoted(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		int high = -1, low = -1;

		if (c == '=' && i + 2 < text.len) {
			high = mime_hex(text.p[i + 1]);
			low = mime_hex(text.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_add_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, c == '_' ? ' ' : c);
		}
	}
}

static int mime_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* What is no digit is passed over; "=" ends it. */
static void mime_base64(struct slice text, struct buf *out)
{
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < text.len && text.p[i] != '='; i++) {
		int digit = mime_digit(text.p[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		buf_add_char(out, (char)(bits >> have & 0xff));
	}
}

static void mime_flush(struct charset *charset, struct mime_run *run,
		       struct buf *spare, struct buf *out)
{
	if (run->source.len &&
	    charset_decode(charset, run->charset, buf_slice(spare), out) < 0)
		buf_add_slice(out, run->source);
	*run = (struct mime_run){0};
	buf_reset(spare);
}

/* Text outside of encoded words, without the breaks of folded lines. */
static void mime_plain(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		struct slice next = slice_skip(text, i + 1);

		if (c == '\r' && next.len && next.p[0] == '\n')
			continue;
		if (c == '\n' && next.len &&
		    (next.p[0] == ' ' || next.p[0] == '\t'))
			continue;
		buf_add_char(out, c);
	}
}

static void mime_add(struct mime_run *run, const struct mime_word *word,
		     struct slice at, struct buf *spare)
{
	if (!run->source.len) {
		run->charset = word->charset;
		run->source.p = at.p;
	}
	run->source.len = (size_t)(at.p - run->source.p) + word->size;
	if (word->encoding == 'q')
		mime_quoted(word->text, spare);
	else
		mime_base64(word->text, spare);
}

void mime_decode(struct charset *charset, struct slice text, struct buf *spare,
		 struct buf *out)
{
	struct mime_run run = {0};
	struct slice plain = slice_of(text.p, 0);
	bool more = true;

	buf_reset(spare);
	while (text.len) {
		struct mime_word word;

		if (!more || !mime_word(text, &word, &more)) {
			size_t n = 1 + slice_find(slice_skip(text, 1), '=');

			plain.len += n;
			text = slice_skip(text, n);
			continue;
		}
		if (!run.source.len || slice_trim(plain).len ||
		    !slice_eq_nocase(run.charset, word.charset)) {
			bool between = run.source.len && !slice_trim(plain).len;

			mime_flush(charset, &run, spare, out);
			if (!between)
				mime_plain(plain, out);
		}
		mime_add(&run, &word, text, spare);
		text = slice_skip(text, word.size);
		plain = slice_of(text.p, 0);
	}
	mime_flush(charset, &run, spare, out);
	mime_plain(plain, out);
}
