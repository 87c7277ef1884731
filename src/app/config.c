/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "app/config_parts.h"
#include "base/fs.h"
#include "base/mem.h"

/* Defaults are read as if they stood in a file of their own. */
static void config_set_defaults(struct config *config)
{
	struct mistakes mistakes = {0};
	struct config_reader reader = {.config = config, .mistakes = &mistakes};

	for (size_t i = 0; i < CONFIG_ROWS; i++) {
		const struct config_row *row = &config_rows[i];
		struct yaml_node *node;

		if (!*row->preset || strncmp(row->name, "sources[]", 9) == 0)
			continue;
		node = yaml_tree_parse(slice_str(row->preset), &mistakes);
		config_set(&reader, row, node);
		yaml_tree_free(&node);
	}
	config_rules_apply(&reader, CONFIG_FOR_READING);
	assert(!mistakes.count);
	mistakes_release(&mistakes);
}

struct config *config_default(void)
{
	struct config *config = mem_zero(1, sizeof(*config));

	settings_init(&config->events);
	config_set_defaults(config);
	return config;
}

void config_free(struct config **config)
{
	struct config *c = *config;

	if (!c)
		return;
	for (size_t i = 0; i < c->sources_count; i++) {
		mem_free(c->sources[i].path);
		mem_free(c->sources[i].columns);
		mem_free(c->sources[i].pmta_log);
	}
	mem_free(c->sources);
	mem_free(c->path);
	mem_free(c->http.url);
	config_secret_free(&c->http.api_key);
	mem_free(c->http.ca_file);
	/* It may hold a password. */
	config_secret_free(&c->http.proxy);
	mem_free(c->http.interface);
	mem_free(c->api_key_file);
	mem_free(c->api_key_env);
	mem_free(c->spool.directory);
	settings_release(&c->events);
	mem_free(c);
	*config = NULL;
}

static struct config *config_build(const char *name, struct slice text,
				   enum config_need need, bool secrets,
				   struct buf *errors)
{
	struct config *config = config_default();
	struct mistakes mistakes = {0};
	struct config_reader reader = {.config = config, .mistakes = &mistakes};
	struct yaml_node *root = yaml_tree_parse(text, &mistakes);

	config->path = mem_str(name);
	config_walk(&reader, root);
	/* What is missing may stand behind the place where reading ended. */
	if (!root->cut)
		config_rules_apply(&reader, need);
	if (!root->cut && secrets && need == CONFIG_FOR_SHIPPING)
		config_secret_apply(&reader);
	if (mistakes.count) {
		mistakes_write(&mistakes, name, errors);
		config_free(&config);
	}
	mistakes_release(&mistakes);
	yaml_tree_free(&root);
	return config;
}

struct config *config_parse(const char *name, struct slice text,
			    enum config_need need, struct buf *errors)
{
	return config_build(name, text, need, false, errors);
}

struct config *config_load(const char *path, enum config_need need,
			   struct buf *errors)
{
	struct config *config = NULL;
	struct buf text;

	buf_init(&text, CONFIG_MAX);
	if (fs_read_file(AT_FDCWD, path, &text) == 0)
		config = config_build(path, buf_slice(&text), need, true,
				      errors);
	else if (errno == EFBIG)
		buf_addf(errors,
			 "%s: larger than %d MiB; use patterns in mapping\n",
			 path, CONFIG_MAX >> 20);
	else
		buf_addf(errors, "%s: %s; name the configuration with -c\n",
			 path, strerror(errno));
	buf_release(&text);
	return config;
}
