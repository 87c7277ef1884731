/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

/*
 * config - the YAML file, checked whole (sparktail.yaml(5))
 *
 *	struct config *config = config_load(path, &errors);
 *	if (!config) ... errors holds a line for each mistake
 *	config_free(&config);
 *
 * Every mistake is found in one run, each a line
 * "file:line:column: what is wrong; did you mean "key"?".  Built by libyaml's
 * events, so that lines and columns are the reader's.  Aliases, several
 * documents and nesting deeper than the keys need are errors.
 *
 * A value that belongs to a later version is an error that says "not yet".
 * The API key is read here, last, for shipping only: from the variable
 * api_key_env, else from api_key_file, else from systemd's credential
 * "api.key", else from the default file; the last three are api_key_file of
 * the struct.  It is in no message, and no value that is long enough to be a
 * key is repeated in one.  Const after loading, but for config_read_key().
 */

#include <stdbool.h>
#include <stdint.h>

#include "acct/settings.h"
#include "base/buf.h"
#include "follow/sources.h"
#include "ingest/http.h"
#include "spool/spool.h"

enum config_confirm { CONFIRM_AUTO = 0, CONFIRM_OFF };

struct config {
	char *path;

	struct http_settings http; /* ingest.*; api_key NULL unless asked for */
	char *api_key_file;	   /* as configured, credential or default */
	char *api_key_env;	   /* NULL: none */
	enum config_confirm confirm;
	int64_t retry_min_ms, retry_max_ms;

	struct source_settings *sources;
	size_t sources_count;

	struct settings events; /* events.*, mapping, node_name, and batch's
				   limits on events and raw bytes */
	uint64_t batch_max_bytes;
	int64_t batch_max_delay_ms;
	int batch_compression;

	struct spool_settings spool;

	bool verbose; /* log.verbose */
	unsigned int threads;
};

enum config_need {
	CONFIG_FOR_SHIPPING = 0, /* the key must be there and readable */
	CONFIG_FOR_READING	 /* convert, explain, status: no key needed */
};

enum { CONFIG_MAX = 4 << 20 };

/* NULL and in "errors" a line for each mistake, or for the one reason why the
 * file cannot be read at all. */
struct config *config_load(const char *path, enum config_need need,
			   struct buf *errors);

/*
 * The same from a text in memory, named "name" in messages, without a look at
 * key, ca_file or any other file or variable; http.api_key stays NULL.
 */
struct config *config_parse(const char *name, struct slice text,
			    enum config_need need, struct buf *errors);

/* All defaults, no sources, for commands that can do without a file. */
struct config *config_default(void);

void config_free(struct config **config);

/*
 * Read again only the key (it may have been replaced).  0 or -1 and why.
 */
int config_read_key(struct config *config, struct buf *why);

/* For tests that hold documents against the code: the i-th key in dotted form
 * ("ingest.url", "sources[].path"), NULL after the last; and its default as
 * text, "" when there is none. */
const char *config_key(size_t i, const char **default_out);

#endif /* APP_CONFIG_H */
