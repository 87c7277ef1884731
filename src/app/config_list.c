/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "app/config_parts.h"
#include "base/mem.h"

/*
 * A list may be written as a list, or as one value with commas, as PowerMTA's
 * own record-fields are.
 */

enum { CONFIG_CLASSES_MAX = 1000 };

struct config_items {
	struct config_reader *reader;
	const struct config_row *row;
	char **list;
	size_t count;
	bool wrong;
};

static void config_item(struct config_items *items,
			const struct yaml_node *node, struct slice text)
{
	const char *wrong = NULL;

	text = slice_trim(text);
	if (!text.len)
		wrong = "an entry is empty; remove it";
	else if (items->row->check)
		wrong = items->row->check(text);
	if (wrong) {
		config_wrong(items->reader, node, "%s: %s", items->row->name,
			     wrong);
		items->wrong = true;
		return;
	}
	if (items->count == items->row->max) {
		config_wrong(items->reader, node,
			     "%s: too many entries: at most %" PRIu64,
			     items->row->name, items->row->max);
		items->wrong = true;
	}
	if (items->count <= items->row->max)
		settings_add(&items->list, &items->count, text);
}

static void config_items_free(struct config_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		mem_free(items->list[i]);
	mem_free(items->list);
}

static void config_items_read(struct config_items *items,
			      const struct yaml_node *node)
{
	const char *name = items->row->name;

	if (node->kind == YAML_LIST) {
		for (const struct yaml_node *n = node->first; n; n = n->next) {
			if (config_is_text(items->reader, name, n))
				config_item(items, n, n->text);
			else
				items->wrong = true;
		}
		return;
	}
	items->wrong = !config_is_text(items->reader, name, node);
	if (!items->wrong) {
		struct slice rest = node->text;

		do {
			bool more = slice_find(rest, ',') < rest.len;
			struct slice item = slice_cut(rest, ',', &rest);

			config_item(items, node, item);
			if (!more)
				break;
		} while (!items->wrong);
	}
}

void config_set_list(struct config_reader *reader, const struct config_row *row,
		     const struct yaml_node *node, void *place)
{
	struct config_items items = {.reader = reader, .row = row};
	struct {
		char **list;
		size_t count;
	} old;

	config_items_read(&items, node);
	if (items.wrong) {
		config_items_free(&items);
		return;
	}
	memcpy(&old, place, sizeof(old));
	for (size_t i = 0; i < old.count; i++)
		mem_free(old.list[i]);
	mem_free(old.list);
	old.list = items.list;
	old.count = items.count;
	memcpy(place, &old, sizeof(old));
}

void config_set_joined(struct config_reader *reader,
		       const struct config_row *row,
		       const struct yaml_node *node, void *place)
{
	struct config_items items = {.reader = reader, .row = row};
	char **joined = place;
	struct buf text;

	buf_init(&text, CONFIG_MAX);
	config_items_read(&items, node);
	if (!items.wrong && !items.count) {
		config_wrong(reader, node,
			     "%s: is empty; name the columns, or remove the "
			     "key",
			     row->name);
		items.wrong = true;
	}
	for (size_t i = 0; i < items.count; i++) {
		if (i)
			buf_add_char(&text, ',');
		buf_add_str(&text, items.list[i]);
	}
	if (!items.wrong) {
		mem_free(*joined);
		*joined = mem_str(buf_str(&text));
	}
	config_items_free(&items);
	buf_release(&text);
}

static void config_class(struct config_reader *reader,
			 const struct config_row *row,
			 const struct yaml_node *node)
{
	struct settings *events = &reader->config->events;
	unsigned long long value;
	char shown[CONFIG_SHOWN];

	if (!config_is_name(reader, row->name, node) ||
	    !config_is_scalar(reader, row->name, node))
		return;
	if (slice_number(node->text, row->max, &value) < 0 ||
	    value < row->min) {
		config_wrong(reader, node,
			     "%s: %s is not a class; write a number from "
			     "%" PRIu64 " to %" PRIu64,
			     row->name, config_show(node, shown), row->min,
			     row->max);
		return;
	}
	events->bounce_classes = mem_resize_array(
		events->bounce_classes, events->bounce_classes_count + 1,
		sizeof(*events->bounce_classes));
	events->bounce_classes[events->bounce_classes_count++] =
		(struct settings_class){mem_str_of(node->key),
					(unsigned int)value};
}

void config_set_classes(struct config_reader *reader,
			const struct config_row *row,
			const struct yaml_node *node)
{
	struct settings *events = &reader->config->events;

	if (!config_is_map(reader, row->name, node))
		return;
	if (node->count > CONFIG_CLASSES_MAX) {
		config_wrong(reader, node, "%s: at most %d entries", row->name,
			     CONFIG_CLASSES_MAX);
		return;
	}
	for (size_t i = 0; i < events->bounce_classes_count; i++)
		mem_free(events->bounce_classes[i].category);
	mem_free(events->bounce_classes);
	events->bounce_classes = NULL;
	events->bounce_classes_count = 0;
	yaml_tree_repeated(node, true, reader->mistakes);
	for (const struct yaml_node *n = node->first; n; n = n->next)
		config_class(reader, row, n);
}
