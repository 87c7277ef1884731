/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/account.h"

struct slice account_event_text(enum event_type type)
{
	static const struct slice texts[EVENT_TYPES] = {
		[EVENT_RECEPTION] = {"reception", 9},
		[EVENT_DELIVERY] = {"delivery", 8},
		[EVENT_INBAND] = {"inband", 6},
		[EVENT_TEMPFAIL] = {"tempfail", 8},
		[EVENT_OUTOFBAND] = {"outofband", 9},
		[EVENT_FEEDBACK] = {"feedback", 8},
	};

	return texts[type];
}

const char *account_event_name(enum event_type type)
{
	return account_event_text(type).p;
}

const char *account_skip_name(enum skip_reason reason)
{
	static const char *const names[SKIP_REASONS] = {
		[SKIP_TQ] = "tq",
		[SKIP_RS] = "rs",
		[SKIP_UNKNOWN_TYPE] = "unknown-type",
		[SKIP_DLV_TYPE] = "dlv-type",
		[SKIP_SPARKPOST_QUEUE] = "sparkpost-queue",
		[SKIP_INBOUND_DOMAIN] = "inbound-domain",
		[SKIP_NOT_SPAM] = "not-spam",
		[SKIP_DELAY_OFF] = "delay-off",
		[SKIP_INJECTION_OFF] = "injection-off",
	};

	return names[reason];
}

void account_release(struct account *account)
{
	tally_release(&account->not_shipped);
	*account = (struct account){0};
}

void account_merge(struct account *total, const struct account *more)
{
	total->rows += more->rows;
	total->shipped += more->shipped;
	total->malformed += more->malformed;
	total->expired_rows += more->expired_rows;
	for (int i = 0; i < SKIP_REASONS; i++)
		total->skipped[i] += more->skipped[i];
	tally_merge(&total->not_shipped, &more->not_shipped);
	for (int i = 0; i < EVENT_TYPES; i++) {
		total->events[i] += more->events[i];
		total->expired[i] += more->expired[i];
	}
}

uint64_t account_events(const struct account *account)
{
	uint64_t sum = 0;

	for (int i = 0; i < EVENT_TYPES; i++)
		sum += account->events[i];
	return sum;
}

uint64_t account_skipped(const struct account *account)
{
	uint64_t sum = 0;

	for (int i = 0; i < SKIP_REASONS; i++)
		sum += account->skipped[i];
	return sum;
}

bool account_agrees(const struct account *account)
{
	return account->rows == account->shipped + account->malformed +
					account->expired_rows +
					account_skipped(account) +
					tally_sum(&account->not_shipped);
}
