/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/kind.h"

/* No code is longer; bounds the search for its comma. */
enum { KIND_LONGEST = 15 };

static const struct {
	const char *name;
	enum kind kind;
} kinds[] = {
	{"receipt", KIND_RECEIPT},
	{"received", KIND_RECEIPT},
	{"delivery", KIND_DELIVERY},
	{"bounce", KIND_BOUNCE},
	{"transient", KIND_TRANSIENT},
	{"transient-queue", KIND_TRANSIENT_QUEUE},
	{"remote-bounce", KIND_REMOTE_BOUNCE},
	{"remote-status", KIND_REMOTE_STATUS},
	{"feedback-loop", KIND_FEEDBACK},
};

static enum kind kind_of_letter(char c)
{
	switch (slice_lower(c)) {
	case 'd':
		return KIND_DELIVERY;
	case 'b':
		return KIND_BOUNCE;
	case 't':
		return KIND_TRANSIENT;
	case 'r':
		return KIND_RECEIPT;
	case 'f':
		return KIND_FEEDBACK;
	default:
		return KIND_UNKNOWN;
	}
}

static enum kind kind_of_pair(char first, char second)
{
	first = slice_lower(first);
	second = slice_lower(second);
	if (first == 't' && second == 'q')
		return KIND_TRANSIENT_QUEUE;
	if (first == 'r' && second == 'b')
		return KIND_REMOTE_BOUNCE;
	if (first == 'r' && second == 's')
		return KIND_REMOTE_STATUS;
	return KIND_UNKNOWN;
}

enum kind kind_of(struct slice code)
{
	if (code.len == 1)
		return kind_of_letter(code.p[0]);
	if (code.len == 2)
		return kind_of_pair(code.p[0], code.p[1]);
	if (kind_is_header(code))
		return KIND_HEADER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (slice_eq_nocase(code, slice_str(kinds[i].name)))
			return kinds[i].kind;
	}
	return KIND_UNKNOWN;
}

bool kind_begins(struct slice line)
{
	size_t n = line.len < KIND_LONGEST + 1 ? line.len : KIND_LONGEST + 1;
	size_t comma = slice_find(slice_of(line.p, n), ',');

	return comma < n && kind_of(slice_of(line.p, comma)) != KIND_UNKNOWN;
}
