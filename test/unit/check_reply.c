/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/reply.h"

#include "unit/check_all.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
enum { NOVEMBER = 784111777 };

static const struct {
	const char *value;
	int64_t now_s, want;
} retry[] = {
	{"0", 0, 0},
	{"120", 0, 120},
	{" 7 ", 0, 7},
	{"86400", 0, 86400},
	{"86401", 0, 86400},
	{"18446744073709551615", 0, 86400},
	{"99999999999999999999999", 0, -1},
	{"-5", 0, -1},
	{"+5", 0, -1},
	{"1.5", 0, -1},
	{"soon", 0, -1},
	{"", 0, -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER - 90, 90},
	{"Sunday, 06-Nov-94 08:49:37 GMT", NOVEMBER - 90, 90},
	{"Sun Nov  6 08:49:37 1994", NOVEMBER - 90, 90},
	{"Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER, 0},
	{"Sun, 06 Nov 1994 08:49:37 GMT", NOVEMBER + 5, 0},
	{"Sun, 06 Nov 9994 08:49:37 GMT", NOVEMBER, 86400},
	{"Sun, 00 Nov 1994 08:49:37 GMT", NOVEMBER, -1},
	{"Sun, 32 Nov 1994 08:49:37 GMT", NOVEMBER, -1},
	{"Sun, 06 Nix 1994 08:49:37 GMT", NOVEMBER, -1},
	{"Sun, 06 Nov 1994 24:49:37 GMT", NOVEMBER, -1},
	{"Sun, 06 Nov 1994 08:60:37 GMT", NOVEMBER, -1},
	{"Sun, 06 Nov 1994 08:49:61 GMT", NOVEMBER, -1},
	{"Sun, 06 Nov 1994", NOVEMBER, -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT and much more than anybody would ever "
	 "want to read here",
	 NOVEMBER, -1},
};

START_TEST(reply_compares_dates_of_one_clock)
{
	struct reply reply;

	reply_init(&reply, 10);
	reply_header(&reply, SLICE("HTTP/1.1 503 Away\r\n"));
	reply_header(&reply, SLICE("Date: Sun, 06 Nov 1994 08:49:30 GMT\r\n"));
	reply_header(&reply,
		     SLICE("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	ck_assert_int_eq(reply_retry_after(&reply, NOVEMBER - 3600), 7);
	ck_assert_int_eq(reply_retry_after(&reply, NOVEMBER + 3600), 7);
	reply_header(&reply, SLICE("HTTP/1.1 503 Away\r\n"));
	reply_header(&reply, SLICE("Date: yesterday\r\n"));
	reply_header(&reply,
		     SLICE("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	ck_assert_int_eq(reply_retry_after(&reply, NOVEMBER - 90), 90);
	reply_release(&reply);
}
END_TEST

START_TEST(reply_reads_both_forms_of_retry_after)
{
	struct reply reply;
	struct buf line;

	buf_init(&line, 400);
	buf_addf(&line, "retry-AFTER:%s\r\n", retry[_i].value);
	reply_init(&reply, 10);
	reply_header(&reply, SLICE("HTTP/1.1 429 Slow\r\n"));
	reply_header(&reply, buf_slice(&line));
	ck_assert_int_eq(reply_retry_after(&reply, retry[_i].now_s),
			 retry[_i].want);
	reply_release(&reply);
	buf_release(&line);
}
END_TEST

static const struct {
	const char *head, *length;
	size_t body;
	int status, complete;
} heads[] = {
	{"HTTP/1.1 200 OK\r\n", "Content-Length: 3\r\n", 3, 200, 1},
	{"HTTP/1.1 200 OK\r\n", "Content-Length: 3\r\n", 2, 200, 0},
	{"HTTP/1.1 200 OK\r\n", "Content-Length: x\r\n", 3, 200, 0},
	{"HTTP/1.1 200 OK\r\n", "X: 3\r\n", 3, 200, 0},
	{"HTTP/2 413\r\n", "content-length: 0\r\n", 0, 413, 1},
	{"HTTP/1.1 204 No\r\n", "X: y\r\n", 0, 204, 1},
	{"HTTP/1.1 100 Continue\r\n", "Content-Length: 0\r\n", 0, 100, 0},
	{"HTTP/1.1 abc\r\n", "Content-Length: 0\r\n", 0, 0, 0},
};

START_TEST(reply_knows_when_all_of_it_has_come)
{
	struct reply reply;

	reply_init(&reply, 2);
	reply_header(&reply, slice_str(heads[_i].head));
	reply_header(&reply, slice_str(heads[_i].length));
	ck_assert(!reply_complete(&reply));
	reply_header(&reply, SLICE("\r\n"));
	reply_body(&reply, "abc", heads[_i].body);
	ck_assert_int_eq(reply.status, heads[_i].status);
	ck_assert_int_eq(reply_complete(&reply), heads[_i].complete);
	ck_assert_uint_le(reply.body.len, 2);
	reply_release(&reply);
}
END_TEST

START_TEST(reply_begins_anew_with_each_status_line)
{
	struct reply reply;

	reply_init(&reply, 10);
	reply_header(&reply, SLICE("HTTP/1.1 429 x\r\n"));
	reply_header(&reply, SLICE("Retry-After: 5\r\n"));
	reply_header(&reply, SLICE("Content-Length: 0\r\n"));
	reply_header(&reply, SLICE("\r\n"));
	reply_header(&reply, SLICE("HTTP/1.1 200 y\r\n"));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(reply_retry_after(&reply, 0), -1);
	ck_assert(!reply_complete(&reply));
	reply_release(&reply);
}
END_TEST

START_TEST(reply_hides_the_key_wherever_it_is_shown)
{
	struct reply reply;

	reply_init(&reply, 100);
	reply_hide(&reply, "k3y");
	reply_body(&reply, "k3y: a k3yk3y k3", 16);
	reply_hide(&reply, "k3y");
	ck_slice(buf_slice(&reply.body), "xxx: a xxxxxx k3");
	reply_hide(&reply, "");
	ck_slice(buf_slice(&reply.body), "xxx: a xxxxxx k3");
	reply_release(&reply);
}
END_TEST

START_TEST(reply_names_the_certificate_that_does_not_hold)
{
	ck_slice(reply_error("gone", "code", false), "gone");
	ck_slice(reply_error("", "code", false), "code");
	ck_slice(reply_error("gone", "code", true), "code");
	ck_slice(reply_error("a certificate", "code", true), "a certificate");
}
END_TEST

Suite *reply_suite(void)
{
	Suite *s = suite_create("reply");
	TCase *tc = tcase_create("reply");

	tcase_add_test(tc, reply_compares_dates_of_one_clock);
	tcase_add_loop_test(tc, reply_reads_both_forms_of_retry_after, 0,
			    NROF(retry));
	tcase_add_loop_test(tc, reply_knows_when_all_of_it_has_come, 0,
			    NROF(heads));
	tcase_add_test(tc, reply_begins_anew_with_each_status_line);
	tcase_add_test(tc, reply_hides_the_key_wherever_it_is_shown);
	tcase_add_test(tc, reply_names_the_certificate_that_does_not_hold);
	suite_add_tcase(s, tc);
	return s;
}
