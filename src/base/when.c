/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/when.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct when_date {
	int year, month, day, hour, minute, second;
};

/* Days from 1970-01-01; the year begins in March, so leap days come last. */
static int64_t when_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool when_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool when_exists(const struct when_date *d)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};
	int last;

	if (d->year < 1970 || d->month < 1 || d->month > 12 || d->day < 1)
		return false;
	last = days[d->month - 1] + (d->month == 2 && when_leap(d->year));
	return d->day <= last && d->hour <= 23 && d->minute <= 59 &&
	       d->second <= 60;
}

/* "n" digits from the front. */
static int when_digits(struct slice *s, size_t n, int *out)
{
	int value = 0;

	if (s->len < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = slice_skip(*s, n);
	*out = value;
	return 0;
}

static int when_char(struct slice *s, char c)
{
	if (!s->len || s->p[0] != c)
		return -1;
	*s = slice_skip(*s, 1);
	return 0;
}

static int when_day(struct slice *s, struct when_date *d)
{
	if (s->len > 2 && s->p[2] == '/')
		return when_digits(s, 2, &d->month) || when_char(s, '/') ||
		       when_digits(s, 2, &d->day) || when_char(s, '/') ||
		       when_digits(s, 4, &d->year);
	return when_digits(s, 4, &d->year) || when_char(s, '-') ||
	       when_digits(s, 2, &d->month) || when_char(s, '-') ||
	       when_digits(s, 2, &d->day);
}

static int when_clock(struct slice *s, struct when_date *d)
{
	if (when_char(s, ' ') && when_char(s, 'T'))
		return -1;
	return when_digits(s, 2, &d->hour) || when_char(s, ':') ||
	       when_digits(s, 2, &d->minute) || when_char(s, ':') ||
	       when_digits(s, 2, &d->second);
}

static int64_t when_utc(const struct when_date *d)
{
	return when_days(d->year, d->month, d->day) * 86400 +
	       (int64_t)d->hour * 3600 + d->minute * 60 + d->second;
}

/* How far the host's clock is ahead of UTC at that moment. */
static int64_t when_ahead(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/*
 * Not mktime(): where the clock is put back, its answer for the hour that
 * comes twice depends on what it was asked before, and the same row must give
 * the same event each time.  Here the first of the two hours counts, and an
 * hour that was skipped is read as if the clock had not been put forward.
 */
static int64_t when_local(const struct when_date *d)
{
	int64_t utc = when_utc(d);
	int64_t before = when_ahead(utc - 86400);
	int64_t after = when_ahead(utc + 86400);

	if (when_ahead(utc - before) != before &&
	    when_ahead(utc - after) == after)
		return utc - after;
	return utc - before;
}

/* The zone's offset from UTC in seconds: "+hhmm", "+hh:mm" or "Z". */
static int when_zone(struct slice s, int *offset_out)
{
	int hours, minutes;
	bool west = s.p[0] == '-';

	*offset_out = 0;
	if (slice_eq_nocase(s, SLICE("z")))
		return 0;
	if (when_char(&s, '+') && when_char(&s, '-'))
		return -1;
	if (when_digits(&s, 2, &hours))
		return -1;
	when_char(&s, ':');
	if (when_digits(&s, 2, &minutes) || s.len || hours > 15 || minutes > 59)
		return -1;
	*offset_out = (hours * 60 + minutes) * (west ? -60 : 60);
	return 0;
}

/* --- The form that PowerMTA writes --- */

/* Two digits, or a number over 99. */
static int when_two(const char *p)
{
	unsigned int tens = (unsigned int)(p[0] - '0');
	unsigned int ones = (unsigned int)(p[1] - '0');

	return tens > 9 || ones > 9 ? 10000 : (int)(tens * 10 + ones);
}

/* "YYYY-MM-DD HH:MM:SS+hhmm"; anything else is for those who look closer. */
static bool when_usual(struct slice s, int64_t *seconds_out)
{
	const char *p = s.p;
	struct when_date d;
	int zone, minutes;

	if (s.len != 24 || p[4] != '-' || p[7] != '-' || p[10] != ' ' ||
	    p[13] != ':' || p[16] != ':' || (p[19] != '+' && p[19] != '-'))
		return false;
	d = (struct when_date){.year = when_two(p) * 100 + when_two(p + 2),
			       .month = when_two(p + 5),
			       .day = when_two(p + 8),
			       .hour = when_two(p + 11),
			       .minute = when_two(p + 14),
			       .second = when_two(p + 17)};
	zone = when_two(p + 20);
	minutes = when_two(p + 22);
	if (d.year > 9999 || !when_exists(&d) || zone > 15 || minutes > 59)
		return false;
	zone = (zone * 60 + minutes) * 60;
	*seconds_out = when_utc(&d) - (p[19] == '-' ? -zone : zone);
	return true;
}

int when_parse(struct slice text, int64_t *seconds_out)
{
	struct when_date d = {0};
	unsigned long long number;
	int offset;

	text = slice_trim(text);
	if (when_usual(text, seconds_out))
		return 0;
	if (slice_number(text, 99999999999ULL, &number) == 0) {
		*seconds_out = (int64_t)number;
		return 0;
	}
	if (when_day(&text, &d) || when_clock(&text, &d) || !when_exists(&d))
		return -1;
	text = slice_trim(text);
	if (!text.len) {
		*seconds_out = when_local(&d);
		return 0;
	}
	if (when_zone(text, &offset))
		return -1;
	*seconds_out = when_utc(&d) - offset;
	return 0;
}

void when_format(int64_t seconds, char out[WHEN_TEXT])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year > 8099 || tm.tm_year < -900) {
		memcpy(out, "?", 2);
		return;
	}
	strftime(out, WHEN_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
