/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

/*
 * tally - counts by name: rows skipped by reason, rows not shipped by rule
 *
 *	struct tally t = {0};
 *	tally_add(&t, SLICE("tq"), 1);
 *	for (size_t i = 0; i < t.count; i++) ... t.entries[i].name / .count
 *	tally_release(&t);
 *
 * Names are kept sorted.  After TALLY_MAX names the rest share one entry,
 * "(other)", so that no input makes it grow without end.  One thread at a time.
 */

#include <stdint.h>

#include "base/slice.h"

enum { TALLY_MAX = 4096, TALLY_NAME = 256 };

struct tally_entry {
	char *name;
	uint64_t count;
};

struct tally {
	struct tally_entry *entries;
	size_t count, cap;
};

/*
 * Names longer than TALLY_NAME bytes are cut; in place of a NUL or a byte that
 * is not UTF-8 stands "?", so that any name can be written as JSON and read.
 */
void tally_add(struct tally *tally, struct slice name, uint64_t n);

/* Add all of "more". */
void tally_merge(struct tally *tally, const struct tally *more);

/* 0 for a name never added. */
uint64_t tally_get(const struct tally *tally, struct slice name);
uint64_t tally_sum(const struct tally *tally);

void tally_release(struct tally *tally);

#endif /* BASE_TALLY_H */
