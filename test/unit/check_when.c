/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/when.h"

#include <stdlib.h>
#include <time.h>

#include "unit/check_all.h"

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
	{"2007-05-10 10:38:23-0400", 1178807903},
	{"2007-05-10 14:38:23+0000", 1178807903},
	{"2007-05-10 14:38:23-0000", 1178807903},
	{"2007-05-10 14:38:23Z", 1178807903},
	{"2007-05-10 14:38:23z", 1178807903},
	{"2007-05-10T14:38:23Z", 1178807903},
	{"2007-05-10 20:08:23+0530", 1178807903},
	{"2007-05-10 20:08:23+05:30", 1178807903},
	{"2007-05-10 11:08:23-03:30", 1178807903},
	{"2007-05-11 04:38:23+1400", 1178807903},
	{"2007-05-10 02:38:23-1200", 1178807903},
	{"05/10/2007 10:38:23-0400", 1178807903},
	{"05/10/2007 10:38:23-04:00", 1178807903},
	{"05/10/2007T14:38:23Z", 1178807903},
	{"1178807903", 1178807903},
	{" \t2007-05-10 10:38:23 -0400 \r\n", 1178807903},
	{" 1178807903 ", 1178807903},
	{"0", 0},
	{"1970-01-01 00:00:00Z", 0},
	{"1970-01-01 00:00:00+0100", -3600},
	{"2024-02-29 23:59:59Z", 1709251199},
	{"2000-02-29 00:00:00Z", 951782400},
	{"2100-03-01 00:00:00Z", 4107542400},
	{"2016-12-31 23:59:60Z", 1483228800}, /* a leap second */
	{"9999-12-31 23:59:59Z", 253402300799},
	{"99999999999", 99999999999},
};

START_TEST(when_reads_all_forms)
{
	int64_t seconds = 77;

	ck_assert_int_eq(when_parse(slice_str(times[_i].text), &seconds), 0);
	ck_assert_int_eq(seconds, times[_i].seconds);
}
END_TEST

static const char *const junk[] = {
	"",
	" ",
	"-",
	"never",
	"-1",
	"+1178807903",
	"1178807903.5",
	"100000000000",
	"99999999999999999999999",
	"2007-05-10",
	"2007-05-10 ",
	"2007-05-10 10:38",
	"2007-05-10 10:38:2",
	"2007-05-10 10:38:23x",
	"2007-05-10 10:38:23 GMT",
	"2007-05-10 10:38:23+",
	"2007-05-10 10:38:23+04",
	"2007-05-10 10:38:23+040",
	"2007-05-10 10:38:23+04000",
	"2007-05-10 10:38:23+04:",
	"2007-05-10 10:38:23+04:0",
	"2007-05-10 10:38:23+04::00",
	"2007-05-10 10:38:23+1600",
	"2007-05-10 10:38:23+0060",
	"2007-05-10 10:38:23+-400",
	"2007-05-10 10:38:23ZZ",
	"2007-05-10 10:38:23Z+0100",
	"2007-05-10 10:38:23.123Z",
	"2007-05-10t10:38:23Z",
	"2007-05-10  10:38:23Z",
	"2007-05-1010:38:23Z",
	"2007/05/10 10:38:23Z",
	"2007-5-10 10:38:23Z",
	"07-05-10 10:38:23Z",
	"10.05.2007 10:38:23Z",
	"5/10/2007 10:38:23Z",
	"05/10/07 10:38:23Z",
	"05-10-2007 10:38:23Z",
	"2007-00-10 10:38:23Z",
	"2007-13-10 10:38:23Z",
	"2007-05-00 10:38:23Z",
	"2007-05-32 10:38:23Z",
	"2007-04-31 10:38:23Z",
	"2007-02-29 10:38:23Z",
	"2100-02-29 10:38:23Z",
	"2007-05-10 24:00:00Z",
	"2007-05-10 10:60:00Z",
	"2007-05-10 10:38:61Z",
	"13/10/2007 10:38:23Z",
	"02/30/2007 10:38:23Z",
	"1969-12-31 23:59:59Z",
	"0000-01-01 00:00:00Z",
	"2007-05-10 10:38:-3Z",
	"2007-05-10 10:38:23\xc2\xa0Z",
	"\xef\xbc\x91\xef\xbc\x92", /* full-width digits */
};

START_TEST(when_refuses_what_is_no_time)
{
	int64_t seconds = 77;

	ck_assert_int_eq(when_parse(slice_str(junk[_i]), &seconds), -1);
	ck_assert_int_eq(seconds, 77);
}
END_TEST

/* All texts cut short, and with a byte of them replaced, are read or refused
 * without a look beyond their end (the sanitizers watch). */
START_TEST(when_looks_at_its_own_bytes_only)
{
	const char *text = times[_i].text;
	int64_t seconds;

	for (size_t n = 0; n < strlen(text); n++) {
		char *copy = malloc(n + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, n);
		when_parse(slice_of(copy, n), &seconds);
		copy[n] = '\0';
		ck_assert_int_eq(when_parse(slice_of(copy, n + 1), &seconds),
				 -1);
		free(copy);
	}
}
END_TEST

/* Rules instead of names: no zone files are needed. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static const struct {
	const char *zone, *text;
	int64_t seconds;
} locals[] = {
	{"UTC0", "2007-05-10 14:38:23", 1178807903},
	{"EST5EDT,M3.2.0,M11.1.0", "2007-05-10 10:38:23", 1178807903},
	{"EST5EDT,M3.2.0,M11.1.0", "05/10/2007 10:38:23", 1178807903},
	{"IST-5:30", "2007-05-10T20:08:23", 1178807903},
	{"NZST-12NZDT,M9.5.0,M4.1.0/3", "2024-01-01 13:00:00", 1704067200},
	{BERLIN, "2024-01-15 12:00:00", 1705316400},
	{BERLIN, "2024-07-15 12:00:00", 1721037600},
	/* around the hour that comes twice: the first counts */
	{BERLIN, "2024-10-27 01:59:59", 1729987199},
	{BERLIN, "2024-10-27 02:30:00", 1729989000},
	{BERLIN, "2024-10-27 03:00:00", 1729994400},
	/* around the hour that never was */
	{BERLIN, "2024-03-31 01:59:59", 1711846799},
	{BERLIN, "2024-03-31 02:30:00", 1711848600},
	{BERLIN, "2024-03-31 03:00:00", 1711846800},
};

START_TEST(when_without_a_zone_means_local_time)
{
	int64_t before, seconds;

	ck_assert_int_eq(setenv("TZ", locals[_i].zone, 1), 0);
	tzset();
	/* Whatever was read before makes no difference. */
	for (int month = 1; month <= 12; month++) {
		char other[] = "2024-00-15 12:00:00";

		other[5] = (char)('0' + month / 10);
		other[6] = (char)('0' + month % 10);
		ck_assert_int_eq(when_parse(slice_str(other), &before), 0);
		ck_assert_int_eq(
			when_parse(slice_str(locals[_i].text), &seconds), 0);
		ck_assert_int_eq(seconds, locals[_i].seconds);
	}
	unsetenv("TZ");
	tzset();
}
END_TEST

START_TEST(when_every_day_of_four_centuries_has_its_number)
{
	for (int64_t day = 0; day < 146097; day++) {
		char text[WHEN_TEXT];
		int64_t seconds;

		when_format(day * 86400 + 3661, text);
		ck_assert_int_eq(when_parse(slice_str(text), &seconds), 0);
		ck_assert_int_eq(seconds, day * 86400 + 3661);
	}
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} formats[] = {
	{0, "1970-01-01T00:00:00Z"},
	{-1, "1969-12-31T23:59:59Z"},
	{1178807903, "2007-05-10T14:38:23Z"},
	{253402300799, "9999-12-31T23:59:59Z"},
	{253402300800, "?"},
	{-30610224000, "1000-01-01T00:00:00Z"},
	{-30610224001, "?"},
	{INT64_MAX, "?"},
	{INT64_MIN, "?"},
};

START_TEST(when_format_is_utc_or_a_question_mark)
{
	char text[WHEN_TEXT];

	when_format(formats[_i].seconds, text);
	ck_assert_str_eq(text, formats[_i].text);
}
END_TEST

Suite *when_suite(void)
{
	Suite *s = suite_create("when");
	TCase *tc = tcase_create("when");

	tcase_add_loop_test(tc, when_reads_all_forms, 0, NROF(times));
	tcase_add_loop_test(tc, when_refuses_what_is_no_time, 0, NROF(junk));
	tcase_add_loop_test(tc, when_looks_at_its_own_bytes_only, 0,
			    NROF(times));
	tcase_add_loop_test(tc, when_without_a_zone_means_local_time, 0,
			    NROF(locals));
	tcase_add_test(tc, when_every_day_of_four_centuries_has_its_number);
	tcase_add_loop_test(tc, when_format_is_utc_or_a_question_mark, 0,
			    NROF(formats));
	suite_add_tcase(s, tc);
	return s;
}
