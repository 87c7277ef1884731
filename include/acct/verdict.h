/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_VERDICT_H
#define ACCT_VERDICT_H

/*
 * verdict - what becomes of one row (mapping.md 1.8, 2 and 5)
 *
 *	verdict_reach(&verdict, &tools, &row, bytes, offset);
 *
 * In this order: a type that makes no event is skipped; a row without the
 * recipient or time that its type needs is malformed; rule 2.1 skips; the
 * mapping does not ship; what is left makes one or two events, which are
 * planned but neither weighed for age nor made.
 */

#include "acct/event.h"

enum { VERDICT_EVENTS = 2 };

struct verdict {
	enum verdict_kind {
		VERDICT_EVENT = 0,
		VERDICT_SKIPPED,
		VERDICT_NOT_SHIPPED,
		VERDICT_MALFORMED
	} kind;
	enum skip_reason skip;
	const char *reason; /* of the last three */
	struct record record;
	struct event events[VERDICT_EVENTS]; /* an injection comes first */
	size_t count;
};

void verdict_reach(struct verdict *verdict, struct record_tools *tools,
		   const struct row *row, struct slice bytes, int64_t offset);

/*
 * A filter was asked about a bounce domain, because the file logs no From
 * (mapping.md 5: to be said once).
 */
bool verdict_without_from(const struct verdict *verdict);

#endif /* ACCT_VERDICT_H */
