/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_POWERCUT_PRIVATE_H
#define UNIT_POWERCUT_PRIVATE_H

/*
 * powercut_private - the log, between powercut.c that keeps it and
 * powercut_plan.c that cuts it
 *
 * Files and directories are nodes, numbered; the recorded directory is node 0.
 * An entry is a name in a directory, whatever it leads to.  An operation that
 * takes a node from one entry and puts it under another has both of them.
 */

#include <sys/types.h>

#include "base/buf.h"
#include "unit/powercut.h"

enum powercut_kind {
	POWERCUT_NAME,	/* "gone" leads nowhere, "here" leads to "node" */
	POWERCUT_WRITE, /* bytes into "node" at "offset" */
	POWERCUT_SIZE,	/* "node" is "offset" long */
	POWERCUT_SYNC	/* of "node"; of everything when that is -1 */
};

/* The two sides of a change of names. */
enum { POWERCUT_GONE, POWERCUT_HERE, POWERCUT_SIDES };

struct powercut_op {
	enum powercut_kind kind;
	int node;
	int entry[POWERCUT_SIDES]; /* -1: has no such side */
	off_t offset;
	char *bytes;
	size_t len;

	/* Of the plan. */
	bool safe[POWERCUT_SIDES], kept[POWERCUT_SIDES];
};

struct powercut_node {
	bool is_dir, is_gone; /* gone: its number may be another's */
	dev_t dev;
	ino_t ino;
};

struct powercut_entry {
	int dir;
	char *name;
	int live; /* the node it leads to now, or -1 */

	/* Of the plan. */
	bool mark;
	int node;
};

struct powercut {
	struct powercut_op *ops;
	size_t ops_count, first;
	struct powercut_node *nodes;
	size_t nodes_count;
	struct powercut_entry *entries;
	size_t entries_count;

	/* Of the plan. */
	struct powercut_cut cut;
	struct buf bytes, image;
};

#endif /* UNIT_POWERCUT_PRIVATE_H */
