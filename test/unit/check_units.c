/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/units.h"

#include "unit/check_all.h"

#define KI UINT64_C(1024)

static const struct {
	const char *text;
	enum units_status status;
	uint64_t bytes;
} sizes[] = {
	{"0", UNITS_OK, 0},
	{"5000000", UNITS_OK, 5000000},
	{"7b", UNITS_OK, 7},
	{"7B", UNITS_OK, 7},
	{"64k", UNITS_OK, 64 * KI},
	{"64K", UNITS_OK, 64 * KI},
	{"20M", UNITS_OK, 20 * KI *KI},
	{"20m", UNITS_OK, 20 * KI *KI},
	{"1G", UNITS_OK, KI *KI *KI},
	{"1g", UNITS_OK, KI *KI *KI},
	{"2T", UNITS_OK, 2 * KI *KI *KI *KI},
	{"2t", UNITS_OK, 2 * KI *KI *KI *KI},
	{"1KiB", UNITS_OK, KI},
	{"3MiB", UNITS_OK, 3 * KI *KI},
	{"3mib", UNITS_OK, 3 * KI *KI},
	{"3GiB", UNITS_OK, 3 * KI *KI *KI},
	{"1TiB", UNITS_OK, KI *KI *KI *KI},
	{"20 MiB", UNITS_OK, 20 * KI *KI},
	{" 20M ", UNITS_OK, 20 * KI *KI},
	{"18446744073709551615", UNITS_OK, UINT64_MAX},
	{"18446744073709551616", UNITS_LARGE, 0},
	{"16777215T", UNITS_OK, 16777215 * KI *KI *KI *KI},
	{"16777216T", UNITS_LARGE, 0},
	{"99999999999999999999999K", UNITS_LARGE, 0},
	{"", UNITS_BAD, 0},
	{"M", UNITS_BAD, 0},
	{"-1", UNITS_BAD, 0},
	{"+1", UNITS_BAD, 0},
	{"1.5G", UNITS_BAD, 0},
	{"20MB", UNITS_BAD, 0},
	{"20kb", UNITS_BAD, 0},
	{"20Mi", UNITS_BAD, 0},
	{"20X", UNITS_BAD, 0},
	{"20M x", UNITS_BAD, 0},
	{"20 000", UNITS_BAD, 0},
	{"0x10", UNITS_BAD, 0},
	{"99999999999999999999999X", UNITS_BAD, 0},
};

START_TEST(size_is_read_with_its_unit)
{
	uint64_t bytes = 0;

	ck_assert_int_eq(units_size(slice_str(sizes[_i].text), &bytes),
			 sizes[_i].status);
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
	const char *text;
	enum units_status status;
	int64_t ms;
} times[] = {
	{"0", UNITS_OK, 0},
	{"000", UNITS_OK, 0},
	{"0s", UNITS_OK, 0},
	{"100ms", UNITS_OK, 100},
	{"100MS", UNITS_OK, 100},
	{"10s", UNITS_OK, 10000},
	{"10 s", UNITS_OK, 10000},
	{"5m", UNITS_OK, 300000},
	{"24h", UNITS_OK, 86400000},
	{"24H", UNITS_OK, 86400000},
	{"7d", UNITS_OK, 604800000},
	{"1d12h", UNITS_OK, 129600000},
	{"1h30m", UNITS_OK, 5400000},
	{"1m 1s 1ms", UNITS_OK, 61001},
	{"106751991167d", UNITS_OK, INT64_C(9223372036828800000)},
	{"106751991168d", UNITS_LARGE, 0},
	{"99999999999999999999s", UNITS_LARGE, 0},
	{"106751991167d23h", UNITS_LARGE, 0},
	{"10", UNITS_BARE, 0},
	{"99999999999999999999", UNITS_BARE, 0},
	{"", UNITS_BAD, 0},
	{"s", UNITS_BAD, 0},
	{"-1s", UNITS_BAD, 0},
	{"1.5h", UNITS_BAD, 0},
	{"10x", UNITS_BAD, 0},
	{"10sec", UNITS_BAD, 0},
	{"1w", UNITS_BAD, 0},
	{"1h1h", UNITS_BAD, 0},
	{"1m1h", UNITS_BAD, 0},
	{"1h 5", UNITS_BAD, 0},
	{"1ms1s", UNITS_BAD, 0},
	{"1:30", UNITS_BAD, 0},
};

START_TEST(time_is_read_with_its_unit)
{
	int64_t ms = 0;

	ck_assert_int_eq(units_time(slice_str(times[_i].text), &ms),
			 times[_i].status);
	if (times[_i].status == UNITS_OK)
		ck_assert_int_eq(ms, times[_i].ms);
}
END_TEST

static const struct {
	uint64_t value;
	const char *count, *size, *time;
} shown[] = {
	{0, "0", "0", "0"},
	{7, "7", "7", "7ms"},
	{1000, "1,000", "1,000", "1s"},
	{1024, "1,024", "1K", "1024ms"},
	{5000000, "5,000,000", "5,000,000", "5000s"},
	{3600000, "3,600,000", "3,600,000", "1h"},
	{4 << 20, "4,194,304", "4M", "4194304ms"},
	{KI * KI * KI * 3, "3,221,225,472", "3G", "3221225472ms"},
	{KI * KI * KI * KI, "1,099,511,627,776", "1T", "1099511627776ms"},
	{604800000, "604,800,000", "590625K", "7d"},
	{90000, "90,000", "90,000", "90s"},
};

START_TEST(limits_are_shown_in_the_shortest_exact_form)
{
	char text[UNITS_TEXT];

	units_show_count(shown[_i].value, text);
	ck_assert_str_eq(text, shown[_i].count);
	units_show_size(shown[_i].value, text);
	ck_assert_str_eq(text, shown[_i].size);
	units_show_time((int64_t)shown[_i].value, text);
	ck_assert_str_eq(text, shown[_i].time);
}
END_TEST

START_TEST(largest_count_fits_its_text)
{
	char text[UNITS_TEXT];

	units_show_count(UINT64_MAX, text);
	ck_assert_str_eq(text, "18,446,744,073,709,551,615");
}
END_TEST

Suite *units_suite(void)
{
	Suite *s = suite_create("units");
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(tc, size_is_read_with_its_unit, 0, NROF(sizes));
	tcase_add_loop_test(tc, time_is_read_with_its_unit, 0, NROF(times));
	tcase_add_loop_test(tc, limits_are_shown_in_the_shortest_exact_form, 0,
			    NROF(shown));
	tcase_add_test(tc, largest_count_fits_its_text);
	suite_add_tcase(s, tc);
	return s;
}
