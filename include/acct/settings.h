/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_SETTINGS_H
#define ACCT_SETTINGS_H

/*
 * settings - what the configuration says about rows and events
 *
 *	struct settings s;
 *	settings_init(&s);		the documented defaults
 *	s.delay = false; ...		filled by the configuration
 *	settings_release(&s);
 *
 * Owns its strings, lists and mapping.  Const once it is filled, and then
 * shared by all threads.
 */

#include <stdbool.h>
#include <stdint.h>

#include "acct/mapping.h"

enum settings_injection {
	INJECTION_AUTO = 0,
	INJECTION_RECORDS,
	INJECTION_SYNTHESIZE,
	INJECTION_OFF
};

/* events.bounce_classes: a category of the site's own, and its class. */
struct settings_class {
	char *category;
	unsigned int bounce_class; /* 1 to 999 */
};

struct settings {
	enum settings_injection injection; /* events.injection; auto */
	bool delay;			   /* events.delay; true */
	bool engagement_tracking;	   /* false */
	bool privacy_sha1;		   /* events.privacy: sha1; false */
	int64_t max_age_s;		   /* events.max_age; 86400, 0 = off */
	char **message_id_columns;	   /* header_x-sp-message-id */
	size_t message_id_columns_count;
	char **inbound_domains; /* none */
	size_t inbound_domains_count;
	struct settings_class *bounce_classes; /* none */
	size_t bounce_classes_count;
	char *node_name;	 /* the host's name */
	struct mapping *mapping; /* ship everything */

	/* A block ends before it would pass one of these. */
	size_t max_events;    /* batch.max_events; 10000 */
	size_t max_raw_bytes; /* batch.max_raw_bytes; 16 MiB of JSON */

	size_t max_row;		/* a longer row is malformed; 1 MiB */
	size_t max_event_bytes; /* a row whose JSON is longer is malformed, so
				   that any one row fits batch.max_bytes */
};

void settings_init(struct settings *settings);
void settings_release(struct settings *settings);

/* Append to a list, copying the string. */
void settings_add(char ***list, size_t *count, struct slice string);

#endif /* ACCT_SETTINGS_H */
