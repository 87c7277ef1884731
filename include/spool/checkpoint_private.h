/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_CHECKPOINT_PRIVATE_H
#define SPOOL_CHECKPOINT_PRIVATE_H

/*
 * checkpoint_private - values of JSON into the members of structs
 *
 * What checkpoint_read.c reads, it sets through tables of these fields.  All
 * return -1 for a value that does not fit the member, and leave alone what
 * they do not know: a later version's member is no fault.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_read.h"
#include "spool/checkpoint.h"

enum checkpoint_kind {
	CHECKPOINT_UINT = 0, /* uint64_t; a number, or a string of digits */
	CHECKPOINT_UINT32,
	CHECKPOINT_INT, /* int64_t */
	CHECKPOINT_HEX, /* uint64_t, as a string */
	CHECKPOINT_BOOL
};

struct checkpoint_field {
	const char *name;
	enum checkpoint_kind kind;
	size_t at; /* offsetof() the member */
};

struct checkpoint_value {
	enum json_event event;
	struct slice text;
};

#define NROF(array) (sizeof(array) / sizeof((array)[0]))

int checkpoint_set(const struct checkpoint_field *fields, size_t n, void *base,
		   struct slice name, const struct checkpoint_value *v);

/* "delivery", ... */
int checkpoint_set_events(uint64_t events[EVENT_TYPES], struct slice name,
			  const struct checkpoint_value *v);

/* "rows", "skipped.tq", "not_shipped.vmta:internal", ... */
int checkpoint_set_account(struct account *account, struct slice name,
			   const struct checkpoint_value *v);

int checkpoint_set_process(struct checkpoint_process *process,
			   struct slice name, const struct checkpoint_value *v);

int checkpoint_int(const struct checkpoint_value *v, int64_t *out);

/* A string of hexadecimal digits as bytes and a NUL, to be freed; or NULL. */
char *checkpoint_bytes(const struct checkpoint_value *v);

/* Cut "prefix" from the front of "name", if it is there. */
bool checkpoint_cut(struct slice *name, struct slice prefix);

#endif /* SPOOL_CHECKPOINT_PRIVATE_H */
