/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/digest.h"

#include "unit/check_all.h"

/*
 * The values are written out: the ids of events depend on them, and a version
 * that made others would count twice what an earlier one had sent.
 */

static struct slice repeated(void)
{
	static char x[300];

	memset(x, 'x', sizeof(x));
	return slice_of(x, sizeof(x));
}

START_TEST(digest_of_bytes_never_changes)
{
	static const struct {
		struct slice bytes;
		uint64_t hi, lo;
	} rows[] = {
		{{NULL, 0}, 0x99aa06d3014798d8, 0x6001c324468d497f},
		{{"", 0}, 0x99aa06d3014798d8, 0x6001c324468d497f},
		{{"a", 1}, 0xa96faf705af16834, 0xe6c632b61e964e1f},
		{{"\0", 1}, 0xa6cd5e9392000f6a, 0xc44bdff4074eecdb},
		{{"d,2007-05-10 10:38:23-0400,user@example.com", 43},
		 0x7ea35aa75187681d,
		 0xe9e3409a81b374b2},
	};
	struct digest d;

	for (size_t i = 0; i < NROF(rows); i++) {
		d = digest_of(rows[i].bytes);
		ck_assert_uint_eq(d.hi, rows[i].hi);
		ck_assert_uint_eq(d.lo, rows[i].lo);
	}
	d = digest_of(repeated());
	ck_assert_uint_eq(d.hi, 0x125237ea2ad7bc7a);
	ck_assert_uint_eq(d.lo, 0xa5d1b4607dc83554);
}
END_TEST

START_TEST(digest_of_a_list_never_changes_and_tells_its_parts_apart)
{
	struct slice ab_c[] = {SLICE("ab"), SLICE("c")};
	struct slice a_bc[] = {SLICE("a"), SLICE("bc")};
	struct slice empty[] = {{NULL, 0}};
	struct slice eight[] = {SLICE("a"), SLICE("b"), SLICE("c"), SLICE("d"),
				SLICE("e"), SLICE("f"), SLICE("g"), SLICE("h")};

	ck_assert_uint_eq(digest_list(ab_c, 2).hi, 0xde87d2c272b918a6);
	ck_assert_uint_eq(digest_list(ab_c, 2).lo, 0xe809d31f49a84356);
	ck_assert_uint_eq(digest_list(a_bc, 2).lo, 0x6abc503a2aa0bdad);
	ck_assert_uint_eq(digest_list(empty, 1).lo, 0xaabe9acf44c07a05);
	ck_assert_uint_eq(digest_list(eight, 8).lo, 0xf0f681441a1ce0a9);
	ck_assert_uint_ne(digest_list(ab_c, 1).lo, digest_of(ab_c[0]).lo);
}
END_TEST

START_TEST(digest_mix_never_changes_and_sees_number_and_word)
{
	struct digest a = digest_of(SLICE("a"));
	struct digest m = digest_mix(a, 258, SLICE("delivery"));
	struct slice longest = SLICE("12345678901234567890123456789012");

	ck_assert_uint_eq(m.hi, 0x0fd75cb436be895c);
	ck_assert_uint_eq(m.lo, 0x8d22f3079a07ab48);
	ck_assert_uint_eq(digest_mix(a, 0, SLICE("")).lo, 0x7bd6db04e61ce5b7);
	ck_assert_uint_ne(digest_mix(a, 259, SLICE("delivery")).lo, m.lo);
	ck_assert_uint_ne(digest_mix(a, 258, SLICE("inband")).lo, m.lo);
	ck_assert_uint_ne(digest_mix(m, 258, SLICE("delivery")).lo, m.lo);
	ck_assert_uint_ne(digest_mix(a, 0, longest).lo,
			  digest_mix(a, 0, slice_of(longest.p, 31)).lo);
}
END_TEST

static const struct {
	struct digest d;
	const char *hex80, *hex64;
	uint64_t number;
} shown[] = {
	{{0, 0}, "00000000000000000000", "0000000000000000", 0},
	{{UINT64_MAX, UINT64_MAX},
	 "ffffffffffffffffffff",
	 "ffffffffffffffff",
	 INT64_MAX},
	{{0x0123456789abcdef, 0xfedcba9876543210},
	 "cdeffedcba9876543210",
	 "fedcba9876543210",
	 0x7f6e5d4c3b2a1908},
	{{1, 1}, "00010000000000000001", "0000000000000001", 0},
};

START_TEST(digest_is_shown_in_full_length)
{
	char hex80[DIGEST_HEX80], hex64[DIGEST_HEX64];

	digest_hex80(shown[_i].d, hex80);
	digest_hex64(shown[_i].d, hex64);
	ck_assert_str_eq(hex80, shown[_i].hex80);
	ck_assert_str_eq(hex64, shown[_i].hex64);
	ck_assert_uint_eq(strlen(hex80), 20);
	ck_assert_uint_eq(digest_63(shown[_i].d), shown[_i].number);
}
END_TEST

static const struct {
	const char *bytes, *base64;
} hidden[] = {
	{"", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
	{"abc", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
	{"user@example.com", "Y6cQVpJhoks3ZidbcADOjXsy4vc="},
};

START_TEST(digest_sha1_base64_gives_the_known_values)
{
	char text[DIGEST_SHA1_BASE64];

	digest_sha1_base64(slice_str(hidden[_i].bytes), text);
	ck_assert_str_eq(text, hidden[_i].base64);
}
END_TEST

Suite *digest_suite(void)
{
	Suite *s = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_test(tc, digest_of_bytes_never_changes);
	tcase_add_test(
		tc, digest_of_a_list_never_changes_and_tells_its_parts_apart);
	tcase_add_test(tc, digest_mix_never_changes_and_sees_number_and_word);
	tcase_add_loop_test(tc, digest_is_shown_in_full_length, 0, NROF(shown));
	tcase_add_loop_test(tc, digest_sha1_base64_gives_the_known_values, 0,
			    NROF(hidden));
	suite_add_tcase(s, tc);
	return s;
}
