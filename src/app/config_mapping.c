/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "app/config_entry.h"
#include "base/mem.h"

/*
 * The section "mapping" (mapping.md 5): entries go into struct mapping as they
 * are read.
 */

enum { MAPPING_FILTERS = 1000 };

struct mapping_reader {
	struct config_reader *config;
	struct mapping *mapping;
	struct config_filters filters;
};

static int mapping_order_filters(const void *left, const void *right)
{
	const struct yaml_node *a = *(struct yaml_node *const *)left;
	const struct yaml_node *b = *(struct yaml_node *const *)right;

	return yaml_tree_order(a->key, b->key);
}

/* The children of vmta or vmta_pool. */
static void mapping_entries(struct mapping_reader *reader,
			    const struct yaml_node *node,
			    enum mapping_scope scope, const char *path)
{
	if (!config_is_map(reader->config, path, node))
		return;
	yaml_tree_repeated(node, true, reader->config->mistakes);
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		char at[CONFIG_PATH];
		struct config_entry entry;

		if (!config_is_name(reader->config, path, n))
			continue;
		snprintf(at, sizeof(at), "%s.%.64s", path, n->key.p);
		config_entry_read(reader->config, &reader->filters, at, n,
				  &entry);
		mapping_add(reader->mapping, scope, n->key.p, &entry.entry);
		config_entry_release(&entry);
	}
}

static void mapping_lines(struct mapping_reader *reader,
			  const struct yaml_node *filter)
{
	char path[CONFIG_PATH / 2];

	snprintf(path, sizeof(path), "mapping.filters.%.32s", filter->key.p);
	if (!config_is_map(reader->config, path, filter))
		return;
	mapping_add_filter(reader->mapping, filter->key.p);
	yaml_tree_repeated(filter, true, reader->config->mistakes);
	for (const struct yaml_node *n = filter->first; n; n = n->next) {
		char at[CONFIG_PATH];
		struct config_entry entry;

		if (!config_is_name(reader->config, path, n))
			continue;
		snprintf(at, sizeof(at), "%s.%.64s", path, n->key.p);
		config_entry_read(reader->config, NULL, at, n, &entry);
		mapping_add_line(reader->mapping, filter->key.p, n->key.p,
				 &entry.entry);
		config_entry_release(&entry);
	}
}

/* Names first: an entry may stand before the filter it names. */
static void mapping_name_filters(struct mapping_reader *reader,
				 const struct yaml_node *node)
{
	struct config_reader *config = reader->config;

	reader->filters.broken =
		!config_is_map(config, "mapping.filters", node);
	if (reader->filters.broken)
		return;
	yaml_tree_repeated(node, true, config->mistakes);
	mem_free(reader->filters.list);
	reader->filters.list =
		mem_zero(node->count, sizeof(struct yaml_node *));
	reader->filters.count = 0;
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		bool truth;

		if (!config_is_name(reader->config, "mapping.filters", n))
			continue;
		if (config_bool(n->key, &truth) == 0)
			mistakes_add(
				config->mistakes, n->key_line, n->key_column,
				"mapping.filters: a filter cannot be "
				"called \"%.*s\", which is %s; rename it",
				SLICE_ARGS(n->key), truth ? "true" : "false");
		reader->filters.list[reader->filters.count++] = n;
	}
	if (reader->filters.count > MAPPING_FILTERS) {
		config_wrong(config, node,
			     "mapping.filters: at most %d filters; use "
			     "patterns",
			     MAPPING_FILTERS);
		reader->filters.count = MAPPING_FILTERS;
		reader->filters.broken = true;
	}
	if (reader->filters.count)
		qsort(reader->filters.list, reader->filters.count,
		      sizeof(*reader->filters.list), mapping_order_filters);
}

static void mapping_default(struct mapping_reader *reader,
			    const struct yaml_node *node)
{
	struct config_entry entry;

	config_entry_read(reader->config, &reader->filters, "mapping.default",
			  node, &entry);
	mapping_add(reader->mapping, MAPPING_DEFAULT, NULL, &entry.entry);
	config_entry_release(&entry);
}

static void mapping_section(struct mapping_reader *reader,
			    const struct yaml_node *node)
{
	if (slice_eq(node->key, SLICE("default"))) {
		mapping_default(reader, node);
	} else if (slice_eq(node->key, SLICE("vmta"))) {
		mapping_entries(reader, node, MAPPING_VMTA, "mapping.vmta");
	} else if (slice_eq(node->key, SLICE("vmta_pool"))) {
		mapping_entries(reader, node, MAPPING_VMTA_POOL,
				"mapping.vmta_pool");
	} else if (slice_eq(node->key, SLICE("filters"))) {
		for (size_t i = 0; i < reader->filters.count; i++)
			mapping_lines(reader, reader->filters.list[i]);
	} else {
		config_unknown(reader->config, "mapping", node);
	}
}

void config_set_mapping(struct config_reader *config,
			const struct config_row *row,
			const struct yaml_node *node)
{
	struct mapping_reader reader = {.config = config};
	size_t mistakes = config->mistakes->count;
	struct buf why;

	if (!config_is_map(config, row->name, node))
		return;
	buf_init(&why, MISTAKES_TEXT);
	reader.mapping = mapping_new();
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		if (!n->key_broken && slice_eq(n->key, SLICE("filters")))
			mapping_name_filters(&reader, n);
	}
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		if (!n->key_broken && n->kind != YAML_BROKEN)
			mapping_section(&reader, n);
	}
	/* What it finds has been found with its place already. */
	if (mapping_finish(reader.mapping, &why) < 0 &&
	    config->mistakes->count == mistakes)
		config_wrong(config, node, "%s: %s", row->name, buf_str(&why));
	mapping_free(&config->config->events.mapping);
	config->config->events.mapping = reader.mapping;
	mem_free(reader.filters.list);
	buf_release(&why);
}
