/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/yaml.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

/* Recursion is bounded by YAML_NESTING. */
static void yaml_free_node(struct yaml_node *node)
{
	while (node) {
		struct yaml_node *next = node->next;

		yaml_free_node(node->first);
		mem_free((void *)(uintptr_t)node->text.p);
		mem_free((void *)(uintptr_t)node->key.p);
		mem_free(node);
		node = next;
	}
}

void yaml_tree_free(struct yaml_node **root)
{
	yaml_free_node(*root);
	*root = NULL;
}

static int yaml_by_place(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->key_line != b->key_line)
		return a->key_line < b->key_line ? -1 : 1;
	return a->key_column < b->key_column ? -1 : 1;
}

static int yaml_compare(const void *left, const void *right)
{
	const struct yaml_node *a = *(struct yaml_node *const *)left;
	const struct yaml_node *b = *(struct yaml_node *const *)right;
	int order = slice_compare(a->key, b->key);

	return order ? order : yaml_by_place(a, b);
}

int yaml_tree_order(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		int d = (unsigned char)slice_lower(a.p[i]) -
			(unsigned char)slice_lower(b.p[i]);

		if (d)
			return d;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int yaml_compare_nocase(const void *left, const void *right)
{
	const struct yaml_node *a = *(struct yaml_node *const *)left;
	const struct yaml_node *b = *(struct yaml_node *const *)right;
	int order = yaml_tree_order(a->key, b->key);

	return order ? order : yaml_by_place(a, b);
}

static void yaml_say_repeated(const struct yaml_node *first,
			      const struct yaml_node *again, bool nocase,
			      struct mistakes *mistakes)
{
	struct slice key = again->key;

	key.len = key.len > 64 ? 64 : key.len;
	if (slice_eq(first->key, again->key) == nocase)
		return;
	if (nocase)
		mistakes_add(mistakes, again->key_line, again->key_column,
			     "\"%.*s\" is the same name as the one on line %u "
			     "but for letter case; keep one",
			     SLICE_ARGS(key), first->key_line);
	else
		mistakes_add(mistakes, again->key_line, again->key_column,
			     "key \"%.*s\" stands on line %u already; keep one",
			     SLICE_ARGS(key), first->key_line);
}

void yaml_tree_repeated(const struct yaml_node *map, bool nocase,
			struct mistakes *mistakes)
{
	const struct yaml_node **keys, *first = NULL;
	size_t count = 0;

	if (map->count < 2)
		return;
	keys = mem_zero(map->count, sizeof(*keys));
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		if (!n->key_broken)
			keys[count++] = n;
	}
	if (count)
		qsort(keys, count, sizeof(*keys),
		      nocase ? yaml_compare_nocase : yaml_compare);
	for (size_t i = 0; i < count; i++) {
		if (first && slice_eq_nocase(first->key, keys[i]->key) &&
		    (nocase || slice_eq(first->key, keys[i]->key)))
			yaml_say_repeated(first, keys[i], nocase, mistakes);
		else
			first = keys[i];
	}
	mem_free(keys);
}
