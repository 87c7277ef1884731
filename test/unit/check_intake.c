/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/inlet.h"

START_TEST(intake_seals_when_the_oldest_row_has_waited_max_delay)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	inlet_start(1000);
	intake_step(inlet.intake, 1000, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().batches, 0);
	ck_assert(intake_pending(inlet.intake));
	intake_step(inlet.intake, 1000 + INLET_DELAY_MS - 1, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().batches, 0);
	inlet_settle(1000 + INLET_DELAY_MS);
	ck_assert_uint_eq(inlet_totals().batches, 1);
	ck_assert_uint_eq(inlet_totals().events, 1);
	inlet_agrees(1, 1);
}
END_TEST

START_TEST(intake_goes_on_where_it_was_after_a_restart)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) INLET_ROW(2));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_stop();
	inlet_start(2000);
	intake_flush(inlet.intake);
	inlet_settle(2000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_add("a.csv", INLET_ROW(3));
	intake_rescan(inlet.intake, 3000, inlet.now_s);
	intake_flush(inlet.intake);
	inlet_settle(3000);
	ck_assert_uint_eq(inlet_totals().events, 3);
	inlet_agrees(3, 3);
}
END_TEST

START_TEST(intake_leaves_half_a_row_for_its_other_half)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) "d,17000");
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_eq(inlet_totals().events, 1);
	inlet_add("a.csv",
		  "00000,1699999990,a@from.example,u2@to.example,2.0.0\n");
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	intake_flush(inlet.intake);
	inlet_settle(2000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

START_TEST(intake_with_nothing_to_do_sleeps_for_a_minute)
{
	inlet.config->spool.keep_sent_s = 3600;
	inlet_start(1000);
	inlet_settle(1000);
	intake_save(inlet.intake, inlet.now_s);
	intake_step(inlet.intake, 2000, inlet.now_s);
	ck_assert_int_ge(intake_step(inlet.intake, 2000, inlet.now_s), 58000);
}
END_TEST

/* Batch 1 leaves: kept in sent/ until its time is over. */
static void upload_one(void)
{
	struct batch batch;

	ck_assert_int_eq(spool_take(inlet.spool, &batch), 1);
	ck_assert_int_eq(spool_depart(inlet.spool, &batch, BATCH_SENT, 0), 0);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
}

static int sent_files(void)
{
	struct dirent *entry;
	DIR *dir = opendir(inlet_path("spool/sent"));
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, ".gz") != NULL;
	closedir(dir);
	return n;
}

START_TEST(intake_removes_sent_batches_when_their_time_is_over)
{
	int64_t wait;

	inlet.config->spool.keep_sent_s = 10;
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	upload_one();
	intake_step(inlet.intake, 2000, inlet.now_s);
	ck_assert_int_eq(sent_files(), 1);
	wait = intake_step(inlet.intake, 2000, inlet.now_s);
	ck_assert_int_le(wait, 10000);
	/* A file's time is the machine's. */
	intake_step(inlet.intake, 2000 + wait, time(NULL) + 3600);
	ck_assert_int_eq(sent_files(), 0);
}
END_TEST

/* Which call fails in the middle of a seal, and how. */
static const struct {
	const char *call;
	int error;
} refusals[] = {{"write", ENOSPC},
		{"fsync", EIO},
		{"renameat", EIO},
		{"openat", EROFS}};

START_TEST(intake_reads_again_what_the_disk_refused)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) INLET_ROW(2));
	inlet_start(1000);
	intake_step(inlet.intake, 1000, inlet.now_s);
	fault_arm_from(refusals[_i].call, 1, refusals[_i].error);
	intake_step(inlet.intake, 1000 + INLET_DELAY_MS, inlet.now_s);
	intake_step(inlet.intake, 1000 + INLET_DELAY_MS + 1, inlet.now_s);
	ck_assert(intake_stuck(inlet.intake));
	fault_disarm();
	ck_assert_uint_eq(inlet_totals().batches, 0);
	ck_assert_ptr_nonnull(strstr(inlet.said, "nothing is lost"));
	inlet_settle(1000 + INLET_DELAY_MS + INTAKE_RETRY_MS + 1);
	ck_assert_msg(!intake_stuck(inlet.intake), "%s", inlet.said);
	ck_assert_ptr_nonnull(strstr(inlet.said, "works again"));
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

START_TEST(intake_keeps_a_malformed_row_once)
{
	struct buf rows;

	inlet_add("a.csv",
		  INLET_HEADER INLET_ROW(
			  1) "d,never,,a@b.example,c@d.example,2.0.0\n");
	inlet_start(1000);
	intake_step(inlet.intake, 1000, inlet.now_s);
	fault_arm_from("renameat", 1, EIO);
	intake_step(inlet.intake, 1000 + INLET_DELAY_MS, inlet.now_s);
	fault_disarm();
	inlet_settle(1000 + INLET_DELAY_MS + INTAKE_RETRY_MS + 1);
	inlet_agrees(2, 1);
	buf_init(&rows, 4096);
	ck_assert_int_eq(fs_read_file(AT_FDCWD,
				      inlet_path("spool/refused/rows.csv"),
				      &rows),
			 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&rows), "c@d.example"));
	ck_assert_ptr_nonnull(strstr(buf_str(&rows), "a.csv,"));
	ck_assert_ptr_null(
		strstr(strstr(rows.p, "c@d.example") + 1, "c@d.example"));
	buf_release(&rows);
}
END_TEST

START_TEST(intake_sets_a_file_without_header_aside_with_one_error)
{
	inlet_add("a.csv", INLET_ROW(1) INLET_ROW(2));
	inlet_add("b.csv", INLET_HEADER INLET_ROW(3));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_eq(inlet_totals().events, 1);
	ck_assert_ptr_nonnull(strstr(inlet.said, "no header line"));
	ck_assert_ptr_null(strstr(strstr(inlet.said, "no header line") + 1,
				  "no header line"));
	inlet_agrees(1, 1);
}
END_TEST

START_TEST(intake_uses_the_columns_of_the_configuration)
{
	inlet.config->sources[0].columns =
		mem_str("timeLogged,timeQueued,orig,rcpt,dsnStatus");
	inlet_add("a.csv", INLET_ROW(1) INLET_ROW(2));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

/* The events of the only batch. */
static void read_batch(struct batch *batch, struct buf *json)
{
	struct gzip_reader *reader;
	char bytes[4096];
	ptrdiff_t n;
	int fd;

	ck_assert_int_eq(spool_take(inlet.spool, batch), 1);
	fd = spool_open_batch(inlet.spool, batch);
	ck_assert_int_ge(fd, 0);
	reader = gzip_reader_new(fd);
	while ((n = gzip_read(reader, bytes, sizeof(bytes))) > 0)
		buf_add(json, bytes, (size_t)n);
	gzip_reader_free(&reader);
	close(fd);
}

START_TEST(intake_finds_the_row_of_a_refused_event)
{
	struct batch batch;
	struct buf json, rows;
	struct slice second;

	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) INLET_ROW(2) INLET_ROW(3));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	buf_init(&json, 1 << 20);
	buf_init(&rows, 4096);
	read_batch(&batch, &json);
	slice_cut(buf_slice(&json), '\n', &second);
	second.len = slice_find(second, '\n');
	intake_refused(inlet.intake, &batch, second);
	intake_step(inlet.intake, 1001, inlet.now_s);
	ck_assert_int_eq(fs_read_file(AT_FDCWD,
				      inlet_path("spool/refused/rows.csv"),
				      &rows),
			 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&rows), "u2@to.example"));
	ck_assert_ptr_null(strstr(rows.p, "u1@to.example"));
	ck_assert_ptr_null(strstr(rows.p, "u3@to.example"));
	buf_release(&json);
	buf_release(&rows);
}
END_TEST

START_TEST(intake_keeps_positions_over_a_reload)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	intake_configure(inlet.intake, inlet.config, 2000, inlet.now_s);
	inlet_add("a.csv", INLET_ROW(2));
	intake_rescan(inlet.intake, 3000, inlet.now_s);
	intake_flush(inlet.intake);
	inlet_settle(3000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

/* A reload while rows wait behind a descriptor alone. */
START_TEST(intake_reads_a_nameless_file_on_over_a_reload)
{
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	inlet_add("a.csv", INLET_ROW(2));
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	ck_assert_int_eq(unlink(inlet_path("a.csv")), 0);
	intake_configure(inlet.intake, inlet.config, 3000, inlet.now_s);
	for (int64_t ms = 4000; ms < 200000; ms += 1000)
		intake_step(inlet.intake, ms, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

START_TEST(intake_makes_smaller_batches_where_one_would_be_too_large)
{
	char row[256];

	inlet.config->batch_max_bytes = 2000;
	inlet_add("a.csv", INLET_HEADER);
	for (int i = 0; i < 200; i++) {
		snprintf(row, sizeof(row),
			 "d,1700000000,1699999990,a%d@f.example,u%d@t.example,"
			 "\n",
			 i * 7919, i * 104729);
		inlet_add("a.csv", row);
	}
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_gt(inlet_totals().batches, 1);
	ck_assert_uint_eq(inlet_totals().events, 200);
	ck_assert_uint_le(inlet_totals().bytes, inlet_totals().batches * 2000);
	inlet_agrees(200, 200);
}
END_TEST

/* --- The limit of a batch is one of its gzip bytes --- */

/* Rows that differ by "spread"; the more the less can be packed. */
static void add_rows(unsigned int count, unsigned int spread)
{
	char row[256];

	inlet_add("b.csv", INLET_HEADER);
	for (unsigned int i = 0; i < count; i++) {
		snprintf(row, sizeof(row),
			 "d,1700000000,1699999990,a@f.example,u%u@t.example,"
			 "\n",
			 i * spread);
		inlet_add("b.csv", row);
	}
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	inlet_agrees(count, count);
}

START_TEST(intake_keeps_each_batch_within_its_limit)
{
	struct batch batch;
	struct stat st;
	size_t batches = 0;
	int fd;

	inlet.config->batch_max_bytes = 2000;
	add_rows(200, 2654435761U);
	while (spool_take(inlet.spool, &batch) == 1) {
		fd = spool_open_batch(inlet.spool, &batch);
		ck_assert_int_eq(fstat(fd, &st), 0);
		close(fd);
		ck_assert_int_le(st.st_size, 2000);
		batches++;
	}
	ck_assert_uint_gt(batches, 1);
}
END_TEST

START_TEST(intake_counts_no_bytes_that_do_not_go_over_the_wire)
{
	struct batch batch;
	struct buf json;

	inlet.config->batch_max_bytes = 20000;
	add_rows(200, 1);
	ck_assert_uint_eq(inlet_totals().batches, 1);
	buf_init(&json, 1 << 20);
	read_batch(&batch, &json);
	/* So much in memory would have been two batches and more. */
	ck_assert_uint_gt(json.len, 2 * 20000);
	buf_release(&json);
}
END_TEST

/* --- An over-long line --- */

static void add_long(size_t bytes, const char *end)
{
	char *line = mem_alloc(bytes + 1);

	memset(line, 'x', bytes);
	line[bytes] = '\0';
	inlet_add("a.csv", line);
	inlet_add("a.csv", end);
	mem_free(line);
}

static void read_on(int64_t now_ms)
{
	intake_rescan(inlet.intake, now_ms, inlet.now_s);
	intake_flush(inlet.intake);
	inlet_settle(now_ms);
}

/* Loop test: with and without a restart in the middle of it. */
START_TEST(intake_follows_the_file_behind_an_over_long_line)
{
	struct spool_view view;

	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	add_long(2 << 20, "");
	inlet_start(1000);
	read_on(1000);
	ck_assert_uint_eq(inlet_totals().events, 1);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	if (_i) {
		inlet_stop();
		inlet_start(2000);
	}
	add_long(2 << 20, "\n" INLET_ROW(2));
	read_on(3000);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_add("a.csv", INLET_ROW(3));
	read_on(4000);
	inlet_agrees(4, 3);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.account.malformed, 1);
	spool_view_release(&view);
}
END_TEST

/* A column's name with a line break: a header that is no line, and is not given
 * back with the descriptor. */
START_TEST(a_header_of_two_lines_is_kept)
{
	int64_t now_ms = 2000;

	inlet_add("a.csv", "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,"
			   "\"x\ny\"\n" INLET_ROW(1));
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(now_ms);
	ck_assert_uint_eq(inlet_totals().events, 1);
	inlet_add("a.csv", INLET_ROW(2));
	intake_rescan(inlet.intake, now_ms, inlet.now_s);
	intake_flush(inlet.intake);
	fault_arm("pread", 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	fault_disarm();
	for (int i = 0; i < 40; i++) {
		now_ms += 5000;
		intake_rescan(inlet.intake, now_ms, inlet.now_s);
		intake_flush(inlet.intake);
		inlet_settle(now_ms);
	}
	ck_assert_uint_eq(inlet_totals().events, 2);
}
END_TEST

Suite *intake_suite(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");

	tcase_add_checked_fixture(tc, inlet_setup, inlet_teardown);
	tcase_add_test(tc,
		       intake_seals_when_the_oldest_row_has_waited_max_delay);
	tcase_add_test(tc, intake_goes_on_where_it_was_after_a_restart);
	tcase_add_test(tc, intake_with_nothing_to_do_sleeps_for_a_minute);
	tcase_add_test(tc, intake_removes_sent_batches_when_their_time_is_over);
	tcase_add_test(tc, intake_leaves_half_a_row_for_its_other_half);
	tcase_add_loop_test(tc, intake_reads_again_what_the_disk_refused, 0,
			    NROF(refusals));
	tcase_add_test(tc, intake_keeps_a_malformed_row_once);
	tcase_add_test(tc,
		       intake_sets_a_file_without_header_aside_with_one_error);
	tcase_add_test(tc, intake_uses_the_columns_of_the_configuration);
	tcase_add_test(tc, intake_finds_the_row_of_a_refused_event);
	tcase_add_test(tc, intake_keeps_positions_over_a_reload);
	tcase_add_test(tc, intake_reads_a_nameless_file_on_over_a_reload);
	tcase_add_test(
		tc, intake_makes_smaller_batches_where_one_would_be_too_large);
	tcase_add_test(tc, intake_keeps_each_batch_within_its_limit);
	tcase_add_test(tc, intake_counts_no_bytes_that_do_not_go_over_the_wire);
	tcase_add_test(tc, a_header_of_two_lines_is_kept);
	tcase_add_loop_test(
		tc, intake_follows_the_file_behind_an_over_long_line, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
