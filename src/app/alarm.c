/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/alarm.h"

static bool alarm_is_near(const struct forecast *forecast, int64_t now_s)
{
	return forecast->expiring_events &&
	       forecast->first_s < now_s + ALARM_NEAR_S;
}

enum alarm_word alarm_say(struct alarm *alarm, const struct forecast *forecast,
			  int64_t now_s, int64_t now_ms)
{
	bool expiring = forecast->expiring_events > 0;

	if (expiring == alarm->on) {
		alarm->turning = false;
		if (!alarm->on || now_ms - alarm->said_ms < ALARM_AGAIN_MS)
			return ALARM_NONE;
		alarm->said_ms = now_ms;
		return ALARM_HOURLY;
	}
	if (!alarm->turning) {
		alarm->turning = true;
		alarm->since_ms = now_ms;
	}
	if (now_ms - alarm->since_ms < ALARM_STEADY_MS &&
	    !alarm_is_near(forecast, now_s))
		return ALARM_NONE;
	alarm->turning = false;
	alarm->on = expiring;
	alarm->said_ms = now_ms;
	return expiring ? ALARM_FIRST : ALARM_OVER;
}
