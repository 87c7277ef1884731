/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/config_entry.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/suggest.h"
#include "base/mem.h"

struct entry_reader {
	struct config_reader *config;
	const struct config_filters *filters; /* NULL: a line of a filter */
	const char *path;
	struct config_entry *out;
};

static int entry_order_name(const void *left, const void *right)
{
	const struct slice *name = left;
	const struct yaml_node *filter = *(struct yaml_node *const *)right;

	return yaml_tree_order(*name, filter->key);
}

/* The filter's own spelling, or NULL. */
static const char *entry_filter(const struct entry_reader *reader,
				struct slice name)
{
	const struct yaml_node *const *hit = NULL;

	if (reader->filters->count)
		hit = bsearch(&name, reader->filters->list,
			      reader->filters->count,
			      sizeof(*reader->filters->list), entry_order_name);
	return hit ? (*hit)->key.p : NULL;
}

static void entry_no_filter(struct entry_reader *reader, const char *name,
			    const struct yaml_node *node)
{
	struct suggest near = suggest_for(node->text);
	char shown[CONFIG_SHOWN];

	suggest_try(&near, "true");
	suggest_try(&near, "false");
	/* Comparing words costs, and nobody reads the thousandth mistake. */
	for (size_t i = 0; i < reader->filters->count &&
			   reader->config->mistakes->count < MISTAKES_MAX;
	     i++)
		suggest_try(&near, reader->filters->list[i]->key.p);
	config_show(node, shown);
	if (near.best)
		config_wrong(reader->config, node,
			     "%s: no filter is called %s; did you mean "
			     "\"%s\"?",
			     name, shown, near.best);
	else
		config_wrong(reader->config, node,
			     "%s: no filter is called %s; write true, false or "
			     "a name from mapping.filters",
			     name, shown);
}

static void entry_set_ship(struct entry_reader *reader, const char *name,
			   const struct yaml_node *node)
{
	char shown[CONFIG_SHOWN];
	bool ship;

	if (!config_is_text(reader->config, name, node))
		return;
	if (config_bool(node->text, &ship) == 0) {
		reader->out->entry.ship =
			ship ? MAPPING_SHIP_TRUE : MAPPING_SHIP_FALSE;
		return;
	}
	if (!reader->filters) {
		config_wrong(reader->config, node,
			     "%s: %s is neither true nor false; a line of a "
			     "filter can name no other filter",
			     name, config_show(node, shown));
		return;
	}
	reader->out->entry.filter = entry_filter(reader, node->text);
	if (reader->out->entry.filter)
		reader->out->entry.ship = MAPPING_SHIP_FILTER;
	else if (!reader->filters->broken)
		entry_no_filter(reader, name, node);
}

static void entry_set_subaccount(struct entry_reader *reader, const char *name,
				 const struct yaml_node *node)
{
	unsigned long long value;
	char shown[CONFIG_SHOWN];

	if (!config_is_scalar(reader->config, name, node))
		return;
	if (slice_number(node->text, INT32_MAX, &value) < 0)
		config_wrong(reader->config, node,
			     "%s: %s is not a subaccount; write a number from "
			     "0 to 2147483647",
			     name, config_show(node, shown));
	else
		reader->out->entry.subaccount = (int64_t)value;
}

static void entry_set_ip_pool(struct entry_reader *reader, const char *name,
			      const struct yaml_node *node)
{
	if (!config_is_text(reader->config, name, node))
		return;
	if (node->text.len > CONFIG_NAME_MAX) {
		config_wrong(reader->config, node,
			     "%s: is too long: at most 255 bytes", name);
		return;
	}
	mem_free(reader->out->ip_pool);
	reader->out->entry.ip_pool = reader->out->ip_pool =
		mem_str_of(node->text);
}

static void entry_set_sending_ip(struct entry_reader *reader, const char *name,
				 const struct yaml_node *node)
{
	unsigned char address[sizeof(struct in6_addr)];
	char shown[CONFIG_SHOWN];
	char *text;

	if (!config_is_text(reader->config, name, node))
		return;
	text = mem_str_of(node->text);
	if (inet_pton(AF_INET, text, address) != 1 &&
	    inet_pton(AF_INET6, text, address) != 1) {
		config_wrong(reader->config, node,
			     "%s: %s is not an IP address; write one such as "
			     "192.0.2.10 or 2001:db8::10",
			     name, config_show(node, shown));
		mem_free(text);
		return;
	}
	mem_free(reader->out->sending_ip);
	reader->out->entry.sending_ip = reader->out->sending_ip = text;
}

static const struct {
	const char *name;
	void (*set)(struct entry_reader *reader, const char *name,
		    const struct yaml_node *node);
	bool in_line;
} entry_keys[] = {
	{"ship", entry_set_ship, true},
	{"subaccount", entry_set_subaccount, true},
	{"ip_pool", entry_set_ip_pool, false},
	{"sending_ip", entry_set_sending_ip, false},
};

enum { ENTRY_KEYS = sizeof(entry_keys) / sizeof(entry_keys[0]) };

static void entry_unknown(struct entry_reader *reader,
			  const struct yaml_node *node)
{
	struct suggest near = suggest_for(node->key);
	struct slice key = node->key;

	key.len = key.len > SUGGEST_LEN ? SUGGEST_LEN : key.len;
	for (size_t i = 0; i < ENTRY_KEYS; i++) {
		if (entry_keys[i].in_line || reader->filters)
			suggest_try(&near, entry_keys[i].name);
	}
	if (near.best)
		mistakes_add(reader->config->mistakes, node->key_line,
			     node->key_column,
			     "unknown key \"%.*s\" in %s; did you mean \"%s\"?",
			     SLICE_ARGS(key), reader->path, near.best);
	else
		mistakes_add(reader->config->mistakes, node->key_line,
			     node->key_column,
			     "unknown key \"%.*s\" in %s; valid keys: ship, "
			     "subaccount%s",
			     SLICE_ARGS(key), reader->path,
			     !reader->filters ? "" : ", ip_pool, sending_ip");
}

static void entry_set(struct entry_reader *reader, const struct yaml_node *node)
{
	char name[CONFIG_PATH + 16];

	if (node->key_broken || node->kind == YAML_BROKEN)
		return;
	for (size_t i = 0; i < ENTRY_KEYS; i++) {
		if ((!reader->filters && !entry_keys[i].in_line) ||
		    !slice_eq(node->key, slice_str(entry_keys[i].name)))
			continue;
		snprintf(name, sizeof(name), "%s.%s", reader->path,
			 entry_keys[i].name);
		entry_keys[i].set(reader, name, node);
		return;
	}
	entry_unknown(reader, node);
}

void config_entry_read(struct config_reader *config,
		       const struct config_filters *filters, const char *path,
		       const struct yaml_node *node,
		       struct config_entry *entry_out)
{
	struct entry_reader reader;

	*entry_out = (struct config_entry){.entry = MAPPING_ENTRY_INIT};
	reader = (struct entry_reader){config, filters, path, entry_out};
	if (!config_is_map(config, path, node))
		return;
	for (const struct yaml_node *n = node->first; n; n = n->next)
		entry_set(&reader, n);
}

void config_entry_release(struct config_entry *entry)
{
	mem_free(entry->ip_pool);
	mem_free(entry->sending_ip);
	*entry = (struct config_entry){.entry = MAPPING_ENTRY_INIT};
}
