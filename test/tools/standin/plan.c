/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

struct rule {
	uint64_t from, to;
	uint64_t share; /* of 2^32; used when "from" is 0 */
	struct fault fault;
};

struct plan {
	struct rule *rules;
	size_t count;
	uint64_t random;
};

enum { ARG_NONE = 0, ARG_NUMBER, ARG_NUMBER_OR_NOT, ARG_TEXT };

static const struct {
	const char *word;
	enum fault_kind kind;
	int arg;
} words[] = {
	{"slow", FAULT_SLOW, ARG_NUMBER},
	{"stall", FAULT_STALL, ARG_NUMBER_OR_NOT},
	{"reset-before", FAULT_RESET_BEFORE, ARG_NONE},
	{"reset-after", FAULT_RESET_AFTER, ARG_NONE},
	{"truncated", FAULT_TRUNCATED, ARG_NONE},
	{"short", FAULT_SHORT, ARG_NONE},
	{"html", FAULT_HTML, ARG_NONE},
	{"noid", FAULT_NOID, ARG_NONE},
	{"stall-head", FAULT_STALL_HEAD, ARG_NUMBER_OR_NOT},
	{"huge", FAULT_HUGE, ARG_NUMBER},
	{"garbage", FAULT_GARBAGE, ARG_NONE},
	{"redirect", FAULT_REDIRECT, ARG_TEXT},
	{"refuse-if", FAULT_REFUSE_IF, ARG_TEXT},
	{"reject-if", FAULT_REJECT_IF, ARG_TEXT},
	{"verdict", FAULT_VERDICT, ARG_TEXT},
	{"any", FAULT_ANY, ARG_NONE},
};

/* What "any" throws its dice over: whatever does not last and costs nothing. */
static const char *const troubles[] = {
	"500",	     "502",	     "503",	    "429",	 "slow=150",
	"stall=250", "reset-before", "reset-after", "truncated", "short",
	"html",	     "noid",	     "reset-after"};

struct plan *plan_new(uint64_t seed)
{
	struct plan *plan = mem_zero(1, sizeof(*plan));

	plan->random = seed * 2 + 1;
	return plan;
}

void plan_clear(struct plan *plan)
{
	plan->count = 0;
}

/* xorshift64*: good enough to throw dice with. */
static uint64_t plan_random(struct plan *plan)
{
	uint64_t x = plan->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	plan->random = x;
	return (x * 0x2545f4914f6cdd1du) >> 32;
}

static int plan_text(struct fault *fault, struct slice text)
{
	if (text.len == 0 || text.len >= sizeof(fault->text))
		return -1;
	memcpy(fault->text, text.p, text.len);
	fault->text[text.len] = '\0';
	return 0;
}

static int plan_number(struct fault *fault, struct slice text)
{
	unsigned long long n;

	if (slice_number(text, 1 << 30, &n) < 0)
		return -1;
	fault->number = (unsigned int)n;
	return 0;
}

static int plan_which(struct rule *rule, struct slice which)
{
	unsigned long long n;
	struct slice to, from;
	char share[16];

	if (slice_eq(which, SLICE("*")))
		which = SLICE("1-");
	if (slice_starts(which, SLICE("p"))) {
		snprintf(share, sizeof(share), "%.*s",
			 SLICE_ARGS(slice_skip(which, 1)));
		rule->share = (uint64_t)(strtod(share, NULL) * 4294967296.0);
		return rule->share ? 0 : -1;
	}
	from = slice_cut(which, '-', &to);
	if (slice_number(from, UINT64_MAX, &n) < 0 || n == 0)
		return -1;
	rule->from = rule->to = n;
	if (from.len == which.len)
		return 0;
	n = UINT64_MAX;
	if (to.len && slice_number(to, UINT64_MAX, &n) < 0)
		return -1;
	rule->to = n;
	return 0;
}

static int plan_status(struct fault *fault, struct slice what)
{
	struct slice option;
	struct slice code = slice_cut(what, ',', &option);

	fault->kind = FAULT_STATUS;
	if (plan_number(fault, code) < 0 || fault->number < 200 ||
	    fault->number > 599)
		return -1;
	if (!option.len)
		return 0;
	if (slice_starts(option, SLICE("if="))) {
		fault->kind = FAULT_REFUSE_IF;
		return plan_text(fault, slice_skip(option, 3));
	}
	if (!slice_starts(option, SLICE("retry-after=")))
		return -1;
	return plan_text(fault, slice_skip(option, 12));
}

static int plan_what(struct fault *fault, struct slice what)
{
	struct slice arg;
	struct slice word = slice_cut(what, '=', &arg);

	if (slice_eq(what, SLICE("system"))) {
		fault->kind = FAULT_VERDICT;
		return plan_text(fault, what);
	}
	if (what.len && what.p[0] >= '0' && what.p[0] <= '9')
		return plan_status(fault, what);
	for (size_t i = 0; i < NROF(words); i++) {
		if (!slice_eq(word, slice_str(words[i].word)))
			continue;
		fault->kind = words[i].kind;
		if (fault->kind == FAULT_REFUSE_IF)
			fault->number = 400;
		if (words[i].arg == ARG_TEXT)
			return plan_text(fault, arg);
		if (words[i].arg == ARG_NUMBER ||
		    (words[i].arg == ARG_NUMBER_OR_NOT && arg.len))
			return plan_number(fault, arg);
		return arg.len ? -1 : 0;
	}
	return -1;
}

int plan_add(struct plan *plan, struct slice text)
{
	struct rule rule = {0};
	struct slice what;
	struct slice which = slice_cut(text, ':', &what);

	if (plan_which(&rule, which) < 0 || plan_what(&rule.fault, what) < 0)
		return -1;
	plan->rules = mem_resize_array(plan->rules, plan->count + 1,
				       sizeof(*plan->rules));
	plan->rules[plan->count++] = rule;
	return 0;
}

int plan_add_lines(struct plan *plan, struct slice text)
{
	while (text.len) {
		struct slice line = slice_trim(slice_cut(text, '\n', &text));

		if (line.len && line.p[0] != '#' && plan_add(plan, line) < 0)
			return -1;
	}
	return 0;
}

static bool plan_applies(struct plan *plan, const struct rule *rule, uint64_t n,
			 struct slice raw)
{
	const char *text = rule->fault.text;

	if (rule->from ? n < rule->from || n > rule->to
		       : plan_random(plan) >= rule->share)
		return false;
	if (rule->fault.kind == FAULT_REFUSE_IF ||
	    rule->fault.kind == FAULT_REJECT_IF)
		return raw.len && memmem(raw.p, raw.len, text, strlen(text));
	return true;
}

static struct fault plan_any(struct plan *plan)
{
	struct fault fault = {0};
	size_t i = plan_random(plan) % NROF(troubles);

	plan_what(&fault, slice_str(troubles[i]));
	return fault;
}

struct fault plan_pick(struct plan *plan, uint64_t n, struct slice raw)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (!plan_applies(plan, &plan->rules[i], n, raw))
			continue;
		return plan->rules[i].fault.kind == FAULT_ANY
			       ? plan_any(plan)
			       : plan->rules[i].fault;
	}
	return (struct fault){0};
}
