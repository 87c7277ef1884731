/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/intake_private.h"
#include "base/fs.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/inlet.h"

#define MALFORMED "d,never,,a@b.example,c@d.example,2.0.0\n"

enum { FILES = 5 };

/* The sizes of the commits. */
static struct {
	uint64_t sizes[100];
	size_t count;
	uint64_t before;
} commits;

static void on_seal(void *ctx)
{
	uint64_t batches = inlet_totals().batches;

	(void)ctx;
	ck_assert_uint_lt(commits.count, NROF(commits.sizes));
	commits.sizes[commits.count++] = batches - commits.before;
	commits.before = batches;
}

static void start(void)
{
	commits.count = 0;
	commits.before = 0;
	inlet_start(1000);
	spool_on_seal(inlet.spool, on_seal, NULL);
}

static void add_files(int count, const char *text)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "f%02d.csv", i);
		inlet_add(name, INLET_HEADER);
		inlet_add(name, text);
	}
}

START_TEST(files_share_a_commit)
{
	int files = _i ? FILES : 1;

	add_files(files, INLET_ROW(1));
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm("fsync", 1000000, EIO);
	intake_step(inlet.intake, 1000, inlet.now_s);
	/* Each file, tmp/ if they are many, checkpoint.next, ready/, twice the
	 * spool's directory. */
	ck_assert_int_eq(fault_calls("fsync"), _i ? FILES + 5 : 5);
	fault_disarm();
	ck_assert_uint_eq(commits.count, 1);
	ck_assert_uint_eq(commits.sizes[0], (uint64_t)files);
	inlet_agrees((uint64_t)files, (uint64_t)files);
}
END_TEST

START_TEST(a_commit_has_no_more_than_it_may)
{
	add_files(SPOOL_GROUP + 3, INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	intake_step(inlet.intake, 1000, inlet.now_s);
	ck_assert_uint_eq(commits.count, 2);
	ck_assert_uint_eq(commits.sizes[0], SPOOL_GROUP);
	ck_assert_uint_eq(commits.sizes[1], 3);
	inlet_agrees(SPOOL_GROUP + 3, SPOOL_GROUP + 3);
}
END_TEST

/* The blocks of a file that is behind, in their order; a step's at most. */
START_TEST(a_commit_has_the_next_blocks_of_a_file)
{
	uint64_t most = 0;

	inlet.config->events.max_events = 1;
	inlet_add("a.csv", INLET_HEADER);
	for (int i = 0; i < 10; i++)
		inlet_add("a.csv", INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_uint_eq(inlet_totals().batches, 10);
	for (size_t i = 0; i < commits.count; i++) {
		ck_assert_uint_le(commits.sizes[i], INTAKE_TURN + 1);
		if (commits.sizes[i] > most)
			most = commits.sizes[i];
	}
	ck_assert_uint_ge(most, 2);
	inlet_agrees(10, 10);
}
END_TEST

/* What fails goes back to before the first of them. */
START_TEST(a_file_goes_back_before_the_first_of_its_blocks)
{
	int64_t now_ms = 1000;

	inlet.config->events.max_events = 1;
	add_files(2, INLET_ROW(1) INLET_ROW(2) INLET_ROW(3) INLET_ROW(4));
	start();
	intake_flush(inlet.intake);
	fault_arm("renameat", _i + 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	for (int i = 0; i < 5; i++)
		intake_step(inlet.intake, now_ms += INTAKE_RETRY_MS,
			    inlet.now_s);
	fault_disarm();
	ck_assert_uint_eq(inlet_totals().batches, 8);
	ck_assert_uint_eq(inlet_totals().events, 8);
	inlet_agrees(8, 8);
	/* And the directory says the same. */
	inlet_stop();
	start();
	ck_assert_uint_eq(inlet_totals().batches, 8);
	inlet_settle(now_ms);
	inlet_agrees(8, 8);
}
END_TEST

/* A group that finds no room is tried one by one, before anybody waits. */
START_TEST(what_fails_together_is_tried_alone)
{
	add_files(FILES, INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	/* The third of them, and then none. */
	fault_arm("fsync", 3, ENOSPC);
	for (int i = 0; i < 1 + FILES; i++) {
		intake_step(inlet.intake, 1000, inlet.now_s);
		ck_assert(!intake_stuck(inlet.intake));
	}
	fault_disarm();
	ck_assert_uint_eq(inlet_totals().batches, FILES);
	for (size_t i = 0; i < commits.count; i++)
		ck_assert_uint_eq(commits.sizes[i], 1);
	inlet_agrees(FILES, FILES);
}
END_TEST

/* The second block after the first one that is durable. */
static void refuse_the_next(void *ctx)
{
	on_seal(ctx);
	if (commits.count == 1)
		fault_arm("renameat", 1, ENOSPC);
}

/* A disk that takes others, but not that one, does not work: nobody is told so
 * before it was tried again. */
START_TEST(one_block_that_is_refused_is_not_forgotten)
{
	add_files(4, INLET_ROW(1));
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	spool_on_seal(inlet.spool, refuse_the_next, NULL);
	intake_flush(inlet.intake);
	fault_arm("renameat", 1, ENOSPC);
	for (int i = 0; i < 4; i++)
		intake_step(inlet.intake, 1000, inlet.now_s);
	fault_disarm();
	ck_assert_uint_eq(inlet_totals().batches, 3);
	ck_assert(intake_stuck(inlet.intake));
	ck_assert(!intake_done(inlet.intake, 1000));
	/* A save that works says nothing of it, either. */
	intake_dirty(inlet.intake, 1000);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	ck_assert_ptr_null(strstr(inlet.said, "works again"));
	inlet_settle(1000 + INTAKE_RETRY_MS);
	ck_assert_uint_eq(inlet_totals().batches, 4);
	ck_assert(!intake_stuck(inlet.intake));
	inlet_said("works again");
	inlet_agrees(4, 4);
}
END_TEST

static int said_times(const char *part)
{
	int times = 0;

	for (const char *p = inlet.said; (p = strstr(p, part)); p++)
		times++;
	return times;
}

/* A row that makes too much, behind blocks that are not durable: the file is
 * set aside when they are, and in front of it. */
START_TEST(a_file_is_set_aside_behind_its_blocks)
{
	char diag[3000];
	uint32_t seed = 1;
	int64_t now_ms = 2000;

	for (size_t i = 0; i < sizeof(diag) - 1; i++) {
		seed = seed * 1664525 + 1013904223;
		diag[i] = (char)('A' + (seed >> 16) % 26);
	}
	diag[sizeof(diag) - 1] = '\0';
	inlet.config->events.max_events = 1;
	inlet.config->batch_max_bytes = 1000;
	inlet_add("a.csv", "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,"
			   "dsnDiag\n");
	inlet_add("a.csv",
		  "d,1700000000,1699999990,a@f.example,u@t.example,2.0.0,\n"
		  "d,1700000000,1699999990,a@f.example,v@t.example,2.0.0,\n"
		  "b,1700000000,1699999990,a@f.example,w@t.example,5.0.0,");
	inlet_add("a.csv", diag);
	inlet_add("a.csv", "\n");
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm("renameat", 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	fault_disarm();
	ck_assert_int_eq(said_times("set aside"), 0);
	for (int i = 0; i < 10; i++)
		inlet_settle(now_ms += INTAKE_RETRY_MS);
	ck_assert_int_eq(said_times("set aside"), 1);
	inlet_agrees(2, 2);
}
END_TEST

/* There is no room for a block, and what would make some fails once: the next
 * block does not take the place of the one that went back. */
START_TEST(no_block_is_passed_over_for_lack_of_room)
{
	int64_t now_ms = 2000;

	inlet.config->events.max_events = 1;
	inlet.config->spool.max_bytes = 350;
	inlet.config->spool.pause = _i;
	inlet_add("a.csv", INLET_HEADER);
	inlet_add("a.csv", INLET_ROW(1) INLET_ROW(2) INLET_ROW(3) INLET_ROW(4));
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm("renameat", 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	fault_disarm();
	inlet.config->spool.max_bytes = 100000;
	spool_configure(inlet.spool, &inlet.config->spool);
	for (int i = 0; i < 10; i++)
		inlet_settle(now_ms += INTAKE_RETRY_MS);
	ck_assert_uint_eq(inlet_totals().events, 4);
	inlet_agrees(4, 4);
}
END_TEST

/* A block without events behind one that is not durable is read again with it,
 * and counted once. */
START_TEST(rows_without_events_are_counted_once)
{
	int64_t now_ms = 2000;

	inlet.config->events.max_events = 1;
	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
	for (int i = 0; i < 3000; i++)
		inlet_add("a.csv", "tq,1700000000,1699999990,a@f.example,"
				   "u@t.example,2.0.0\n");
	inlet_add("a.csv", INLET_ROW(2));
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm("renameat", 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	fault_disarm();
	for (int i = 0; i < 10; i++)
		inlet_settle(now_ms += INTAKE_RETRY_MS);
	inlet_agrees(3002, 2);
}
END_TEST

/* How often a text is in rows.csv. */
static int kept(const char *text)
{
	struct buf rows;
	int count = 0;

	buf_init(&rows, 1 << 20);
	ck_assert_int_eq(fs_read_file(AT_FDCWD,
				      inlet_path("spool/refused/rows.csv"),
				      &rows),
			 0);
	for (const char *at = buf_str(&rows); (at = strstr(at, text)); at++)
		count++;
	buf_release(&rows);
	return count;
}

static const struct {
	const char *call;
	int first, last; /* which of the commit's calls fail */
} refusals[] = {
	{"fsync", 1, 3 * FILES + 6},
	{"renameat", 1, FILES + 1},
	{"write", 1, 2 * FILES + 2},
};

/* The n-th call fails, and maybe all that follow: then all files are read
 * again, and their malformed rows are kept once. */
START_TEST(all_of_a_group_are_read_again)
{
	int64_t ms = 1000;

	for (int n = refusals[_i / 2].first; n <= refusals[_i / 2].last; n++) {
		add_files(FILES, INLET_ROW(1) MALFORMED);
		start();
		ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
		intake_flush(inlet.intake);
		fault_arm_some(refusals[_i / 2].call, n, _i % 2 ? 1 : 1000,
			       EIO);
		intake_step(inlet.intake, ms, inlet.now_s);
		fault_disarm();
		for (int i = 0; i < 10; i++)
			inlet_settle(ms += INTAKE_RETRY_MS);
		ck_assert(!intake_stuck(inlet.intake));
		ck_assert_uint_eq(inlet_totals().batches, FILES);
		inlet_agrees(2 * FILES, FILES);
		/* What could not be kept is not tried again with its block. */
		if (!strstr(inlet.said, "cannot keep"))
			ck_assert_int_eq(kept("c@d.example"), FILES);
		else
			ck_assert_int_ge(kept("c@d.example"), FILES - 1);
		inlet_teardown();
		inlet_setup();
	}
}
END_TEST

/* Where the blocks end again when they are read again: a block that was full
 * made the next ones smaller. */
START_TEST(malformed_rows_are_kept_once_where_a_block_was_full)
{
	int64_t now_ms = 2000;

	inlet.config->events.max_events = 2000;
	inlet_add("a.csv", INLET_HEADER);
	for (int i = 0; i < 5000; i++) {
		inlet_add("a.csv", INLET_ROW(1));
		if (i % 2000 == 1990)
			inlet_add("a.csv", MALFORMED);
	}
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm("renameat", 1, EIO);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	fault_disarm();
	for (int i = 0; i < 10; i++)
		inlet_settle(now_ms += INTAKE_RETRY_MS);
	inlet_agrees(5002, 5000);
	ck_assert_int_eq(kept("c@d.example"), 2);
}
END_TEST

/* Its descriptor is all there is of a file until its rows are durable. */
START_TEST(a_nameless_file_is_not_given_up_before_the_commit)
{
	int64_t ms = 1000;

	add_files(2, "d,1700000000,1699999990,a@f.example,u@t.example,2.0.0");
	start();
	intake_step(inlet.intake, ms, inlet.now_s);
	ck_assert_int_eq(unlink(inlet_path("f00.csv")), 0);
	ck_assert_int_eq(unlink(inlet_path("f01.csv")), 0);
	intake_rescan(inlet.intake, ms, inlet.now_s);
	/* A row without end is one when nobody has written for a minute. */
	while (ms < 60000)
		intake_step(inlet.intake, ms += 500, inlet.now_s);
	ck_assert_uint_eq(commits.count, 0);
	fault_arm_from("renameat", 1, EIO);
	while (!intake_stuck(inlet.intake) && ms < 200000)
		intake_step(inlet.intake, ms += 500, inlet.now_s);
	ck_assert(intake_stuck(inlet.intake));
	ck_assert_ptr_null(strstr(inlet.said, "deleted"));
	fault_disarm();
	for (int i = 0; i < 200; i++)
		intake_step(inlet.intake, ms += 500, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 2);
	inlet_agrees(2, 2);
}
END_TEST

/* Room for two: the others push them out, or wait. */
START_TEST(a_group_stays_within_the_room_there_is)
{
	add_files(1, INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	inlet_settle(1000);
	inlet.config->spool.max_bytes = inlet_totals().bytes * 5 / 2;
	inlet.config->spool.pause = _i;
	spool_configure(inlet.spool, &inlet.config->spool);
	add_files(FILES, INLET_ROW(2));
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	intake_flush(inlet.intake);
	for (int i = 0; i < FILES; i++) {
		intake_step(inlet.intake, 2000 + i, inlet.now_s);
		ck_assert_uint_le(inlet_totals().bytes,
				  inlet.config->spool.max_bytes);
	}
	ck_assert_int_eq(intake_paused(inlet.intake), _i);
	ck_assert_uint_eq(inlet_totals().batches, 2);
	if (_i)
		inlet_agrees(2, 2);
	else
		inlet_agrees(1 + FILES, 1 + FILES);
}
END_TEST

/* What is remembered of the text goes with the sources it is of. */
START_TEST(a_reload_makes_the_checkpoint_anew)
{
	struct spool_view view;

	add_files(1, INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	inlet_settle(1000);
	inlet_agrees(1, 1);
	for (int i = 0; i < 20; i++) {
		inlet_add("f00.csv", INLET_ROW(2));
		intake_configure(inlet.intake, inlet.config, 2000 + i,
				 inlet.now_s);
		intake_flush(inlet.intake);
		inlet_settle(2000 + i);
		inlet_agrees((uint64_t)i + 2, (uint64_t)i + 2);
		view = inlet_view();
		ck_assert_uint_eq(view.checkpoint.positions[0].account.rows,
				  (uint64_t)i + 2);
		spool_view_release(&view);
	}
}
END_TEST

/* More of the file is in the block when it is tried again. */
START_TEST(a_malformed_row_is_kept_when_its_block_has_grown)
{
	int64_t ms = 1000;

	add_files(1, INLET_ROW(1) MALFORMED);
	start();
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	intake_flush(inlet.intake);
	fault_arm_some("renameat", 1, 1000, EIO);
	intake_step(inlet.intake, ms, inlet.now_s);
	fault_disarm();
	ck_assert(intake_stuck(inlet.intake));
	inlet_add("f00.csv", "d,never,,new@b.example,new@d.example,2.0.0\n");
	intake_rescan(inlet.intake, ms, inlet.now_s);
	for (int i = 0; i < 10; i++)
		inlet_settle(ms += INTAKE_RETRY_MS);
	inlet_agrees(3, 1);
	ck_assert_int_ge(kept("c@d.example"), 1);
	ck_assert_int_eq(kept("new@d.example"), 1);
}
END_TEST

/* A file that was written anew while others were staged: it knows a number
 * that no batch has yet, as theirs came back. */
START_TEST(a_file_written_anew_knows_no_number_that_came_back)
{
	uint64_t next;

	add_files(3, INLET_ROW(1));
	start();
	intake_flush(inlet.intake);
	inlet_settle(1000);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	add_files(3, INLET_ROW(2) INLET_ROW(3));
	intake_rescan(inlet.intake, 1000, inlet.now_s);
	intake_flush(inlet.intake);
	ck_assert_int_eq(truncate(inlet_path("f02.csv"), 0), 0);
	inlet_add("f02.csv", INLET_HEADER INLET_ROW(7));
	next = spool_next_seq(inlet.spool);
	fault_arm_some("renameat", 1, 1000, EIO);
	intake_step(inlet.intake, 1000, inlet.now_s);
	ck_assert(!intake_stuck(inlet.intake));
	ck_assert_uint_eq(spool_next_seq(inlet.spool), next);
	intake_step(inlet.intake, 1000, inlet.now_s);
	fault_disarm();
	ck_assert(intake_stuck(inlet.intake));
	ck_assert_uint_eq(spool_next_seq(inlet.spool), next);
	for (size_t i = 0; i < sources_count(inlet.intake->sources); i++) {
		const struct source *source =
			sources_get(inlet.intake->sources, i);

		ck_assert_uint_le(source_position(source)->anew_seq, next);
	}
}
END_TEST

Suite *intake_group_suite(void)
{
	Suite *s = suite_create("intake_group");
	TCase *tc = tcase_create("intake_group");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, inlet_setup, inlet_teardown);
	tcase_add_loop_test(tc, files_share_a_commit, 0, 2);
	tcase_add_test(tc, a_commit_has_no_more_than_it_may);
	tcase_add_test(tc, a_commit_has_the_next_blocks_of_a_file);
	tcase_add_loop_test(tc, a_file_goes_back_before_the_first_of_its_blocks,
			    0, 10);
	tcase_add_test(tc, what_fails_together_is_tried_alone);
	tcase_add_test(tc, one_block_that_is_refused_is_not_forgotten);
	tcase_add_test(tc, a_file_is_set_aside_behind_its_blocks);
	tcase_add_loop_test(tc, no_block_is_passed_over_for_lack_of_room, 0, 2);
	tcase_add_test(tc, rows_without_events_are_counted_once);
	tcase_add_loop_test(tc, all_of_a_group_are_read_again, 0,
			    2 * NROF(refusals));
	tcase_add_test(tc, malformed_rows_are_kept_once_where_a_block_was_full);
	tcase_add_test(tc, a_nameless_file_is_not_given_up_before_the_commit);
	tcase_add_loop_test(tc, a_group_stays_within_the_room_there_is, 0, 2);
	tcase_add_test(tc, a_reload_makes_the_checkpoint_anew);
	tcase_add_test(tc, a_malformed_row_is_kept_when_its_block_has_grown);
	tcase_add_test(tc, a_file_written_anew_knows_no_number_that_came_back);
	suite_add_tcase(s, tc);
	return s;
}
