/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/safe_job_id.h"

#include "base/utf8.h"
#include "unit/check_all.h"

static const struct {
	const char *text, *safe;
} names[] = {
	{"", ""},
	{"spring-2024", "spring-2024"},
	{"Spring sale", "Spring_sale"},
	{"say \"hi\"", "say__hi_"},
	{"`id`", "_id_"},
	{"a\tb\nc\r\n", "a_b_c__"},
	{"it's {a|b}~!#$%&", "it's_{a|b}~!#$%&"},
	{"\x7f", "_"},
	{"caf\xc3\xa9", "caf_"},
	{"\xe2\x82\xac"
	 "5",
	 "_5"},
	{"\xf0\x9f\x98\x80!", "_!"},
	{"\xff\xfe", "__"},
	{"\xc3", "_"},
	{"\xe2\x82", "__"},
	{"\xc0\x80", "__"},
};

START_TEST(each_character_that_is_not_safe_becomes_one_underscore)
{
	struct buf out;

	buf_init(&out, 100);
	safe_job_id_add(slice_str(names[_i].text), &out);
	ck_slice(buf_slice(&out), names[_i].safe);
	buf_release(&out);
}
END_TEST

START_TEST(of_latin_1_92_characters_stay)
{
	unsigned int stay = 0, replaced = 0;
	struct buf in, out;

	buf_init(&in, 8);
	buf_init(&out, 8);
	for (uint32_t c = 0x20; c <= 0xff; c++) {
		buf_reset(&in);
		buf_reset(&out);
		utf8_encode(c, &in);
		safe_job_id_add(buf_slice(&in), &out);
		ck_assert_uint_eq(out.len, 1);
		/* "_" itself stays. */
		if (slice_eq(buf_slice(&in), buf_slice(&out)))
			stay++;
		else if (out.p[0] == '_')
			replaced++;
	}
	ck_assert_uint_eq(stay, 92);
	ck_assert_uint_eq(replaced, 132);
	buf_release(&in);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *text, *safe;
} lines[] = {
	{"a b\nc d\n", "a_b\nc_d\n"},
	{"a b\r\nc d\r\n", "a_b\r\nc_d\r\n"},
	{"no end", "no_end"},
	{"a\rb\n", "a_b\n"},
	{"a\r", "a_"},
	{"\n\n", "\n\n"},
	{"\xe2\x82\xac\n\xc3\xa9", "_\n_"},
	{"\xe2\x82\n", "__\n"},
	{"\xf0\x9f\x98", "___"},
	{"\xe2\xc3\xa9", "__"},
};

/* However the text is cut into pieces. */
START_TEST(filter_keeps_line_ends_in_pieces_of_any_size)
{
	struct slice text = slice_str(lines[_i].text);

	for (size_t piece = 1; piece <= text.len + 1; piece++) {
		size_t done = 0, have = 0;
		struct buf out;

		buf_init(&out, 100);
		while (done < text.len) {
			bool final = have >= text.len;

			done += safe_job_id_lines(
				slice_of(text.p + done, have - done), final,
				&out);
			ck_assert_uint_lt(have - done, 4);
			have = have + piece > text.len ? text.len
						       : have + piece;
		}
		ck_slice(buf_slice(&out), lines[_i].safe);
		buf_release(&out);
	}
}
END_TEST

START_TEST(whole_line_is_never_held_back)
{
	struct buf out;

	buf_init(&out, 100);
	ck_assert_uint_eq(safe_job_id_lines(SLICE("one\n"), false, &out), 4);
	ck_assert_uint_eq(safe_job_id_lines(SLICE("two\r\n"), false, &out), 5);
	ck_slice(buf_slice(&out), "one\ntwo\r\n");
	buf_release(&out);
}
END_TEST

Suite *safe_job_id_suite(void)
{
	Suite *s = suite_create("safe_job_id");
	TCase *tc = tcase_create("safe_job_id");

	tcase_add_loop_test(
		tc, each_character_that_is_not_safe_becomes_one_underscore, 0,
		NROF(names));
	tcase_add_test(tc, of_latin_1_92_characters_stay);
	tcase_add_loop_test(tc, filter_keeps_line_ends_in_pieces_of_any_size, 0,
			    NROF(lines));
	tcase_add_test(tc, whole_line_is_never_held_back);
	suite_add_tcase(s, tc);
	return s;
}
