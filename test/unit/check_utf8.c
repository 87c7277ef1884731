/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/utf8.h"

#include "unit/check_all.h"

#define R "\xef\xbf\xbd" /* U+FFFD */

/* Unicode, table 3-7: each row's first and last, and what lies just beyond. */
static const struct {
	const char *text;
	size_t n;
} chars[] = {
	{"\x7f", 1},
	{"\x80", 0},
	{"\xbf", 0},
	{"\xc0\x80", 0},
	{"\xc1\xbf", 0},
	{"\xc2\x7f", 0},
	{"\xc2\x80", 2},
	{"\xc2\xbf", 2},
	{"\xc2\xc0", 0},
	{"\xdf\x80", 2},
	{"\xdf\xbf", 2},
	{"\xe0\x9f\xbf", 0},
	{"\xe0\xa0\x80", 3},
	{"\xe0\xbf\xbf", 3},
	{"\xe0\xc0\x80", 0},
	{"\xe1\x7f\x80", 0},
	{"\xe1\x80\x80", 3},
	{"\xe1\x80\x7f", 0},
	{"\xe1\x80\xc0", 0},
	{"\xec\xbf\xbf", 3},
	{"\xed\x80\x80", 3},
	{"\xed\x9f\xbf", 3},
	{"\xed\xa0\x80", 0},
	{"\xed\xbf\xbf", 0},
	{"\xee\x80\x80", 3},
	{"\xef\xbf\xbf", 3},
	{"\xf0\x8f\xbf\xbf", 0},
	{"\xf0\x90\x80\x80", 4},
	{"\xf0\xbf\xbf\xbf", 4},
	{"\xf0\xc0\x80\x80", 0},
	{"\xf1\x80\x80\x80", 4},
	{"\xf1\x80\x7f\x80", 0},
	{"\xf1\x80\x80\x7f", 0},
	{"\xf3\xbf\xbf\xbf", 4},
	{"\xf4\x80\x80\x80", 4},
	{"\xf4\x8f\xbf\xbf", 4},
	{"\xf4\x90\x80\x80", 0},
	{"\xf5\x80\x80\x80", 0},
	{"\xf8\x88\x80\x80\x80", 0},
	{"\xfe", 0},
	{"\xff", 0},
	{"", 0},
	/* cut short */
	{"\xc2", 0},
	{"\xe1", 0},
	{"\xe1\x80", 0},
	{"\xf1", 0},
	{"\xf1\x80", 0},
	{"\xf1\x80\x80", 0},
};

START_TEST(utf8_char_follows_table_3_7)
{
	ck_assert_uint_eq(utf8_char(slice_str(chars[_i].text)), chars[_i].n);
}
END_TEST

START_TEST(utf8_nul_is_a_character)
{
	ck_assert_uint_eq(utf8_char(SLICE("\0")), 1);
	ck_assert_uint_eq(utf8_valid(SLICE("a\0b")), 3);
}
END_TEST

static const struct {
	const char *text, *want;
} repairs[] = {
	{"", ""},
	{"plain", "plain"},
	{"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x93\xa7",
	 "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x93\xa7"},
	{"\xff", R},
	{"a\xff", "a" R},
	{"\xff"
	 "a",
	 R "a"},
	{"\x80\x80\x80", R R R},
	{"\xc0\xaf", R R},
	{"\xed\xa0\x80", R R R},
	{"\xf0\x90\x80", R R R},
	{"\xf0\x90\x80"
	 "abcdefgh",
	 R R R "abcdefgh"},
	{"\xe2\x82", R R},
	{"\xe2\x82\xe2\x82\xac", R R "\xe2\x82\xac"},
	{"latin: caf\xe9 ol\xe9", "latin: caf" R " ol" R},
	{R, R},
};

START_TEST(utf8_repair_replaces_each_invalid_byte)
{
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(utf8_repair(slice_str(repairs[_i].text), &out), 0);
	ck_slice(buf_slice(&out), repairs[_i].want);
	ck_assert_uint_eq(utf8_valid(buf_slice(&out)), out.len);
	buf_release(&out);
}
END_TEST

START_TEST(utf8_repair_honours_the_maximum)
{
	struct buf out;

	buf_init(&out, 4);
	ck_assert_int_eq(utf8_repair(SLICE("ab\xff"), &out), -1);
	ck_assert(out.overflow);
	buf_reset(&out);
	ck_assert_int_eq(utf8_repair(SLICE("abcde"), &out), -1);
	ck_assert(out.overflow);
	buf_reset(&out);
	ck_assert_int_eq(utf8_repair(SLICE("a\xff"), &out), 0);
	ck_slice(buf_slice(&out), "a" R);
	buf_release(&out);
}
END_TEST

/* The fast path takes eight bytes at once: a fault at each place of them. */
START_TEST(utf8_valid_stops_at_the_first_fault)
{
	char text[40];

	for (size_t len = 0; len <= sizeof(text); len++) {
		for (size_t bad = 0; bad < len; bad++) {
			memset(text, 'x', sizeof(text));
			text[bad] = '\xff';
			ck_assert_uint_eq(utf8_valid(slice_of(text, len)), bad);
			memcpy(text + bad, "\xc3\xa9", bad + 1 < 40 ? 2 : 1);
			ck_assert_uint_eq(utf8_valid(slice_of(text, len)),
					  bad + 1 < len ? len : bad);
		}
	}
}
END_TEST

START_TEST(utf8_encode_makes_every_code_point)
{
	struct buf out;

	buf_init(&out, 4);
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		size_t want = code < 0x80      ? 1
			      : code < 0x800   ? 2
			      : code < 0x10000 ? 3
					       : 4;
		bool exists = code < 0xd800 || code > 0xdfff;

		buf_reset(&out);
		if (utf8_encode(code, &out) != 0 || out.len != want ||
		    utf8_char(buf_slice(&out)) != want ||
		    slice_eq(buf_slice(&out), SLICE(R)) !=
			    (!exists || code == 0xfffd))
			ck_abort_msg("U+%04X", (unsigned int)code);
	}
	buf_release(&out);
}
END_TEST

static const struct {
	uint32_t code;
	const char *want;
} codes[] = {
	{0x41, "A"},
	{0x7f, "\x7f"},
	{0x80, "\xc2\x80"},
	{0x7ff, "\xdf\xbf"},
	{0x800, "\xe0\xa0\x80"},
	{0x20ac, "\xe2\x82\xac"},
	{0xd7ff, "\xed\x9f\xbf"},
	{0xd800, R},
	{0xdfff, R},
	{0xe000, "\xee\x80\x80"},
	{0xffff, "\xef\xbf\xbf"},
	{0x10000, "\xf0\x90\x80\x80"},
	{0x1f4e7, "\xf0\x9f\x93\xa7"},
	{0x10ffff, "\xf4\x8f\xbf\xbf"},
	{0x110000, R},
	{UINT32_MAX, R},
};

START_TEST(utf8_encode_is_exact)
{
	struct buf out;

	buf_init(&out, 4);
	ck_assert_int_eq(utf8_encode(codes[_i].code, &out), 0);
	ck_slice(buf_slice(&out), codes[_i].want);
	buf_release(&out);
}
END_TEST

Suite *utf8_suite(void)
{
	Suite *s = suite_create("utf8");
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, utf8_char_follows_table_3_7, 0, NROF(chars));
	tcase_add_test(tc, utf8_nul_is_a_character);
	tcase_add_loop_test(tc, utf8_repair_replaces_each_invalid_byte, 0,
			    NROF(repairs));
	tcase_add_test(tc, utf8_repair_honours_the_maximum);
	tcase_add_test(tc, utf8_valid_stops_at_the_first_fault);
	tcase_add_test(tc, utf8_encode_makes_every_code_point);
	tcase_add_loop_test(tc, utf8_encode_is_exact, 0, NROF(codes));
	suite_add_tcase(s, tc);
	return s;
}
