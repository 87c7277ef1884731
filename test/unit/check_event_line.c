/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "acct/event.h"
#include "unit/check_all.h"

/* Events are written by json_run() and event_line(); yajl is the judge. */

static struct event event;

static void put(enum attribute attribute, struct slice value)
{
	event.attributes[event.count++] =
		(struct shape_attribute){.name = attribute_keys[attribute].name,
					 .attribute = attribute,
					 .value = value};
}

/* The type comes first, always. */
static void begin(enum event_type type)
{
	event.type = type;
	event.count = 0;
	put(ATTRIBUTE_TYPE, account_event_text(type));
}

static void write_both(size_t max, struct buf *ours, struct buf *theirs)
{
	struct json *json;

	buf_init(ours, max);
	buf_init(theirs, max);
	json = json_new(theirs);
	event_line_yajl(&event, json);
	json_free(&json);
	event_line(&event, ours);
}

static void agree(size_t max)
{
	struct buf ours, theirs;

	write_both(max, &ours, &theirs);
	ck_assert_int_eq(ours.overflow, theirs.overflow);
	if (!ours.overflow) {
		ck_assert_uint_eq(ours.len, theirs.len);
		ck_assert_mem_eq(ours.p, theirs.p, ours.len);
	}
	buf_release(&ours);
	buf_release(&theirs);
}

START_TEST(line_is_as_it_always_was)
{
	struct buf out;

	begin(EVENT_DELIVERY);
	put(ATTRIBUTE_SUBJECT, SLICE("say \"hi\"\n"));
	put(ATTRIBUTE_SUBACCOUNT_ID, SLICE("7"));
	event.attributes[2].kind = SHAPE_INTEGER;
	put(ATTRIBUTE_OPEN_TRACKING, SLICE("true"));
	event.attributes[3].kind = SHAPE_TRUE;
	buf_init(&out, 1000);
	event_line(&event, &out);
	ck_assert_str_eq(buf_str(&out),
			 "{\"msys\":{\"message_event\":{\"type\":\"delivery\","
			 "\"subject\":\"say \\\"hi\\\"\\n\","
			 "\"subaccount_id\":7,\"open_tracking\":true}}}\n");
	buf_release(&out);
}
END_TEST

/* Each byte at each place of words, of halves and of what is left. */
START_TEST(line_escapes_each_byte_at_each_place)
{
	char text[80];

	for (size_t len = 1; len < sizeof(text); len++) {
		/* On the heap: reading behind it would be seen. */
		char *copy = malloc(len);

		ck_assert_ptr_nonnull(copy);
		for (size_t i = 0; i < len * 256; i++) {
			memset(text, 'a', sizeof(text));
			text[i / 256] = (char)(i % 256);
			text[len - 1 - i / 256] ^= (char)(i % 3);
			memcpy(copy, text, len);
			begin(EVENT_RECEPTION);
			put(ATTRIBUTE_SUBJECT, slice_of(copy, len));
			agree(1000);
		}
		free(copy);
	}
}
END_TEST

START_TEST(line_names_every_attribute)
{
	for (int i = 0; i < ATTRIBUTES; i++) {
		const struct attribute_key *key = &attribute_keys[i];
		char json[64];

		snprintf(json, sizeof(json), ",\"%s\":\"", key->name);
		ck_assert_uint_eq(key->len, strlen(json) - 1);
		ck_assert_uint_le(key->len + 1, ATTRIBUTE_KEY);
		ck_assert_mem_eq(key->json, json, key->len + 1);
		begin((enum event_type)(i % EVENT_TYPES));
		put((enum attribute)i, SLICE("x"));
		put((enum attribute)i, slice_of(NULL, 0));
		agree(1000);
	}
}
END_TEST

/* Long values go another way, as do those for which six bytes a byte might
 * not be there: no byte more or less fits than with yajl. */
START_TEST(line_stops_at_the_same_byte)
{
	enum { LONG = 100000 };
	char *text = malloc(LONG);
	struct buf ours, theirs;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', LONG);
	for (size_t i = 0; i < LONG; i += 37)
		text[i] = '\n';
	for (size_t len = 10; len <= LONG; len *= 10) {
		begin(EVENT_INBAND);
		put(ATTRIBUTE_REASON, slice_of(text, len));
		write_both(2 << 20, &ours, &theirs);
		ck_assert_uint_eq(ours.len, theirs.len);
		ck_assert_mem_eq(ours.p, theirs.p, ours.len);
		agree(ours.len);
		agree(ours.len - 1);
		agree(ours.len / 2);
		agree(ours.len + 1);
		buf_release(&ours);
		buf_release(&theirs);
	}
	free(text);
}
END_TEST

Suite *event_line_suite(void)
{
	Suite *s = suite_create("event_line");
	TCase *tc = tcase_create("event_line");

	tcase_add_test(tc, line_is_as_it_always_was);
	tcase_add_test(tc, line_escapes_each_byte_at_each_place);
	tcase_add_test(tc, line_names_every_attribute);
	tcase_add_test(tc, line_stops_at_the_same_byte);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
