/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_ACCOUNT_H
#define ACCT_ACCOUNT_H

/*
 * account - what became of each row
 *
 * Every row that is read has exactly one account (PRODUCT.md, status --json):
 *
 *	rows == shipped + malformed + expired_rows + sum(skipped)
 *	        + sum(not_shipped)
 *
 * "shipped": an event of it is in a batch.  "expired_rows": all of its events
 * were too old.  Headers are no rows.  events[] counts what is in the batch,
 * expired[] the events that were left out because of their age; a shipped row
 * may have an expired injection.  Accounts add up: for a block, a file, and
 * the whole.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/tally.h"

enum event_type {
	EVENT_RECEPTION = 0,
	EVENT_DELIVERY,
	EVENT_INBAND,
	EVENT_TEMPFAIL,
	EVENT_OUTOFBAND,
	EVENT_FEEDBACK,
	EVENT_TYPES
};

enum skip_reason {
	SKIP_TQ = 0,	      /* tq rows make no event */
	SKIP_RS,	      /* nor do rs rows */
	SKIP_UNKNOWN_TYPE,    /* nor any other code */
	SKIP_DLV_TYPE,	      /* mapping.md 2.1: file, pipe, discard */
	SKIP_SPARKPOST_QUEUE, /* 2.1: queue begins with "{" */
	SKIP_INBOUND_DOMAIN,  /* 2.1: events.inbound_domains */
	SKIP_NOT_SPAM,	      /* f with feedbackType not-spam */
	SKIP_DELAY_OFF,	      /* t with events.delay: false */
	SKIP_INJECTION_OFF,   /* r with events.injection: off */
	SKIP_REASONS
};

struct account {
	uint64_t rows;
	uint64_t shipped;
	uint64_t malformed;
	uint64_t expired_rows;
	uint64_t skipped[SKIP_REASONS];
	struct tally not_shipped; /* by the mapping entry that said so */
	uint64_t events[EVENT_TYPES];
	uint64_t expired[EVENT_TYPES];
};

/* The wire's name: "reception", "delivery", ... (mapping.md 2). */
const char *account_event_name(enum event_type type);
struct slice account_event_text(enum event_type type);

/* "tq", "rs", "unknown-type", "dlv-type", "sparkpost-queue", ... */
const char *account_skip_name(enum skip_reason reason);

/* All zero, tally memory released. */
void account_release(struct account *account);

/* total += more. */
void account_merge(struct account *total, const struct account *more);

uint64_t account_events(const struct account *account);
uint64_t account_skipped(const struct account *account);

/* Does the equation above hold? */
bool account_agrees(const struct account *account);

#endif /* ACCT_ACCOUNT_H */
