/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/check_all.h"

static struct buf out;
static struct json *json;

static void setup(void)
{
	buf_init(&out, 100000);
	json = json_new(&out);
}

static void teardown(void)
{
	json_free(&json);
	ck_assert_ptr_null(json);
	json_free(&json);
	buf_release(&out);
}

START_TEST(json_writes_every_kind_of_member)
{
	json_begin(json);
	json_str(json, "str", SLICE("x"));
	json_str(json, "none", slice_of(NULL, 0));
	json_int(json, "low", INT64_MIN);
	json_int(json, "high", INT64_MAX);
	json_uint(json, "most", UINT64_MAX);
	json_uint_named(json, SLICE("a\"b"), 0);
	json_milli(json, "third", 333);
	json_milli(json, "more", 12050);
	json_milli(json, "less", -1);
	json_bool(json, "yes", true);
	json_bool(json, "no", false);
	json_begin_in(json, "in");
	json_end(json);
	json_array_in(json, "list");
	json_item(json, SLICE("a"));
	json_item(json, SLICE("b"));
	json_begin(json);
	json_int(json, "n", -1);
	json_end(json);
	json_array_end(json);
	json_array_in(json, "empty");
	json_array_end(json);
	json_end(json);
	json_line(json);
	ck_slice(buf_slice(&out),
		 "{\"str\":\"x\",\"none\":\"\",\"low\":-9223372036854775808,"
		 "\"high\":9223372036854775807,\"most\":18446744073709551615,"
		 "\"a\\\"b\":0,\"third\":0.333,\"more\":12.050,"
		 "\"less\":-0.001,\"yes\":true,\"no\":false,\"in\":{},"
		 "\"list\":[\"a\",\"b\",{\"n\":-1}],\"empty\":[]}\n");
}
END_TEST

START_TEST(json_writes_one_text_after_another)
{
	for (int i = 0; i < 3; i++) {
		json_begin(json);
		json_int(json, "i", i);
		json_end(json);
		json_line(json);
	}
	ck_slice(buf_slice(&out), "{\"i\":0}\n{\"i\":1}\n{\"i\":2}\n");
}
END_TEST

static const struct {
	struct slice value;
	const char *want;
} escapes[] = {
	{{"\"", 1}, "\\\""},
	{{"\\", 1}, "\\\\"},
	{{"/", 1}, "/"},
	{{"\0", 1}, "\\u0000"},
	{{"\b\f\n\r\t", 5}, "\\b\\f\\n\\r\\t"},
	{{"\x01\x0b\x1f", 3}, "\\u0001\\u000B\\u001F"},
	{{"\x7f", 1}, "\x7f"},
	{{"a\0b", 3}, "a\\u0000b"},
	{{"\xe2\x80\xa8\xe2\x80\xa9", 6}, "\xe2\x80\xa8\xe2\x80\xa9"},
	{{"\xc2\x80", 2}, "\xc2\x80"},
	{{"na\xc3\xafve \xf0\x9f\x93\xa7", 11},
	 "na\xc3\xafve \xf0\x9f\x93\xa7"},
	{{"<script>&'", 10}, "<script>&'"},
};

START_TEST(json_escapes_what_json_wants_and_nothing_else)
{
	struct buf want;

	buf_init(&want, 1000);
	buf_addf(&want, "{\"k\":\"%s\"}", escapes[_i].want);
	json_begin(json);
	json_str(json, "k", escapes[_i].value);
	json_end(json);
	ck_slice(buf_slice(&out), buf_str(&want));
	buf_release(&want);
}
END_TEST

START_TEST(json_leaves_no_control_character_in_its_text)
{
	json_begin(json);
	for (int c = 0; c < 0x20; c++)
		json_str(json, "k", slice_of((char[]){(char)c}, 1));
	json_end(json);
	for (size_t i = 0; i < out.len; i++)
		ck_assert_int_ge((unsigned char)out.p[i], 0x20);
}
END_TEST

/* Whatever the maximum is, either all was written or the buffer says no. */
START_TEST(json_that_does_not_fit_sets_overflow)
{
	size_t whole = 0;

	for (size_t max = 100; max <= 100; max--) {
		struct buf small;
		struct json *j;

		buf_init(&small, max);
		j = json_new(&small);
		json_begin(j);
		json_str(j, "a", SLICE("b\nc"));
		json_begin_in(j, "d");
		json_uint(j, "e", 12345);
		json_end(j);
		json_end(j);
		json_line(j);
		if (!whole)
			whole = small.len;
		ck_assert_int_eq(small.overflow, max < whole);
		ck_assert_uint_le(small.len, max);
		json_free(&j);
		buf_release(&small);
	}
	ck_assert_uint_gt(whole, 20);
}
END_TEST

START_TEST(json_goes_on_after_an_overflow_and_a_reset)
{
	struct buf small;
	struct json *j;

	buf_init(&small, 8);
	j = json_new(&small);
	json_begin(j);
	json_str(j, "name", SLICE("much too long"));
	json_end(j);
	json_line(j);
	ck_assert(small.overflow);
	buf_reset(&small);
	json_begin(j);
	json_uint(j, "a", 1);
	json_end(j);
	json_line(j);
	ck_assert(!small.overflow);
	ck_slice(buf_slice(&small), "{\"a\":1}\n");
	json_free(&j);
	buf_release(&small);
}
END_TEST

/* The three below end in an assertion. */
START_TEST(json_refuses_an_end_too_many)
{
	close(STDERR_FILENO);
	json_begin(json);
	json_end(json);
	json_end(json);
}
END_TEST

START_TEST(json_refuses_a_line_within_an_object)
{
	close(STDERR_FILENO);
	json_begin(json);
	json_line(json);
}
END_TEST

START_TEST(json_refuses_a_second_text_on_a_line)
{
	close(STDERR_FILENO);
	json_begin(json);
	json_end(json);
	json_begin(json);
}
END_TEST

Suite *json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");
	const char *fork = getenv("CK_FORK");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, json_writes_every_kind_of_member);
	tcase_add_test(tc, json_writes_one_text_after_another);
	tcase_add_loop_test(tc, json_escapes_what_json_wants_and_nothing_else,
			    0, NROF(escapes));
	tcase_add_test(tc, json_leaves_no_control_character_in_its_text);
	tcase_add_test(tc, json_that_does_not_fit_sets_overflow);
	tcase_add_test(tc, json_goes_on_after_an_overflow_and_a_reset);
	if (!fork || strcmp(fork, "no") != 0) {
		tcase_add_test_raise_signal(tc, json_refuses_an_end_too_many,
					    SIGABRT);
		tcase_add_test_raise_signal(
			tc, json_refuses_a_line_within_an_object, SIGABRT);
		tcase_add_test_raise_signal(
			tc, json_refuses_a_second_text_on_a_line, SIGABRT);
	}
	suite_add_tcase(s, tc);
	return s;
}
