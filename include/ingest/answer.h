/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INGEST_ANSWER_H
#define INGEST_ANSWER_H

/*
 * answer - what each answer of the service means (PRODUCT.md, the table)
 *
 * Pure; hostile bodies are its daily bread.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum answer_kind {
	ANSWER_ACCEPTED = 0, /* 2xx with results.id */
	ANSWER_NOT_SERVICE,  /* 2xx without: a portal or proxy spoke */
	ANSWER_REFUSED,	     /* 400, 413, 422: it may be the data */
	ANSWER_KEY,	     /* 401, 403: the key */
	ANSWER_CONFIG,	     /* 404, 405, 406, 415, 3xx: the configuration */
	ANSWER_SLOW_DOWN,    /* 420, 429 */
	ANSWER_RETRY	     /* 408, 5xx, no answer, and all others */
};

enum { ANSWER_ID = 64, ANSWER_WORDS = 512 };

struct answer {
	enum answer_kind kind;
	char id[ANSWER_ID];	  /* results.id, with ANSWER_ACCEPTED */
	char words[ANSWER_WORDS]; /* errors[0].message and description, else
				     the start of the body as printable text */
};

/* status 0: no complete answer.  400 with code 1502 is ANSWER_RETRY. */
void answer_read(int status, struct slice body, struct answer *answer_out);

/*
 * Replace the local part of each mail address in "words" by "...", so that
 * "550 <joe@example.com> unknown" keeps its sense and loses the person.
 */
void answer_mask(char words[ANSWER_WORDS]);

#endif /* INGEST_ANSWER_H */
