/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/input.h"
#include "base/fs.h"
#include "base/log.h"

/*
 * Age is not checked: what a file of last week would have made is just what
 * somebody who tries the mapping wants to see.  How many of the events are too
 * old to be sent is said at the end.
 */

struct convert {
	int64_t oldest_s; /* events before this are too old; 0: no check */
	uint64_t old;
};

static int convert_write(void *ctx, struct slice json)
{
	(void)ctx;
	if (fs_write_all(STDOUT_FILENO, json.p, json.len) == 0)
		return 0;
	log_error("convert: cannot write");
	return -1;
}

static bool convert_is_old(const struct shape_event *event, int64_t oldest_s)
{
	for (size_t i = 0; i < event->attributes_count; i++) {
		unsigned long long seconds;

		if (slice_eq(slice_str(event->attributes[i].name),
			     SLICE("timestamp")))
			return slice_number(event->attributes[i].value,
					    INT64_MAX, &seconds) == 0 &&
			       (int64_t)seconds < oldest_s;
	}
	return false;
}

static void convert_row(void *ctx, const struct shape_trace *trace)
{
	struct convert *convert = ctx;

	for (size_t i = 0; i < trace->events_count; i++) {
		if (convert_is_old(&trace->events[i], convert->oldest_s))
			convert->old++;
	}
}

static void convert_say(const struct convert *convert,
			const struct account *total, int64_t max_age_s)
{
	log_info("convert: %" PRIu64 " rows: %" PRIu64 " shipped, %" PRIu64
		 " skipped, %" PRIu64 " not shipped, %" PRIu64
		 " malformed; %" PRIu64 " events",
		 total->rows, total->shipped, account_skipped(total),
		 tally_sum(&total->not_shipped), total->malformed,
		 account_events(total));
	if (convert->old)
		log_info("convert: %" PRIu64 " events are older than "
			 "events.max_age (%" PRId64 " h) and would not be sent",
			 convert->old, max_age_s / 3600);
}

int cmd_convert(const struct options *options)
{
	struct convert convert = {0};
	struct input_hooks hooks = {.json = convert_write, .ctx = &convert};
	struct account total = {0};
	struct config *config;
	int64_t max_age_s;
	int status;

	status = cmd_only_files(options, "convert");
	if (status != EX_OK)
		return status;
	config = cmd_config(options, CONFIG_FOR_READING);
	if (!config)
		return EX_CONFIG;
	max_age_s = config->events.max_age_s;
	config->events.max_age_s = 0;
	if (max_age_s) {
		convert.oldest_s = clock_s() - max_age_s;
		hooks.row = convert_row;
	}
	status = input_shape(options, config, &hooks, &total);
	convert_say(&convert, &total, max_age_s);
	account_release(&total);
	config_free(&config);
	return status;
}
