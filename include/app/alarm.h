/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_ALARM_H
#define APP_ALARM_H

/*
 * alarm - when to speak of events that will expire
 *
 *	struct alarm alarm = {0};
 *	switch (alarm_say(&alarm, &forecast, clock_s(), clock_ms())) ...
 *
 * Asked as often as is convenient, with a new forecast each time; it speaks
 *	first	when events have been expiring for a minute, which no hiccup
 *		does; at once when the first deadline is within the hour
 *	hourly	from then on, while it lasts
 *	over	once, when none have been expiring for a minute
 * so that a forecast around zero makes a pair of lines in two minutes at most,
 * but for deadlines within the hour.  A rate that is not known foretells
 * nothing, and counts as none.
 *
 * Values: no clock, no allocation, no errors.  One thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "spool/deadlines.h"

enum { ALARM_STEADY_MS = 60000, ALARM_AGAIN_MS = 3600000, ALARM_NEAR_S = 3600 };

enum alarm_word { ALARM_NONE = 0, ALARM_FIRST, ALARM_HOURLY, ALARM_OVER };

struct alarm {
	bool on;	  /* said first, not over yet */
	bool turning;	  /* the forecasts say the other */
	int64_t since_ms; /* turning since */
	int64_t said_ms;
};

/* "now_s" is the date, as in the forecast; "now_ms" a clock that does not go
 * back. */
enum alarm_word alarm_say(struct alarm *alarm, const struct forecast *forecast,
			  int64_t now_s, int64_t now_ms);

#endif /* APP_ALARM_H */
