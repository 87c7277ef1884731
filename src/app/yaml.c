/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/utf8.h"

/*
 * libyaml's events are put together on a stack of open maps and lists.  In a
 * map every other event is a key: it waits in "pending" until its value comes.
 * A key that is no scalar becomes a child with key_broken, and so does its
 * value, so that one such mistake does not hide the others.
 */

struct yaml_level {
	struct yaml_node *node;
	struct yaml_node *pending; /* holds a key; NULL: expecting one */
};

struct yaml_reader {
	yaml_parser_t parser;
	struct slice text;
	struct mistakes *mistakes;
	struct yaml_node *root;
	struct yaml_level levels[YAML_NESTING];
	size_t depth;
	size_t nodes;
	unsigned int documents;
};

static void yaml_mistake(struct yaml_reader *reader, yaml_mark_t mark,
			 const char *text)
{
	mistakes_add(reader->mistakes, (unsigned int)mark.line + 1,
		     (unsigned int)mark.column + 1, "%s", text);
}

static struct yaml_node *yaml_node_new(yaml_mark_t mark)
{
	struct yaml_node *node = mem_zero(1, sizeof(*node));

	node->line = (unsigned int)mark.line + 1;
	node->column = (unsigned int)mark.column + 1;
	return node;
}

static void yaml_append(struct yaml_node *parent, struct yaml_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static struct slice yaml_copy(const yaml_event_t *event)
{
	struct slice s = slice_of((const char *)event->data.scalar.value,
				  event->data.scalar.length);

	return slice_of(mem_str_of(s), s.len);
}

/* The next event is a key of the innermost map: keep it for its value. */
static void yaml_take_key(struct yaml_level *level, const yaml_event_t *event)
{
	struct yaml_node *node = yaml_node_new(event->start_mark);

	node->key = yaml_copy(event);
	node->key_line = node->line;
	node->key_column = node->column;
	level->pending = node;
}

/* The node for a value (or a broken key), put where it belongs. */
static struct yaml_node *yaml_place(struct yaml_reader *reader,
				    yaml_mark_t mark)
{
	struct yaml_level *level;
	struct yaml_node *node;

	if (!reader->depth) {
		reader->root = yaml_node_new(mark);
		return reader->root;
	}
	level = &reader->levels[reader->depth - 1];
	if (level->node->kind == YAML_MAP && !level->pending) {
		yaml_mistake(reader, mark,
			     "a key must be a word; put quotes around it if "
			     "it begins with *, &, !, { or [");
		node = yaml_node_new(mark);
		level->pending = yaml_node_new(mark);
		level->pending->key_broken = true;
		node->key_broken = true;
	} else if (level->pending) {
		node = level->pending;
		node->line = (unsigned int)mark.line + 1;
		node->column = (unsigned int)mark.column + 1;
		level->pending = NULL;
	} else {
		node = yaml_node_new(mark);
	}
	yaml_append(level->node, node);
	return node;
}

static bool yaml_is_key(const struct yaml_reader *reader)
{
	const struct yaml_level *level;

	if (!reader->depth)
		return false;
	level = &reader->levels[reader->depth - 1];
	return level->node->kind == YAML_MAP && !level->pending;
}

static bool yaml_is_null(const yaml_event_t *event)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	const char *value = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) == 0)
			return true;
	}
	return false;
}

static void yaml_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
	struct yaml_node *node;

	if (event->data.scalar.anchor || event->data.scalar.tag)
		yaml_mistake(reader, event->start_mark,
			     "anchors (&) and tags (!) are not used here; put "
			     "quotes around a word that begins so");
	if (yaml_is_key(reader)) {
		yaml_take_key(&reader->levels[reader->depth - 1], event);
		return;
	}
	node = yaml_place(reader, event->start_mark);
	if (yaml_is_null(event))
		return;
	node->kind = YAML_SCALAR;
	node->text = yaml_copy(event);
}

static int yaml_open(struct yaml_reader *reader, const yaml_event_t *event,
		     enum yaml_kind kind)
{
	struct yaml_node *node;

	if (reader->depth == YAML_NESTING) {
		yaml_mistake(reader, event->start_mark,
			     "nested too deeply; no key needs that");
		return -1;
	}
	node = yaml_place(reader, event->start_mark);
	node->kind = kind;
	reader->levels[reader->depth++] = (struct yaml_level){node, NULL};
	return 0;
}

static int yaml_collection(struct yaml_reader *reader,
			   const yaml_event_t *event)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	const void *anchor = map ? event->data.mapping_start.anchor
				 : event->data.sequence_start.anchor;
	const void *tag = map ? event->data.mapping_start.tag
			      : event->data.sequence_start.tag;

	if (anchor || tag)
		yaml_mistake(reader, event->start_mark,
			     "anchors (&) and tags (!) are not used here; "
			     "remove it");
	return yaml_open(reader, event, map ? YAML_MAP : YAML_LIST);
}

static void yaml_close(struct yaml_reader *reader)
{
	struct yaml_level *level = &reader->levels[--reader->depth];

	if (level->node->kind == YAML_MAP)
		yaml_tree_repeated(level->node, false, reader->mistakes);
}

static void yaml_alias(struct yaml_reader *reader, const yaml_event_t *event)
{
	bool key = yaml_is_key(reader);

	yaml_place(reader, event->start_mark)->kind = YAML_BROKEN;
	if (!key)
		yaml_mistake(reader, event->start_mark,
			     "aliases (*) are not used here; put quotes around "
			     "a name or pattern that begins with *");
}

/* 0: go on.  1: the end.  -1: a mistake after which nothing can be read. */
static int yaml_event(struct yaml_reader *reader, const yaml_event_t *event)
{
	if (reader->nodes++ == YAML_NODES) {
		yaml_mistake(reader, event->start_mark,
			     "too many keys and values; use patterns");
		return -1;
	}
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (!reader->documents++)
			return 0;
		yaml_mistake(reader, event->start_mark,
			     "a second document; a configuration is one: "
			     "remove the line ---");
		return -1;
	case YAML_ALIAS_EVENT:
		yaml_alias(reader, event);
		return 0;
	case YAML_SCALAR_EVENT:
		yaml_scalar(reader, event);
		return 0;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return yaml_collection(reader, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		yaml_close(reader);
		return 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

/* The place of a byte, as an editor counts. */
static yaml_mark_t yaml_place_of(struct slice text, size_t offset)
{
	yaml_mark_t mark = {0};
	struct slice rest = text;

	if (offset > text.len)
		offset = text.len;
	while (rest.len > text.len - offset) {
		size_t n = utf8_char(rest);

		mark.column++;
		if (rest.p[0] == '\n') {
			mark.line++;
			mark.column = 0;
		}
		rest = slice_skip(rest, n ? n : 1);
	}
	return mark;
}

/* Is the character at "mark" a tab?  libyaml only says that it cannot start a
 * token, and the eye sees nothing. */
static bool yaml_is_tab(struct slice text, yaml_mark_t mark)
{
	for (size_t i = 0; i < mark.line; i++) {
		size_t end = slice_find(text, '\n');

		text = slice_skip(text, end + 1);
	}
	text.len = slice_find(text, '\n');
	for (size_t i = 0; i < mark.column && text.len; i++) {
		size_t n = utf8_char(text);

		text = slice_skip(text, n ? n : 1);
	}
	return text.len && text.p[0] == '\t';
}

static void yaml_unreadable(struct yaml_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	yaml_mark_t mark = parser->problem_mark;
	const char *problem = parser->problem ? parser->problem : "no memory";

	if (parser->error == YAML_READER_ERROR) {
		mark = yaml_place_of(reader->text, parser->problem_offset);
		mistakes_add(reader->mistakes, (unsigned int)mark.line + 1,
			     (unsigned int)mark.column + 1,
			     "not YAML: %s; save the file as UTF-8 text",
			     problem);
		return;
	}
	if (parser->context && strstr(parser->context, "an alias")) {
		yaml_mistake(reader, mark,
			     "a name that begins with * must stand in quotes: "
			     "\"*.example.com\"");
		return;
	}
	if (yaml_is_tab(reader->text, mark)) {
		yaml_mistake(reader, mark,
			     "a tab where YAML wants blanks; indent with "
			     "blanks");
		return;
	}
	mistakes_add(reader->mistakes, (unsigned int)mark.line + 1,
		     (unsigned int)mark.column + 1,
		     "not YAML: %s%s%s; look at indentation, colons and "
		     "quotes here and just above",
		     problem, parser->context ? " " : "",
		     parser->context ? parser->context : "");
}

static int yaml_read(struct yaml_reader *reader)
{
	int status = 0;

	while (status == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			yaml_unreadable(reader);
			return -1;
		}
		status = yaml_event(reader, &event);
		yaml_event_delete(&event);
	}
	return status < 0 ? -1 : 0;
}

/* Where reading ended early, what is missing is not missing in the text. */
static void yaml_cut(struct yaml_reader *reader)
{
	while (reader->depth) {
		struct yaml_level *level = &reader->levels[--reader->depth];

		level->node->cut = true;
		if (level->pending) {
			level->pending->kind = YAML_BROKEN;
			yaml_append(level->node, level->pending);
		}
	}
}

struct yaml_node *yaml_tree_parse(struct slice text, struct mistakes *mistakes)
{
	struct yaml_reader reader = {.text = text, .mistakes = mistakes};
	bool cut;

	/* libyaml takes a mark of byte order only where it may guess the
	 * encoding, and UTF-16 is not ours. */
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		reader.text = text = slice_skip(text, 3);
	if (!yaml_parser_initialize(&reader.parser))
		abort();
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&reader.parser, (const unsigned char *)(text.len ? text.p : ""),
		text.len);
	cut = yaml_read(&reader) < 0;
	yaml_parser_delete(&reader.parser);
	yaml_cut(&reader);
	if (!reader.root)
		reader.root = mem_zero(1, sizeof(*reader.root));
	if (!reader.root->line)
		reader.root->line = reader.root->column = 1;
	if (cut && reader.root->kind == YAML_SCALAR)
		reader.root->kind = YAML_BROKEN;
	reader.root->cut = cut;
	return reader.root;
}
