/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/mapping.h"

#include <assert.h>

#include "acct/names.h"
#include "base/mem.h"

struct mapping_filter;

/* An entry, or a line of a filter. */
struct mapping_rule {
	enum mapping_ship ship;
	struct mapping_filter *filter; /* with MAPPING_SHIP_FILTER */
	char *filter_name;	       /* what "filter" will be looked up by */
	char *ip_pool;
	char *sending_ip;
	int64_t subaccount;
	char *title; /* "vmta:mta1" */
	struct mapping_rule *next;
};

struct mapping_filter {
	char *name;
	char *title; /* "filter:ListOne" */
	struct names lines;
	struct mapping_filter *next;
};

struct mapping {
	struct mapping_rule *defaults; /* NULL: ship everything */
	struct names vmtas;
	struct names pools;
	struct mapping_filter *filters, **filters_end;
	struct mapping_rule *rules; /* all there are, to be freed */
};

/* How many places a setting is looked up in: vmta, pool, default. */
enum { MAPPING_CHAIN = 3 };

enum { MAPPING_TITLE_MAX = 4096 };

struct mapping *mapping_new(void)
{
	struct mapping *mapping = mem_zero(1, sizeof(*mapping));

	mapping->filters_end = &mapping->filters;
	return mapping;
}

static void mapping_free_rules(struct mapping_rule *rule)
{
	while (rule) {
		struct mapping_rule *next = rule->next;

		mem_free(rule->filter_name);
		mem_free(rule->ip_pool);
		mem_free(rule->sending_ip);
		mem_free(rule->title);
		mem_free(rule);
		rule = next;
	}
}

static void mapping_free_filters(struct mapping_filter *filter)
{
	while (filter) {
		struct mapping_filter *next = filter->next;

		names_release(&filter->lines);
		mem_free(filter->name);
		mem_free(filter->title);
		mem_free(filter);
		filter = next;
	}
}

void mapping_free(struct mapping **mapping)
{
	if (!*mapping)
		return;
	names_release(&(*mapping)->vmtas);
	names_release(&(*mapping)->pools);
	mapping_free_filters((*mapping)->filters);
	mapping_free_rules((*mapping)->rules);
	mem_free(*mapping);
	*mapping = NULL;
}

/* "before:name"; a name longer than the title may be is cut. */
static char *mapping_title(const char *before, const char *name)
{
	struct buf title;
	char *copy;

	buf_init(&title, MAPPING_TITLE_MAX);
	buf_add_str(&title, before);
	if (buf_add_str(&title, name) < 0)
		buf_add(&title, name, MAPPING_TITLE_MAX - title.len);
	copy = mem_str(buf_str(&title));
	buf_release(&title);
	return copy;
}

static char *mapping_copy(const char *string)
{
	return string && *string ? mem_str(string) : NULL;
}

/* Takes "title". */
static struct mapping_rule *mapping_rule(struct mapping *mapping,
					 const struct mapping_entry *entry,
					 char *title)
{
	struct mapping_rule *rule = mem_zero(1, sizeof(*rule));

	rule->ship = entry->ship;
	rule->filter_name = mapping_copy(entry->filter);
	rule->ip_pool = mapping_copy(entry->ip_pool);
	rule->sending_ip = mapping_copy(entry->sending_ip);
	rule->subaccount = entry->subaccount;
	rule->title = title;
	rule->next = mapping->rules;
	mapping->rules = rule;
	return rule;
}

void mapping_add(struct mapping *mapping, enum mapping_scope scope,
		 const char *name, const struct mapping_entry *entry)
{
	switch (scope) {
	case MAPPING_VMTA:
		names_add(&mapping->vmtas, name,
			  mapping_rule(mapping, entry,
				       mapping_title("vmta:", name)));
		break;
	case MAPPING_VMTA_POOL:
		names_add(&mapping->pools, name,
			  mapping_rule(mapping, entry,
				       mapping_title("vmta_pool:", name)));
		break;
	case MAPPING_DEFAULT:
		mapping->defaults =
			mapping_rule(mapping, entry, mem_str("default"));
		break;
	}
}

static struct mapping_filter *mapping_filter(const struct mapping *mapping,
					     const char *name)
{
	struct mapping_filter *filter = mapping->filters;

	while (filter && strcmp(filter->name, name) != 0)
		filter = filter->next;
	return filter;
}

void mapping_add_filter(struct mapping *mapping, const char *name)
{
	struct mapping_filter *filter;

	if (mapping_filter(mapping, name))
		return;
	filter = mem_zero(1, sizeof(*filter));
	filter->name = mem_str(name);
	filter->title = mapping_title("filter:", name);
	*mapping->filters_end = filter;
	mapping->filters_end = &filter->next;
}

void mapping_add_line(struct mapping *mapping, const char *filter,
		      const char *domain, const struct mapping_entry *line)
{
	struct mapping_filter *to;
	char *before;

	mapping_add_filter(mapping, filter);
	to = mapping_filter(mapping, filter);
	before = mapping_title(to->title, ":");
	names_add(&to->lines, domain,
		  mapping_rule(mapping, line, mapping_title(before, domain)));
	mem_free(before);
}

int mapping_finish(struct mapping *mapping, struct buf *why)
{
	struct mapping_filter *filter;
	struct mapping_rule *rule;

	names_finish(&mapping->vmtas);
	names_finish(&mapping->pools);
	for (filter = mapping->filters; filter; filter = filter->next)
		names_finish(&filter->lines);
	for (rule = mapping->rules; rule; rule = rule->next) {
		if (rule->ship != MAPPING_SHIP_FILTER)
			continue;
		if (rule->filter_name)
			rule->filter =
				mapping_filter(mapping, rule->filter_name);
		if (!rule->filter) {
			buf_addf(why, "%s: there is no filter \"%s\"",
				 rule->title,
				 rule->filter_name ? rule->filter_name : "");
			return -1;
		}
	}
	return 0;
}

static const struct mapping_rule *mapping_named(const struct names *names,
						struct slice name)
{
	const struct names_entry *entry;

	if (!name.len)
		return NULL;
	entry = names_find(names, name);
	return entry ? entry->value : NULL;
}

/* The entries that are asked, in order; NULL where there is none. */
static void mapping_chain(const struct mapping *mapping,
			  const struct mapping_query *query,
			  const struct mapping_rule *chain[MAPPING_CHAIN])
{
	chain[0] = mapping_named(&mapping->vmtas, query->vmta);
	if (!chain[0] && query->injection)
		chain[0] = mapping_named(&mapping->pools, query->vmta);
	chain[1] = mapping_named(&mapping->pools, query->vmta_pool);
	chain[2] = mapping->defaults;
}

static void mapping_inherit(const struct mapping_rule *rule,
			    struct mapping_answer *answer)
{
	if (!answer->ip_pool_rule && rule->ip_pool) {
		answer->ip_pool = slice_str(rule->ip_pool);
		answer->ip_pool_rule = rule->title;
	}
	if (!answer->sending_ip_rule && rule->sending_ip) {
		answer->sending_ip = slice_str(rule->sending_ip);
		answer->sending_ip_rule = rule->title;
	}
	if (!answer->subaccount_rule && rule->subaccount >= 0) {
		answer->subaccount = rule->subaccount;
		answer->subaccount_rule = rule->title;
	}
}

/* What a filter's line says; without a line, nothing is shipped. */
static void mapping_ask(const struct mapping_rule *line,
			struct mapping_answer *answer)
{
	answer->ship = line->ship != MAPPING_SHIP_FALSE;
	answer->ship_rule = line->title;
	if (line->subaccount >= 0) {
		answer->subaccount = line->subaccount;
		answer->subaccount_rule = line->title;
	}
}

static void mapping_decide(const struct mapping_rule *rule, struct slice domain,
			   struct mapping_answer *answer)
{
	const struct names_entry *line;

	answer->ship = rule->ship == MAPPING_SHIP_TRUE;
	answer->ship_rule = rule->title;
	if (rule->ship != MAPPING_SHIP_FILTER)
		return;
	assert(rule->filter); /* mapping_finish() saw to it */
	answer->filtered = true;
	answer->ship_rule = rule->filter->title;
	line = names_find(&rule->filter->lines, domain);
	if (line)
		mapping_ask(line->value, answer);
}

/* Is a line of filter "a" a better one than "b", which may be NULL? */
static bool mapping_better(const struct names_entry *a,
			   const struct names_entry *b)
{
	bool pattern = names_is_pattern(a->name);

	if (!b)
		return true;
	if (pattern != names_is_pattern(b->name))
		return !pattern;
	return pattern && a->literals > b->literals;
}

static bool mapping_report(const struct mapping *mapping, struct slice domain,
			   struct mapping_answer *answer)
{
	const struct mapping_filter *filter;
	const struct names_entry *best = NULL;

	for (filter = mapping->filters; filter; filter = filter->next) {
		const struct names_entry *line;

		line = names_find(&filter->lines, domain);
		if (line && line->literals && mapping_better(line, best))
			best = line;
	}
	answer->filtered = mapping->filters != NULL;
	if (best)
		mapping_ask(best->value, answer);
	return best != NULL;
}

bool mapping_has_filters(const struct mapping *mapping)
{
	return mapping->filters != NULL;
}

void mapping_lookup(const struct mapping *mapping,
		    const struct mapping_query *query,
		    struct mapping_answer *answer_out)
{
	const struct mapping_rule *chain[MAPPING_CHAIN];
	bool decided;

	*answer_out = (struct mapping_answer){
		.ship = true, .subaccount = -1, .ship_rule = "default"};
	mapping_chain(mapping, query, chain);
	for (int i = 0; i < MAPPING_CHAIN; i++) {
		if (chain[i])
			mapping_inherit(chain[i], answer_out);
	}
	decided = query->report &&
		  mapping_report(mapping, query->from_domain, answer_out);
	for (int i = 0; i < MAPPING_CHAIN && !decided; i++) {
		if (!chain[i] || chain[i]->ship == MAPPING_SHIP_UNSET)
			continue;
		mapping_decide(chain[i], query->from_domain, answer_out);
		decided = true;
	}
}
