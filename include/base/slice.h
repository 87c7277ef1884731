/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

/*
 * slice - borrowed bytes: a pointer and a length
 *
 * A slice never owns memory, is not terminated and may hold any byte, NUL
 * included.  It is valid as long as what it was cut from.  Passed by value.
 * The empty slice has len 0; its p may be NULL.  Nothing here can fail.
 * Letter case means ASCII case only: no locale is asked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t len;
};

/* A slice of a string literal, and the arguments of a "%.*s". */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_ARGS(s)  (int)((s).len), ((s).p ? (s).p : "")

static inline struct slice slice_of(const char *p, size_t len)
{
	return (struct slice){p, len};
}

static inline struct slice slice_str(const char *string)
{
	return (struct slice){string, string ? strlen(string) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

/* Does "s" begin with "prefix"; the second form ignores ASCII case. */
static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	       (!prefix.len || memcmp(s.p, prefix.p, prefix.len) == 0);
}
bool slice_starts_nocase(struct slice s, struct slice prefix);

/* Equal but for ASCII letter case; mostly, it is the same. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
	return a.len == b.len &&
	       (slice_starts(a, b) || slice_starts_nocase(a, b));
}

/* Cut "n" bytes (at most all of them) from the front. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return n ? slice_of(s.p + n, s.len - n) : s;
}

static inline bool slice_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cut blanks, tabs, CR and LF from both ends. */
static inline struct slice slice_trim(struct slice s)
{
	while (s.len && slice_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && slice_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/*
 * The part before the first "c", and through rest_out what follows it.
 * Without a "c": all of it, and an empty rest.
 */
struct slice slice_cut(struct slice s, char c, struct slice *rest_out);

/* Position of the first (last) "c", or s.len when there is none. */
static inline size_t slice_find(struct slice s, char c)
{
	const char *hit = s.len ? memchr(s.p, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.p) : s.len;
}

static inline size_t slice_find_last(struct slice s, char c)
{
	const char *hit = s.len ? memrchr(s.p, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.p) : s.len;
}

/* Order as memcmp does, shorter first; for sorting. */
int slice_compare(struct slice a, struct slice b);

/* ASCII lower case of one byte. */
static inline char slice_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Is there a letter that slice_lower() would change? */
bool slice_has_upper(struct slice s);

/*
 * Read all of "s" as a decimal number without sign.  Returns 0, or -1 when
 * it is empty, holds anything but digits or passes "max".
 */
int slice_number(struct slice s, unsigned long long max,
		 unsigned long long *value_out);

#endif /* BASE_SLICE_H */
