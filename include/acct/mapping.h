/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_MAPPING_H
#define ACCT_MAPPING_H

/*
 * mapping - which rows are shipped, and as whose (mapping.md 5)
 *
 *	struct mapping *m = mapping_new();
 *	mapping_add(m, MAPPING_VMTA, "mta1", &entry);
 *	mapping_add_line(m, "ListOne", "*.customer1.com", &line);
 *	if (mapping_finish(m, &why) < 0) ...	a ship: names no filter
 *	mapping_lookup(m, &query, &answer);
 *	mapping_free(&m);
 *
 * Built once by the configuration, then const and shared by all threads.
 * Without any entry everything is shipped (default: {ship: true}).
 *
 * Each setting is looked up by itself: vmta entry, vmtaPool entry, default.
 * Names match exactly but for ASCII case, else by shell pattern (*, ?), the
 * pattern with the most literal characters first (then the one added first).
 * An empty vmta or vmtaPool has no entry, not even "*"; an empty domain matches
 * a filter's "*".
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct mapping;

enum mapping_scope { MAPPING_DEFAULT = 0, MAPPING_VMTA, MAPPING_VMTA_POOL };

enum mapping_ship {
	MAPPING_SHIP_UNSET = 0, /* inherit */
	MAPPING_SHIP_TRUE,
	MAPPING_SHIP_FALSE,
	MAPPING_SHIP_FILTER
};

/* One entry or filter line; strings are copied.  NULL and -1: inherit. */
struct mapping_entry {
	enum mapping_ship ship;
	const char *filter;	/* with MAPPING_SHIP_FILTER; not in a line */
	const char *ip_pool;	/* not in a filter line */
	const char *sending_ip; /* not in a filter line */
	int64_t subaccount;	/* 0 to 2^31-1, or -1 */
};

/* An entry that inherits everything. */
#define MAPPING_ENTRY_INIT ((struct mapping_entry){.subaccount = -1})

struct mapping *mapping_new(void);
void mapping_free(struct mapping **mapping);

/* "name" is a name or pattern; NULL with MAPPING_DEFAULT. */
void mapping_add(struct mapping *mapping, enum mapping_scope scope,
		 const char *name, const struct mapping_entry *entry);

/* A line of a filter; the first line makes the filter. */
void mapping_add_line(struct mapping *mapping, const char *filter,
		      const char *domain, const struct mapping_entry *line);

/* A filter without lines: nothing is shipped through it. */
void mapping_add_filter(struct mapping *mapping, const char *filter);

/*
 * Call once, after the last addition.  0, or -1 and in "why" which entry
 * names a filter that there is not.
 */
int mapping_finish(struct mapping *mapping, struct buf *why);

struct mapping_query {
	struct slice vmta;	  /* empty on rb and f */
	struct slice vmta_pool;	  /* empty on rb and f */
	struct slice from_domain; /* domain of friendly_from */
	bool injection;		  /* an r row: vmta may hold a pool's name */
	bool report;		  /* an rb or f row: see below */
};

/*
 * A report's vmta is not known.  So a filter's line that names the sender's
 * domain decides, the best of all filters (by the rule for names; a bare "*"
 * names no domain); else the default entry.
 *
 * Slices and strings belong to the mapping.
 */
struct mapping_answer {
	bool ship;
	struct slice ip_pool;	 /* empty: none mapped */
	struct slice sending_ip; /* empty: none mapped */
	int64_t subaccount;	 /* -1: none mapped */
	bool filtered; /* a filter was asked: friendly_from mattered */
	/* The entry that decided, for counting and explain: "vmta:mta1",
	 * "vmta_pool:pond", "default", "filter:ListOne:*.x", and
	 * "filter:ListOne" when no line matched. */
	const char *ship_rule;
	const char *ip_pool_rule;    /* NULL: none */
	const char *sending_ip_rule; /* NULL: none */
	const char *subaccount_rule; /* NULL: none */
};

/* Is there a filter?  Else an answer depends on vmta, vmta_pool, injection and
 * report alone. */
bool mapping_has_filters(const struct mapping *mapping);

void mapping_lookup(const struct mapping *mapping,
		    const struct mapping_query *query,
		    struct mapping_answer *answer_out);

#endif /* ACCT_MAPPING_H */
