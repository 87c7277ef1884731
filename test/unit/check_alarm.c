/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/alarm.h"

#include "unit/check_all.h"

/*
 * A script of forecasts and of what is said then.  The clock of the machine
 * began long before, the date is a different one.
 */
enum { NOW = 1700000000, START = 77000, FAR = 7200, NEAR = 3599 };

struct moment {
	int64_t at_s;	   /* from the start */
	uint64_t expiring; /* as the forecast has it */
	int64_t first_s;   /* the first deadline, from that moment */
	enum alarm_word says;
};

static const struct {
	const char *what;
	struct moment moments[12]; /* up to one at 0 after the first */
} rows[] = {
	{"silent as long as all is well",
	 {{0, 0, 0, ALARM_NONE},
	  {60, 0, 0, ALARM_NONE},
	  {3600, 0, 0, ALARM_NONE},
	  {9000, 0, 0, ALARM_NONE}}},
	{"first after a minute",
	 {{0, 5, FAR, ALARM_NONE},
	  {30, 6, FAR, ALARM_NONE},
	  {59, 7, FAR, ALARM_NONE},
	  {60, 8, FAR, ALARM_FIRST},
	  {61, 8, FAR, ALARM_NONE},
	  {120, 8, FAR, ALARM_NONE}}},
	{"a blip is none",
	 {{0, 5, FAR, ALARM_NONE},
	  {50, 5, FAR, ALARM_NONE},
	  {55, 0, 0, ALARM_NONE},
	  {60, 5, FAR, ALARM_NONE},
	  {119, 5, FAR, ALARM_NONE},
	  {120, 5, FAR, ALARM_FIRST}}},
	{"at once within the hour",
	 {{0, 5, NEAR, ALARM_FIRST}, {1, 5, NEAR, ALARM_NONE}}},
	{"at once when the hour comes",
	 {{0, 5, FAR, ALARM_NONE}, {1, 5, NEAR, ALARM_FIRST}}},
	{"an hour is not within it",
	 {{0, 5, 3600, ALARM_NONE}, {60, 5, 3600, ALARM_FIRST}}},
	{"passed is within it", {{0, 5, -10, ALARM_FIRST}}},
	{"hourly from then on",
	 {{0, 5, NEAR, ALARM_FIRST},
	  {3599, 5, NEAR, ALARM_NONE},
	  {3600, 5, NEAR, ALARM_HOURLY},
	  {3601, 5, NEAR, ALARM_NONE},
	  {7199, 5, NEAR, ALARM_NONE},
	  {7250, 5, NEAR, ALARM_HOURLY},
	  {10849, 5, NEAR, ALARM_NONE},
	  {10850, 5, NEAR, ALARM_HOURLY}}},
	{"over once",
	 {{0, 5, NEAR, ALARM_FIRST},
	  {100, 0, 0, ALARM_NONE},
	  {159, 0, 0, ALARM_NONE},
	  {160, 0, 0, ALARM_OVER},
	  {161, 0, 0, ALARM_NONE},
	  {9000, 0, 0, ALARM_NONE}}},
	{"a calm moment is not the end",
	 {{0, 5, NEAR, ALARM_FIRST},
	  {100, 0, 0, ALARM_NONE},
	  {150, 5, NEAR, ALARM_NONE},
	  {155, 0, 0, ALARM_NONE},
	  {214, 0, 0, ALARM_NONE},
	  {215, 0, 0, ALARM_OVER}}},
	{"asked seldom, a calm moment does not make it late",
	 {{0, 5, FAR, ALARM_NONE},
	  {4000, 5, FAR, ALARM_FIRST},
	  {7599, 0, 0, ALARM_NONE},
	  {7601, 5, FAR, ALARM_HOURLY},
	  {8000, 0, 0, ALARM_NONE},
	  {9000, 0, 0, ALARM_OVER}}},
	{"and first again",
	 {{0, 5, NEAR, ALARM_FIRST},
	  {100, 0, 0, ALARM_NONE},
	  {160, 0, 0, ALARM_OVER},
	  {170, 5, FAR, ALARM_NONE},
	  {230, 5, FAR, ALARM_FIRST},
	  {3829, 5, FAR, ALARM_NONE},
	  {3830, 5, FAR, ALARM_HOURLY}}},
};

START_TEST(alarm_speaks_when_it_should)
{
	const struct moment *m = rows[_i].moments;
	struct alarm alarm = {0};

	for (size_t i = 0; i < 12 && (i == 0 || m[i].at_s); i++) {
		struct forecast f = {
			.expiring_events = m[i].expiring,
			.first_s = NOW + m[i].at_s + m[i].first_s,
		};
		enum alarm_word says = alarm_say(&alarm, &f, NOW + m[i].at_s,
						 START + m[i].at_s * 1000);

		ck_assert_msg(says == m[i].says,
			      "%s: at %ld says %d, expected %d", rows[_i].what,
			      (long)m[i].at_s, (int)says, (int)m[i].says);
	}
}
END_TEST

/* Around zero, second by second for a day: a pair in two minutes at most. */
START_TEST(alarm_does_not_chatter)
{
	struct alarm alarm = {0};
	int said = 0;

	for (int s = 0; s < 86400; s++) {
		struct forecast f = {
			.expiring_events = (uint64_t)(s / 60 % 2),
			.first_s = NOW + s + FAR,
		};

		if (alarm_say(&alarm, &f, NOW + s, START + s * 1000))
			said++;
	}
	ck_assert_int_le(said, 1440);
	alarm = (struct alarm){0};
	said = 0;
	for (int s = 0; s < 86400; s++) {
		struct forecast f = {
			.expiring_events = (uint64_t)(s / 59 % 2),
			.first_s = NOW + s + NEAR,
		};

		if (alarm_say(&alarm, &f, NOW + s, START + s * 1000))
			said++;
	}
	ck_assert_int_eq(said, 24);
}
END_TEST

Suite *alarm_suite(void)
{
	Suite *s = suite_create("alarm");
	TCase *tc = tcase_create("alarm");

	tcase_add_loop_test(tc, alarm_speaks_when_it_should, 0, NROF(rows));
	tcase_add_test(tc, alarm_does_not_chatter);
	suite_add_tcase(s, tc);
	return s;
}
