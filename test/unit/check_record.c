/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "unit/check_all.h"
#include "unit/shaping.h"

/* What is kept from row to row must not show. */

static struct shaping run;

static void start(void)
{
	shaping_init(&run);
	run.settings.injection = INJECTION_RECORDS;
	run.settings.max_age_s = 0;
}

static void stop(void)
{
	shaping_release(&run);
}

/* Times that differ in little; some are none. */
static const char *const times[] = {
	"2026-01-31 10:00:00+0000",
	"2026-01-31 10:00:59+0000",
	"2026-01-31 10:00:07+0000",
	"2026-01-31 10:00:60+0000",
	"2026-01-31 10:00:08+0000",
	"2026-01-31 10:00:6x+0000",
	"2026-01-31 10:00:09+0000",
	"2026-01-31 10:00:/9+0000",
	"2026-01-31 10:00:09-0000",
	"2026-01-31 10:01:09+0000",
	"2026-01-31 10:01:10+0100",
	"2026-01-31 10:01:11+0100",
	"01/31/2026 10:01:11+0100",
	"01/31/2026 10:01:12+0100",
	"01/31/2026 10:01:12",
	"01/31/2026 10:01:13",
	"1769850000",
	"1769850001",
	"2026-01-31T10:01:12+0100",
	"2026-01-31T10:01:13+0100",
	"2026-02-30 10:01:13+0100",
	"2026-02-30 10:01:14+0100",
	"2026-01-31 10:01:13+01:00",
	"2026-01-31 10:01:14+01:00",
};

START_TEST(times_of_a_minute_have_their_own_seconds)
{
	struct buf text;
	size_t event = 0;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "type,timeLogged,orig,rcpt\n");
	for (size_t i = 0; i < NROF(times) * NROF(times); i++) {
		buf_addf(&text, "d,%s,a@b.c,d@e.f\n", times[i / NROF(times)]);
		buf_addf(&text, "d,%s,a@b.c,d@e.f\n", times[i % NROF(times)]);
	}
	shaping_text(&run, buf_str(&text));
	for (size_t i = 0; i < 2 * NROF(times) * NROF(times); i++) {
		size_t pair = i / 2;
		const char *time =
			times[i % 2 ? pair % NROF(times) : pair / NROF(times)];
		int64_t seconds;

		if (when_parse(slice_str(time), &seconds) < 0)
			continue;
		ck_assert_msg(atoll(shaping_value(&run, event, "timestamp")) ==
				      seconds,
			      "row %zu: %s: %s", i, time,
			      shaping_value(&run, event, "timestamp"));
		event++;
	}
	ck_assert_uint_eq(shaping_events(&run), event);
	buf_release(&text);
}
END_TEST

START_TEST(subjects_are_those_of_their_rows)
{
	static const char *const subjects[][2] = {
		{"=?utf-8?q?one?=", "one"},   {"=?utf-8?q?one?=", "one"},
		{"=?utf-8?q?two?=", "two"},   {"plain", "plain"},
		{"=?utf-8?q?two?=", "two"},   {"=?utf-8?b?w6Q=?=", "\xc3\xa4"},
		{"=?utf-8?q?=22?=", "\""},    {"=?utf-8?q?=22?=", "\""},
		{"=?nonsense?q?=ff?=", NULL}, {"=?utf-8?q?one?=", "one"},
	};
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "type,timeLogged,orig,rcpt,header_Subject\n");
	for (size_t i = 0; i < NROF(subjects); i++)
		buf_addf(&text, "d,1769850000,a@b.c,d@e.f,%s\n",
			 subjects[i][0]);
	/* Too long to be kept. */
	for (int i = 0; i < 2; i++) {
		buf_add_str(&text, "d,1769850000,a@b.c,d@e.f,=?utf-8?q?");
		for (int k = 0; k < 2000; k++)
			buf_add_char(&text, 'x');
		buf_add_str(&text, "?=\n");
	}
	shaping_text(&run, buf_str(&text));
	ck_assert_uint_eq(shaping_events(&run), NROF(subjects) + 2);
	for (size_t i = 0; i < NROF(subjects); i++) {
		if (subjects[i][1])
			ck_assert_str_eq(shaping_value(&run, i, "subject"),
					 subjects[i][1]);
	}
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(strlen(shaping_value(&run, NROF(subjects) + i,
						       "subject")),
				  2000);
	buf_release(&text);
}
END_TEST

START_TEST(senders_are_those_of_their_rows)
{
	static const char *const senders[][3] = {
		/* header_From, header_Sender, friendly_from */
		{"Ann <ann@a.example>", "", "ann@a.example"},
		{"Ann <ann@a.example>", "bob@b.example", "ann@a.example"},
		{"", "Ann <ann@a.example>", "ann@a.example"},
		{"nobody", "bob@b.example", "bob@b.example"},
		{"", "", "o@o.example"},
		{"nobody", "", "o@o.example"},
		{"Ann <ann@a.example>", "", "ann@a.example"},
		{"Ann <abb@a.example>", "", "abb@a.example"},
	};
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "type,timeLogged,orig,rcpt,header_From,"
			   "header_Sender\n");
	for (size_t i = 0; i < NROF(senders); i++)
		buf_addf(&text, "d,1769850000,o@o.example,d@e.f,%s,%s\n",
			 senders[i][0], senders[i][1]);
	/* Too long to be kept. */
	for (int i = 0; i < 2; i++) {
		buf_add_str(&text, "d,1769850000,o@o.example,d@e.f,");
		for (int k = 0; k < 2000; k++)
			buf_add_char(&text, 'x');
		buf_addf(&text, " <long%d@e.f>,\n", i);
	}
	shaping_text(&run, buf_str(&text));
	for (size_t i = 0; i < NROF(senders); i++)
		ck_assert_str_eq(shaping_value(&run, i, "friendly_from"),
				 senders[i][2]);
	ck_assert_str_eq(shaping_value(&run, NROF(senders), "friendly_from"),
			 "long0@e.f");
	ck_assert_str_eq(
		shaping_value(&run, NROF(senders) + 1, "friendly_from"),
		"long1@e.f");
	buf_release(&text);
}
END_TEST

Suite *record_suite(void)
{
	Suite *s = suite_create("record");
	TCase *tc = tcase_create("record");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, times_of_a_minute_have_their_own_seconds);
	tcase_add_test(tc, subjects_are_those_of_their_rows);
	tcase_add_test(tc, senders_are_those_of_their_rows);
	suite_add_tcase(s, tc);
	return s;
}
