/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <sysexits.h>

#include "app/cmd.h"
#include "app/mistakes.h"
#include "base/log.h"

enum { CHECK_ERRORS_MAX = 1 << 20 };

static size_t check_lines(struct slice text)
{
	size_t lines = 0;

	while (text.len) {
		slice_cut(text, '\n', &text);
		lines++;
	}
	return lines;
}

static const char *check_key(const struct config *config)
{
	return config->api_key_env ? "the environment" : config->api_key_file;
}

int cmd_check(const struct options *options)
{
	int status = cmd_no_arguments(options, "check");
	struct config *config;
	struct buf errors;

	if (status != EX_OK)
		return status;
	buf_init(&errors, CHECK_ERRORS_MAX);
	config =
		config_load(options->config_path, CONFIG_FOR_SHIPPING, &errors);
	if (config) {
		printf("%s: OK: %zu source%s, spool %s, key from %s\n",
		       config->path, config->sources_count,
		       config->sources_count == 1 ? "" : "s",
		       config->spool.directory, check_key(config));
		status = cmd_flush();
	} else {
		size_t lines = check_lines(buf_slice(&errors));

		fputs(buf_str(&errors), stderr);
		log_errorx("check: %s%zu mistake%s in %s",
			   lines > MISTAKES_MAX ? "more than " : "",
			   lines > MISTAKES_MAX ? (size_t)MISTAKES_MAX : lines,
			   lines == 1 ? "" : "s", options->config_path);
		status = EX_CONFIG;
	}
	config_free(&config);
	buf_release(&errors);
	return status;
}
