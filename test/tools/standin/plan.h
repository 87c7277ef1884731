/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_PLAN_H
#define STANDIN_PLAN_H

/*
 * plan - which request meets which fault
 *
 * A rule is WHICH:WHAT.  WHICH is N, N-M, N- or * (POSTs are counted from 1),
 * or pX for a random share X between 0 and 1.  WHAT is
 *
 *	CODE[,retry-after=N|date+N]	an HTTP error, nothing is taken
 *	slow=MS		taken; the answer trickles for that long
 *	stall[=MS]	not taken; no answer, then the connection is closed
 *	reset-before	the connection is reset, nothing is taken
 *	reset-after	taken, then the connection is reset
 *	truncated	taken; the JSON of the answer ends in its middle
 *	short		taken; the answer ends before its Content-Length
 *	html, noid	not taken; 200 with a page, or with JSON without an id
 *	stall-head[=MS]	taken; 200 and a header, then silence, then the end
 *	huge=BYTES	not taken; 200 with that much of nothing
 *	garbage		not taken; bytes that are no HTTP
 *	redirect=URL	not taken; 307 to there
 *	CODE,if=TEXT	the same when a line of the batch holds TEXT
 *	refuse-if=TEXT	400,if=TEXT
 *	reject-if=TEXT	lines that hold TEXT fail validation
 *	system		answered 200; the verdict is "system", nothing is taken
 *	verdict=TYPE	the same with another verdict (decompress, ...)
 *	any		one of the above that passes by itself, by the dice
 *
 * The first rule that applies wins; one about TEXT applies only to a batch
 * that holds it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum fault_kind {
	FAULT_NONE = 0,
	FAULT_STATUS,
	FAULT_SLOW,
	FAULT_STALL,
	FAULT_RESET_BEFORE,
	FAULT_RESET_AFTER,
	FAULT_TRUNCATED,
	FAULT_SHORT,
	FAULT_HTML,
	FAULT_NOID,
	FAULT_STALL_HEAD,
	FAULT_HUGE,
	FAULT_GARBAGE,
	FAULT_REDIRECT,
	FAULT_REFUSE_IF,
	FAULT_REJECT_IF,
	FAULT_VERDICT,
	FAULT_ANY /* never picked: one of the others is */
};

struct fault {
	enum fault_kind kind;
	unsigned int number; /* HTTP status, milliseconds, or bytes */
	char text[128];	     /* retry-after, TEXT, TYPE or URL */
};

struct plan;

struct plan *plan_new(uint64_t seed);

/* Add one rule, or all lines of a text ("#" begins a comment).  0 or -1. */
int plan_add(struct plan *plan, struct slice rule);
int plan_add_lines(struct plan *plan, struct slice text);
void plan_clear(struct plan *plan);

/* What happens to the n-th POST, whose lines are "raw". */
struct fault plan_pick(struct plan *plan, uint64_t n, struct slice raw);

#endif /* STANDIN_PLAN_H */
