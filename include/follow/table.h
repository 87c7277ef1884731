/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_TABLE_H
#define FOLLOW_TABLE_H

/*
 * table - finds items by a 64-bit key
 *
 *	table_add(&t, key, item);
 *	for (size_t at = 0; (item = table_next(&t, key, &at));)
 *		... is it the one? equal keys are the caller's to tell apart ...
 *	table_remove(&t, key, item);
 *	table_release(&t);
 *
 * An all-zero table is empty.  Items are borrowed.  Several may have one key.
 * Do not add or remove between two calls of table_next().
 */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct table_slot;

struct table {
	struct table_slot *slots;
	size_t cap;   /* a power of two, or 0 */
	size_t used;  /* slots that are not empty, removed ones included */
	size_t count; /* items */
};

void table_release(struct table *table);
void table_add(struct table *table, uint64_t key, void *item);
void table_remove(struct table *table, uint64_t key, const void *item);
void *table_next(const struct table *table, uint64_t key, size_t *at);

/* A key of some bytes, and of two numbers. */
uint64_t table_key(struct slice bytes);
uint64_t table_key_of(uint64_t a, uint64_t b);

#endif /* FOLLOW_TABLE_H */
