/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_SCHEMA_H
#define STANDIN_SCHEMA_H

/*
 * schema - which events the service takes
 *
 * One line is checked at a time: JSON, wrapper, type, the attributes that the
 * type requires, the form of those whose form is known, and age.  Attributes
 * the schema does not know are no fault: the service ignores them.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { SCHEMA_TYPES = 17, SCHEMA_ERROR = 128 };

struct schema_event {
	int type;		  /* SCHEMA_TYPES: unknown */
	uint64_t id;		  /* event_id, when there is a good one */
	char error[SCHEMA_ERROR]; /* why it is rejected; empty: it is not */
};

/* "reception", ...; "unknown" for SCHEMA_TYPES. */
const char *schema_name(int type);

/* Is the line an event the service takes?  max_age_s 0: any age will do. */
bool schema_check(struct slice line, int64_t now_s, int64_t max_age_s,
		  struct schema_event *event_out);

/* The bodies of the pages "documentation" and "samples" (type NULL: all). */
void schema_documentation(struct buf *out);
void schema_samples(struct buf *out, const char *type);

#endif /* STANDIN_SCHEMA_H */
