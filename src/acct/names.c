/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/names.h"

#include <stdlib.h>

#include "base/mem.h"

bool names_is_pattern(const char *name)
{
	return strpbrk(name, "*?") != NULL;
}

static size_t names_literals(const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += *name != '*' && *name != '?';
	return n;
}

void names_add(struct names *names, const char *name, void *value)
{
	struct names_entry *entry;

	names->entries = mem_resize_array(names->entries, names->count + 1,
					  sizeof(*names->entries));
	entry = &names->entries[names->count];
	*entry = (struct names_entry){
		.name = mem_str(name),
		.value = value,
		.literals = names_literals(name),
		.order = names->count++,
	};
	for (char *p = entry->name; *p; p++)
		*p = slice_lower(*p);
}

/* Names before patterns; see the header for the rest. */
static int names_order(const void *left, const void *right)
{
	const struct names_entry *a = left, *b = right;
	bool a_pattern = names_is_pattern(a->name);
	int order;

	if (a_pattern != names_is_pattern(b->name))
		return a_pattern ? 1 : -1;
	if (a_pattern && a->literals != b->literals)
		return a->literals > b->literals ? -1 : 1;
	order = a_pattern ? 0 : strcmp(a->name, b->name);
	if (!order)
		order = a->order < b->order ? -1 : 1;
	return order;
}

void names_finish(struct names *names)
{
	if (names->count)
		qsort(names->entries, names->count, sizeof(*names->entries),
		      names_order);
	names->exact = 0;
	while (names->exact < names->count &&
	       !names_is_pattern(names->entries[names->exact].name))
		names->exact++;
}

void names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		mem_free(names->entries[i].name);
	mem_free(names->entries);
	*names = (struct names){0};
}

/* As strcmp() with the lower case of "name". */
static int names_compare(struct slice name, const char *entry)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char a = (unsigned char)slice_lower(name.p[i]);
		unsigned char b = (unsigned char)entry[i];

		if (a != b)
			return a < b ? -1 : 1;
		/* A NUL in the name is greater than the entry's end. */
		if (!b)
			return 1;
	}
	return entry[name.len] ? -1 : 0;
}

/* The first of equal names: that is the one added first. */
static const struct names_entry *names_exact(const struct names *names,
					     struct slice name)
{
	size_t low = 0, high = names->exact;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (names_compare(name, names->entries[mid].name) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < names->exact &&
	    names_compare(name, names->entries[low].name) == 0)
		return &names->entries[low];
	return NULL;
}

/* On a mismatch the last "*" takes one byte more: no stack, no blow-up. */
bool names_match(const char *pattern, struct slice name)
{
	const char *star = NULL;
	size_t at = 0, retry = 0;

	while (at < name.len) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = at;
		} else if (*pattern && (*pattern == '?' ||
					*pattern == slice_lower(name.p[at]))) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

const struct names_entry *names_find(const struct names *names,
				     struct slice name)
{
	const struct names_entry *entry = names_exact(names, name);

	for (size_t i = names->exact; !entry && i < names->count; i++) {
		if (names_match(names->entries[i].name, name))
			entry = &names->entries[i];
	}
	return entry;
}
