/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/bounce.h"

#include <stdlib.h>

#include "unit/check_all.h"

static const struct {
	const char *diag;
	const char *code, *status, *text;
} replies[] = {
	{"smtp;550 5.1.1 no such user", "550", "5.1.1",
	 "550 5.1.1 no such user"},
	{"Smtp;550 no", "550", "", "550 no"},
	{"SMTP;550", "550", "", "550"},
	{"smtp; 421 4.7.0 [TS01] x", "421", "4.7.0", " 421 4.7.0 [TS01] x"},
	{"smtp;550-5.7.1 x", "550", "5.7.1", "550-5.7.1 x"},
	{"smtp;550\t5.7.1", "550", "5.7.1", "550\t5.7.1"},
	/* the last part that has a code */
	{"smtp;450 4.0.0 (undefined status);smtp;421 Refused.", "421", "",
	 "450 4.0.0 (undefined status);smtp;421 Refused."},
	{"smtp;450 4.2.1 x;smtp;no code", "450", "4.2.1",
	 "450 4.2.1 x;smtp;no code"},
	{"x;smtp;421 4.3.2", "421", "4.3.2", "x;smtp;421 4.3.2"},
	/* no codes */
	{"", "", "", ""},
	{"smtp;", "", "", ""},
	{"smtp;5501 x", "", "", "5501 x"},
	{"smtp;55 x", "", "", "55 x"},
	{"smtp;650 x", "", "", "650 x"},
	{"smtp;150 x", "", "", "150 x"},
	{"550 5.1.1 no prefix", "", "", "550 5.1.1 no prefix"},
	{"esmtp;550 5.1.1", "", "", "esmtp;550 5.1.1"},
	{"smtp", "", "", "smtp"},
	/* what looks like a status, and is none */
	{"smtp;550 5.1.1.2 listed", "550", "", "550 5.1.1.2 listed"},
	{"smtp;550 5.1", "550", "", "550 5.1"},
	{"smtp;550 5.1.1234", "550", "", "550 5.1.1234"},
	{"smtp;550 5.1.1: x", "550", "5.1.1", "550 5.1.1: x"},
	{"smtp;550 3.1.1 x", "550", "", "550 3.1.1 x"},
};

START_TEST(bounce_read_finds_code_and_status)
{
	struct bounce_reply reply;

	bounce_read(slice_str(replies[_i].diag), &reply);
	ck_slice(reply.code, replies[_i].code);
	ck_slice(reply.status, replies[_i].status);
	ck_slice(reply.text, replies[_i].text);
}
END_TEST

static const struct {
	const char *category, *status, *diag, *mta;
	unsigned int inband, tempfail;
	const char *origin;
} classes[] = {
	/* categories */
	{"bad-mailbox", "", "", "", 10, 10, "rule 4.1 bounceCat"},
	{"inactive-mailbox", "", "", "", 10, 10, "rule 4.1 bounceCat"},
	{"bad-domain", "", "", "", 21, 21, "rule 4.1 bounceCat"},
	{"bad-domain", "", "", "mx", 10, 10, "rule 4.1 bounceCat"},
	{"routing-errors", "", "", "", 21, 21, "rule 4.1 bounceCat"},
	{"quota-issues", "", "", "", 22, 22, "rule 4.1 bounceCat"},
	{"message-expired", "", "", "", 24, 24, "rule 4.1 bounceCat"},
	{"no-answer-from-host", "", "", "", 24, 24, "rule 4.1 bounceCat"},
	{"bad-connection", "", "", "", 24, 24, "rule 4.1 bounceCat"},
	{"protocol-errors", "", "", "", 40, 40, "rule 4.1 bounceCat"},
	{"bad-configuration", "", "", "", 25, 25, "rule 4.1 bounceCat"},
	{"bad-configuration", "", "", "mx", 40, 40, "rule 4.1 bounceCat"},
	{"invalid-sender", "", "", "", 50, 50, "rule 4.1 bounceCat"},
	{"policy-related", "5.1.1", "", "", 50, 50, "rule 4.1 bounceCat"},
	{"spam-related", "", "", "", 51, 51, "rule 4.1 bounceCat"},
	{"content-related", "", "", "", 52, 52, "rule 4.1 bounceCat"},
	{"virus-related", "", "", "", 53, 53, "rule 4.1 bounceCat"},
	{" Relaying-Issues", "", "", "", 54, 54, "rule 4.1 bounceCat"},
	/* the site's own come first */
	{"greylisted", "5.1.1", "", "", 70, 70, "events.bounce_classes"},
	{"SUCCESS", "", "", "", 99, 99, "events.bounce_classes"},
	/* statuses */
	{"other", "5.1.0 (x)", "", "", 10, 10, "rule 4.1 dsnStatus"},
	{"", "5.1.1", "", "", 10, 10, "rule 4.1 dsnStatus"},
	{"", "4.1.3", "", "", 10, 10, "rule 4.1 dsnStatus"},
	{"", "5.1.6", "", "", 10, 10, "rule 4.1 dsnStatus"},
	{"", "5.2.1", "", "", 10, 10, "rule 4.1 dsnStatus"},
	{"", "5.1.2", "", "", 21, 21, "rule 4.1 dsnStatus"},
	{"", "5.4.3", "", "", 21, 21, "rule 4.1 dsnStatus"},
	{"", "5.4.4", "", "", 21, 21, "rule 4.1 dsnStatus"},
	{"", "5.2.2", "", "", 22, 22, "rule 4.1 dsnStatus"},
	{"", "5.2.3", "", "", 23, 23, "rule 4.1 dsnStatus"},
	{"", "5.3.4", "", "", 23, 23, "rule 4.1 dsnStatus"},
	{"", "4.4.1", "", "", 24, 24, "rule 4.1 dsnStatus"},
	{"", "4.4.2", "", "", 24, 24, "rule 4.1 dsnStatus"},
	{"", "4.4.7", "", "", 24, 24, "rule 4.1 dsnStatus"},
	{"", "5.7.1", "", "", 50, 50, "rule 4.1 dsnStatus"},
	{"", "4.7.23", "", "", 50, 50, "rule 4.1 dsnStatus"},
	{"", "5.5.4", "", "", 40, 40, "rule 4.1 dsnStatus"},
	{"", "4.5.4", "", "", 20, 70, "rule 4.1 dsnStatus"},
	{"", "4.0.0", "", "", 20, 70, "rule 4.1 dsnStatus"},
	{"unheard-of", "", "", "", 1, 70, "rule 4.1 dsnStatus"},
	{"", "2.0.0", "", "", 1, 70, "rule 4.1 dsnStatus"},
	{"", "nonsense", "", "", 1, 70, "rule 4.1 dsnStatus"},
	{"", "", "smtp;550 5.1.1 x", "", 1, 70, "rule 4.1 dsnStatus"},
	/* x.0.0 and a better one in the reply */
	{"", "5.0.0 (undefined status)", "smtp;550 5.1.1 x", "", 10, 10,
	 "rule 4.1 dsnDiag"},
	{"", "4.0.0", "smtp;452 4.2.2 full", "", 22, 22, "rule 4.1 dsnDiag"},
	{"", "5.0.0", "smtp;550 none", "", 40, 40, "rule 4.1 dsnStatus"},
	{"", "5.7.1", "smtp;550 5.1.1 x", "", 50, 50, "rule 4.1 dsnStatus"},
};

START_TEST(bounce_class_is)
{
	char greylisted[] = "Greylisted", success[] = "success";
	struct settings_class own[] = {{greylisted, 70}, {success, 99}};
	struct settings settings = {.bounce_classes = own,
				    .bounce_classes_count = NROF(own)};
	struct bounce_facts facts = {
		.category = slice_str(classes[_i].category),
		.status = slice_str(classes[_i].status),
		.mta = slice_str(classes[_i].mta),
	};
	struct bounce_reply reply;
	const char *origin;

	bounce_read(slice_str(classes[_i].diag), &reply);
	facts.type = EVENT_INBAND;
	ck_assert_uint_eq(bounce_class(&facts, &reply, &settings, &origin),
			  classes[_i].inband);
	ck_assert_str_eq(origin, classes[_i].origin);
	facts.type = EVENT_OUTOFBAND;
	ck_assert_uint_eq(bounce_class(&facts, &reply, &settings, &origin),
			  classes[_i].inband);
	facts.type = EVENT_TEMPFAIL;
	ck_assert_uint_eq(bounce_class(&facts, &reply, &settings, &origin),
			  classes[_i].tempfail);
}
END_TEST

Suite *bounce_suite(void)
{
	Suite *s = suite_create("bounce");
	TCase *tc = tcase_create("bounce");

	tcase_add_loop_test(tc, bounce_read_finds_code_and_status, 0,
			    NROF(replies));
	tcase_add_loop_test(tc, bounce_class_is, 0, NROF(classes));
	suite_add_tcase(s, tc);
	return s;
}
