/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "app/config_parts.h"
#include "app/suggest.h"
#include "app/units.h"
#include "base/mem.h"

void config_wrong(struct config_reader *reader, const struct yaml_node *node,
		  const char *format, ...)
{
	bool at_key = node->kind == YAML_NULL && node->key_line;
	char text[MISTAKES_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mistakes_add(reader->mistakes, at_key ? node->key_line : node->line,
		     at_key ? node->key_column : node->column, "%s", text);
}

void config_wrong_key(struct config_reader *reader, const char *name,
		      const char *text)
{
	const struct yaml_node *node = reader->given[config_row_of(name)];

	if (node)
		config_wrong(reader, node, "%s: %s", name, text);
	else
		mistakes_add(reader->mistakes, 1, 1, "%s: %s", name, text);
}

const char *config_show(const struct yaml_node *node, char out[CONFIG_SHOWN])
{
	if (node->text.len > CONFIG_SHOWN - 8)
		snprintf(out, CONFIG_SHOWN, "this");
	else
		snprintf(out, CONFIG_SHOWN, "\"%.*s\"", SLICE_ARGS(node->text));
	return out;
}

bool config_is_scalar(struct config_reader *reader, const char *name,
		      const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR)
		return true;
	if (node->kind == YAML_NULL)
		config_wrong(reader, node,
			     "%s: has no value; write one, or remove the key",
			     name);
	else if (node->kind != YAML_BROKEN)
		config_wrong(reader, node,
			     "%s: must be a single value, not a %s", name,
			     node->kind == YAML_MAP ? "map" : "list");
	return false;
}

bool config_is_map(struct config_reader *reader, const char *name,
		   const struct yaml_node *node)
{
	if (node->kind == YAML_MAP || node->kind == YAML_NULL)
		return true;
	if (node->kind != YAML_BROKEN)
		config_wrong(reader, node,
			     "%s: must hold keys and values; write each as "
			     "\"key: value\" on a line of its own, indented",
			     name);
	return false;
}

bool config_is_text(struct config_reader *reader, const char *name,
		    const struct yaml_node *node)
{
	if (!config_is_scalar(reader, name, node))
		return false;
	if (!node->text.len) {
		config_wrong(reader, node,
			     "%s: is empty; write a value, or remove the key",
			     name);
		return false;
	}
	for (size_t i = 0; i < node->text.len; i++) {
		unsigned char c = (unsigned char)node->text.p[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		config_wrong(reader, node,
			     "%s: holds a control character; remove it", name);
		return false;
	}
	return true;
}

bool config_is_name(struct config_reader *reader, const char *path,
		    const struct yaml_node *node)
{
	const char *wrong = NULL;

	if (node->key_broken)
		return false;
	if (!node->key.len)
		wrong = "a name is empty; write it before the colon";
	else if (node->key.len > CONFIG_NAME_MAX)
		wrong = "a name is longer than 255 bytes; use a shorter one";
	for (size_t i = 0; i < node->key.len && !wrong; i++) {
		unsigned char c = (unsigned char)node->key.p[i];

		if (c < 0x20 || c == 0x7f)
			wrong = "a name holds a control character; remove it";
	}
	if (wrong)
		mistakes_add(reader->mistakes, node->key_line, node->key_column,
			     "%s: %s", path, wrong);
	return !wrong;
}

int config_bool(struct slice text, bool *value_out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true},   {"yes", true}, {"on", true},
		     {"false", false}, {"no", false}, {"off", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_eq_nocase(text, slice_str(words[i].word))) {
			*value_out = words[i].value;
			return 0;
		}
	}
	return -1;
}

/* Numbers, bools and enums of every width; all of them are 0 or more. */
static void config_store(void *place, size_t size, uint64_t value)
{
	uint32_t narrow = (uint32_t)value;
	bool truth = value != 0;

	switch (size) {
	case 0: /* accepted, and nothing depends on it yet */
		break;
	case sizeof(truth):
		memcpy(place, &truth, sizeof(truth));
		break;
	case sizeof(narrow):
		memcpy(place, &narrow, sizeof(narrow));
		break;
	default:
		memcpy(place, &value, sizeof(value));
		break;
	}
}

static void config_set_string(struct config_reader *reader,
			      const struct config_row *row,
			      const struct yaml_node *node, char **place)
{
	const char *wrong = NULL;

	if (!config_is_text(reader, row->name, node))
		return;
	if (row->check)
		wrong = row->check(node->text);
	if (node->text.len > row->max)
		config_wrong(reader, node,
			     "%s: is too long: at most %" PRIu64 " characters",
			     row->name, row->max);
	else if (wrong)
		config_wrong(reader, node, "%s: %s", row->name, wrong);
	if (wrong || node->text.len > row->max)
		return;
	mem_free(*place);
	*place = mem_str_of(node->text);
}

static void config_set_bool(struct config_reader *reader,
			    const struct config_row *row,
			    const struct yaml_node *node, void *place)
{
	char shown[CONFIG_SHOWN];
	bool value;

	if (!config_is_scalar(reader, row->name, node))
		return;
	if (config_bool(node->text, &value) < 0)
		config_wrong(reader, node,
			     "%s: %s is neither true nor false; write one of "
			     "them",
			     row->name, config_show(node, shown));
	else
		config_store(place, row->size, value);
}

static void config_set_choice(struct config_reader *reader,
			      const struct config_row *row,
			      const struct yaml_node *node, void *place)
{
	struct suggest near = suggest_for(node->text);
	const struct config_choice *c;
	char shown[CONFIG_SHOWN], all[128] = "";

	if (!config_is_scalar(reader, row->name, node))
		return;
	for (c = row->choices; c->word; c++) {
		size_t len = strlen(all);

		if (slice_eq_nocase(node->text, slice_str(c->word)))
			break;
		if (c->value == CONFIG_NOT_YET)
			continue;
		suggest_try(&near, c->word);
		snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "",
			 c->word);
	}
	if (c->word && c->value != CONFIG_NOT_YET)
		config_store(place, row->size, (uint64_t)c->value);
	else if (c->word)
		config_wrong(reader, node,
			     "%s: %s is not yet in this version; remove it, "
			     "or write %s",
			     row->name, c->word, row->choices->word);
	else if (near.best)
		config_wrong(reader, node,
			     "%s: %s is not one of %s; did you mean \"%s\"?",
			     row->name, config_show(node, shown), all,
			     near.best);
	else
		config_wrong(reader, node, "%s: %s is not one of %s; write one",
			     row->name, config_show(node, shown), all);
}

static void config_show_limit(enum config_type type, uint64_t value,
			      char out[UNITS_TEXT])
{
	if (type == CONFIG_COUNT)
		units_show_count(value, out);
	else if (type == CONFIG_SIZE)
		units_show_size(value, out);
	else
		units_show_time((int64_t)value, out);
}

/* A number by its type.  Times come in milliseconds. */
static enum units_status config_number(enum config_type type, struct slice text,
				       uint64_t *value_out)
{
	enum units_status status;
	uint64_t count;
	int64_t ms = 0;

	if (type == CONFIG_SIZE)
		return units_size(text, value_out);
	if (type == CONFIG_COUNT) {
		/* A size without a unit, for what counts as too large. */
		for (size_t i = 0; i < text.len; i++) {
			if (text.p[i] < '0' || text.p[i] > '9')
				return UNITS_BAD;
		}
		status = units_size(text, &count);
		*value_out = status == UNITS_OK ? count : 0;
		return status;
	}
	status = units_time(text, &ms);
	*value_out = (uint64_t)ms;
	if (status == UNITS_OK && type == CONFIG_SECONDS && ms % 1000)
		return UNITS_BAD;
	return status;
}

static const char *config_how(enum config_type type)
{
	switch (type) {
	case CONFIG_COUNT:
		return "a whole number; write digits alone";
	case CONFIG_SIZE:
		return "a size; write a whole number with K, M, G or T (of "
		       "1024), KiB, MiB, GiB or TiB, or of bytes";
	case CONFIG_SECONDS:
		return "a time in whole seconds; write it as 10s, 5m, 24h "
		       "or 7d";
	default:
		return "a time; write it as 100ms, 10s, 5m, 24h or 7d";
	}
}

static void config_set_number(struct config_reader *reader,
			      const struct config_row *row,
			      const struct yaml_node *node, void *place)
{
	char shown[CONFIG_SHOWN], limit[UNITS_TEXT];
	struct slice text = node->text;
	enum units_status status;
	uint64_t value = 0;

	if (!config_is_scalar(reader, row->name, node))
		return;
	status = config_number(row->type, node->text, &value);
	config_show(node, shown);
	text.len = text.len > CONFIG_SHOWN ? CONFIG_SHOWN : text.len;
	if (status == UNITS_BARE) {
		config_wrong(reader, node,
			     "%s: %s has no unit; write it with ms, s, m, h "
			     "or d",
			     row->name, shown);
	} else if (status == UNITS_BAD) {
		config_wrong(reader, node, "%s: %s is not %s", row->name, shown,
			     config_how(row->type));
	} else if (status == UNITS_LARGE || value > row->max) {
		config_show_limit(row->type, row->max, limit);
		config_wrong(
			reader, node, "%s: %.*s is too large: at most %s%s%s%s",
			row->name, SLICE_ARGS(text), limit,
			row->limit ? " (" : "", row->limit ? row->limit : "",
			row->limit ? ")" : "");
	} else if (value < row->min) {
		config_show_limit(row->type, row->min, limit);
		config_wrong(reader, node, "%s: %.*s is too small: at least %s",
			     row->name, SLICE_ARGS(text), limit);
	} else {
		config_store(place, row->size,
			     row->type == CONFIG_SECONDS ? value / 1000
							 : value);
	}
}

static void *config_place(const struct config_reader *reader,
			  const struct config_row *row)
{
	void *base = strncmp(row->name, "sources[]", 9) == 0
			     ? (void *)reader->source
			     : (void *)reader->config;

	return (char *)base + row->offset;
}

void config_set(struct config_reader *reader, const struct config_row *row,
		const struct yaml_node *node)
{
	void *place = config_place(reader, row);

	switch (row->type) {
	case CONFIG_STRING:
		config_set_string(reader, row, node, place);
		break;
	case CONFIG_BOOL:
		config_set_bool(reader, row, node, place);
		break;
	case CONFIG_COUNT:
	case CONFIG_SIZE:
	case CONFIG_MS:
	case CONFIG_SECONDS:
		config_set_number(reader, row, node, place);
		break;
	case CONFIG_CHOICE:
		config_set_choice(reader, row, node, place);
		break;
	case CONFIG_LIST:
		config_set_list(reader, row, node, place);
		break;
	case CONFIG_JOINED:
		config_set_joined(reader, row, node, place);
		break;
	case CONFIG_CLASSES:
		config_set_classes(reader, row, node);
		break;
	case CONFIG_MAPPING:
		config_set_mapping(reader, row, node);
		break;
	case CONFIG_LATER:
		config_wrong(reader, node,
			     "%s: not yet in this version; remove it",
			     row->name);
		break;
	}
}
