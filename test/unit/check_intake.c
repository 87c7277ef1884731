/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/status.h"
#include "base/fs.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"

#define HEADER "type,timeLogged,timeQueued,orig,rcpt,dsnStatus\n"
#define ROW(n)                                                                 \
	"d,1700000000,1699999990,a@from.example,u" #n "@to.example,2.0.0\n"

enum { NOW_S = 1700000010, DELAY_MS = 5000 };

static char root[256];
static struct config *config;
static struct spool *spool;
static struct intake *intake;
static char said[4096];

static void note(int priority, const char *line)
{
	size_t len = strlen(said);

	(void)priority;
	snprintf(said + len, sizeof(said) - len, "%s\n", line);
}

static const char *in_root(const char *name)
{
	static char path[4][512];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", root, name);
	return path[turn];
}

static void add(const char *name, const char *text)
{
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_APPEND, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void start(int64_t now_ms)
{
	struct spool_found found = {0};
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_msg(spool_open(&config->spool, &spool, &found, &why) ==
			      SPOOL_OPEN_OK,
		      "%s", buf_str(&why));
	buf_release(&why);
	intake = intake_new(config, spool, &found, now_ms, NOW_S);
	spool_found_release(&found);
}

static void stop(void)
{
	intake_free(&intake);
	spool_close(&spool);
}

static void setup(void)
{
	snprintf(root, sizeof(root), "%s/check_intake.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	said[0] = '\0';
	log_set_sink(note);
	config = config_default();
	config->sources = mem_zero(1, sizeof(*config->sources));
	config->sources_count = 1;
	config->sources[0].path = mem_str(in_root("*.csv"));
	mem_free(config->spool.directory);
	config->spool.directory = mem_str(in_root("spool"));
	config->spool.min_free_bytes = 0;
	config->batch_max_delay_ms = DELAY_MS;
	config->events.injection = INJECTION_RECORDS;
}

static void teardown(void)
{
	char command[300];

	fault_disarm();
	stop();
	config_free(&config);
	log_set_sink(NULL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static struct spool_totals totals(void)
{
	struct spool_totals t;

	spool_totals(spool, &t);
	return t;
}

/* Until nothing is due. */
static void settle(int64_t now_ms)
{
	for (int i = 0; i < 100 && !intake_done(intake, now_ms); i++)
		intake_step(intake, now_ms, NOW_S);
	intake_step(intake, now_ms, NOW_S);
}

static void agrees(uint64_t rows, uint64_t events)
{
	struct spool_view view = {0};
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_int_eq(intake_save(intake, NOW_S), 0);
	ck_assert_int_eq(spool_view(config->spool.directory, &view, &why), 0);
	ck_assert_msg(status_agrees(&view, &why), "%s", buf_str(&why));
	ck_assert_uint_eq(view.checkpoint.ledger.account.rows, rows);
	ck_assert_uint_eq(account_events(&view.checkpoint.ledger.account),
			  events);
	spool_view_release(&view);
	buf_release(&why);
}

START_TEST(intake_seals_when_the_oldest_row_has_waited_max_delay)
{
	add("a.csv", HEADER ROW(1));
	start(1000);
	intake_step(intake, 1000, NOW_S);
	ck_assert_uint_eq(totals().batches, 0);
	ck_assert(intake_pending(intake));
	intake_step(intake, 1000 + DELAY_MS - 1, NOW_S);
	ck_assert_uint_eq(totals().batches, 0);
	settle(1000 + DELAY_MS);
	ck_assert_uint_eq(totals().batches, 1);
	ck_assert_uint_eq(totals().events, 1);
	agrees(1, 1);
}
END_TEST

START_TEST(intake_goes_on_where_it_was_after_a_restart)
{
	add("a.csv", HEADER ROW(1) ROW(2));
	start(1000);
	intake_flush(intake);
	settle(1000);
	ck_assert_uint_eq(totals().events, 2);
	stop();
	start(2000);
	intake_flush(intake);
	settle(2000);
	ck_assert_uint_eq(totals().events, 2);
	add("a.csv", ROW(3));
	intake_rescan(intake, 3000, NOW_S);
	intake_flush(intake);
	settle(3000);
	ck_assert_uint_eq(totals().events, 3);
	agrees(3, 3);
}
END_TEST

START_TEST(intake_leaves_half_a_row_for_its_other_half)
{
	add("a.csv", HEADER ROW(1) "d,17000");
	start(1000);
	intake_flush(intake);
	settle(1000);
	ck_assert_uint_eq(totals().events, 1);
	add("a.csv", "00000,1699999990,a@from.example,u2@to.example,2.0.0\n");
	intake_rescan(intake, 2000, NOW_S);
	intake_flush(intake);
	settle(2000);
	ck_assert_uint_eq(totals().events, 2);
	agrees(2, 2);
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
	add("a.csv", HEADER ROW(1) ROW(2));
	start(1000);
	intake_step(intake, 1000, NOW_S);
	fault_arm_from(refusals[_i].call, 1, refusals[_i].error);
	intake_step(intake, 1000 + DELAY_MS, NOW_S);
	intake_step(intake, 1000 + DELAY_MS + 1, NOW_S);
	ck_assert(intake_stuck(intake));
	fault_disarm();
	ck_assert_uint_eq(totals().batches, 0);
	ck_assert_ptr_nonnull(strstr(said, "nothing is lost"));
	settle(1000 + DELAY_MS + INTAKE_RETRY_MS + 1);
	ck_assert_msg(!intake_stuck(intake), "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "works again"));
	ck_assert_uint_eq(totals().events, 2);
	agrees(2, 2);
}
END_TEST

START_TEST(intake_keeps_a_malformed_row_once)
{
	struct buf rows;

	add("a.csv", HEADER ROW(1) "d,never,,a@b.example,c@d.example,2.0.0\n");
	start(1000);
	intake_step(intake, 1000, NOW_S);
	fault_arm_from("renameat", 1, EIO);
	intake_step(intake, 1000 + DELAY_MS, NOW_S);
	fault_disarm();
	settle(1000 + DELAY_MS + INTAKE_RETRY_MS + 1);
	agrees(2, 1);
	buf_init(&rows, 4096);
	ck_assert_int_eq(fs_read_file(AT_FDCWD,
				      in_root("spool/refused/rows.csv"), &rows),
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
	add("a.csv", ROW(1) ROW(2));
	add("b.csv", HEADER ROW(3));
	start(1000);
	intake_flush(intake);
	settle(1000);
	ck_assert_uint_eq(totals().events, 1);
	ck_assert_ptr_nonnull(strstr(said, "no header line"));
	ck_assert_ptr_null(
		strstr(strstr(said, "no header line") + 1, "no header line"));
	agrees(1, 1);
}
END_TEST

START_TEST(intake_uses_the_columns_of_the_configuration)
{
	config->sources[0].columns =
		mem_str("timeLogged,timeQueued,orig,rcpt,dsnStatus");
	add("a.csv", ROW(1) ROW(2));
	start(1000);
	intake_flush(intake);
	settle(1000);
	ck_assert_uint_eq(totals().events, 2);
	agrees(2, 2);
}
END_TEST

/* The events of the only batch. */
static void read_batch(struct batch *batch, struct buf *json)
{
	struct gzip_reader *reader;
	char bytes[4096];
	ptrdiff_t n;
	int fd;

	ck_assert_int_eq(spool_take(spool, batch), 1);
	fd = spool_open_batch(spool, batch);
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

	add("a.csv", HEADER ROW(1) ROW(2) ROW(3));
	start(1000);
	intake_flush(intake);
	settle(1000);
	buf_init(&json, 1 << 20);
	buf_init(&rows, 4096);
	read_batch(&batch, &json);
	slice_cut(buf_slice(&json), '\n', &second);
	second.len = slice_find(second, '\n');
	intake_refused(intake, &batch, second);
	intake_step(intake, 1001, NOW_S);
	ck_assert_int_eq(fs_read_file(AT_FDCWD,
				      in_root("spool/refused/rows.csv"), &rows),
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
	add("a.csv", HEADER ROW(1));
	start(1000);
	intake_flush(intake);
	settle(1000);
	intake_configure(intake, config, 2000, NOW_S);
	add("a.csv", ROW(2));
	intake_rescan(intake, 3000, NOW_S);
	intake_flush(intake);
	settle(3000);
	ck_assert_uint_eq(totals().events, 2);
	agrees(2, 2);
}
END_TEST

START_TEST(intake_makes_smaller_batches_where_one_would_be_too_large)
{
	char row[256];

	config->batch_max_bytes = 2000;
	add("a.csv", HEADER);
	for (int i = 0; i < 200; i++) {
		snprintf(row, sizeof(row),
			 "d,1700000000,1699999990,a%d@f.example,u%d@t.example,"
			 "\n",
			 i * 7919, i * 104729);
		add("a.csv", row);
	}
	start(1000);
	intake_flush(intake);
	settle(1000);
	ck_assert_uint_gt(totals().batches, 1);
	ck_assert_uint_eq(totals().events, 200);
	ck_assert_uint_le(totals().bytes, totals().batches * 2000);
	agrees(200, 200);
}
END_TEST

Suite *intake_suite(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       intake_seals_when_the_oldest_row_has_waited_max_delay);
	tcase_add_test(tc, intake_goes_on_where_it_was_after_a_restart);
	tcase_add_test(tc, intake_leaves_half_a_row_for_its_other_half);
	tcase_add_loop_test(tc, intake_reads_again_what_the_disk_refused, 0,
			    NROF(refusals));
	tcase_add_test(tc, intake_keeps_a_malformed_row_once);
	tcase_add_test(tc,
		       intake_sets_a_file_without_header_aside_with_one_error);
	tcase_add_test(tc, intake_uses_the_columns_of_the_configuration);
	tcase_add_test(tc, intake_finds_the_row_of_a_refused_event);
	tcase_add_test(tc, intake_keeps_positions_over_a_reload);
	tcase_add_test(
		tc, intake_makes_smaller_batches_where_one_would_be_too_large);
	suite_add_tcase(s, tc);
	return s;
}
