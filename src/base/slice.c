/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/slice.h"

static bool slice_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++) {
		if (slice_lower(s.p[i]) != slice_lower(prefix.p[i]))
			return false;
	}
	return true;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && slice_starts_nocase(a, b);
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	       (!prefix.len || memcmp(s.p, prefix.p, prefix.len) == 0);
}

struct slice slice_skip(struct slice s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return n ? slice_of(s.p + n, s.len - n) : s;
}

struct slice slice_trim(struct slice s)
{
	while (s.len && slice_blank(s.p[0]))
		s = slice_skip(s, 1);
	while (s.len && slice_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

size_t slice_find(struct slice s, char c)
{
	const char *hit = s.len ? memchr(s.p, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.p) : s.len;
}

size_t slice_find_last(struct slice s, char c)
{
	const char *hit = s.len ? memrchr(s.p, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.p) : s.len;
}

struct slice slice_cut(struct slice s, char c, struct slice *rest_out)
{
	size_t at = slice_find(s, c);

	*rest_out = slice_skip(s, at < s.len ? at + 1 : at);
	s.len = at;
	return s;
}

int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

int slice_number(struct slice s, unsigned long long max,
		 unsigned long long *value_out)
{
	unsigned long long value = 0;

	if (!s.len)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		unsigned int digit = (unsigned int)(s.p[i] - '0');

		if (s.p[i] < '0' || digit > 9 || value > max / 10 ||
		    (value == max / 10 && digit > max % 10))
			return -1;
		value = value * 10 + digit;
	}
	*value_out = value;
	return 0;
}
