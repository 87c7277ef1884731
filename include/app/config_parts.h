/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CONFIG_PARTS_H
#define APP_CONFIG_PARTS_H

/*
 * config_parts - what the files of config share, and nobody else needs
 *
 *	config_table.c    the keys: name, default, type, range, place
 *	config_walk.c     a tree's keys looked up in the table
 *	config_value.c    a value read by its type, and stored
 *	config_list.c     lists of names, and the map of bounce classes
 *	config_mapping.c  the section "mapping"
 *	config_entry.c    one entry of it (config_entry.h)
 *	config_rules.c    what must hold between keys
 *	config_url.c      where the API key may be sent to
 *	config_secret.c   the API key and other files
 *	config.c          the whole
 *
 * To add a key is to add a row to the table.  A default is text that goes
 * through the same reader as the file, so the documented default is the real
 * one.
 */

#include "app/config.h"
#include "app/mistakes.h"
#include "app/yaml.h"

enum config_type {
	CONFIG_STRING = 0, /* char * */
	CONFIG_BOOL,
	CONFIG_COUNT,	/* a whole number */
	CONFIG_SIZE,	/* bytes */
	CONFIG_MS,	/* a time, kept in milliseconds */
	CONFIG_SECONDS, /* a time, kept in seconds */
	CONFIG_CHOICE,	/* one of a few words */
	CONFIG_LIST,	/* char ** and, right behind it, size_t */
	CONFIG_JOINED,	/* a list kept as one char *, joined by "," */
	CONFIG_CLASSES, /* events.bounce_classes */
	CONFIG_MAPPING, /* the section "mapping" */
	CONFIG_LATER	/* not yet in this version */
};

/* A word and its value; NULL ends the list. */
struct config_choice {
	const char *word;
	int value; /* CONFIG_NOT_YET: a later version's */
};

enum { CONFIG_NOT_YET = -1 };

struct config_row {
	const char *name;   /* "ingest.url", "sources[].path" */
	const char *preset; /* the default; "" = none */
	enum config_type type;
	/* Where the value goes: in struct config, or in struct
	 * source_settings where the name begins with "sources[]". */
	size_t offset, size;
	uint64_t min, max; /* of numbers; of the entries of a list: max */
	const char *limit; /* whose limit max is, or NULL */
	const struct config_choice *choices;
	/* What is wrong with a string or an entry, or NULL.  The answer must
	 * not repeat the text: somebody may have put the API key there. */
	const char *(*check)(struct slice text);
};

enum { CONFIG_ROWS = 40 };
extern const struct config_row config_rows[CONFIG_ROWS];

struct config_reader {
	struct config *config;
	struct mistakes *mistakes;
	struct source_settings *source;	 /* the one being read */
	const struct yaml_node *sources; /* the key, if it is there */
	const struct yaml_node *given[CONFIG_ROWS]; /* where keys stand */
	bool wrong[CONFIG_ROWS]; /* and their values were of no use */
};

/* The row with the name "section.key" (section "" at the top), or NULL. */
const struct config_row *config_row_find(const char *section, struct slice key);
/* The i-th row of a section, or NULL; "rest" of its name through name_out. */
const struct config_row *config_row_in(const char *section, size_t *at_io,
				       const char **name_out);

/* Report at the place of a value; at its key where there is no value. */
void config_wrong(struct config_reader *reader, const struct yaml_node *node,
		  const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Report at a key that may stand in the file or not ("ingest.url"). */
void config_wrong_key(struct config_reader *reader, const char *name,
		      const char *text);

/* The value as given, quoted for a message; "this" when it is long enough to
 * be a secret. */
enum { CONFIG_SHOWN = 32, CONFIG_NAME_MAX = 255, CONFIG_PATH = 192 };
const char *config_show(const struct yaml_node *node, char out[CONFIG_SHOWN]);

/* Read the whole tree; missing keys have their defaults already. */
void config_walk(struct config_reader *reader, const struct yaml_node *root);

/* The number of a key in the table. */
size_t config_row_of(const char *name);

/* Report a key that is not there, with the nearest of the section's. */
void config_unknown(struct config_reader *reader, const char *section,
		    const struct yaml_node *node);

/* Set one key from its value. */
void config_set(struct config_reader *reader, const struct config_row *row,
		const struct yaml_node *node);

/* Is it a single value?  If not it is reported. */
bool config_is_scalar(struct config_reader *reader, const char *name,
		      const struct yaml_node *node);
/* Is it a map, or nothing?  If not it is reported. */
bool config_is_map(struct config_reader *reader, const char *name,
		   const struct yaml_node *node);
/* Text that can stand in a list, a header or a path: no control characters. */
bool config_is_text(struct config_reader *reader, const char *name,
		    const struct yaml_node *node);

/* Is the key of a map's entry a name: some text, not too much of it, without
 * control characters?  If not it is reported, as in "path". */
bool config_is_name(struct config_reader *reader, const char *path,
		    const struct yaml_node *node);

/* true, false, yes, no, on, off in any case.  0 or -1. */
int config_bool(struct slice text, bool *value_out);

void config_set_list(struct config_reader *reader, const struct config_row *row,
		     const struct yaml_node *node, void *place);
void config_set_joined(struct config_reader *reader,
		       const struct config_row *row,
		       const struct yaml_node *node, void *place);
void config_set_classes(struct config_reader *reader,
			const struct config_row *row,
			const struct yaml_node *node);
void config_set_mapping(struct config_reader *reader,
			const struct config_row *row,
			const struct yaml_node *node);

/* What must hold between keys; fills what follows from others. */
void config_rules_apply(struct config_reader *reader, enum config_need need);

/* What is wrong with it, or NULL. */
const char *config_url_check(struct slice url);

/* Does it begin with http: (it passed the check)? */
bool config_url_is_plain(const char *url);

/* The API key and ca_file, from the file system and the environment. */
void config_secret_apply(struct config_reader *reader);

/* Overwrite and free a secret. */
void config_secret_free(char **secret);

#endif /* APP_CONFIG_PARTS_H */
