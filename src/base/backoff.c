/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/backoff.h"

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
	backoff->min_ms = min_ms < 1 ? 1 : min_ms;
	backoff->max_ms = max_ms < backoff->min_ms ? backoff->min_ms : max_ms;
	backoff->failures = 0;
}

int64_t backoff_fail(struct backoff *backoff, uint64_t random)
{
	int64_t ceiling = backoff->min_ms, least;

	for (unsigned int i = 0; i < backoff->failures; i++) {
		if (ceiling > backoff->max_ms / 2) {
			ceiling = backoff->max_ms;
			break;
		}
		ceiling *= 2;
	}
	if (backoff->failures < 64)
		backoff->failures++;
	least = ceiling < 10 ? 1 : ceiling / 10;
	return least + (int64_t)(random % (uint64_t)(ceiling - least + 1));
}

void backoff_reset(struct backoff *backoff)
{
	backoff->failures = 0;
}
