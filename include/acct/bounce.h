/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_BOUNCE_H
#define ACCT_BOUNCE_H

/*
 * bounce - what a failed delivery's columns mean (mapping.md 4 and 4.1)
 *
 *	bounce_read(diag, &reply);		dsnDiag, taken apart
 *	bounce_class(&facts, &reply, classes, count, type, &origin);
 *
 * Pure; slices are cut from what was given.
 */

#include "acct/account.h"
#include "acct/settings.h"

struct bounce_reply {
	struct slice code;   /* "550"; empty when there is none */
	struct slice status; /* "5.1.1" right after it, or empty */
	struct slice text;   /* dsnDiag without a leading "smtp;" */
};

void bounce_read(struct slice diag, struct bounce_reply *reply_out);

struct bounce_facts {
	struct slice category; /* bounceCat */
	struct slice status;   /* dsnStatus, text and all */
	struct slice mta;      /* dsnMta: empty if no host was reached */
	enum event_type type;  /* EVENT_INBAND, _TEMPFAIL or _OUTOFBAND */
};

/* SparkPost's class; origin_out: which rule gave it, for explain. */
unsigned int bounce_class(const struct bounce_facts *facts,
			  const struct bounce_reply *reply,
			  const struct settings *settings,
			  const char **origin_out);

#endif /* ACCT_BOUNCE_H */
