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

/* Equal but for ASCII letter case. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Does "s" begin with "prefix"; the second form ignores ASCII case. */
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);

/* Cut "n" bytes (at most all of them) from the front. */
struct slice slice_skip(struct slice s, size_t n);

/* Cut blanks, tabs, CR and LF from both ends. */
struct slice slice_trim(struct slice s);

/*
 * The part before the first "c", and through rest_out what follows it.
 * Without a "c": all of it, and an empty rest.
 */
struct slice slice_cut(struct slice s, char c, struct slice *rest_out);

/* Position of the first (last) "c", or s.len when there is none. */
size_t slice_find(struct slice s, char c);
size_t slice_find_last(struct slice s, char c);

/* Order as memcmp does, shorter first; for sorting. */
int slice_compare(struct slice a, struct slice b);

/* ASCII lower case of one byte. */
static inline char slice_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/*
 * Read all of "s" as a decimal number without sign.  Returns 0, or -1 when
 * it is empty, holds anything but digits or passes "max".
 */
int slice_number(struct slice s, unsigned long long max,
		 unsigned long long *value_out);

#endif /* BASE_SLICE_H */
