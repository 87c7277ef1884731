/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_RULES_H
#define STANDIN_RULES_H

/*
 * rules - the schema as tables, for schema.c and schema_pages.c only
 */

#include <stddef.h>

#include "tools/standin/schema.h"

/* What a value looks like. */
enum form {
	FORM_TEXT = 0,
	FORM_WORD,    /* a string that is not empty */
	FORM_ID,      /* decimal string, 0 to 2^63-1, no leading zero */
	FORM_TIME,    /* string of ten digits */
	FORM_CODE,    /* string of three digits, the first 2 to 5 */
	FORM_DIGITS,  /* string of digits, may be empty */
	FORM_NUMBER,  /* unsigned, as a number or a string */
	FORM_FLAG,    /* true, false, or a string */
	FORM_COMPOUND /* object or array */
};

/* Attributes whose presence some rule asks for, as bits. */
enum {
	HAS_TYPE = 1 << 0,
	HAS_EVENT_ID = 1 << 1,
	HAS_MESSAGE_ID = 1 << 2,
	HAS_TIMESTAMP = 1 << 3,
	HAS_RECV = 1 << 4,
	HAS_DELV = 1 << 5,
	HAS_RCPT_TO = 1 << 6,
	HAS_RCPT_HASH = 1 << 7,
	HAS_RCPT_DOMAIN = 1 << 8,
	HAS_FBTYPE = 1 << 9,
	HAS_BASE = HAS_TYPE | HAS_EVENT_ID | HAS_TIMESTAMP,
	HAS_ALL = HAS_BASE | HAS_MESSAGE_ID
};

struct rules_attribute {
	const char *name;
	enum form form;
	unsigned int bit;
	const char *sample; /* NULL: none is shown */
};

/* Places in rules_wrappers[]. */
enum { MESSAGE = 0, TRACK = 1, GEN = 2, UNSUBSCRIBE = 4 };

struct rules_type {
	const char *name;
	size_t wrapper;
	unsigned int required;
};

enum { RULES_ATTRIBUTES = 39, RULES_WRAPPERS = 7 };

extern const struct rules_attribute rules_attributes[RULES_ATTRIBUTES];
extern const char *const rules_wrappers[RULES_WRAPPERS];
extern const struct rules_type rules_types[SCHEMA_TYPES];

#endif /* STANDIN_RULES_H */
