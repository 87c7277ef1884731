/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/identity.h"

#include <stdio.h>

#include "unit/check_all.h"
#include "unit/shaping.h"

/*
 * Literal ids.  They are in SparkPost's books and in spools on disk: when one
 * of these tests fails, the program has begun to count mail twice.
 */

#define HEADER                                                                 \
	"type,timeLogged,timeQueued,orig,rcpt,jobId,envId,header_Message-Id,"  \
	"header_x-sp-message-id\n"

static const struct {
	const char *row;
	const char *message_id; /* of the row's own event */
	const char *event_id;
	const char *reception_id; /* NULL: none is made */
} pinned[] = {
	/* rule 1 */
	{"d,1700000000,1699999990,o@x,U@y.z,j,e,<m@x>, <0000123456789abcdef0> ",
	 "0000123456789abcdef0", "6099079174636568809", "7077817691800297545"},
	/* rule 2 */
	{"d,1700000000,1699999990,o@x,U@y.z,j,e, <m@x> ,",
	 "ac6981fc3019512c0110", "1189958562499563344", "7170778518464258790"},
	{"rb,1700000050,,o@x,u@y.z,,,<m@x>,", "ac6981fc3019512c0110",
	 "6421655253698741925", NULL},
	/* rule 3 */
	{"d,1700000000,1699999990,o@x,U@y.z,j,e,,", "81482d96220c10931a61",
	 "4234523327766289761", "8951144963607620594"},
	{"f,1700000060,,o@x,<u@y.z>,,e,,", "81482d96220c10931a61",
	 "3238624256509197370", NULL},
	/* rule 4 */
	{"r,1699999990,,o@x,u@y.z,j,,,", "3d006de78c5c03a170ca",
	 "5958386086987957604", NULL},
	{"t,1699999995,1699999990,o@x,u@y.z,j,,,", "3d006de78c5c03a170ca",
	 "5629919754916496827", "5958386086987957604"},
	{"d,1700000000,1699999990,o@x,U@y.z,j,,,", "3d006de78c5c03a170ca",
	 "6729666516002563544", "5958386086987957604"},
	{"b,1700000000,1699999990,o@x,U@y.z,j,,,", "3d006de78c5c03a170ca",
	 "6329713542327392635", "5958386086987957604"},
	/* rule 5 */
	{"rb,1700000050,,o@x,u@y.z,j,,,", "8e088f858e03f9c0c713",
	 "6879021957400004760", NULL},
	{"f,1700000060,,o@x,u@y.z,j,,,", "8e088f858e03f9c0c713",
	 "1202320535139715841", NULL},
};

START_TEST(ids_are_what_they_have_always_been)
{
	struct shaping run;
	struct buf text;
	size_t own = pinned[_i].reception_id ? 1 : 0;

	buf_init(&text, 1000);
	buf_addf(&text, HEADER "%s\n", pinned[_i].row);
	shaping_init(&run);
	shaping_text(&run, buf_str(&text));
	ck_assert_uint_eq(shaping_events(&run), own + 1);
	ck_assert_str_eq(shaping_value(&run, own, "message_id"),
			 pinned[_i].message_id);
	ck_assert_str_eq(shaping_value(&run, own, "event_id"),
			 pinned[_i].event_id);
	if (own) {
		ck_assert_str_eq(shaping_value(&run, 0, "type"), "reception");
		ck_assert_str_eq(shaping_value(&run, 0, "message_id"),
				 pinned[_i].message_id);
		ck_assert_str_eq(shaping_value(&run, 0, "event_id"),
				 pinned[_i].reception_id);
	}
	shaping_release(&run);
	buf_release(&text);
}
END_TEST

/* The first event's attribute for one row under HEADER. */
static void first(const char *row, const char *attribute, char out[600])
{
	struct shaping run;
	struct buf text;

	buf_init(&text, 10000);
	buf_addf(&text, HEADER "%s\n", row);
	shaping_init(&run);
	shaping_text(&run, buf_str(&text));
	snprintf(out, 600, "%s", shaping_value(&run, 0, attribute));
	shaping_release(&run);
	buf_release(&text);
}

static const struct {
	const char *one, *other;
	bool same;
} pairs[] = {
	/* all events of one message */
	{"r,1699999990,,o@x,u@y.z,j,,,", "d,1,1699999990,o@x,U@Y.z,j,,,", true},
	{"t,5,1699999990,o@x,u@y.z,j,,,", "b,9,1699999990,o@x,<u@y.z>,j,,,",
	 true},
	{"rb,5,,o@x,u@y.z,j,,,", "f,9,,o@x,U@y.z,k,,,", true},
	{"d,5,1,o@x,u@y.z,j,e,<m>,", "rb,9,,q@x,u@y.z,,,m,", true},
	{"d,5,1,o@x,u@y.z,j,e,,", "f,9,,q@x,u@y.z,,e,,", true},
	{"d,5,1,o@x,u@y.z,j,e,m,id", "f,9,,q@x,v@y.z,,f,n,<id>", true},
	/* another message, or another recipient */
	{"d,5,1,o@x,u@y.z,j,e,m,", "d,5,1,o@x,v@y.z,j,e,m,", false},
	{"d,5,1,o@x,u@y.z,j,e,,", "d,5,1,o@x,v@y.z,j,e,,", false},
	{"d,5,1,o@x,u@y.z,j,,,", "d,5,2,o@x,u@y.z,j,,,", false},
	{"d,5,1,o@x,u@y.z,j,,,", "d,5,1,o@x,u@y.z,k,,,", false},
	{"d,5,1,o@x,u@y.z,j,,,", "d,5,1,p@x,u@y.z,j,,,", false},
	{"d,5,,o@x,u@y.z,j,,,", "d,6,,o@x,u@y.z,j,,,", false},
	/* an envId is no Message-Id */
	{"d,5,1,o@x,u@y.z,j,m,,", "d,5,1,o@x,u@y.z,j,,m,", false},
};

START_TEST(a_message_id_is_that_of_the_message)
{
	char one[600], other[600];

	first(pairs[_i].one, "message_id", one);
	first(pairs[_i].other, "message_id", other);
	ck_assert_int_eq(strcmp(one, other) == 0, pairs[_i].same);
}
END_TEST

START_TEST(a_custom_id_is_taken_as_it_is)
{
	char id[600];

	first("d,5,1,o@x,u@y.z,j,e,m, <01234.abc@my site> ",
	      "custom_message_id", id);
	ck_assert_str_eq(id, "01234.abc@my site");
	first("d,5,1,o@x,u@y.z,j,e,m,x", "message_id", id);
	ck_assert_str_eq(id, "x");
	first("d,5,1,o@x,u@y.z,j,e,m,", "custom_message_id", id);
	ck_assert_str_eq(id, "(none)");
}
END_TEST

START_TEST(a_custom_id_has_up_to_512_printable_characters)
{
	char row[1000], id[600], text[600];

	memset(text, 'i', sizeof(text));
	text[512] = '\0';
	snprintf(row, sizeof(row), "d,5,1,o@x,u@y.z,j,e,m,%s", text);
	first(row, "custom_message_id", id);
	ck_assert_str_eq(id, text);
	memcpy(text + 512, "i", 2);
	snprintf(row, sizeof(row), "d,5,1,o@x,u@y.z,j,e,m,%s", text);
	first(row, "custom_message_id", id);
	ck_assert_str_eq(id, "(none)");
	first("d,5,1,o@x,u@y.z,j,e,m,\xc3\xbc", "custom_message_id", id);
	ck_assert_str_eq(id, "(none)");
	first("d,5,1,o@x,u@y.z,j,e,m,a\tb", "custom_message_id", id);
	ck_assert_str_eq(id, "(none)");
}
END_TEST

/* With privacy, an id that holds the recipient's address. */
START_TEST(a_custom_id_is_hidden_by_its_digest)
{
	struct slice parts[] = {SLICE("custom"), SLICE("9.u@y.z")};
	char want[DIGEST_HEX80];
	struct shaping run;

	digest_hex80(digest_list(parts, 2), want);
	shaping_init(&run);
	run.settings.privacy_sha1 = true;
	shaping_text(&run, HEADER "d,5,1,o@x,u@y.z,j,,,<9.u@y.z>\n");
	ck_assert_str_eq(shaping_value(&run, 0, "message_id"), want);
	shaping_release(&run);
}
END_TEST

START_TEST(the_next_column_is_asked_when_one_does_not_fit)
{
	struct shaping run;

	shaping_init(&run);
	settings_add(&run.settings.message_id_columns,
		     &run.settings.message_id_columns_count, SLICE("other"));
	shaping_text(&run, "type,timeLogged,rcpt,other,header_x-sp-message-id\n"
			   "d,5,u@y.z,second,\xff\n"
			   "d,5,u@y.z,second,first\n"
			   "d,5,u@y.z,third,\n");
	ck_assert_str_eq(shaping_value(&run, 1, "message_id"), "second");
	ck_assert_str_eq(shaping_value(&run, 3, "message_id"), "first");
	ck_assert_str_eq(shaping_value(&run, 5, "message_id"), "third");
	shaping_release(&run);
}
END_TEST

START_TEST(an_event_id_depends_on_the_row_and_its_place)
{
	struct digest row = digest_of(SLICE("d,1"));

	ck_assert_uint_ne(identity_event(row, 10, SLICE("delivery")),
			  identity_event(row, 14, SLICE("delivery")));
	ck_assert_uint_ne(identity_event(row, 10, SLICE("delivery")),
			  identity_event(row, 10, SLICE("inband")));
	ck_assert_uint_ne(
		identity_event(row, 10, SLICE("delivery")),
		identity_event(digest_of(SLICE("d,2")), 10, SLICE("delivery")));
	ck_assert_uint_le(identity_event(row, INT64_MAX, SLICE("delivery")),
			  INT64_MAX);
	ck_assert_uint_ne(identity_reception(SLICE("a")),
			  identity_reception(SLICE("b")));
}
END_TEST

Suite *identity_suite(void)
{
	Suite *s = suite_create("identity");
	TCase *tc = tcase_create("identity");

	tcase_add_loop_test(tc, ids_are_what_they_have_always_been, 0,
			    NROF(pinned));
	tcase_add_loop_test(tc, a_message_id_is_that_of_the_message, 0,
			    NROF(pairs));
	tcase_add_test(tc, a_custom_id_is_taken_as_it_is);
	tcase_add_test(tc, a_custom_id_has_up_to_512_printable_characters);
	tcase_add_test(tc, a_custom_id_is_hidden_by_its_digest);
	tcase_add_test(tc, the_next_column_is_asked_when_one_does_not_fit);
	tcase_add_test(tc, an_event_id_depends_on_the_row_and_its_place);
	suite_add_tcase(s, tc);
	return s;
}
