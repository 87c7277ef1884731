/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/memo.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/check_all.h"

static struct memo *memo;

static void setup(void)
{
	memo = memo_new();
}

static void teardown(void)
{
	memo_free(&memo);
	ck_assert_ptr_null(memo);
}

static struct memo_entry *find(uint64_t which, const char *a, const char *b,
			       const char *c)
{
	const struct slice parts[] = {slice_str(a), slice_str(b), slice_str(c)};

	return memo_find(memo, which, parts, 3);
}

START_TEST(memo_knows_what_came_twice)
{
	struct memo_entry *entry;

	ck_assert_ptr_null(find(1, "From", "", "Subject"));
	entry = find(1, "From", "", "Subject");
	ck_assert_ptr_nonnull(entry);
	ck_assert(!entry->has_from && !entry->has_mapped && !entry->json_len);
	entry->json_len = 3;
	ck_assert_ptr_eq(find(1, "From", "", "Subject"), entry);
	ck_assert_uint_eq(entry->json_len, 3);
}
END_TEST

/* Where one text ends and the next begins is part of what is compared. */
START_TEST(memo_tells_texts_apart)
{
	static const char *const texts[][3] = {
		{"ab", "c", ""},
		{"a", "bc", ""},
		{"", "abc", ""},
		{"abc", "", ""},
		{"abd", "", ""},
		{"abcdefgh", "", ""},
		{"abcdefgi", "", ""},
		{"abcdefghi", "", ""},
		{"abcdefgh-abcdefgh-x-abcdefgh-abcdefgh", "", ""},
		{"abcdefgh-abcdefgh-y-abcdefgh-abcdefgh", "", ""},
		{"abcdefgh-abXdefgh-x-abcdefgh-abcdefgh", "", ""},
	};
	enum { COUNT = sizeof(texts) / sizeof(texts[0]) };

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT * 2; i++) {
			const char *const *t = texts[i % COUNT];
			struct memo_entry *entry;

			find(1 + i / COUNT, t[0], t[1], t[2]);
			entry = find(1 + i / COUNT, t[0], t[1], t[2]);
			ck_assert_ptr_nonnull(entry);
			/* Else it is another text's. */
			ck_assert(!entry->json_len || entry->from == (size_t)i);
			entry->from = (size_t)i;
			entry->json_len = 1;
		}
	}
}
END_TEST

/* Thousands of texts, each once: what is shared stays. */
START_TEST(memo_keeps_what_is_shared)
{
	struct memo_entry *entry;
	char subject[40];

	find(1, "From", "", "Newsletter");
	entry = find(1, "From", "", "Newsletter");
	ck_assert_ptr_nonnull(entry);
	for (int i = 0; i < 100000; i++) {
		snprintf(subject, sizeof(subject), "Your order %d is here", i);
		ck_assert_ptr_null(find(1, "From", "", subject));
	}
	ck_assert_ptr_eq(find(1, "From", "", "Newsletter"), entry);
}
END_TEST

START_TEST(memo_has_no_long_texts)
{
	char *text = malloc(MEMO_KEY + 2);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', MEMO_KEY + 1);
	text[MEMO_KEY + 1] = '\0';
	ck_assert_ptr_null(find(1, text, "", ""));
	ck_assert_ptr_null(find(1, text, "", ""));
	text[MEMO_KEY] = '\0';
	ck_assert_ptr_null(find(1, text, "", ""));
	ck_assert_ptr_nonnull(find(1, text, "", ""));
	free(text);
}
END_TEST

Suite *memo_suite(void)
{
	Suite *s = suite_create("memo");
	TCase *tc = tcase_create("memo");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, memo_knows_what_came_twice);
	tcase_add_test(tc, memo_tells_texts_apart);
	tcase_add_test(tc, memo_keeps_what_is_shared);
	tcase_add_test(tc, memo_has_no_long_texts);
	suite_add_tcase(s, tc);
	return s;
}
