/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_read.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "unit/check_all.h"

/* Write down what is visited: "path KIND text", one after another with "; ". */
static int note(void *ctx, struct slice path, enum json_event event,
		struct slice text)
{
	static const char *const kinds[] = {"null", "bool", "num", "str",
					    "{",    "}",    "[",   "]"};
	struct buf *notes = ctx;

	ck_assert_uint_eq(utf8_valid(path), path.len);
	ck_assert_uint_eq(utf8_valid(text), text.len);
	buf_addf(notes, "%s%.*s%s%s", notes->len ? "; " : "", SLICE_ARGS(path),
		 path.len ? " " : "", kinds[event]);
	if (event >= JSON_BOOL && event <= JSON_STRING) {
		buf_add_char(notes, ' ');
		buf_add_slice(notes, text);
	} else {
		ck_assert_uint_eq(text.len, 0);
	}
	return slice_eq(text, SLICE("refuse me")) ? -1 : 0;
}

static int read_text(struct slice text, struct buf *notes)
{
	/* Off the heap and without an end, so that a look beyond is seen. */
	char *copy = malloc(text.len ? text.len : 1);
	int status;

	ck_assert_ptr_nonnull(copy);
	if (text.len)
		memcpy(copy, text.p, text.len);
	buf_reset(notes);
	status = json_read(slice_of(copy, text.len), note, notes);
	free(copy);
	return status;
}

#define SERVICE                                                                \
	"{\"results\": {\"id\": \"x\"}, \"errors\": [{\"code\": 1}, "          \
	"{\"code\": 2}]}"

static const struct {
	const char *text, *notes;
} texts[] = {
	{"{}", "{; }"},
	{"[]", "[; ]"},
	{"null", "null"},
	{" true ", "bool true"},
	{"false", "bool false"},
	{"0", "num 0"},
	{"-12.50e+3", "num -12.50e+3"},
	{"\"\"", "str "},
	{SERVICE,
	 "{; results {; results.id str x; results }; errors [; errors[] {; "
	 "errors[].code num 1; errors[] }; errors[] {; errors[].code num 2; "
	 "errors[] }; errors ]; }"},
	{"[1,[2,[]],3]",
	 "[; [] num 1; [] [; [][] num 2; [][] [; [][] ]; [] ]; [] num 3; ]"},
	{"[[[1]]]", "[; [] [; [][] [; [][][] num 1; [][] ]; [] ]; ]"},
	{"{\"a\":[[{\"b\":[0]}],1],\"c\":2}",
	 "{; a [; a[] [; a[][] {; a[][].b [; a[][].b[] num 0; a[][].b ]; "
	 "a[][] }; a[] ]; a[] num 1; a ]; c num 2; }"},
	{"{\"a\":{\"b\":{}},\"c\":null}",
	 "{; a {; a.b {; a.b }; a }; c null; }"},
	{"{\"a\":1,\"a\":2}", "{; a num 1; a num 2; }"},
	{"{\"a\":{\"\":1}}", "{; a {; a. num 1; a }; }"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "str \"\\/\b\f\n\r\t"},
	{"\"\\u0041\\u00e9\\u20ac\\ud83d\\udce7\"",
	 "str A\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7"},
	{"\"\\uD83D\\uDCE7\"", "str \xf0\x9f\x93\xa7"},
	{"\"\xc3\xa9\xf0\x9f\x93\xa7\"", "str \xc3\xa9\xf0\x9f\x93\xa7"},
	{"123456789012345678901234567890",
	 "num 123456789012345678901234567890"},
	{"1e999999", "num 1e999999"},
};

START_TEST(json_read_visits_each_value_with_its_path)
{
	struct buf notes;

	buf_init(&notes, 10000);
	ck_assert_int_eq(read_text(slice_str(texts[_i].text), &notes), 0);
	ck_slice(buf_slice(&notes), texts[_i].notes);
	buf_release(&notes);
}
END_TEST

START_TEST(json_read_refuses_a_text_that_is_cut_short)
{
	struct slice text = slice_str(texts[_i].text);
	bool number = slice_find(SLICE("0123456789-"), text.p[0]) < 11;
	struct buf notes;

	text = slice_trim(text);
	buf_init(&notes, 10000);
	/* A number cut short may be a number. */
	for (size_t n = 0; n < text.len; n++)
		ck_assert_msg(read_text(slice_of(text.p, n), &notes) < 0 ||
				      (n && number),
			      "taken: %.*s", (int)n, text.p);
	buf_release(&notes);
}
END_TEST

static const struct slice faults[] = {
	{"", 0},
	{" ", 1},
	{"{} x", 4},
	{"{}{}", 4},
	{"{}\n{}", 5},
	{"1 2", 3},
	{"{}\0", 3},
	{"\0", 1},
	{"}", 1},
	{"]", 1},
	{"[}", 2},
	{"{]", 2},
	{"[1,]", 4},
	{"[,1]", 4},
	{"[1 2]", 5},
	{"{\"a\"}", 5},
	{"{\"a\":}", 6},
	{"{\"a\":1,}", 8},
	{"{a:1}", 5},
	{"{1:1}", 5},
	{"{'a':1}", 7},
	{"nul", 3},
	{"NULL", 4},
	{"True", 4},
	{"NaN", 3},
	{"Infinity", 8},
	{"-", 1},
	{"+1", 2},
	{"01", 2},
	{".5", 2},
	{"1.", 2},
	{"1e", 2},
	{"0x10", 4},
	{"/* c */ {}", 10},
	{"// c\n{}", 7},
	{"\"a\nb\"", 5},
	{"\"a\0b\"", 5},
	{"\"\x1f\"", 3},
	{"\"\\x41\"", 6},
	{"\"\\u12\"", 6},
	{"\"\\u12g4\"", 8},
	{"\"\\ud83d\\u12\"", 12},
	/* not UTF-8 */
	{"\"\xff\"", 3},
	{"\"\xc3\"", 3},
	{"\"\xc0\x80\"", 4},
	{"\"\xe0\x80\x80\"", 5},
	{"\"\xed\xa0\x80\"", 5},
	{"\"\xf4\x90\x80\x80\"", 6},
	{"{\"\xff\":1}", 7},
	{"{} \xff", 4},
	{"\xef\xbb\xbf{}", 5},
	{"\xff\xfe{\0}\0", 6},
};

START_TEST(json_read_refuses_what_is_not_json)
{
	struct buf notes;

	buf_init(&notes, 10000);
	ck_assert_int_eq(read_text(faults[_i], &notes), -1);
	buf_release(&notes);
}
END_TEST

/* Half pairs: what follows them is neither eaten nor read as an escape. */
static const struct {
	const char *text, *notes;
} halves[] = {
	{"\"\\ud83d\"", "str \xef\xbf\xbd"},
	{"\"\\udce7\"", "str \xef\xbf\xbd"},
	{"\"\\ud83dx\"", "str \xef\xbf\xbdx"},
	{"\"\\ud83d\xc3\xa9\"", "str \xef\xbf\xbd\xc3\xa9"},
	{"\"\\ud83d\\n\"", "str \xef\xbf\xbd\n"},
	{"\"\\ud83d\\\\\"", "str \xef\xbf\xbd\\"},
	{"\"\\ud83d\\\\u\"", "str \xef\xbf\xbd\\u"},
	{"\"\\ud83d\\\\uZZZZ\"", "str \xef\xbf\xbd\\uZZZZ"},
	{"\"\\ud83d\\u0041\"", "str \xef\xbf\xbd"
			       "A"},
	{"\"\\ud83d\\ud83d\\udce7\"", "str \xef\xbf\xbd\xf0\x9f\x93\xa7"},
	{"\"\\udce7\\ud83d\"", "str \xef\xbf\xbd\xef\xbf\xbd"},
	{"\"\\uD800\\uDBFF\\uDC00\\uDFFF\"",
	 "str \xef\xbf\xbd\xf4\x8f\xb0\x80\xef\xbf\xbd"},
	{"\"\\\\ud83d\"", "str \\ud83d"},
	{"{\"\\udce7\":\"\\ud83d\"}", "{; \xef\xbf\xbd str \xef\xbf\xbd; }"},
};

START_TEST(json_read_takes_half_a_surrogate_pair_for_a_replacement)
{
	struct buf notes;

	buf_init(&notes, 10000);
	ck_assert_int_eq(read_text(slice_str(halves[_i].text), &notes), 0);
	ck_slice(buf_slice(&notes), halves[_i].notes);
	buf_release(&notes);
}
END_TEST

static int count(void *ctx, struct slice path, enum json_event event,
		 struct slice text)
{
	(void)path;
	(void)event;
	(void)text;
	++*(size_t *)ctx;
	return 0;
}

static int read_nested(size_t depth, const char *open, const char *shut)
{
	struct buf text;
	size_t visited = 0;
	int status;

	buf_init(&text, 10000000);
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&text, open);
	buf_add_str(&text, "1");
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&text, shut);
	status = json_read(buf_slice(&text), count, &visited);
	ck_assert_uint_le(visited, 2 * JSON_READ_DEPTH + 1);
	buf_release(&text);
	return status;
}

START_TEST(json_read_bounds_the_depth)
{
	ck_assert_int_eq(read_nested(JSON_READ_DEPTH, "[", "]"), 0);
	ck_assert_int_eq(read_nested(JSON_READ_DEPTH + 1, "[", "]"), -1);
	ck_assert_int_eq(read_nested(JSON_READ_DEPTH, "{\"a\":", "}"), 0);
	ck_assert_int_eq(read_nested(JSON_READ_DEPTH + 1, "{\"a\":", "}"), -1);
	ck_assert_int_eq(read_nested(1000000, "[", ""), -1);
	ck_assert_int_eq(read_nested(1000000, "{\"a\":", ""), -1);
}
END_TEST

static int read_long_name(size_t len, const char *value)
{
	struct buf text;
	size_t visited = 0;
	int status;

	buf_init(&text, 10000);
	buf_add_str(&text, "{\"");
	for (size_t i = 0; i < len; i++)
		buf_add_char(&text, 'n');
	buf_addf(&text, "\":%s}", value);
	status = json_read(buf_slice(&text), count, &visited);
	buf_release(&text);
	return status;
}

START_TEST(json_read_bounds_the_path)
{
	ck_assert_int_eq(read_long_name(JSON_READ_PATH, "1"), 0);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH + 1, "1"), -1);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH - 2, "[1]"), 0);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH - 1, "[1]"), -1);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH, "[]"), 0);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH - 2, "{\"a\":1}"), 0);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH - 1, "{\"a\":1}"), -1);
	ck_assert_int_eq(read_long_name(JSON_READ_PATH, "{\"\":1}"), -1);
}
END_TEST

static const struct {
	const char *text, *last;
} refused[] = {
	{"[\"refuse me\",1]", "[; [] str refuse me"},
	{"{\"a\":{\"b\":\"refuse me\"}}", "{; a {; a.b str refuse me"},
};

START_TEST(json_read_stops_when_the_visitor_refuses)
{
	struct buf notes;

	buf_init(&notes, 1000);
	ck_assert_int_eq(read_text(slice_str(refused[_i].text), &notes), -1);
	ck_slice(buf_slice(&notes), refused[_i].last);
	buf_release(&notes);
}
END_TEST

static const struct {
	const char *text;
	int status;
	int64_t value;
} integers[] = {
	{"0", 0, 0},
	{"-0", 0, 0},
	{"1", 0, 1},
	{"-1", 0, -1},
	{"9223372036854775807", 0, INT64_MAX},
	{"9223372036854775808", -1, 0},
	{"-9223372036854775807", 0, -INT64_MAX},
	{"-9223372036854775808", 0, INT64_MIN},
	{"-9223372036854775809", -1, 0},
	{"18446744073709551616", -1, 0},
	{"123456789012345678901234567890", -1, 0},
	{"1.0", -1, 0},
	{"1e3", -1, 0},
	{"", -1, 0},
	{"-", -1, 0},
	{"--1", -1, 0},
};

START_TEST(json_read_int_reads_whole_numbers_that_fit)
{
	int64_t value = 77;

	ck_assert_int_eq(json_read_int(slice_str(integers[_i].text), &value),
			 integers[_i].status);
	ck_assert_int_eq(value, integers[_i].status ? 77 : integers[_i].value);
}
END_TEST

static int remember(void *ctx, struct slice path, enum json_event event,
		    struct slice text)
{
	if (event == JSON_STRING) {
		ck_slice(path, "k");
		buf_add_slice(ctx, text);
	}
	return 0;
}

START_TEST(json_read_gives_back_what_json_wrote)
{
	struct buf all, text, back;
	struct json *json;

	buf_init(&all, 10000);
	buf_init(&text, 100000);
	buf_init(&back, 10000);
	for (uint32_t code = 0; code < 0x300; code++)
		utf8_encode(code, &all);
	for (uint32_t code = 0xd700; code < 0x10ffff; code += 0x1ff)
		utf8_encode(code, &all);
	ck_assert(!all.overflow);
	json = json_new(&text);
	json_begin(json);
	json_str(json, "k", buf_slice(&all));
	json_end(json);
	json_line(json);
	json_free(&json);
	ck_assert_int_eq(json_read(buf_slice(&text), remember, &back), 0);
	ck_assert(slice_eq(buf_slice(&back), buf_slice(&all)));
	buf_release(&all);
	buf_release(&text);
	buf_release(&back);
}
END_TEST

Suite *json_read_suite(void)
{
	Suite *s = suite_create("json_read");
	TCase *tc = tcase_create("json_read");

	tcase_add_loop_test(tc, json_read_visits_each_value_with_its_path, 0,
			    NROF(texts));
	tcase_add_loop_test(tc, json_read_refuses_a_text_that_is_cut_short, 0,
			    NROF(texts));
	tcase_add_loop_test(tc, json_read_refuses_what_is_not_json, 0,
			    NROF(faults));
	tcase_add_loop_test(
		tc, json_read_takes_half_a_surrogate_pair_for_a_replacement, 0,
		NROF(halves));
	tcase_add_test(tc, json_read_bounds_the_depth);
	tcase_add_test(tc, json_read_bounds_the_path);
	tcase_add_loop_test(tc, json_read_stops_when_the_visitor_refuses, 0,
			    NROF(refused));
	tcase_add_loop_test(tc, json_read_int_reads_whole_numbers_that_fit, 0,
			    NROF(integers));
	tcase_add_test(tc, json_read_gives_back_what_json_wrote);
	suite_add_tcase(s, tc);
	return s;
}
