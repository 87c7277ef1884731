/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/mime.h"

#include "base/utf8.h"
#include "unit/check_all.h"

static const struct {
	const char *text, *want;
} cases[] = {
	{"plain", "plain"},
	{"=?utf-8?Q?J=C3=B6rg?=", "J\xc3\xb6rg"},
	{"=?UTF-8?b?SsO2cmc=?=", "J\xc3\xb6rg"},
	{"=?utf-8?q?a_b=5Fc?=", "a b_c"},
	{"=?utf-8?q?"
	 "?=",
	 ""},
	{"x =?utf-8?q?a?= y", "x a y"},
	{"x=?utf-8?q?a?=y", "xay"},
	{"=?utf-8*en?q?a?=", "a"},
	/* blanks between words vanish, and only there */
	{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
	{"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"},
	{"=?utf-8?q?a?= =?iso-8859-1?q?=E9?=", "a\xc3\xa9"},
	{"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
	{" =?utf-8?q?a?= ", " a "},
	/* a character cut in two */
	{"=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "\xc3\xb6"},
	{"=?utf-8?b?ww==?= =?UTF-8?b?tg==?=", "\xc3\xb6"},
	/* character sets */
	{"=?iso-8859-1?q?=E4=80?=", "\xc3\xa4\xc2\x80"},
	{"=?ISO-8859-15?q?=A4=E4?=", "\xe2\x82\xac\xc3\xa4"},
	{"=?windows-1252?q?=80=93=E4=81?=",
	 "\xe2\x82\xac\xe2\x80\x9c\xc3\xa4\xef\xbf\xbd"},
	{"=?us-ascii?q?a=80?=", "a\xef\xbf\xbd"},
	{"=?koi8-r?q?=F0?=", "\xd0\x9f"},
	{"=?iso-8859-2?q?=B1?=", "\xc4\x85"},
	{"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
	{"=?shift_jis?b?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
	{"=?shift_jis?b?k/qW?=", "\xe6\x97\xa5\xef\xbf\xbd"},
	{"=?euc-jp?q?=FF=41?=", "\xef\xbf\xbd"
				"A"},
	/* unknown or broken: as it is */
	{"=?x-unknown?q?a?=", "=?x-unknown?q?a?="},
	{"=?x-unknown?q?a?= =?x-unknown?q?b?=",
	 "=?x-unknown?q?a?= =?x-unknown?q?b?="},
	{"=?utf-8//IGNORE?q?a?=", "=?utf-8//IGNORE?q?a?="},
	{"=?../../x?q?a?=", "=?../../x?q?a?="},
	{"=?utf-8?x?a?=", "=?utf-8?x?a?="},
	{"=?utf-8?q?a", "=?utf-8?q?a"},
	{"=?utf-8?q?a?", "=?utf-8?q?a?"},
	{"=?", "=?"},
	{"=?utf-8", "=?utf-8"},
	{"=?"
	 "?q?a?=",
	 "=?"
	 "?q?a?="},
	{"= = =?= ?=", "= = =?= ?="},
	{"=?utf-8?q?=4?= =?utf-8?q?=zz=?=", "=4=zz="},
	{"=?utf-8?b?SsO2cmc?=", "J\xc3\xb6rg"},
	{"=?utf-8?b?S!sO2 cmc=?=", "J\xc3\xb6rg"},
	/* folded lines */
	{"a\r\n b", "a b"},
	{"a\n\tb", "a\tb"},
	{"a\nb", "a\nb"},
};

START_TEST(mime_decode_of)
{
	struct charset charset;
	struct buf spare, out;

	charset_init(&charset);
	buf_init(&spare, 10000);
	buf_init(&out, 10000);
	/* Twice: what is kept of a character set must not have a memory. */
	for (int i = 0; i < 2; i++) {
		buf_reset(&out);
		mime_decode(&charset, slice_str(cases[_i].text), &spare, &out);
		ck_slice(buf_slice(&out), cases[_i].want);
	}
	buf_release(&spare);
	buf_release(&out);
	charset_release(&charset);
}
END_TEST

START_TEST(mime_encoded_says_whether_there_is_anything_to_do)
{
	ck_assert(!mime_encoded(SLICE("")));
	ck_assert(!mime_encoded(SLICE("a=b ?= c=")));
	ck_assert(mime_encoded(SLICE("a =?")));
	ck_assert(mime_encoded(SLICE("a\n b")));
}
END_TEST

START_TEST(charset_asks_iconv_for_a_bounded_number)
{
	struct charset charset;
	struct buf out;
	int known = 0;

	charset_init(&charset);
	buf_init(&out, 10000);
	for (int i = 1; i <= CHARSET_OPENS + 4; i++) {
		struct buf name;

		buf_init(&name, 20);
		buf_addf(&name, "x-none-%d", i);
		ck_assert_int_eq(charset_decode(&charset, buf_slice(&name),
						SLICE("a"), &out),
				 -1);
		buf_release(&name);
	}
	known += charset_decode(&charset, SLICE("koi8-r"), SLICE("a"), &out);
	ck_assert_int_eq(known, -1);
	charset_reset(&charset);
	known = charset_decode(&charset, SLICE("koi8-r"), SLICE("a"), &out);
	ck_assert_int_eq(known, 0);
	ck_slice(buf_slice(&out), "a");
	buf_release(&out);
	charset_release(&charset);
}
END_TEST

static const char *const hostile[] = {
	"=?", "=?a?q?x", "=?utf-8?q?x?=", "=?x?q?y?=", "?=", "=", "\r\n "};

START_TEST(mime_stays_linear_on_hostile_text)
{
	enum { SIZE = 1 << 20 };
	struct charset charset;
	struct buf text, spare, out;

	charset_init(&charset);
	buf_init(&text, SIZE + 16);
	buf_init(&spare, 8 * SIZE);
	buf_init(&out, 8 * SIZE);
	while (text.len < SIZE)
		buf_add_str(&text, hostile[_i]);
	mime_decode(&charset, buf_slice(&text), &spare, &out);
	ck_assert_uint_eq(utf8_valid(buf_slice(&out)), out.len);
	buf_release(&text);
	buf_release(&spare);
	buf_release(&out);
	charset_release(&charset);
}
END_TEST

Suite *mime_suite(void)
{
	Suite *s = suite_create("mime");
	TCase *tc = tcase_create("mime");

	tcase_add_loop_test(tc, mime_decode_of, 0, NROF(cases));
	tcase_add_test(tc, mime_encoded_says_whether_there_is_anything_to_do);
	tcase_add_test(tc, charset_asks_iconv_for_a_bounded_number);
	tcase_add_loop_test(tc, mime_stays_linear_on_hostile_text, 0,
			    NROF(hostile));
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
