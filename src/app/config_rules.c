/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "app/config_parts.h"
#include "app/units.h"

/* Two keys that do not go together: report at the first that is there, unless
 * one of them was wrong by itself. */
static void config_wrong_pair(struct config_reader *reader, const char *name,
			      const char *other, const char *text)
{
	size_t i = config_row_of(name), j = config_row_of(other);
	const struct yaml_node *at =
		reader->given[i] ? reader->given[i] : reader->given[j];

	if (at && !reader->wrong[i] && !reader->wrong[j])
		config_wrong(reader, at, "%s: %s", name, text);
}

static void config_rule_retry(struct config_reader *reader)
{
	const struct config *config = reader->config;
	char min[UNITS_TEXT], max[UNITS_TEXT], text[128];

	if (config->retry_min_ms <= config->retry_max_ms)
		return;
	units_show_time(config->retry_min_ms, min);
	units_show_time(config->retry_max_ms, max);
	snprintf(text, sizeof(text),
		 "%s is longer than ingest.retry_max (%s); make it shorter",
		 min, max);
	config_wrong_pair(reader, "ingest.retry_min", "ingest.retry_max", text);
}

static void config_rule_spool(struct config_reader *reader)
{
	const struct config *config = reader->config;
	char size[UNITS_TEXT], batch[UNITS_TEXT], text[128];

	if (!config->spool.max_bytes ||
	    config->spool.max_bytes >= config->batch_max_bytes)
		return;
	units_show_size(config->spool.max_bytes, size);
	units_show_size(config->batch_max_bytes, batch);
	snprintf(text, sizeof(text),
		 "%s does not hold one batch (batch.max_bytes: %s); make it "
		 "larger",
		 size, batch);
	config_wrong_pair(reader, "spool.max_size", "batch.max_bytes", text);
}

/*
 * Bytes that deflate cannot make smaller grow a little: ISA-L and zlib stay far
 * below 1/64, and the gzip frame below 1 KiB.  So a batch of one event always
 * fits batch.max_bytes, and cutting a batch in two always ends.
 */
static void config_rule_event(struct config *config)
{
	uint64_t bytes = config->batch_max_bytes;

	bytes -= bytes / 64 + 1024;
	if (bytes > config->events.max_raw_bytes)
		bytes = config->events.max_raw_bytes;
	config->events.max_event_bytes = (size_t)bytes;
}

static void config_rule_sources(struct config_reader *reader)
{
	static const char missing[] =
		"sources: nothing to read is named; add \"sources:\" and below "
		"it \"  - path: /var/log/pmta/acct-*.csv\"";
	const struct yaml_node *node = reader->sources;

	if (!node)
		mistakes_add(reader->mistakes, 1, 1, "%s", missing);
	else if (!node->count &&
		 (node->kind == YAML_NULL || node->kind == YAML_LIST))
		config_wrong(reader, node, "%s", missing);
}

void config_rules_apply(struct config_reader *reader, enum config_need need)
{
	struct config *config = reader->config;

	config_rule_retry(reader);
	config_rule_spool(reader);
	config_rule_event(config);
	config->spool.max_age_s = config->events.max_age_s;
	/* A proxy elsewhere would get the key in the clear. */
	if (config->http.proxy && config_url_is_plain(config->http.url))
		config_wrong_pair(reader, "ingest.proxy", "ingest.url",
				  "plain http to this machine cannot go "
				  "through a proxy; remove it");
	if (need == CONFIG_FOR_SHIPPING)
		config_rule_sources(reader);
}
