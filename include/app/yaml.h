/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_YAML_H
#define APP_YAML_H

/*
 * yaml - a YAML text as a small tree that knows its lines and columns
 *
 *	struct yaml_node *root = yaml_tree_parse(text, &mistakes);
 *	for (n = root->first; n; n = n->next) ...
 *	yaml_tree_free(&root);
 *
 * The part of YAML that a configuration needs: maps, lists, scalars.  Mistakes
 * with their place are: what libyaml cannot read, text that is not UTF-8,
 * aliases, anchors, tags, keys that are not plain words, a key twice in a map,
 * a second document, more than YAML_NESTING levels, more than YAML_NODES
 * nodes.  A tree comes back all the same, as far as it could be built; look at
 * it only for further mistakes.
 *
 * Names begin with yaml_tree_, because libyaml owns the rest of yaml_.
 */

#include <stdbool.h>

#include "app/mistakes.h"
#include "base/slice.h"

enum { YAML_NESTING = 16, YAML_NODES = 200000 };

enum yaml_kind {
	YAML_NULL = 0, /* nothing, "~" or "null" without quotes */
	YAML_SCALAR,
	YAML_MAP,
	YAML_LIST,
	YAML_BROKEN /* a mistake that is known already: pass over it */
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned int line, column; /* of the value, from 1 */
	struct slice text;	   /* of a scalar; may hold any character */

	/* In a map.  key_broken: no key, and a mistake that is known. */
	struct slice key;
	unsigned int key_line, key_column;
	bool key_broken;

	bool cut;     /* reading ended early, and in here: more may follow */
	size_t count; /* of children */
	struct yaml_node *first, *last, *next;
};

/* Never NULL; the root of an empty text is YAML_NULL. */
struct yaml_node *yaml_tree_parse(struct slice text, struct mistakes *mistakes);
void yaml_tree_free(struct yaml_node **root);

/* Order of names without regard to ASCII letter case. */
int yaml_tree_order(struct slice a, struct slice b);

/*
 * Report keys of "map" that are the same: exactly, or but for ASCII letter
 * case (then exact repetitions are passed over: they have been reported).
 */
void yaml_tree_repeated(const struct yaml_node *map, bool nocase,
			struct mistakes *mistakes);

#endif /* APP_YAML_H */
