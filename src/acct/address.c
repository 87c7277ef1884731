/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/address.h"

#include <stdbool.h>
#include <stdint.h>

struct slice address_strip(struct slice text)
{
	text = slice_trim(text);
	while (text.len && text.p[0] == '<')
		text = slice_skip(text, 1);
	while (text.len && text.p[text.len - 1] == '>')
		text.len--;
	return slice_trim(text);
}

struct slice address_domain(struct slice address)
{
	size_t at = slice_find_last(address, '@');

	return at < address.len ? slice_skip(address, at + 1)
				: slice_of(NULL, 0);
}

struct slice address_local(struct slice address)
{
	address.len = slice_find_last(address, '@');
	return address;
}

/* --- Headers --- */

struct address_scan {
	struct slice text;
	size_t at;
	bool quotes; /* quotes and comments mean something */
};

/* Behind a quoted string or comment that begins at scan->at. */
static size_t address_skip(const struct address_scan *scan)
{
	char open = scan->text.p[scan->at];
	char close = open == '(' ? ')' : open;
	size_t at = scan->at + 1, depth = 1;

	for (; at < scan->text.len; at++) {
		char c = scan->text.p[at];

		if (c == '\\')
			at++;
		else if (c == close && --depth == 0)
			return at + 1;
		else if (c == open)
			depth++;
	}
	return scan->text.len;
}

static bool address_blank(char c)
{
	return slice_blank(c);
}

/* Bytes that mean nothing anywhere in a word. */
static bool address_plain(char c)
{
	static const bool special[256] = {
		[' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true,
		[','] = true, [';'] = true,  [':'] = true,  ['<'] = true,
		['>'] = true, ['('] = true,  ['['] = true,  ['"'] = true};

	return !special[(unsigned char)c];
}

static bool address_special(const struct address_scan *scan, char c)
{
	if (c == ',' || c == ';' || c == ':' || c == '<' || c == '>')
		return true;
	return scan->quotes && c == '(';
}

/* A run of anything but blanks and specials; quoted strings are part of it. */
static struct slice address_word(struct address_scan *scan)
{
	size_t from = scan->at;

	for (;;) {
		char c;

		while (scan->at < scan->text.len &&
		       address_plain(scan->text.p[scan->at]))
			scan->at++;
		if (scan->at >= scan->text.len)
			break;
		c = scan->text.p[scan->at];
		if (c == '[') {
			struct slice rest = slice_skip(scan->text, scan->at);
			size_t end;

			if (rest.len > ADDRESS_MAX)
				rest.len = ADDRESS_MAX;
			end = slice_find(rest, ']');
			scan->at += end < rest.len ? end + 1 : 1;
		} else if (scan->quotes && c == '"') {
			scan->at = address_skip(scan);
		} else if (address_blank(c) || address_special(scan, c)) {
			break;
		} else {
			scan->at++;
		}
	}
	return slice_of(scan->text.p + from, scan->at - from);
}

/* Blanks and brackets have a place only inside of quotes or a literal. */
static bool address_odd(char c)
{
	static const bool odd[256] = {
		['\0'] = true, [' '] = true, ['\t'] = true, ['\r'] = true,
		['\n'] = true, ['<'] = true, ['>'] = true,  ['"'] = true};

	return odd[(unsigned char)c];
}

static bool address_is(struct slice s)
{
	struct slice local = address_local(s), domain = address_domain(s);
	bool quoted = local.len > 1 && local.p[0] == '"' &&
		      local.p[local.len - 1] == '"';
	bool literal = domain.len && domain.p[0] == '[';

	for (size_t i = 0; i < local.len && !quoted; i++) {
		if (address_odd(local.p[i]))
			return false;
	}
	for (size_t i = 0; i < domain.len && !literal; i++) {
		if (address_odd(domain.p[i]))
			return false;
	}
	return local.len && domain.len;
}

/* What stands in angle brackets; a route "@a,@b:" before it is cut. */
static struct slice address_angle(struct address_scan *scan)
{
	struct slice rest = slice_skip(scan->text, scan->at + 1);
	size_t end = slice_find(rest, '>');

	scan->at += end < rest.len ? end + 2 : end + 1;
	rest.len = end;
	rest = slice_trim(rest);
	if (rest.len && rest.p[0] == '@' && slice_find(rest, ':') < rest.len)
		rest = slice_skip(rest, slice_find(rest, ':') + 1);
	return slice_trim(rest);
}

static struct slice address_first(struct address_scan *scan)
{
	struct slice bare = {0}, found;

	while (scan->at < scan->text.len) {
		char c = scan->text.p[scan->at];

		if (c == '<') {
			found = address_angle(scan);
			if (address_is(found))
				return found;
		} else if (scan->quotes && c == '(') {
			scan->at = address_skip(scan);
		} else if (c == ',' || c == ';') {
			if (bare.len)
				return bare;
			scan->at++;
		} else if (c == ':' || c == '>' || address_blank(c)) {
			scan->at++;
		} else {
			found = address_word(scan);
			if (address_is(found))
				bare = found;
		}
	}
	return bare;
}

struct slice address_of_header(struct slice header)
{
	struct address_scan scan = {.text = header, .quotes = true};
	struct slice found = address_first(&scan);

	/* A quote or comment that never closes hides the address. */
	if (!found.len) {
		scan = (struct address_scan){.text = header};
		found = address_first(&scan);
	}
	return found;
}

/* --- IP addresses --- */

/* The IP address that "text" begins with, or an empty slice. */
static struct slice address_ip_head(struct slice text)
{
	bool letters = false, point = false, colon = false;
	size_t n = 0;

	if (slice_starts_nocase(text, SLICE("ipv6:")))
		text = slice_skip(text, 5);
	for (; n < text.len; n++) {
		char c = slice_lower(text.p[n]);

		if (c >= 'a' && c <= 'f')
			letters = true;
		else if (c == '.')
			point = true;
		else if (c == ':')
			colon = true;
		else if (c < '0' || c > '9')
			break;
	}
	/* "feed (192.0.2.1)" and "de.ad" begin like one, too. */
	if (!(colon || (point && !letters)) ||
	    (n < text.len && !strchr(" \t])>,;/", text.p[n])))
		n = 0;
	return slice_of(text.p, n);
}

#define ADDRESS_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte that is a point; of each that is a digit. */
static uint64_t address_points(uint64_t word)
{
	uint64_t other = word ^ ADDRESS_ALL('.');

	other |= (other & ADDRESS_ALL(0x7f)) + ADDRESS_ALL(0x7f);
	return ~other & ADDRESS_ALL(0x80);
}

static uint64_t address_digits(uint64_t word)
{
	uint64_t other = word ^ ADDRESS_ALL('0');

	other |= (other & ADDRESS_ALL(0x7f)) + ADDRESS_ALL(0x7f - 9);
	return ~other & ADDRESS_ALL(0x80);
}

/*
 * What nearly all are: nothing but digits and points.  Of eight to fifteen
 * bytes, which are two words that overlap.
 */
static bool address_is_v4(struct slice text)
{
	uint64_t head, tail, points;

	if (text.len < sizeof(head) || text.len > 15)
		return false;
	memcpy(&head, text.p, sizeof(head));
	memcpy(&tail, text.p + text.len - sizeof(tail), sizeof(tail));
	points = address_points(head) | address_points(tail);
	head = address_points(head) | address_digits(head);
	tail = address_points(tail) | address_digits(tail);
	return points && (head & tail) == ADDRESS_ALL(0x80);
}

struct slice address_ip(struct slice text)
{
	struct slice found;

	text = slice_trim(text);
	if (address_is_v4(text))
		return text;
	found = address_ip_head(text);
	for (size_t i = 0; !found.len && i < text.len; i++) {
		if (text.p[i] == '[' || text.p[i] == '(' || text.p[i] == '<')
			found = address_ip_head(slice_skip(text, i + 1));
	}
	return found.len ? found : text;
}
