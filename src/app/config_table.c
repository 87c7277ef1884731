/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stddef.h>

#include "app/config_parts.h"

/*
 * Ranges are wide: they catch a slip of the unit (timeout: 60ms, max_delay:
 * 5h), not a taste.  A limit that is not ours says whose it is.
 */

#define SECOND	 UINT64_C(1000)
#define HOUR	 (3600 * SECOND)
#define DAY	 (24 * HOUR)
#define KIB(n)	 ((uint64_t)(n) << 10)
#define MIB(n)	 ((uint64_t)(n) << 20)
#define SIZE_ANY (UINT64_C(1) << 62)

/* Where a value goes, and what it may be. */
#define AT(field)                                                              \
	.offset = offsetof(struct config, field),                              \
	.size = sizeof(((struct config *)0)->field)
#define IN_SOURCE(field)                                                       \
	.offset = offsetof(struct source_settings, field),                     \
	.size = sizeof(((struct source_settings *)0)->field)
#define NOWHERE		   .size = 0
#define RANGE(least, most) .min = (least), .max = (most)

/* The writer of a list goes on to its count. */
static_assert(offsetof(struct settings, message_id_columns_count) ==
		      offsetof(struct settings, message_id_columns) +
			      sizeof(char **),
	      "a list and its count stand together");
static_assert(offsetof(struct settings, inbound_domains_count) ==
		      offsetof(struct settings, inbound_domains) +
			      sizeof(char **),
	      "a list and its count stand together");

static const struct config_choice confirms[] = {{"auto", CONFIRM_AUTO},
						{"off", CONFIRM_OFF},
						{"on", CONFIG_NOT_YET},
						{NULL, 0}};
static const struct config_choice starts[] = {
	{"beginning", 0}, {"end", 1}, {NULL, 0}};
static const struct config_choice injections[] = {
	{"auto", INJECTION_AUTO},
	{"records", INJECTION_RECORDS},
	{"synthesize", INJECTION_SYNTHESIZE},
	{"off", INJECTION_OFF},
	{NULL, 0}};
static const struct config_choice privacies[] = {
	{"retain", 0}, {"sha1", 1}, {NULL, 0}};
static const struct config_choice on_fulls[] = {
	{"evict", 0}, {"pause", 1}, {NULL, 0}};

static const char *config_absolute(struct slice text)
{
	return slice_starts(text, SLICE("/"))
		       ? NULL
		       : "must be an absolute path; begin it with /";
}

static const char *config_env_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = slice_lower(text.p[i]);

		if (!(c >= 'a' && c <= 'z') && c != '_' &&
		    !(i && c >= '0' && c <= '9'))
			return "must be the name of an environment variable: "
			       "letters, digits and _";
	}
	return NULL;
}

static const char *config_column(struct slice text)
{
	if (slice_find(text, ',') < text.len ||
	    slice_find(text, '"') < text.len)
		return "a column's name holds no comma and no quote; make it "
		       "an entry of its own";
	return NULL;
}

static const char *config_domain(struct slice text)
{
	if (slice_find(text, '@') < text.len)
		return "must be a domain; write what follows the @";
	if (slice_find(text, ' ') < text.len)
		return "a domain holds no blank; make each an entry of its own";
	return NULL;
}

/* In the order of the manual page. */
const struct config_row config_rows[CONFIG_ROWS] = {
	{"ingest.url", "https://api.sparkpost.com/api/v1/ingest/events",
	 CONFIG_STRING, AT(http.url), .max = 2048, .check = config_url_check},
	{"ingest.api_key_file", SYSCONFDIR "/sparktail/api.key", CONFIG_STRING,
	 AT(api_key_file), .max = 4095, .check = config_absolute},
	{"ingest.api_key_env", "", CONFIG_STRING, AT(api_key_env), .max = 255,
	 .check = config_env_name},
	{"ingest.status_key_file", "", CONFIG_LATER, NOWHERE},
	{"ingest.confirm", "auto", CONFIG_CHOICE, AT(confirm),
	 .choices = confirms},
	{"ingest.connections", "2", CONFIG_COUNT, AT(http.connections),
	 RANGE(1, HTTP_CONNECTIONS_MAX)},
	{"ingest.timeout", "60s", CONFIG_MS, AT(http.timeout_ms),
	 RANGE(100, HOUR)},
	{"ingest.connect_timeout", "10s", CONFIG_MS,
	 AT(http.connect_timeout_ms), RANGE(100, HOUR)},
	{"ingest.retry_min", "1s", CONFIG_MS, AT(retry_min_ms), RANGE(1, DAY)},
	{"ingest.retry_max", "5m", CONFIG_MS, AT(retry_max_ms), RANGE(1, DAY)},
	{"ingest.ca_file", "", CONFIG_STRING, AT(http.ca_file), .max = 4095,
	 .check = config_absolute},
	{"ingest.proxy", "", CONFIG_STRING, AT(http.proxy), .max = 2048},
	{"ingest.interface", "", CONFIG_STRING, AT(http.interface), .max = 255},

	{"sources[].path", "", CONFIG_STRING, IN_SOURCE(path), .max = 4095,
	 .check = config_absolute},
	{"sources[].start", "beginning", CONFIG_CHOICE, IN_SOURCE(start_end),
	 .choices = starts},
	{"sources[].columns", "", CONFIG_JOINED, IN_SOURCE(columns),
	 .max = 1000, .check = config_column},
	{"sources[].pmta_log", "", CONFIG_STRING, IN_SOURCE(pmta_log),
	 .max = 4095, .check = config_absolute},

	{"events.injection", "auto", CONFIG_CHOICE, AT(events.injection),
	 .choices = injections},
	{"events.delay", "true", CONFIG_BOOL, AT(events.delay)},
	{"events.max_age", "24h", CONFIG_SECONDS, AT(events.max_age_s),
	 RANGE(0, 365 * DAY)},
	{"events.engagement_tracking", "false", CONFIG_BOOL,
	 AT(events.engagement_tracking)},
	{"events.privacy", "retain", CONFIG_CHOICE, AT(events.privacy_sha1),
	 .choices = privacies},
	{"events.message_id_columns", "[header_x-sp-message-id]", CONFIG_LIST,
	 AT(events.message_id_columns), .max = 16, .check = config_column},
	{"events.inbound_domains", "[]", CONFIG_LIST,
	 AT(events.inbound_domains), .max = 1000, .check = config_domain},
	{"events.bounce_classes", "{}", CONFIG_CLASSES,
	 AT(events.bounce_classes), RANGE(1, 999)},

	{"batch.max_events", "10000", CONFIG_COUNT, AT(events.max_events),
	 RANGE(1, 1000000)},
	{"batch.max_bytes", "4M", CONFIG_SIZE, AT(batch_max_bytes),
	 RANGE(KIB(64), 5000000), .limit = "the service's limit"},
	{"batch.max_raw_bytes", "16M", CONFIG_SIZE, AT(events.max_raw_bytes),
	 RANGE(KIB(64), MIB(256))},
	{"batch.max_delay", "5s", CONFIG_MS, AT(batch_max_delay_ms),
	 RANGE(100, HOUR)},
	{"batch.compression", "1", CONFIG_COUNT, AT(batch_compression),
	 RANGE(1, 9)},

	{"spool.directory", "/var/spool/sparktail", CONFIG_STRING,
	 AT(spool.directory), .max = 4000, .check = config_absolute},
	{"spool.min_free_space", "20M", CONFIG_SIZE, AT(spool.min_free_bytes),
	 RANGE(0, SIZE_ANY)},
	{"spool.max_size", "0", CONFIG_SIZE, AT(spool.max_bytes),
	 RANGE(0, SIZE_ANY)},
	{"spool.on_full", "evict", CONFIG_CHOICE, AT(spool.pause),
	 .choices = on_fulls},
	{"spool.keep_sent", "0", CONFIG_SECONDS, AT(spool.keep_sent_s),
	 RANGE(0, 365 * DAY)},

	{"mapping", "{default: {ship: true}}", CONFIG_MAPPING, NOWHERE},
	{"status.listen", "", CONFIG_LATER, NOWHERE},
	{"node_name", "", CONFIG_STRING, AT(events.node_name), .max = 255},
	{"threads", "1", CONFIG_COUNT, AT(threads), RANGE(0, 64)},
	{"log.verbose", "false", CONFIG_BOOL, AT(verbose)},
};

const char *config_key(size_t i, const char **default_out)
{
	if (i >= CONFIG_ROWS)
		return NULL;
	*default_out = config_rows[i].preset;
	return config_rows[i].name;
}

size_t config_row_of(const char *name)
{
	size_t i = 0;

	while (strcmp(config_rows[i].name, name) != 0) {
		i++;
		assert(i < CONFIG_ROWS);
	}
	return i;
}

const struct config_row *config_row_in(const char *section, size_t *at_io,
				       const char **name_out)
{
	size_t len = strlen(section);

	while (*at_io < CONFIG_ROWS) {
		const struct config_row *row = &config_rows[(*at_io)++];

		*name_out = row->name;
		if (!len && !strchr(row->name, '.'))
			return row;
		if (len && strncmp(row->name, section, len) == 0 &&
		    row->name[len] == '.') {
			*name_out = row->name + len + 1;
			return row;
		}
	}
	return NULL;
}

const struct config_row *config_row_find(const char *section, struct slice key)
{
	const struct config_row *row;
	const char *name;
	size_t at = 0;

	while ((row = config_row_in(section, &at, &name))) {
		if (slice_eq(slice_str(name), key))
			return row;
	}
	return NULL;
}
