/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/answer.h"

#include "unit/check_all.h"

#define ID_BODY                                                                \
	"{\"results\":{\"id\":\"6d1c1b0e-8f7a-4d6e-9f0a-0123456789ab\"}}"

static const struct {
	int status;
	enum answer_kind with_id, without;
} statuses[] = {
	{0, ANSWER_RETRY, ANSWER_RETRY},
	{100, ANSWER_RETRY, ANSWER_RETRY},
	{200, ANSWER_ACCEPTED, ANSWER_NOT_SERVICE},
	{201, ANSWER_ACCEPTED, ANSWER_NOT_SERVICE},
	{202, ANSWER_ACCEPTED, ANSWER_NOT_SERVICE},
	{204, ANSWER_ACCEPTED, ANSWER_NOT_SERVICE},
	{299, ANSWER_ACCEPTED, ANSWER_NOT_SERVICE},
	{300, ANSWER_CONFIG, ANSWER_CONFIG},
	{301, ANSWER_CONFIG, ANSWER_CONFIG},
	{302, ANSWER_CONFIG, ANSWER_CONFIG},
	{307, ANSWER_CONFIG, ANSWER_CONFIG},
	{308, ANSWER_CONFIG, ANSWER_CONFIG},
	{400, ANSWER_REFUSED, ANSWER_REFUSED},
	{401, ANSWER_KEY, ANSWER_KEY},
	{402, ANSWER_RETRY, ANSWER_RETRY},
	{403, ANSWER_KEY, ANSWER_KEY},
	{404, ANSWER_CONFIG, ANSWER_CONFIG},
	{405, ANSWER_CONFIG, ANSWER_CONFIG},
	{406, ANSWER_CONFIG, ANSWER_CONFIG},
	{407, ANSWER_RETRY, ANSWER_RETRY},
	{408, ANSWER_RETRY, ANSWER_RETRY},
	{409, ANSWER_RETRY, ANSWER_RETRY},
	{413, ANSWER_REFUSED, ANSWER_REFUSED},
	{415, ANSWER_CONFIG, ANSWER_CONFIG},
	{420, ANSWER_SLOW_DOWN, ANSWER_SLOW_DOWN},
	{422, ANSWER_REFUSED, ANSWER_REFUSED},
	{429, ANSWER_SLOW_DOWN, ANSWER_SLOW_DOWN},
	{500, ANSWER_RETRY, ANSWER_RETRY},
	{502, ANSWER_RETRY, ANSWER_RETRY},
	{503, ANSWER_RETRY, ANSWER_RETRY},
	{504, ANSWER_RETRY, ANSWER_RETRY},
	{599, ANSWER_RETRY, ANSWER_RETRY},
	{999, ANSWER_RETRY, ANSWER_RETRY},
	{-1, ANSWER_RETRY, ANSWER_RETRY},
};

START_TEST(answer_each_status_means_what_the_table_says)
{
	struct answer answer;

	answer_read(statuses[_i].status, SLICE(ID_BODY), &answer);
	ck_assert_int_eq(answer.kind, statuses[_i].with_id);
	answer_read(statuses[_i].status, SLICE("{}"), &answer);
	ck_assert_int_eq(answer.kind, statuses[_i].without);
	answer_read(statuses[_i].status, slice_of(NULL, 0), &answer);
	ck_assert_int_eq(answer.kind, statuses[_i].without);
	ck_assert_str_eq(answer.words, "");
}
END_TEST

/* A 2xx counts only with the service's own JSON. */
static const struct {
	const char *body, *id; /* NULL: not accepted */
} bodies[] = {
	{ID_BODY, "6d1c1b0e-8f7a-4d6e-9f0a-0123456789ab"},
	{" {\"x\":[1,{}],\"results\":{\"n\":1,\"id\":\"a\"}}\r\n", "a"},
	{"{\"results\":{\"id\":\"a\"},\"errors\":[]}", "a"},
	{"", NULL},
	{"{}", NULL},
	{"[]", NULL},
	{"\"id\"", NULL},
	{"{\"results\":{}}", NULL},
	{"{\"results\":[{\"id\":\"a\"}]}", NULL},
	{"{\"results\":{\"id\":\"\"}}", NULL},
	{"{\"results\":{\"id\":null}}", NULL},
	{"{\"results\":{\"id\":7}}", NULL},
	{"{\"results\":{\"id\":{\"id\":\"a\"}}}", NULL},
	{"{\"results\":{\"id\":\"a b\"}}", NULL},
	{"{\"results\":{\"id\":\"a\\u0000b\"}}", NULL},
	{"{\"results\":{\"id\":\"../../etc\"}}", NULL},
	{"{\"results.id\":\"a\"}", NULL},
	{"{\"x\":{\"results\":{\"id\":\"a\"}}}", NULL},
	{"{\"id\":\"a\"}", NULL},
	{"{\"results\":{\"id\":\"a\"}", NULL},
	{"{\"results\":{\"id\":\"a\"}}x", NULL},
	{"{\"results\":{\"id\":\"a", NULL},
	{"{\"results\":{\"id\":\"\xff\"}}", NULL},
	{"<html><body>Please log in</body></html>", NULL},
};

START_TEST(answer_accepts_only_the_services_json)
{
	struct answer answer;

	answer_read(200, slice_str(bodies[_i].body), &answer);
	ck_assert_int_eq(answer.kind,
			 bodies[_i].id ? ANSWER_ACCEPTED : ANSWER_NOT_SERVICE);
	ck_assert_str_eq(answer.id, bodies[_i].id ? bodies[_i].id : "");
}
END_TEST

START_TEST(answer_takes_no_id_that_does_not_fit)
{
	struct answer answer;
	struct buf body;

	for (size_t n = ANSWER_ID - 2; n <= ANSWER_ID + 1; n++) {
		buf_init(&body, 1000);
		buf_add_str(&body, "{\"results\":{\"id\":\"");
		for (size_t i = 0; i < n; i++)
			buf_add_char(&body, 'a');
		buf_add_str(&body, "\"}}");
		answer_read(200, buf_slice(&body), &answer);
		ck_assert_int_eq(answer.kind, n < ANSWER_ID
						      ? ANSWER_ACCEPTED
						      : ANSWER_NOT_SERVICE);
		ck_assert_uint_eq(strlen(answer.id), n < ANSWER_ID ? n : 0);
		buf_release(&body);
	}
}
END_TEST

START_TEST(answer_survives_deep_and_huge_bodies)
{
	struct answer answer;
	struct buf body;

	buf_init(&body, 2 << 20);
	for (int i = 0; i < 100000; i++)
		buf_add_char(&body, '[');
	answer_read(200, buf_slice(&body), &answer);
	ck_assert_int_eq(answer.kind, ANSWER_NOT_SERVICE);
	ck_assert_uint_eq(strlen(answer.words), ANSWER_WORDS - 1);
	buf_reset(&body);
	buf_add_str(&body, "{\"pad\":\"");
	for (int i = 0; i < 1 << 20; i++)
		buf_add_char(&body, 'a');
	buf_add_str(&body, "\",\"results\":{\"id\":\"a\"}}");
	answer_read(200, buf_slice(&body), &answer);
	ck_assert_int_eq(answer.kind, ANSWER_NOT_SERVICE);
	buf_release(&body);
}
END_TEST

static const struct {
	int status;
	const char *body;
	enum answer_kind kind;
} codes[] = {
	{400, "{\"errors\":[{\"code\":\"1502\"}]}", ANSWER_RETRY},
	{400, "{\"errors\":[{\"code\":1502}]}", ANSWER_RETRY},
	{400, "{\"errors\":[{\"code\":1},{\"code\":1502}]}", ANSWER_RETRY},
	{400, "{\"errors\":[{\"code\":\"1200\"}]}", ANSWER_REFUSED},
	{400, "{\"errors\":[{\"code\":15020}]}", ANSWER_REFUSED},
	{400, "{\"errors\":[{\"code\":-1502}]}", ANSWER_REFUSED},
	{400, "{\"errors\":[{\"code\":null}]}", ANSWER_REFUSED},
	{400, "{\"errors\":{\"code\":1502}}", ANSWER_REFUSED},
	{400, "{\"errors\":[{\"code\":1502}]", ANSWER_REFUSED},
	{400, "1502", ANSWER_REFUSED},
	{401, "{\"errors\":[{\"code\":1502}]}", ANSWER_KEY},
	{422, "{\"errors\":[{\"code\":1502}]}", ANSWER_REFUSED},
};

START_TEST(answer_400_with_code_1502_is_worth_another_try)
{
	struct answer answer;

	answer_read(codes[_i].status, slice_str(codes[_i].body), &answer);
	ck_assert_int_eq(answer.kind, codes[_i].kind);
	ck_assert_str_eq(answer.id, "");
}
END_TEST

static const struct {
	const char *body, *words;
} words[] = {
	{"{\"errors\":[{\"message\":\"m\",\"description\":\"d\","
	 "\"code\":\"1400\"}]}",
	 "m: d"},
	{"{\"errors\":[{\"description\":\"d\",\"message\":\"m\"}]}", "m: d"},
	{"{\"errors\":[{\"message\":\"Unauthorized\"}]}", "Unauthorized"},
	{"{\"errors\":[{\"description\":\"d\"}]}", "d"},
	{"{\"errors\":[{\"message\":\"a\"},{\"message\":\"b\"}]}", "a"},
	{"{\"errors\":[{\"message\":\"a\\r\\n\\tb\\u0000c\\u0007\"}]}",
	 "a b c"},
	{"{\"errors\":[{\"message\":\"\\u009bx\"}]}", "?x"},
	{"{\"errors\":[{\"message\":\"gr\xc3\xbc\xc3\x9f\"}]}",
	 "gr\xc3\xbc\xc3\x9f"},
	{"{\"errors\":[{\"message\":7}]}", "7"},
	{"{\"errors\":[]}", "{\"errors\":[]}"},
	{"<html>\n<h1>502</h1>\n</html>\n", "<html> <h1>502</h1> </html>"},
	{"\xff\x01Oops", "? Oops"},
	{"", ""},
};

START_TEST(answer_words_are_the_first_errors_or_the_bodys_beginning)
{
	struct answer answer;

	answer_read(500, slice_str(words[_i].body), &answer);
	ck_assert_str_eq(answer.words, words[_i].words);
}
END_TEST

START_TEST(answer_words_are_cut_between_characters)
{
	struct answer answer;
	struct buf body;

	for (size_t pad = 0; pad < 3; pad++) {
		buf_init(&body, 4000);
		buf_add(&body, "xx", pad);
		for (int i = 0; i < 400; i++)
			buf_add_str(&body, "\xe2\x82\xac");
		answer_read(500, buf_slice(&body), &answer);
		ck_assert_uint_eq(strlen(answer.words),
				  (ANSWER_WORDS - 1 - pad) / 3 * 3 + pad);
		buf_release(&body);
	}
}
END_TEST

static const struct {
	const char *words, *want;
} masks[] = {
	{"550 <joe@example.com> unknown", "550 <...@example.com> unknown"},
	{"joe.blow+x@a.test, b@c.test", "...@a.test, ...@c.test"},
	{"\"joe blow\"@a.test", "...@a.test"},
	{"joe%40a.test", "...%40a.test"},
	{"a@b@c", "...@...@c"},
	{"j\xc3\xb6@a.test", "...@a.test"},
	{"mailto:joe@a.test", "mailto:...@a.test"},
	{"no address @ all", "no address @ all"},
	{"@", "@"},
	{"\"@", "...@"},
	{"nothing", "nothing"},
	{"", ""},
};

START_TEST(answer_mask_takes_the_person_out_of_addresses)
{
	char text[ANSWER_WORDS] = "";

	memcpy(text, masks[_i].words, strlen(masks[_i].words));
	answer_mask(text);
	ck_assert_str_eq(text, masks[_i].want);
}
END_TEST

START_TEST(answer_mask_of_full_words_stays_within_them)
{
	char text[ANSWER_WORDS];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '@' : 'a';
	text[sizeof(text) - 1] = '\0';
	answer_mask(text);
	ck_assert_uint_eq(strlen(text), ANSWER_WORDS - 1);
	ck_assert_ptr_null(strchr(text, 'a'));
}
END_TEST

Suite *answer_suite(void)
{
	Suite *s = suite_create("answer");
	TCase *tc = tcase_create("answer");

	tcase_add_loop_test(tc, answer_each_status_means_what_the_table_says, 0,
			    NROF(statuses));
	tcase_add_loop_test(tc, answer_accepts_only_the_services_json, 0,
			    NROF(bodies));
	tcase_add_test(tc, answer_takes_no_id_that_does_not_fit);
	tcase_add_test(tc, answer_survives_deep_and_huge_bodies);
	tcase_add_loop_test(tc, answer_400_with_code_1502_is_worth_another_try,
			    0, NROF(codes));
	tcase_add_loop_test(
		tc, answer_words_are_the_first_errors_or_the_bodys_beginning, 0,
		NROF(words));
	tcase_add_test(tc, answer_words_are_cut_between_characters);
	tcase_add_loop_test(tc, answer_mask_takes_the_person_out_of_addresses,
			    0, NROF(masks));
	tcase_add_test(tc, answer_mask_of_full_words_stays_within_them);
	suite_add_tcase(s, tc);
	return s;
}
