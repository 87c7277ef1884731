/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_POWERCUT_H
#define UNIT_POWERCUT_H

/*
 * powercut - a file system that forgets what was not synced
 *
 *	p = powercut_begin("/tmp/live");	record all below it
 *	... the code under test ...
 *	powercut_end(p);
 *	for (cut.at = powercut_first(p); cut.at <= powercut_length(p); ...) {
 *		powercut_plan(p, &cut);
 *		powercut_make(p, "/tmp/image");	an empty directory
 *		... what does the code under test find there? ...
 *	}
 *	powercut_free(&p);
 *
 * Each change our objects make (wrap.h's watch) is an operation of the log;
 * what was there before is its beginning, and durable.  A cut is a moment
 * between two operations and a choice of what the disk kept.  The promises:
 *
 *   - a file's bytes, as they were at its last fsync;
 *   - a directory's entries, as they were at its last fsync, and with each of
 *     them whatever happened to that entry before.
 *
 * What lies beyond the promises may be there or not: bytes for each file,
 * changes for each entry in their order.  Nothing but that order counts, so
 * it is a worse file system than any journalling one.  Still, as in them all,
 * a rename is one thing: the file is under the old name or the new.  With
 * "both" a rename between two directories is two things, and the file may be
 * under both names (never under none), as without a journal.
 *
 * A sync that failed promises nothing.  One recording at a time, one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct powercut;

/* Of changes of directories that are not promised, which are there? */
enum powercut_names {
	POWERCUT_NAMES_SYNCED = 0, /* none */
	POWERCUT_NAMES_ISSUED,	   /* all; with "both", old names stay too */
	POWERCUT_NAMES_SOME	   /* by "seed" */
};

/* Of bytes that are not promised, what is there? */
enum powercut_bytes {
	POWERCUT_BYTES_SYNCED = 0, /* nothing: the file as it was synced */
	POWERCUT_BYTES_ISSUED,	   /* all */
	POWERCUT_BYTES_EMPTY,	   /* truncations, but nothing written since */
	POWERCUT_BYTES_HALF,	   /* the first half */
	POWERCUT_BYTES_ZEROS,	   /* the length, without the content */
	POWERCUT_BYTES_SOME	   /* for each file one of these, by "seed" */
};

struct powercut_cut {
	size_t at; /* so many operations were issued */
	enum powercut_names names;
	enum powercut_bytes bytes;
	bool both;
	uint64_t seed;
};

struct powercut *powercut_begin(const char *directory);
void powercut_end(struct powercut *p);
void powercut_free(struct powercut **p);

/* Operations before the recording began, and up to now. */
size_t powercut_first(const struct powercut *p);
size_t powercut_length(const struct powercut *p);

/* Choose a cut.  Equal numbers: the same files with the same bytes. */
uint64_t powercut_plan(struct powercut *p, const struct powercut_cut *cut);

/* Make the files of the plan in an empty directory. */
void powercut_make(struct powercut *p, const char *directory);

/* The operation before a moment in words, for messages; good until the next. */
const char *powercut_say(const struct powercut *p, size_t at);

#endif /* UNIT_POWERCUT_H */
