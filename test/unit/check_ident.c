/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/fault.h"
#include "unit/world.h"

/*
 * Files that move while they are read: each row is read once, whatever happens
 * to the name.
 */

#define HEAD "type,rcpt\n"

static void start(const char *glob)
{
	world_open(glob);
	world_rescan();
}

static void later(int64_t ms)
{
	world_rescan();
	world_pass(ms);
	world_read();
}

START_TEST(half_a_line_waits_for_its_end)
{
	world_put("a.csv", HEAD "d,1\nd,2");
	start("*.csv");
	later(5000);
	world_rows("d,1\n");
	ck_assert_ptr_null(sources_due(world.s, world.ms + 3600000));
	world_put("a.csv", "2\nd,3\n");
	world_notice("a.csv");
	ck_assert_ptr_null(sources_due(world.s, world.ms));
	world_pass(5000);
	world_read();
	world_rows("d,22\nd,3\n");
	world_said("found a.csv\n");
}
END_TEST

START_TEST(rollover_by_new_name_finishes_the_old_file)
{
	world_put("a-0.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_put("a-0.csv", "d,2\n");
	world_put("a-1.csv", HEAD "d,3\n");
	world_age("a-0.csv", 1);
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	world_state("a-0.csv", POSITION_FOLLOWING);
	later(60000);
	world_state("a-0.csv", POSITION_FINISHED);
	world_state("a-1.csv", POSITION_FOLLOWING);
	world_said("found a-0.csv\nfound a-1.csv\nfinished a-0.csv\n");
	ck_assert_int_eq(world_open_files(), 1);
}
END_TEST

START_TEST(last_line_of_a_final_file_is_a_row)
{
	world_put("a-0.csv", HEAD "d,1\nd,2");
	world_put("a-1.csv", HEAD);
	world_age("a-0.csv", 10);
	start("*.csv");
	later(5000);
	world_rows("d,1\n");
	later(60000);
	world_rows("d,2\n");
	world_state("a-0.csv", POSITION_FINISHED);
	world_said("found a-0.csv\nfound a-1.csv\nfinished a-0.csv\n");
}
END_TEST

START_TEST(finished_file_that_grows_is_followed_again)
{
	world_put("a-0.csv", HEAD "d,1\n");
	world_put("a-1.csv", HEAD);
	world_age("a-0.csv", 100);
	start("*.csv");
	world_read();
	world_state("a-0.csv", POSITION_FINISHED);
	world_put("a-0.csv", "d,2\n");
	world_age("a-0.csv", 50);
	world_notice("a-0.csv");
	world_state("a-0.csv", POSITION_FOLLOWING);
	world_pass(5000);
	world_read();
	world_rows("d,1\nd,2\n");
	ck_slice(
		buf_slice(
			&source_position(world_source("a-0.csv"))->file.header),
		"type,rcpt");
	later(60000);
	world_state("a-0.csv", POSITION_FINISHED);
}
END_TEST

START_TEST(hundred_rollovers_lose_nothing)
{
	struct buf want;
	char name[32], row[32];

	buf_init(&want, 1 << 20);
	start("*.csv");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "a-%04d.csv", i);
		world_put(name, HEAD);
		for (int k = 0; k < 3; k++) {
			snprintf(row, sizeof(row), "d,%d.%d\n", i, k);
			world_put(name, row);
			buf_add_str(&want, row);
			world_notice(name);
			world_pass(700);
			world_read();
		}
	}
	later(60000);
	later(60000);
	world_rows_any_order(buf_str(&want));
	world_state("a-0000.csv", POSITION_FINISHED);
	world_state("a-0098.csv", POSITION_FINISHED);
	world_state("a-0099.csv", POSITION_FOLLOWING);
	buf_release(&want);
}
END_TEST

START_TEST(renamed_file_goes_on_where_it_was)
{
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_move("a.csv", "b.csv");
	world_put("b.csv", "d,2\n");
	if (_i) {
		world_notice("a.csv");
		world_notice("b.csv");
	}
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("found a.csv\nrenamed b.csv: a.csv\n");
	ck_assert_uint_eq(sources_count(world.s), 1);
}
END_TEST

START_TEST(rollover_by_rename_follows_both)
{
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_put("a.csv", "d,2\n");
	world_age("a.csv", 1);
	world_move("a.csv", "a-1.csv");
	world_put("a.csv", HEAD "d,3\n");
	if (_i) {
		world_notice("a.csv");
		world_notice("a-1.csv");
	}
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	ck_assert_uint_eq(sources_count(world.s), 2);
	world_state("a.csv", POSITION_FOLLOWING);
	world_state("a-1.csv", POSITION_FOLLOWING);
	later(60000);
	world_state("a-1.csv", POSITION_FINISHED);
}
END_TEST

START_TEST(file_moved_to_another_watched_directory_goes_on)
{
	static const char *const globs[] = {"live/*.csv", "old/*.csv"};
	struct sources_limits limits = world_limits();

	mkdir(world_path("live"), 0700);
	mkdir(world_path("old"), 0700);
	world_put("live/a.csv", HEAD "d,1\n");
	world_open_with(globs, 2, &limits, false);
	world_rescan();
	later(5000);
	world_put("live/a.csv", "d,2\n");
	world_move("live/a.csv", "old/a.csv");
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("found a.csv\nrenamed a.csv: a.csv\n");
	ck_assert_str_eq(sources_directory(world.s, 0), world_path("live"));
	ck_assert_str_eq(sources_directory(world.s, 1), world_path("old"));
	ck_assert_ptr_null(sources_directory(world.s, 2));
}
END_TEST

START_TEST(file_moved_away_is_read_through_its_descriptor)
{
	mkdir(world_path("away"), 0700);
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_put("a.csv", "d,2\n");
	world_move("a.csv", "away/a.csv");
	world_put("a.csv", HEAD "d,4\n");
	later(5000);
	world_said("found a.csv\nreplaced a.csv\n");
	/* Its writer has it open, and nobody tells. */
	world_put("away/a.csv", "d,3\nhalf");
	world_pass(1000);
	world_read();
	world_pass(5000);
	world_read();
	world_rows("d,1\nd,2\nd,4\nd,3\n");
	world_pass(53000);
	world_put("away/a.csv", "-");
	world_read();
	world_pass(10000);
	world_read();
	world_rows("");
	world_pass(60000);
	world_read();
	world_pass(1000);
	world_read();
	world_rows("half-\n");
	world_said("gone a.csv\n");
	ck_assert_int_eq(world_open_files(), 1);
}
END_TEST

START_TEST(copied_and_truncated_file_starts_over)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_cut("a.csv", 0);
	if (_i)
		world_notice("a.csv");
	world_put("a.csv", HEAD "d,3\n");
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	world_said("found a.csv\ntruncated a.csv\n");
}
END_TEST

START_TEST(file_truncated_and_grown_beyond_starts_over)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,3\nd,4\nd,5\nd,6\n");
	later(5000);
	world_rows("d,1\nd,2\nd,3\nd,4\nd,5\nd,6\n");
	world_said("found a.csv\nrewritten a.csv\n");
}
END_TEST

START_TEST(file_rewritten_to_the_same_size_starts_over)
{
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,2\n");
	world_age("a.csv", 1);
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("found a.csv\nrewritten a.csv\n");
}
END_TEST

/* More than the digests cover is read, and only its middle is the same. */
START_TEST(long_file_rewritten_behind_its_beginning_starts_over)
{
	char row[128];

	world_put("a.csv", HEAD);
	for (int i = 0; i < 100; i++) {
		snprintf(row, sizeof(row), "d,%090d\n", i);
		world_put("a.csv", row);
	}
	start("*.csv");
	later(5000);
	world_cut("a.csv", 5000);
	for (int i = 0; i < 100; i++)
		world_put("a.csv", row);
	later(5000);
	world_said("found a.csv\nrewritten a.csv\n");
	ck_assert_uint_eq(source_position(world_source("a.csv"))->id.head_len,
			  POSITION_HEAD);
	ck_assert_uint_eq(source_position(world_source("a.csv"))->tail_len,
			  POSITION_TAIL);
}
END_TEST

START_TEST(long_file_with_another_beginning_starts_over)
{
	char row[128];
	int fd;

	world_put("a.csv", HEAD);
	for (int i = 0; i < 100; i++) {
		snprintf(row, sizeof(row), "d,%090d\n", i);
		world_put("a.csv", row);
	}
	start("*.csv");
	later(5000);
	fd = open(world_path("a.csv"), O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "type,orig", 9, 0), 9);
	close(fd);
	world_age("a.csv", 1);
	world_rescan();
	world_said("found a.csv\nrewritten a.csv\n");
}
END_TEST

START_TEST(file_renamed_and_rewritten_is_the_same_and_starts_over)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_move("a.csv", "b.csv");
	world_cut("b.csv", 0);
	world_put("b.csv", HEAD "d,3\n");
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	world_said("found a.csv\ntruncated a.csv\nrenamed b.csv: a.csv\n");
}
END_TEST

START_TEST(file_replaced_unnoticed_is_not_read_as_the_old_one)
{
	struct sources_limits limits = world_limits();
	const char *glob = "*.csv";
	char name[32];

	limits.max_open = 2;
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d.csv", i);
		world_put(name, HEAD "d,1\n");
		world_age(name, 10 - i);
	}
	world_open_with(&glob, 1, &limits, false);
	world_rescan();
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%d.csv", i);
		world_put("new", HEAD "d,2\n");
		world_move("new", name);
	}
	world_pass(5000);
	world_read();
	/* Only the one that was open could be read. */
	world_rows("d,1\n");
	ck_assert(sources_rescan_due(world.s, world.ms));
	later(5000);
	world_rows("d,2\nd,2\nd,2\nd,2\n");
}
END_TEST

START_TEST(file_is_the_newest_when_newer_ones_are_deleted)
{
	world_put("a-0.csv", HEAD "d,1\nhalf");
	world_age("a-0.csv", 2);
	world_put("a-1.csv", HEAD);
	start("*.csv");
	later(5000);
	world_remove("a-1.csv");
	later(120000);
	world_rows("d,1\n");
	world_put("a-0.csv", " row\n");
	later(5000);
	world_rows("half row\n");
}
END_TEST

START_TEST(file_rewritten_while_it_is_read_starts_over)
{
	struct source *source;
	struct account none = {0};
	struct shape_file file;
	char bytes[64];

	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_put("a.csv", "d,2\n");
	world_notice("a.csv");
	source = sources_due(world.s, world.ms + 5000);
	ck_assert_ptr_nonnull(source);
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,3\nd,4\n");
	ck_assert_int_eq(source_read(source, bytes, 4, 14), 4);
	shape_file_init(&file);
	source_advance(source, 18, &file, &none, world.unix_s);
	shape_file_release(&file);
	world_rows("d,1\n");
	later(10000);
	world_rows("d,3\nd,4\n");
	world_said("found a.csv\nrewritten a.csv\n");
}
END_TEST

START_TEST(deleted_file_is_read_to_its_end)
{
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	world_remove("a.csv");
	if (_i)
		world_notice("a.csv");
	later(5000);
	world_rows("d,1\n");
	world_said("found a.csv\n");
	later(60000);
	later(60000);
	world_said("gone a.csv\n");
	world_state("a.csv", POSITION_GONE);
	ck_assert_int_eq(world_open_files(), 0);
}
END_TEST

START_TEST(deleted_file_that_was_not_open_says_what_is_lost)
{
	struct sources_limits limits = world_limits();
	const char *glob = "*.csv";
	char name[32];

	limits.max_open = 2;
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d.csv", i);
		world_put(name, HEAD "d,1\n");
		world_age(name, 3 - i);
	}
	world_open_with(&glob, 1, &limits, false);
	world_rescan();
	ck_assert_int_eq(world_open_files(), 1);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%d.csv", i);
		world_remove(name);
	}
	later(1000);
	later(1000);
	later(4000);
	world_rows("d,1\n");
	for (int i = 0; i < 4; i++)
		later(60000);
	for (size_t i = 0; i < sources_count(world.s); i++)
		ck_assert_int_eq(
			source_position(sources_get(world.s, i))->state,
			POSITION_GONE);
}
END_TEST

START_TEST(deleted_and_created_with_the_same_inode_is_another_file)
{
	uint64_t inode;
	int tries = 0;

	world_put("a-0.csv", HEAD "d,1\nd,2\n");
	world_put("b.csv", HEAD);
	world_age("a-0.csv", 100);
	start("*.csv");
	world_read();
	world_state("a-0.csv", POSITION_FINISHED);
	inode = world_inode("a-0.csv");
	world_remove("a-0.csv");
	/* Some file systems hand the number out again at once. */
	while (tries++ < 1000) {
		world_put("a-0.csv", HEAD "d,8\nd,9\nd,10\n");
		if (world_inode("a-0.csv") == inode)
			break;
		world_move("a-0.csv", "keep");
	}
	later(65000);
	world_rows("d,1\nd,2\nd,8\nd,9\nd,10\n");
	world_said(tries < 1000 ? "found a-0.csv\nfound b.csv\n"
				  "finished a-0.csv\nrewritten a-0.csv\n"
				  "finished b.csv\n"
				: "found a-0.csv\nfound b.csv\n"
				  "finished a-0.csv\nreplaced a-0.csv\n"
				  "finished b.csv\n");
}
END_TEST

START_TEST(reused_inode_under_another_name_is_another_file)
{
	uint64_t inode;
	char name[32] = "";

	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_put("z.csv", HEAD);
	world_age("a.csv", 100);
	start("*.csv");
	world_read();
	inode = world_inode("a.csv");
	world_remove("a.csv");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d.csv", i);
		world_put(name, HEAD "d,8\nd,9\nd,10\n");
		if (world_inode(name) == inode)
			break;
		world_move(name, "keep");
		name[0] = '\0';
	}
	later(5000);
	later(5000);
	world_rows(name[0] ? "d,1\nd,2\nd,8\nd,9\nd,10\n" : "d,1\nd,2\n");
	world_state("a.csv", POSITION_GONE);
}
END_TEST

START_TEST(replaced_by_a_file_with_the_same_header)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_put("a.csv", "d,3\n");
	world_put("new", HEAD "d,4\nd,5\nd,6\nd,7\n");
	world_move("new", "a.csv");
	later(5000);
	world_rows("d,1\nd,2\nd,3\nd,4\nd,5\nd,6\nd,7\n");
	world_said("found a.csv\nreplaced a.csv\n");
}
END_TEST

/* --- The same first kilobyte --- */

/* A header that is longer than what a file is known by. */
static const char *long_head(void)
{
	static char head[2 * POSITION_HEAD + 2];

	memset(head, 'x', sizeof(head) - 2);
	memcpy(head, "type,", 5);
	head[sizeof(head) - 2] = '\n';
	return head;
}

static void put_long(const char *name, const char *rows)
{
	world_put(name, long_head());
	world_put(name, rows);
}

static void side_by_side(void)
{
	put_long("b.csv", "d,3\nd,4\n");
	world_notice("b.csv");
}

static void replace(void)
{
	put_long("new", "d,3\nd,4\n");
	world_move("new", "a.csv");
}

static void rewrite(void)
{
	world_cut("a.csv", 0);
	put_long("a.csv", "d,3\nd,4\n");
	world_age("a.csv", 1);
}

static void go_and_come(void)
{
	world_remove("a.csv");
	later(60000);
	later(60000);
	put_long("b.csv", "d,3\nd,4\n");
}

static void go_and_come_stopped(void)
{
	world_remove("a.csv");
	put_long("b.csv", "d,3\nd,4\n");
	world_restart();
}

static void replace_stopped(void)
{
	world_remove("a.csv");
	put_long("a.csv", "d,3\nd,4\n");
	world_restart();
}

/* Where the file system hands out the inode once more, as ext4 does. */
static void use_inode_again(void)
{
	uint64_t inode = world_inode("a.csv");
	char name[32];

	put_long("z.csv", "");
	world_age("a.csv", 100);
	later(65000);
	later(65000);
	world_state("a.csv", POSITION_FINISHED);
	ck_assert_int_eq(world_open_files(), 1);
	world_remove("a.csv");
	for (int i = 0; i < 1000; i++) {
		world_put("b.csv", "");
		if (world_inode("b.csv") == inode)
			break;
		snprintf(name, sizeof(name), "keep%d", i);
		world_move("b.csv", name);
	}
	put_long("b.csv", "d,3\nd,4\n");
}

static void (*const others[])(void) = {
	side_by_side,	     replace,	      rewrite,	      go_and_come,
	go_and_come_stopped, replace_stopped, use_inode_again};

START_TEST(files_with_the_same_first_kilobyte_are_told_apart)
{
	put_long("a.csv", "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_rows("d,1\nd,2\n");
	ck_assert_uint_eq(source_position(world_source("a.csv"))->id.head_len,
			  POSITION_HEAD);
	others[_i]();
	later(5000);
	later(5000);
	world_rows("d,3\nd,4\n");
}
END_TEST

START_TEST(copied_back_file_is_the_same)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	start("*.csv");
	later(5000);
	world_put("new", HEAD "d,1\nd,2\nd,3\n");
	world_move("new", "a.csv");
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	world_said("found a.csv\n");
	ck_assert_uint_eq(sources_count(world.s), 1);
}
END_TEST

START_TEST(copy_that_lacks_unread_rows_is_another_file)
{
	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	later(5000);
	world_put("a.csv", "d,2\n");
	world_put("new", HEAD "d,1\nd,3\nd,4\n");
	world_move("new", "a.csv");
	later(5000);
	world_rows("d,1\nd,2\nd,1\nd,3\nd,4\n");
}
END_TEST

START_TEST(same_file_by_two_names_is_read_once)
{
	static const char *const globs[] = {"*.csv", "a*", "links/*"};
	struct sources_limits limits = world_limits();

	mkdir(world_path("links"), 0700);
	world_put("a.csv", HEAD "d,1\n");
	ck_assert_int_eq(link(world_path("a.csv"), world_path("links/hard")),
			 0);
	ck_assert_int_eq(symlink(world_path("a.csv"), world_path("links/soft")),
			 0);
	world_open_with(globs, 3, &limits, false);
	world_rescan();
	later(5000);
	world_notice("links/hard");
	world_notice("links/soft");
	later(5000);
	world_rows("d,1\n");
	world_said("found a.csv\n");
	/* The other name keeps it alive. */
	world_remove("a.csv");
	world_put("links/hard", "d,2\n");
	later(5000);
	world_rows("d,2\n");
	world_said("renamed hard: a.csv\n");
}
END_TEST

START_TEST(symlink_turned_to_another_file_follows_it)
{
	world_put("one", HEAD "d,1\n");
	world_put("two", HEAD "d,3\n");
	ck_assert_int_eq(symlink("one", world_path("now.csv")), 0);
	start("*.csv");
	later(5000);
	world_put("one", "d,2\n");
	ck_assert_int_eq(symlink("two", world_path("next")), 0);
	world_move("next", "now.csv");
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	world_said("found now.csv\nreplaced now.csv\n");
}
END_TEST

START_TEST(unreadable_file_waits_and_says_why)
{
	world_put("a.csv", HEAD "d,1\n");
	fault_arm("openat", 2, EACCES); /* the first is the directory */
	start("*.csv");
	fault_disarm();
	world_pass(5000);
	world_read();
	world_rows("");
	world_state("a.csv", POSITION_WAITING);
	ck_assert_str_eq(source_why(world_source("a.csv")),
			 "Permission denied");
	ck_assert(sources_unread(world.s));
	world_said("found a.csv\nunreadable a.csv: Permission denied\n");
	world_notice("a.csv");
	world_state("a.csv", POSITION_FOLLOWING);
	ck_assert_str_eq(source_why(world_source("a.csv")), "");
	later(5000);
	world_rows("d,1\n");
	world_said("readable a.csv\n");
}
END_TEST

START_TEST(file_that_fails_to_read_waits_for_the_next_rescan)
{
	struct source *source;
	char bytes[16];

	world_put("a.csv", HEAD "d,1\n");
	start("*.csv");
	world_pass(5000);
	source = sources_due(world.s, world.ms);
	ck_assert_ptr_nonnull(source);
	fault_arm("pread", 1, EIO);
	ck_assert_int_eq(source_read(source, bytes, sizeof(bytes), 0), -1);
	ck_assert_int_eq(errno, EIO);
	fault_disarm();
	/* Its header went with the descriptor: nothing more in this turn. */
	ck_assert_int_eq(source_read(source, bytes, sizeof(bytes), 0), -1);
	ck_assert_int_eq(errno, EIO);
	world_state("a.csv", POSITION_WAITING);
	ck_assert_ptr_null(sources_due(world.s, world.ms));
	later(5000);
	world_rows("d,1\n");
	world_said("found a.csv\nunreadable a.csv: Input/output error\n"
		   "readable a.csv\n");
}
END_TEST

START_TEST(unreadable_directory_does_not_make_files_gone)
{
	world_put("a-0.csv", HEAD "d,1\n");
	world_put("a-1.csv", HEAD "d,2\n");
	start("*.csv");
	later(5000);
	world_put("a-1.csv", "d,3\n");
	fault_arm("openat", 1, EACCES);
	later(5000);
	fault_disarm();
	world_rows("d,1\nd,2\nd,3\n");
	world_state("a-0.csv", POSITION_FOLLOWING);
	ck_assert_int_eq(world_open_files(), 2);
}
END_TEST

START_TEST(what_is_no_file_is_never_opened)
{
	world_put("a.csv", HEAD "d,1\n");
	mkdir(world_path("dir.csv"), 0700);
	ck_assert_int_eq(mkfifo(world_path("fifo.csv"), 0600), 0);
	ck_assert_int_eq(symlink("/nonexistent", world_path("dangling.csv")),
			 0);
	ck_assert_int_eq(symlink("loop.csv", world_path("loop.csv")), 0);
	start("*.csv");
	ck_assert_uint_eq(sources_count(world.s), 1);
	later(5000);
	world_rows("d,1\n");
	world_rescan();
	world_notice("fifo.csv");
}
END_TEST

START_TEST(not_a_file_is_said_once)
{
	ck_assert_int_eq(mkfifo(world_path("fifo.csv"), 0600), 0);
	start("*.csv");
	world_rescan();
	world_notice("fifo.csv");
	world_said("not-a-file fifo.csv\n");
	world_remove("fifo.csv");
	world_rescan();
	mkdir(world_path("fifo.csv"), 0700);
	world_rescan();
	world_said("not-a-file fifo.csv\n");
}
END_TEST

START_TEST(empty_file_gets_its_header_later)
{
	world_put("a.csv", "");
	start("*.csv");
	later(5000);
	ck_assert(!sources_unread(world.s));
	world_put("a.csv", HEAD);
	world_notice("a.csv");
	later(5000);
	world_put("a.csv", "d,1\n");
	world_notice("a.csv");
	later(5000);
	world_rows("d,1\n");
	world_said("found a.csv\n");
}
END_TEST

START_TEST(gone_file_that_comes_back_goes_on)
{
	mkdir(world_path("away"), 0700);
	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD);
	world_age("a.csv", 100);
	start("*.csv");
	world_read();
	world_move("a.csv", "away/x");
	later(5000);
	world_pass(1000);
	world_read();
	world_state("a.csv", POSITION_GONE);
	world_put("away/x", "d,2\n");
	world_move("away/x", "c.csv");
	later(5000);
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("found a.csv\nfound b.csv\nfinished a.csv\ngone a.csv\n"
		   "renamed c.csv: a.csv\n");
}
END_TEST

Suite *ident_suite(void)
{
	Suite *s = suite_create("ident");
	TCase *tc = tcase_create("identity");

	tcase_add_checked_fixture(tc, world_begin, world_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, half_a_line_waits_for_its_end);
	tcase_add_test(tc, rollover_by_new_name_finishes_the_old_file);
	tcase_add_test(tc, last_line_of_a_final_file_is_a_row);
	tcase_add_test(tc, finished_file_that_grows_is_followed_again);
	tcase_add_test(tc, hundred_rollovers_lose_nothing);
	tcase_add_loop_test(tc, renamed_file_goes_on_where_it_was, 0, 2);
	tcase_add_loop_test(tc, rollover_by_rename_follows_both, 0, 2);
	tcase_add_test(tc, file_moved_to_another_watched_directory_goes_on);
	tcase_add_test(tc, file_moved_away_is_read_through_its_descriptor);
	tcase_add_loop_test(tc, copied_and_truncated_file_starts_over, 0, 2);
	tcase_add_test(tc, file_truncated_and_grown_beyond_starts_over);
	tcase_add_test(tc, file_rewritten_to_the_same_size_starts_over);
	tcase_add_test(tc,
		       long_file_rewritten_behind_its_beginning_starts_over);
	tcase_add_test(tc, long_file_with_another_beginning_starts_over);
	tcase_add_test(tc,
		       file_renamed_and_rewritten_is_the_same_and_starts_over);
	tcase_add_test(tc, file_replaced_unnoticed_is_not_read_as_the_old_one);
	tcase_add_test(tc, file_is_the_newest_when_newer_ones_are_deleted);
	tcase_add_test(tc, file_rewritten_while_it_is_read_starts_over);
	tcase_add_loop_test(tc, deleted_file_is_read_to_its_end, 0, 2);
	tcase_add_test(tc, deleted_file_that_was_not_open_says_what_is_lost);
	tcase_add_test(tc,
		       deleted_and_created_with_the_same_inode_is_another_file);
	tcase_add_test(tc, reused_inode_under_another_name_is_another_file);
	tcase_add_test(tc, replaced_by_a_file_with_the_same_header);
	tcase_add_loop_test(tc,
			    files_with_the_same_first_kilobyte_are_told_apart,
			    0, NROF(others));
	tcase_add_test(tc, copied_back_file_is_the_same);
	tcase_add_test(tc, copy_that_lacks_unread_rows_is_another_file);
	tcase_add_test(tc, same_file_by_two_names_is_read_once);
	tcase_add_test(tc, symlink_turned_to_another_file_follows_it);
	tcase_add_test(tc, unreadable_file_waits_and_says_why);
	tcase_add_test(tc, file_that_fails_to_read_waits_for_the_next_rescan);
	tcase_add_test(tc, unreadable_directory_does_not_make_files_gone);
	tcase_add_test(tc, what_is_no_file_is_never_opened);
	tcase_add_test(tc, not_a_file_is_said_once);
	tcase_add_test(tc, empty_file_gets_its_header_later);
	tcase_add_test(tc, gone_file_that_comes_back_goes_on);
	suite_add_tcase(s, tc);
	return s;
}
