/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

/*
 * clock - the two clocks; only app/ reads them
 *
 * Everything else takes the time as an argument, so that tests need no sleep.
 * clock_ms() never goes backwards and says nothing about the date; clock_s()
 * is the date.  One that leaps ahead by more than five minutes while we run is
 * not believed until it has stayed for an hour, and this is logged.  Any
 * thread.
 */

#include <stdbool.h>
#include <stdint.h>

int64_t clock_ms(void);
int64_t clock_s(void);

/* --- How clock_s() believes; pure --- */

struct clock_trust {
	bool known;
	int64_t since_s; /* the date at which the machine started */
	bool doubted;	 /* there is another one, not believed yet */
	int64_t doubted_s, doubted_at_s;
};

enum clock_news {
	CLOCK_NO_NEWS = 0,
	CLOCK_LEAPT,
	CLOCK_BELIEVED,
	CLOCK_MENDED
};

/* The date and the uptime as they are read, and the date to go by. */
enum clock_news clock_believe(struct clock_trust *trust, int64_t date_s,
			      int64_t uptime_s, int64_t *now_s_out);

#endif /* APP_CLOCK_H */
