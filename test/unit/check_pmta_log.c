/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/pmta_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/check_all.h"

static char *directory, *path;
static struct pmta_log *the_log;

static void setup(void)
{
	static char name[64];
	static char template[32];

	(void)snprintf(template, sizeof(template), "/tmp/pmta-log.XXXXXX");
	directory = mkdtemp(template);
	ck_assert_ptr_nonnull(directory);
	(void)snprintf(name, sizeof(name), "%s/log", directory);
	path = name;
	the_log = pmta_log_new(path);
	pmta_log_want(the_log, "acct-*.csv");
	pmta_log_want(the_log, "fbl.csv");
}

static void teardown(void)
{
	pmta_log_free(&the_log);
	unlink(path);
	rmdir(path);
	rmdir(directory);
}

/* --- Lines --- */

static const struct {
	const char *line;
	const char *name; /* NULL: it says nothing */
	int64_t records;
} lines[] = {
	{"acct-1.csv: 5 records", "acct-1.csv", 5},
	{"acct-1.csv: 1 record", "acct-1.csv", 1},
	{"acct-1.csv: 0 records.", "acct-1.csv", 0},
	{"records: 5 (acct-1.csv)", "acct-1.csv", 5},
	{"5 accounting records in acct-1.csv", "acct-1.csv", 5},
	{"record count 5 acct-1.csv", "acct-1.csv", 5},
	{"acct-1.csv recordcount=5", "acct-1.csv", 5},
	{"acct-1.csv record-count: 5", "acct-1.csv", 5},
	{"acct-1.csv record_count=5", "acct-1.csv", 5},
	{"acct-1.csv RECORDS=5", "acct-1.csv", 5},
	{"acct-1.csv, 5 record(s)", "acct-1.csv", 5},
	{"acct-1.csv, record(s): 5", "acct-1.csv", 5},
	{"acct-1.csv [records=5]", "acct-1.csv", 5},
	{"acct-1.csv,5 records", "acct-1.csv", 5},
	{"acct-1.csv contains 5 csv accounting records", "acct-1.csv", 5},
	{"number of records: 5, file: acct-1.csv", "acct-1.csv", 5},
	{"acct-1.csv 12,345 records", "acct-1.csv", 12345},
	{"acct-1.csv 1,234,567 records", "acct-1.csv", 1234567},
	{"acct-1.csv 007 records", "acct-1.csv", 7},
	{"acct-1.csv 999999999999999999 records", "acct-1.csv",
	 999999999999999999},
	/* As a log might have it. */
	{"2026-11-22 12:16:38 moved /var/log/pmta/acct-2026-11-22-0001.csv to "
	 "/var/log/pmta/done/acct-2026-11-22-0001.csv, 4711 records",
	 "acct-2026-11-22-0001.csv", 4711},
	{"Nov 22 12:16:38 host pmtad[17]: File \"/log/fbl.csv\" moved "
	 "(records: 3, bytes: 1024)",
	 "fbl.csv", 3},
	{"12:16:38 records=5 acct-1.csv", "acct-1.csv", 5},
	{"acct-1.csv: total records moved: 5", "acct-1.csv", 5},
	{"acct-1.csv -> /done/acct-1.csv: 5 records\r", "acct-1.csv", 5},
	{"acct-records-7.csv: 5 records", "acct-records-7.csv", 5},
	/* The end of a sentence. */
	{"Moved acct-1.csv. Records: 5.", "acct-1.csv", 5},

	/* Nothing for certain. */
	{"", NULL, 0},
	{"acct-1.csv", NULL, 0},
	{"acct-1.csv: 5", NULL, 0},
	{"acct-1.csv: records", NULL, 0},
	{"5 records", NULL, 0},
	{"other.csv: 5 records", NULL, 0},
	{"acct-1.csv.gz: 5 records", NULL, 0},
	{"acct-1.csv: 5 records, 6 records", NULL, 0},
	{"acct-1.csv: 5 records: 6", NULL, 0},
	{"acct-1.csv acct-2.csv: 5 records", NULL, 0},
	{"acct-1.csv: 5 rows of records", NULL, 0},
	{"acct-1.csv: 5 files, no records", NULL, 0},
	{"acct-1.csv: 12.345 records", NULL, 0},
	{"acct-1.csv: 12,34 records", NULL, 0},
	{"acct-1.csv: 1234,567 records", NULL, 0},
	{"acct-1.csv: ,345 records", "acct-1.csv", 345},
	{"acct-1.csv: -5 records", NULL, 0},
	{"acct-1.csv: 1e3 records", NULL, 0},
	{"acct-1.csv: 9999999999999999999 records", NULL, 0},
	{"acct-1.csv: records-2026 5", NULL, 0},
	{"12:16:38 records of acct-1.csv", NULL, 0},
	{"acct-1.csv 5 broken, foreign records", NULL, 0},
};

START_TEST(pmta_log_takes_what_is_certain)
{
	struct pmta_log_fact fact;
	bool says = pmta_log_line(the_log, slice_str(lines[_i].line), &fact);

	ck_assert_msg(says == (lines[_i].name != NULL), "%s", lines[_i].line);
	if (!says)
		return;
	ck_slice(fact.name, lines[_i].name);
	ck_assert_int_eq(fact.records, lines[_i].records);
}
END_TEST

/* Any bytes, in memory of just their size, for the sanitizers. */
START_TEST(pmta_log_stands_any_bytes)
{
	static const char *const pieces[] = {
		"records", "record", "5",	   ",", ":",	" ", ".",
		"(",	   "12,345", "acct-1.csv", "/", "\xff", "=", "s"};
	unsigned int seed = 1;

	for (int turn = 0; turn < 20000; turn++) {
		struct pmta_log_fact fact;
		char text[256];
		char *exact;
		size_t len = 0;

		for (int i = 0; i < turn % 12; i++) {
			const char *piece;

			seed = seed * 1103515245 + 12345;
			piece = pieces[(seed >> 16) % NROF(pieces)];
			memcpy(text + len, piece, strlen(piece));
			len += strlen(piece);
		}
		exact = malloc(len + 1);
		memcpy(exact, text, len);
		exact[len] = '\xee';
		if (pmta_log_line(the_log, slice_of(exact, len), &fact)) {
			ck_assert(fact.name.p >= exact);
			ck_assert(fact.name.p + fact.name.len <= exact + len);
			ck_assert_int_ge(fact.records, 0);
		}
		free(exact);
	}
}
END_TEST

/* --- The file --- */

static void append(const char *text)
{
	FILE *f = fopen(path, "a");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* To its end, a little at a time. */
static void read_all(void)
{
	int more, turns = 0;

	while ((more = pmta_log_read(the_log, 1)) > 0)
		ck_assert_int_lt(++turns, 100000);
	ck_assert_int_eq(more, 0);
}

START_TEST(pmta_log_goes_on_where_it_stopped)
{
	append("start\nacct-1.csv: 5 records\nacct-2.csv: 6 rec");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-1.csv"), 5);
	ck_assert_int_eq(pmta_log_records(the_log, "acct-2.csv"), -1);
	append("ords\n");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-2.csv"), 6);
	append("acct-1.csv: 7 records\nfbl.csv: 1 record\n");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-1.csv"), 7);
	ck_assert_int_eq(pmta_log_records(the_log, "fbl.csv"), 1);
	ck_assert_int_eq(pmta_log_records(the_log, "acct-9.csv"), -1);
}
END_TEST

START_TEST(pmta_log_starts_over_when_it_is_another)
{
	char old[80];

	append("acct-1.csv: 5 records\nacct-2.csv: 6 records\n");
	read_all();
	(void)snprintf(old, sizeof(old), "%s.1", path);
	ck_assert_int_eq(rename(path, old), 0);
	errno = 0;
	ck_assert_int_eq(pmta_log_read(the_log, 1000), -1);
	ck_assert_int_eq(errno, ENOENT);
	append("acct-3.csv: 7 records\n");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-3.csv"), 7);
	ck_assert_int_eq(pmta_log_records(the_log, "acct-1.csv"), 5);
	unlink(old);
	/* Copied and truncated. */
	ck_assert_int_eq(truncate(path, 0), 0);
	append("fbl.csv: 8 records\n");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "fbl.csv"), 8);
}
END_TEST

START_TEST(pmta_log_passes_over_long_lines)
{
	FILE *f = fopen(path, "a");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 5; i++) {
		/* A long line whose end looks like a line of its own. */
		for (int n = 0; n < PMTA_LOG_LINE * 2 + i * 7; n++)
			fputc(' ', f);
		fputs("acct-1.csv: 5 records\n", f);
		fprintf(f, "acct-%d.csv: %d records\n", 10 + i, i);
	}
	ck_assert_int_eq(fclose(f), 0);
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-1.csv"), -1);
	for (int i = 0; i < 5; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "acct-%d.csv", 10 + i);
		ck_assert_int_eq(pmta_log_records(the_log, name), i);
	}
	/* And one that is still being written. */
	f = fopen(path, "a");
	ck_assert_ptr_nonnull(f);
	for (int n = 0; n < PMTA_LOG_LINE; n++)
		fputc('x', f);
	ck_assert_int_eq(fclose(f), 0);
	read_all();
	append(" acct-2.csv: 5 records\nacct-3.csv: 6 records\n");
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-2.csv"), -1);
	ck_assert_int_eq(pmta_log_records(the_log, "acct-3.csv"), 6);
}
END_TEST

START_TEST(pmta_log_keeps_the_newest_names)
{
	FILE *f = fopen(path, "a");
	char name[32];

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < PMTA_LOG_FILES + 100; i++)
		fprintf(f, "acct-%d.csv: %d records\n", i, i);
	ck_assert_int_eq(fclose(f), 0);
	read_all();
	ck_assert_int_eq(pmta_log_records(the_log, "acct-99.csv"), -1);
	for (int i = 100; i < PMTA_LOG_FILES + 100; i++) {
		(void)snprintf(name, sizeof(name), "acct-%d.csv", i);
		ck_assert_int_eq(pmta_log_records(the_log, name), i);
	}
}
END_TEST

START_TEST(pmta_log_reads_nothing_but_files)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(pmta_log_read(the_log, 1000), -1);
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(pmta_log_read(the_log, 1000), -1);
}
END_TEST

Suite *pmta_log_suite(void)
{
	Suite *s = suite_create("pmta_log");
	TCase *tc = tcase_create("pmta_log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, pmta_log_takes_what_is_certain, 0, NROF(lines));
	tcase_add_test(tc, pmta_log_stands_any_bytes);
	tcase_add_test(tc, pmta_log_goes_on_where_it_stopped);
	tcase_add_test(tc, pmta_log_starts_over_when_it_is_another);
	tcase_add_test(tc, pmta_log_passes_over_long_lines);
	tcase_add_test(tc, pmta_log_keeps_the_newest_names);
	tcase_add_test(tc, pmta_log_reads_nothing_but_files);
	suite_add_tcase(s, tc);
	return s;
}
