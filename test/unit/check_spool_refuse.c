/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/spool_fixture.h"

static struct fixture f;
static struct batch batch;
static struct buf text;

static void setup(void)
{
	fixture_init(&f);
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	buf_init(&text, 20 << 20);
}

static void teardown(void)
{
	buf_release(&text);
	fixture_release(&f);
}

/* --- Reading one member of a JSON text --- */

struct member {
	const char *name;
	struct buf value;
	bool found;
};

static int member_visit(void *ctx, struct slice path, enum json_event event,
			struct slice value)
{
	struct member *member = ctx;

	(void)event;
	if (slice_eq(path, slice_str(member->name))) {
		buf_reset(&member->value);
		buf_add_slice(&member->value, value);
		member->found = true;
	}
	return 0;
}

static void assert_member(struct slice json, const char *name, const char *want)
{
	struct member member = {.name = name};

	buf_init(&member.value, 1 << 20);
	ck_assert_int_eq(json_read(json, member_visit, &member), 0);
	ck_assert(member.found);
	ck_slice(buf_slice(&member.value), want);
	buf_release(&member.value);
}

static void read_named(const char *room, const char *suffix)
{
	char name[BATCH_NAME], path[BATCH_NAME + 64];

	batch_name(&batch, name);
	snprintf(path, sizeof(path), "%s/%.*s%s", room,
		 (int)(strlen(name) - strlen(BATCH_SUFFIX)), name, suffix);
	fixture_read(&f, path, &text);
}

/* --- Refused events --- */

static uint64_t refused_files(void)
{
	struct spool_view view;
	uint64_t count;

	fixture_view(&f, &view);
	count = view.totals.refused_files;
	spool_view_release(&view);
	return count;
}

START_TEST(refused_events_stand_beside_the_services_words)
{
	char name[BATCH_NAME];

	batch_name(&batch, name);
	ck_assert_int_eq(spool_refuse(f.spool, &batch, 7, 2, SLICE("bytes"),
				      422, SLICE("no \"such\" type\n"),
				      1700000001),
			 0);
	read_named("refused", "-7.ndjson.gz");
	ck_slice(buf_slice(&text), "bytes");
	read_named("refused", "-7.json");
	assert_member(buf_slice(&text), "batch", name);
	assert_member(buf_slice(&text), "first", "7");
	assert_member(buf_slice(&text), "count", "2");
	assert_member(buf_slice(&text), "status", "422");
	assert_member(buf_slice(&text), "words", "no \"such\" type\n");
	assert_member(buf_slice(&text), "time", "1700000001");
	ck_assert_uint_eq(fixture_count(&f, "refused"), 2);
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
	ck_assert_uint_eq(refused_files(), 1);
	fixture_agrees(&f);
}
END_TEST

START_TEST(refusing_again_replaces_what_is_there)
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(spool_refuse(f.spool, &batch, 7, 1,
					      i ? SLICE("new") : SLICE("old"),
					      400, SLICE("no"), 1700000000),
				 0);
	ck_assert_uint_eq(fixture_count(&f, "refused"), 2);
	read_named("refused", "-7.ndjson.gz");
	ck_slice(buf_slice(&text), "new");
	ck_assert_int_eq(spool_refuse(f.spool, &batch, 8, 1, SLICE("x"), 400,
				      SLICE("no"), 1700000000),
			 0);
	ck_assert_uint_eq(fixture_count(&f, "refused"), 4);
}
END_TEST

START_TEST(refusal_is_json_whatever_the_service_says)
{
	ck_assert_int_eq(spool_refuse(f.spool, &batch, UINT32_MAX, 1,
				      SLICE("x"), 400,
				      SLICE("\xff<\0\x01\xc3>"), 1700000000),
			 0);
	read_named("refused", "-4294967295.json");
	assert_member(buf_slice(&text), "status", "400");
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\xef\xbf\xbd<"));
}
END_TEST

START_TEST(refusal_caps_the_services_words)
{
	char *words = mem_alloc(1 << 20);

	memset(words, 0x01, 1 << 20);
	ck_assert_int_eq(spool_refuse(f.spool, &batch, 0, 1, SLICE("x"), 400,
				      slice_of(words, 1 << 20), 1700000000),
			 0);
	read_named("refused", "-0.json");
	ck_assert_uint_lt(text.len, 500000);
	assert_member(buf_slice(&text), "first", "0");
	mem_free(words);
}
END_TEST

START_TEST(refused_files_are_counted_by_their_names)
{
	static const char *const others[] = {"rows.csv", "x-1.ndjson.gz",
					     "-.ndjson.gz", ".ndjson.gz",
					     "0000000000000001_1.ndjson.gz"};
	char path[64];

	for (size_t i = 0; i < NROF(others); i++) {
		snprintf(path, sizeof(path), "refused/%s", others[i]);
		fixture_write(&f, path, "x");
	}
	ck_assert_uint_eq(refused_files(), 0);
}
END_TEST

/* --- accepted.ndjson --- */

START_TEST(accepted_parts_are_noted_line_by_line)
{
	struct slice first, rest;
	char name[BATCH_NAME];

	batch_name(&batch, name);
	ck_assert_int_eq(fixture_note(&f, &batch, 0, 50, "id-1", 1700000000),
			 0);
	ck_assert_int_eq(
		fixture_note(&f, &batch, 50, 50, "id\xff\"2", 1700000001), 0);
	fixture_read(&f, "sent/accepted.ndjson", &text);
	first = slice_cut(buf_slice(&text), '\n', &rest);
	assert_member(first, "id", "id-1");
	assert_member(first, "batch", name);
	assert_member(first, "count", "50");
	rest = slice_cut(rest, '\n', &first);
	ck_assert_uint_eq(first.len, 0);
	assert_member(rest, "id", "id\xef\xbf\xbd\"2");
	assert_member(rest, "first", "50");
	assert_member(rest, "time", "1700000001");
	fixture_agrees(&f);
}
END_TEST

START_TEST(accepted_line_that_a_crash_cut_is_ended_before_the_next)
{
	struct slice first, rest;

	fixture_write(&f, "sent/accepted.ndjson", "{\"id\":\"cu");
	ck_assert_int_eq(fixture_note(&f, &batch, 0, 50, "id-1", 1700000000),
			 0);
	fixture_read(&f, "sent/accepted.ndjson", &text);
	first = slice_cut(buf_slice(&text), '\n', &rest);
	ck_slice(first, "{\"id\":\"cu");
	assert_member(slice_cut(rest, '\n', &rest), "id", "id-1");
}
END_TEST

static void make_large(const char *name, off_t size)
{
	char path[256];

	fixture_write(&f, name, "first line\n");
	snprintf(path, sizeof(path), "%s/%s", f.directory, name);
	ck_assert_int_eq(truncate(path, size), 0);
}

START_TEST(accepted_notes_fill_two_files_of_8_mib)
{
	struct stat st;
	char path[256];

	make_large("sent/accepted.ndjson", (8 << 20) - 10);
	ck_assert_int_eq(fixture_note(&f, &batch, 0, 50, "id-1", 1700000000),
			 0);
	snprintf(path, sizeof(path), "%s/sent/accepted.1.ndjson", f.directory);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (8 << 20) - 10);
	fixture_read(&f, "sent/accepted.ndjson", &text);
	assert_member(buf_slice(&text), "id", "id-1");
	make_large("sent/accepted.ndjson", (8 << 20) - 11);
	ck_assert_int_eq(fixture_note(&f, &batch, 0, 50, "id-2", 1700000000),
			 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (8 << 20) - 11);
	/* These are no batches that a start would count or clean. */
	ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 2);
	fixture_reopen(&f);
	fixture_agrees(&f);
}
END_TEST

/* --- rows.csv --- */

START_TEST(rows_are_appended)
{
	ck_assert_int_eq(spool_add_rows(f.spool, SLICE("a,1,why,\"x\"\n")), 0);
	ck_assert_int_eq(spool_add_rows(f.spool, SLICE("")), 0);
	ck_assert_int_eq(spool_add_rows(f.spool, SLICE("b,2,why,\"y\"\n")), 0);
	fixture_read(&f, "refused/rows.csv", &text);
	ck_slice(buf_slice(&text), "a,1,why,\"x\"\nb,2,why,\"y\"\n");
}
END_TEST

/* Lines of 100 bytes that say their number. */
static void write_rows(unsigned int lines)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/refused/rows.csv", f.directory);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	for (unsigned int i = 0; i < lines; i++)
		fprintf(file, "%099u\n", i);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(rows_of_the_older_half_go_at_16_mib)
{
	unsigned int lines = (16 << 20) / 100;
	struct slice line, rest;
	unsigned long first;

	/* One more fits, the next does not. */
	write_rows(lines);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			spool_add_rows(f.spool, SLICE("b,2,why,\"y\"\n")), 0);
	fixture_read(&f, "refused/rows.csv", &text);
	ck_assert_uint_le(text.len, (8 << 20) + 12);
	ck_assert_uint_gt(text.len, (8 << 20) - 100);
	line = slice_cut(buf_slice(&text), '\n', &rest);
	ck_assert_uint_eq(line.len, 99);
	first = strtoul(line.p, NULL, 10);
	ck_assert_uint_eq((lines - first) * 100 + 24, text.len);
	ck_slice(slice_skip(buf_slice(&text), text.len - 13),
		 "\nb,2,why,\"y\"\n");
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
}
END_TEST

START_TEST(rows_without_a_line_end_go_altogether)
{
	make_large("refused/rows.csv", 16 << 20);
	ck_assert_int_eq(spool_add_rows(f.spool, SLICE("b,2\n")), 0);
	fixture_read(&f, "refused/rows.csv", &text);
	ck_slice(buf_slice(&text), "b,2\n");
}
END_TEST

START_TEST(rows_that_are_too_many_at_once_lose_the_older)
{
	size_t size = 20 << 20;
	char *lines = mem_alloc(size);

	memset(lines, 'x', size);
	for (size_t i = 99; i < size; i += 100)
		lines[i] = '\n';
	ck_assert_int_eq(spool_add_rows(f.spool, slice_of(lines, size)), 0);
	fixture_read(&f, "refused/rows.csv", &text);
	ck_assert_uint_le(text.len, 8 << 20);
	ck_assert_uint_gt(text.len, (8 << 20) - 200);
	ck_assert_uint_eq(slice_find(buf_slice(&text), '\n'), 99);
	mem_free(lines);
}
END_TEST

Suite *spool_refuse_suite(void)
{
	Suite *s = suite_create("spool_refuse");
	TCase *tc = tcase_create("spool_refuse");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, refused_events_stand_beside_the_services_words);
	tcase_add_test(tc, refusing_again_replaces_what_is_there);
	tcase_add_test(tc, refusal_is_json_whatever_the_service_says);
	tcase_add_test(tc, refusal_caps_the_services_words);
	tcase_add_test(tc, refused_files_are_counted_by_their_names);
	tcase_add_test(tc, accepted_parts_are_noted_line_by_line);
	tcase_add_test(tc,
		       accepted_line_that_a_crash_cut_is_ended_before_the_next);
	tcase_add_test(tc, accepted_notes_fill_two_files_of_8_mib);
	tcase_add_test(tc, rows_are_appended);
	tcase_add_test(tc, rows_of_the_older_half_go_at_16_mib);
	tcase_add_test(tc, rows_without_a_line_end_go_altogether);
	tcase_add_test(tc, rows_that_are_too_many_at_once_lose_the_older);
	suite_add_tcase(s, tc);
	return s;
}
