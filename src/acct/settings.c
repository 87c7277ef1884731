/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/settings.h"

#include <unistd.h>

#include "base/mem.h"

/* A batch of 4 MiB takes a row even if not a byte of it can be compressed. */
enum { SETTINGS_EVENT_BYTES = (4 << 20) - (64 << 10) };

void settings_init(struct settings *settings)
{
	char host[256] = "";

	*settings = (struct settings){
		.delay = true,
		.max_age_s = 86400,
		.mapping = mapping_new(),
		.max_events = 10000,
		.max_raw_bytes = 16 << 20,
		.max_row = 1 << 20,
		.max_event_bytes = SETTINGS_EVENT_BYTES,
	};
	/* A name too long to fit may come without its end. */
	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	settings->node_name = mem_str(host);
	settings_add(&settings->message_id_columns,
		     &settings->message_id_columns_count,
		     SLICE("header_x-sp-message-id"));
}

static void settings_release_list(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(list[i]);
	mem_free(list);
}

void settings_release(struct settings *settings)
{
	settings_release_list(settings->message_id_columns,
			      settings->message_id_columns_count);
	settings_release_list(settings->inbound_domains,
			      settings->inbound_domains_count);
	for (size_t i = 0; i < settings->bounce_classes_count; i++)
		mem_free(settings->bounce_classes[i].category);
	mem_free(settings->bounce_classes);
	mem_free(settings->node_name);
	mapping_free(&settings->mapping);
	*settings = (struct settings){0};
}

void settings_add(char ***list, size_t *count, struct slice string)
{
	*list = mem_resize_array(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = mem_str_of(string);
}
