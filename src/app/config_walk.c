/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "app/config_parts.h"
#include "app/suggest.h"
#include "base/mem.h"

/*
 * A tree is two levels deep but for "sources", whose entries are sections
 * called "sources[]", and for "mapping", which has a file of its own.
 */

enum { CONFIG_SOURCES = 1000 };

static const char *const mapping_sections[] = {"default", "vmta", "vmta_pool",
					       "filters"};

/* The sections of the table, and the keys without one, each once. */
static const char *config_top(size_t i, char out[32])
{
	const char *last = "";
	size_t len = 0;

	for (size_t at = 0; at < CONFIG_ROWS; at++) {
		const char *name = config_rows[at].name;

		if (at && strcspn(name, ".[") == len &&
		    strncmp(name, last, len) == 0)
			continue;
		last = name;
		len = strcspn(name, ".[");
		if (i-- == 0) {
			snprintf(out, 32, "%.*s", (int)len, name);
			return out;
		}
	}
	return NULL;
}

/* The i-th name that may stand in a section, NULL after the last. */
static const char *config_name(const char *section, size_t i, char out[32])
{
	const char *name = NULL;
	size_t at = 0;

	if (!*section)
		return config_top(i, out);
	if (strcmp(section, "mapping") == 0)
		return i < sizeof(mapping_sections) / sizeof(*mapping_sections)
			       ? mapping_sections[i]
			       : NULL;
	do {
		if (!config_row_in(section, &at, &name))
			return NULL;
	} while (i--);
	return name;
}

/* A key at home in another section, such as "connections" or "ingest.url" at
 * the top.  0 and where, or -1. */
static int config_elsewhere(struct slice key, char *out, size_t size)
{
	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const char *name = config_rows[i].name;
		const char *dot = strchr(name, '.');

		if (!slice_eq(slice_str(name), key) &&
		    !(dot && slice_eq(slice_str(dot + 1), key)))
			continue;
		if (dot)
			snprintf(out, size, "write \"%s:\" below \"%.*s:\"",
				 dot + 1, (int)strcspn(name, ".["), name);
		else
			snprintf(out, size,
				 "write \"%s:\" at the beginning of a line",
				 name);
		return 0;
	}
	return -1;
}

static void config_unknown_text(const char *section, struct slice key,
				char *out, size_t size)
{
	struct suggest near = suggest_for(key);
	char top[32], best[32];
	const char *name;
	size_t at;

	for (size_t i = 0; (name = config_name(section, i, top)); i++) {
		suggest_try(&near, name);
		/* "top" is written again for the next one. */
		if (near.best == top) {
			snprintf(best, sizeof(best), "%s", top);
			near.best = best;
		}
	}
	if (near.best) {
		snprintf(out, size, "did you mean \"%s\"?", near.best);
		return;
	}
	if (config_elsewhere(key, out, size) == 0)
		return;
	at = (size_t)snprintf(out, size, "valid keys:");
	for (size_t i = 0; (name = config_name(section, i, top)); i++) {
		if (at < size)
			at += (size_t)snprintf(out + at, size - at, "%s %s",
					       i ? "," : "", name);
	}
}

void config_unknown(struct config_reader *reader, const char *section,
		    const struct yaml_node *node)
{
	struct slice key = node->key;
	char hint[256];

	/* Comparing words costs, and nobody reads the thousandth. */
	if (reader->mistakes->count == MISTAKES_MAX) {
		reader->mistakes->left_out++;
		return;
	}
	config_unknown_text(section, key, hint, sizeof(hint));
	key.len = key.len > SUGGEST_LEN ? SUGGEST_LEN : key.len;
	mistakes_add(reader->mistakes, node->key_line, node->key_column,
		     "unknown key \"%.*s\"%s%s; %s", SLICE_ARGS(key),
		     *section ? " in " : "", section, hint);
}

static void config_take(struct config_reader *reader,
			const struct config_row *row,
			const struct yaml_node *node)
{
	size_t before = reader->mistakes->count;

	config_set(reader, row, node);
	reader->given[row - config_rows] = node;
	reader->wrong[row - config_rows] = reader->mistakes->count > before;
}

static void config_walk_section(struct config_reader *reader,
				const char *section,
				const struct yaml_node *node)
{
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		const struct config_row *row;

		if (n->key_broken)
			continue;
		row = config_row_find(section, n->key);
		if (row)
			config_take(reader, row, n);
		else
			config_unknown(reader, section, n);
	}
}

/* The same glob twice would read each file in two places at once. */
static void config_same_path(struct config_reader *reader,
			     const struct yaml_node *node)
{
	const struct config *config = reader->config;

	for (size_t i = 0; i + 1 < config->sources_count; i++) {
		if (config->sources[i].path && reader->source->path &&
		    strcmp(config->sources[i].path, reader->source->path) ==
			    0) {
			config_wrong(reader, node,
				     "sources[].path: the same path as in "
				     "entry %zu; keep one",
				     i + 1);
			return;
		}
	}
}

static void config_walk_source(struct config_reader *reader,
			       const struct yaml_node *node)
{
	size_t path = config_row_of("sources[].path");
	struct config *config = reader->config;

	if (node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_MAP) {
		config_wrong(reader, node,
			     "sources: an entry needs a path; write \"- path: "
			     "/var/log/pmta/acct-*.csv\"");
		return;
	}
	if (config->sources_count == CONFIG_SOURCES) {
		config_wrong(reader, node,
			     "sources: at most %d entries; use patterns",
			     CONFIG_SOURCES);
		return;
	}
	config->sources =
		mem_resize_array(config->sources, config->sources_count + 1,
				 sizeof(*config->sources));
	reader->source = &config->sources[config->sources_count++];
	*reader->source = (struct source_settings){0};
	reader->given[path] = NULL;
	config_walk_section(reader, "sources[]", node);
	if (!reader->given[path] && node->cut)
		return;
	if (!reader->given[path])
		config_wrong(reader, node,
			     "sources[].path: is missing; add \"path: "
			     "/var/log/pmta/acct-*.csv\"");
	else
		config_same_path(reader, reader->given[path]);
	reader->source = NULL;
}

static void config_walk_sources(struct config_reader *reader,
				const struct yaml_node *node)
{
	if (node->kind == YAML_NULL || node->kind == YAML_BROKEN)
		return;
	if (node->kind != YAML_LIST) {
		config_wrong(reader, node,
			     "sources: must be a list; begin each entry with "
			     "\"- path:\"");
		return;
	}
	for (const struct yaml_node *n = node->first; n; n = n->next)
		config_walk_source(reader, n);
}

static bool config_is_section(struct slice key, char out[32])
{
	const char *name;
	size_t at = 0;

	if (!key.len || key.len > 16)
		return false;
	snprintf(out, 32, "%.*s", SLICE_ARGS(key));
	return slice_eq(slice_str(out), key) && config_row_in(out, &at, &name);
}

void config_walk(struct config_reader *reader, const struct yaml_node *root)
{
	char section[32];

	if (root->kind != YAML_MAP && root->kind != YAML_NULL) {
		if (root->kind != YAML_BROKEN)
			config_wrong(reader, root,
				     "this is no configuration; write it as "
				     "\"key: value\" lines");
		return;
	}
	for (const struct yaml_node *n = root->first; n; n = n->next) {
		const struct config_row *row;

		if (n->key_broken)
			continue;
		row = config_row_find("", n->key);
		if (row) {
			config_take(reader, row, n);
		} else if (slice_eq(n->key, SLICE("sources"))) {
			reader->sources = n;
			config_walk_sources(reader, n);
		} else if (!config_is_section(n->key, section)) {
			config_unknown(reader, "", n);
		} else if (config_is_map(reader, section, n)) {
			config_walk_section(reader, section, n);
		}
	}
}
