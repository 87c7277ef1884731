/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_HINTS_H
#define FOLLOW_HINTS_H

/*
 * hints - the names that the watcher noticed, each once
 *
 *	struct hints hints = {0};
 *	while (watcher_wait(0, &n) == WATCHER_NOTICE)
 *		hints_add(&hints, n.directory, n.name);
 *	for (size_t i = 0; i < hints.count; i++)
 *		... look at hints.list[i].directory and .name, once ...
 *	hints_reset(&hints);
 *
 * Two files that are written in turns give a notice for each row, and the
 * kernel merges only equal ones that follow each other.  A look after all were
 * taken sees what each of them told, so once for each name is enough.  In the
 * order in which they came first.  Memory is for HINTS_MAX names.  One thread.
 */

#include <stdbool.h>

#include "follow/table.h"

enum { HINTS_MAX = 1000 };

struct hint {
	char *directory, *name;
};

struct hints {
	struct hint *list;
	size_t count;
	struct table by_name;
};

/* False when there is no room for more: look, and reset. */
bool hints_add(struct hints *hints, const char *directory, const char *name);
void hints_reset(struct hints *hints);

#endif /* FOLLOW_HINTS_H */
