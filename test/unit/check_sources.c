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

/* Who is due when, and what a start finds. */

#define HEAD "type,rcpt\n"

static void later(int64_t ms)
{
	world_rescan();
	world_pass(ms);
	world_read();
}

static void open_limits(const char *glob, const struct sources_limits *limits)
{
	world_open_with(&glob, 1, limits, false);
}

static void set_string(char **to, const char *text)
{
	mem_free(*to);
	*to = mem_str(text);
}

/* A source as the reader of one configured otherwise. */
static void open_settings(const char *columns, bool start_end, bool first)
{
	struct source_settings set = {0};
	struct sources_limits limits = world_limits();

	set_string(&set.path, world_path("*.csv"));
	if (columns)
		set_string(&set.columns, columns);
	set.start_end = start_end;
	world.s = sources_new(&set, 1, &limits, first);
	mem_free(set.path);
	mem_free(set.columns);
}

static void advance(struct sources *sources, const struct position_id *id,
		    int64_t to, int64_t header_offset, bool skipping)
{
	struct sources_beyond beyond = {.id = *id,
					.to = to,
					.header_offset = header_offset,
					.skipping = skipping};

	sources_advance_to(sources, &beyond);
}

/* --- Due --- */

START_TEST(due_after_max_delay)
{
	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	world_rescan();
	ck_assert_int_gt(source_unread_since_s(world_source("a.csv")), 0);
	ck_assert_ptr_null(sources_due(world.s, world.ms + 4999));
	ck_assert_int_eq(sources_next_ms(world.s, world.ms + 4999), 1);
	ck_assert_int_eq(sources_next_ms(world.s, world.ms + 9999), 0);
	ck_assert_ptr_nonnull(sources_due(world.s, world.ms + 5000));
	world_pass(5000);
	world_read();
	ck_assert_int_eq(source_unread_since_s(world_source("a.csv")), 0);
	ck_assert(!sources_unread(world.s));
}
END_TEST

START_TEST(due_at_once_when_a_block_is_full)
{
	struct sources_limits limits = world_limits();

	limits.block_bytes = 20;
	world_put("a.csv", HEAD "d,1\n");
	open_limits("*.csv", &limits);
	world_rescan();
	ck_assert_ptr_null(sources_due(world.s, world.ms));
	world_put("a.csv", "d,2\nd,3\n");
	world_notice("a.csv");
	ck_assert_int_eq(sources_next_ms(world.s, world.ms), 0);
	ck_assert_ptr_nonnull(sources_due(world.s, world.ms));
}
END_TEST

START_TEST(nothing_to_do_until_the_next_rescan)
{
	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	ck_assert(sources_rescan_due(world.s, world.ms));
	ck_assert_int_eq(sources_next_ms(world.s, world.ms), 0);
	later(5000);
	world_rescan();
	ck_assert(!sources_rescan_due(world.s, world.ms));
	ck_assert_int_eq(sources_next_ms(world.s, world.ms), 60000);
	ck_assert(sources_rescan_due(world.s, world.ms + 60000));
}
END_TEST

START_TEST(rows_left_by_a_full_block_are_overdue)
{
	world.block = 26;
	world_put("a.csv", HEAD "d,1\nd,2\nd,3\nd,4\nd,5\nd,6\nd,7\n");
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	ck_assert_uint_eq(world_read(), 2);
	world_rows("d,1\nd,2\nd,3\nd,4\nd,5\nd,6\nd,7\n");
}
END_TEST

START_TEST(rows_that_come_during_a_turn_have_their_own_time)
{
	struct source *source;
	struct account none = {0};
	struct shape_file file;
	char bytes[64];

	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	source = sources_due(world.s, world.ms);
	world_put("a.csv", "d,2\n");
	ck_assert_int_eq(source_read(source, bytes, sizeof(bytes), 0), 18);
	shape_file_init(&file);
	source_advance(source, 14, &file, &none, world.unix_s);
	shape_file_release(&file);
	world_pass(4999);
	ck_assert_ptr_null(sources_due(world.s, world.ms));
	world_pass(1);
	ck_assert_ptr_nonnull(sources_due(world.s, world.ms));
}
END_TEST

START_TEST(half_a_row_does_not_make_another_turn)
{
	world_put("a.csv", HEAD "d,1\nd,2");
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	ck_assert(world_read_one());
	ck_assert(!world_read_one());
	ck_assert(sources_unread(world.s));
	ck_assert_int_gt(source_unread_since_s(world_source("a.csv")), 0);
}
END_TEST

START_TEST(flush_makes_all_due_but_half_a_row)
{
	world_put("a.csv", HEAD "d,1\nd,2");
	world_put("b.csv", HEAD "d,3\n");
	world_open("*.csv");
	world_rescan();
	world_put("b.csv", "d,4\n");
	sources_flush(world.s);
	world_read();
	world_rows_any_order("d,1\nd,3\nd,4\n");
	world_put("b.csv", "d,5\n");
	world_notice("b.csv");
	ck_assert_ptr_null(sources_due(world.s, world.ms));
}
END_TEST

START_TEST(restored_position_is_read_again_after_a_while)
{
	struct position saved;
	struct source *source;

	world_put("a-0.csv", HEAD "d,1\n");
	world_put("a-1.csv", HEAD);
	world_age("a-0.csv", 100);
	world_open("*.csv");
	world_rescan();
	source = world_source("a-0.csv");
	position_init(&saved);
	position_copy(&saved, source_position(source));
	ck_assert(world_read_one());
	world_rows("d,1\n");
	world_remove("a-0.csv");
	source_restore(source, &saved, world.ms, 3000);
	ck_assert_int_eq(source_position(source)->offset, 0);
	ck_assert_uint_eq(source_position(source)->account.rows, 0);
	while (world_read_one())
		;
	world_rows("");
	later(2999);
	world_rows("");
	later(1);
	later(70000);
	world_rows("d,1\n");
	ck_assert_uint_eq(source_position(source)->account.rows, 1);
	position_release(&saved);
}
END_TEST

START_TEST(backlog_and_live_file_take_turns)
{
	struct sources_limits limits = world_limits();
	char row[16];

	world.block = 22;
	for (int i = 0; i < 8; i++) {
		snprintf(row, sizeof(row), "%s,%06d\n", "d", i);
		world_put("old-0.csv", row);
		world_put("old-1.csv", row);
		world_put("live.csv", row);
	}
	world_age("old-0.csv", 300);
	world_age("old-1.csv", 200);
	limits.block_bytes = 1;
	open_limits("*.csv", &limits);
	world_rescan();
	for (int i = 0; i < 8; i++)
		world_read_one();
	ck_assert_str_eq(buf_str(&world.order),
			 "old-0.csv\nlive.csv\nold-1.csv\nlive.csv\n"
			 "old-0.csv\nlive.csv\nold-1.csv\nlive.csv\n");
}
END_TEST

START_TEST(oldest_goes_first)
{
	world_put("c.csv", "d,1\n");
	world_put("b.csv", "d,2\n");
	world_put("a.csv", "d,3\n");
	world_put("z.csv", "d,4\n");
	world_age("c.csv", 300);
	world_age("b.csv", 200);
	world_age("a.csv", 200);
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	world_read();
	/* The newest has every other turn. */
	ck_assert_str_eq(buf_str(&world.order), "c.csv\nz.csv\na.csv\nb.csv\n");
}
END_TEST

START_TEST(no_more_files_are_open_than_allowed)
{
	struct sources_limits limits = world_limits();
	char name[32];
	int most = 0;

	limits.max_open = 8;
	world.block = 14;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "%02d.csv", i);
		world_put(name, HEAD "d,1\nd,2\n");
		world_age(name, 1000 - i);
	}
	open_limits("*.csv", &limits);
	world_rescan();
	ck_assert_int_eq(world_open_files(), 7);
	while (world_read_one()) {
		int open = world_open_files();

		most = open > most ? open : most;
	}
	world_pass(5000);
	while (world_read_one())
		;
	ck_assert_int_le(most, 8);
	ck_assert_uint_eq(world.got.len, 50 * 8);
	later(60000);
	later(60000);
	ck_assert_int_le(world_open_files(), 1);
}
END_TEST

/* Ten thousand files that are not read have no room for as many headers. */
START_TEST(header_goes_and_comes_with_the_descriptor)
{
	struct sources_limits limits = world_limits();
	const struct position *at;

	limits.max_open = 2;
	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD "d,2\n");
	world_put("c.csv", HEAD "d,3\n");
	open_limits("*.csv", &limits);
	later(5000);
	at = source_position(world_source("a.csv"));
	ck_assert_ptr_null(at->file.header.p);
	ck_assert_int_eq(at->file.header_offset, 0);
	world_put("a.csv", "d,4\n");
	world_rescan();
	world_pass(5000);
	ck_assert_ptr_eq(sources_due(world.s, world.ms), world_source("a.csv"));
	ck_slice(buf_slice(&at->file.header), "type,rcpt");
	world_read();
	world_rows_any_order("d,1\nd,2\nd,3\nd,4\n");
}
END_TEST

/* --- What a scan costs --- */

START_TEST(ten_thousand_finished_files_are_not_opened)
{
	struct sources_limits limits = world_limits();
	char name[32];

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "a-%05d.csv", i);
		world_put(name, HEAD "d,1\n");
		world_age(name, 100000 - i);
	}
	world_put("live.csv", HEAD);
	limits.max_delay_ms = 0;
	open_limits("*.csv", &limits);
	world_rescan();
	world_read();
	ck_assert_uint_eq(world.got.len, 10000 * 4);
	ck_assert_int_eq(world_open_files(), 1);
	fault_arm("openat", 1 << 30, EIO);
	world_rescan();
	world_read();
	ck_assert_int_eq(fault_calls("openat"), 1);
	ck_assert_int_le(fault_calls("pread"), 0);
	world_restart();
	fault_arm("openat", 1 << 30, EIO);
	world_rescan();
	world_read();
	/* The directory and the live file. */
	ck_assert_int_eq(fault_calls("openat"), 2);
	fault_disarm();
	ck_assert_uint_eq(world.got.len, 10000 * 4);
	ck_assert_uint_eq(sources_count(world.s), 10001);
}
END_TEST

/* --- Directories --- */

START_TEST(new_directories_are_found)
{
	ck_assert_int_eq(mkdir(world_path("logs"), 0700), 0);
	world_open("logs/*/acct/*.csv");
	world_rescan();
	ck_assert_str_eq(sources_directory(world.s, 0), world_path("logs"));
	ck_assert_ptr_null(sources_directory(world.s, 1));
	mkdir(world_path("logs/one"), 0700);
	world_pass(1000);
	world_notice("logs/one");
	ck_assert(sources_rescan_due(world.s, world.ms));
	ck_assert_int_eq(sources_next_ms(world.s, world.ms), 0);
	world_rescan();
	ck_assert_str_eq(sources_directory(world.s, 1), world_path("logs/one"));
	mkdir(world_path("logs/one/acct"), 0700);
	world_put("logs/one/acct/a.csv", HEAD "d,1\n");
	world_pass(1000);
	world_notice("logs/one/other");
	ck_assert(!sources_rescan_due(world.s, world.ms));
	world_notice("logs/one/acct");
	ck_assert(sources_rescan_due(world.s, world.ms));
	later(5000);
	world_rows("d,1\n");
	ck_assert_str_eq(sources_directory(world.s, 1),
			 world_path("logs/one/acct"));
}
END_TEST

START_TEST(directory_that_is_not_there_yet_is_waited_for)
{
	world_open("var/log/a.csv");
	world_rescan();
	ck_assert_str_eq(sources_directory(world.s, 0), world.root);
	mkdir(world_path("var"), 0700);
	mkdir(world_path("var/log"), 0700);
	world_put("var/log/a.csv", HEAD "d,1\n");
	world_pass(1000);
	world_notice("var");
	ck_assert(sources_rescan_due(world.s, world.ms));
	later(5000);
	ck_assert_str_eq(sources_directory(world.s, 0), world_path("var/log"));
	world_put("var/log/b.csv", HEAD "d,2\n");
	world_notice("var/log/b.csv");
	world_put("var/log/a.csv", "d,3\n");
	world_notice("var/log/a.csv");
	world_pass(5000);
	world_read();
	world_rows("d,1\nd,3\n");
}
END_TEST

START_TEST(directory_that_went_wants_a_rescan)
{
	world_open("*.csv");
	world_rescan();
	world_pass(1000);
	ck_assert(!sources_rescan_due(world.s, world.ms));
	sources_notice(world.s, world.root, "", world.ms, world.unix_s);
	ck_assert(sources_rescan_due(world.s, world.ms));
	world_rescan();
	ck_assert(!sources_rescan_due(world.s, world.ms));
}
END_TEST

START_TEST(hidden_names_do_not_match_a_star)
{
	world_put(".a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD "d,2\n");
	world_put("b.csv.gz", HEAD "d,3\n");
	world_open("*.csv");
	world_rescan();
	world_notice(".a.csv");
	world_notice("b.csv.gz");
	ck_assert_uint_eq(sources_count(world.s), 1);
}
END_TEST

/* --- Starting --- */

START_TEST(restart_goes_on_in_the_middle)
{
	world_put("a.csv", HEAD "d,1\nd,2");
	world_open("*.csv");
	later(5000);
	world_restart();
	world_put("a.csv", "\nd,3\n");
	later(5000);
	world_rows("d,1\nd,2\nd,3\n");
	ck_slice(
		buf_slice(&source_position(world_source("a.csv"))->file.header),
		"type,rcpt");
	ck_assert_uint_eq(source_position(world_source("a.csv"))->account.rows,
			  2);
}
END_TEST

START_TEST(file_renamed_while_stopped_goes_on)
{
	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	later(5000);
	world_restart();
	world_move("a.csv", "b.csv");
	world_put("b.csv", "d,2\n");
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("renamed b.csv: a.csv\n");
}
END_TEST

START_TEST(glob_may_lead_to_the_same_file_by_another_way)
{
	struct position p;

	mkdir(world_path("data"), 0700);
	ck_assert_int_eq(symlink("data", world_path("log")), 0);
	world_put("data/a.csv", HEAD "d,1\n");
	world_open("log/*.csv");
	later(5000);
	position_init(&p);
	position_copy(&p, source_position(world_source("log/a.csv")));
	sources_free(&world.s);
	world_open("data/*.csv");
	sources_adopt(world.s, &p, 1, 0);
	position_release(&p);
	world_put("data/a.csv", "d,2\n");
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("renamed a.csv: a.csv\n");
}
END_TEST

START_TEST(file_deleted_while_stopped_is_gone)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_put("b.csv", HEAD);
	world.block = 14;
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	ck_assert(world_read_one());
	world_said("found a.csv\nfound b.csv\n");
	world_restart();
	world_remove("a.csv");
	world_remove("b.csv");
	world_rescan();
	world_state("a.csv", POSITION_GONE);
	world_said("gone a.csv: 4 bytes were not read\n"
		   "gone b.csv: 10 bytes were not read\n");
	ck_assert(!sources_unread(world.s));
}
END_TEST

/* How long it was in the end nobody knows, unless it was finished. */
START_TEST(file_deleted_unseen_may_have_had_more)
{
	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD "d,2\n");
	world_age("a.csv", 100);
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	world_read();
	world_said("found a.csv\nfound b.csv\nfinished a.csv\n");
	world_restart();
	world_remove("a.csv");
	world_remove("b.csv");
	world_rescan();
	world_said("gone a.csv\n"
		   "gone b.csv: while nobody looked: rows after byte 14, if "
		   "there were any, are lost\n");
}
END_TEST

/* Who writes it may not know yet that it has no name any more. */
START_TEST(nameless_file_outlives_a_reload)
{
	int fd;

	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	world_read();
	fd = open(world_path("a.csv"), O_WRONLY | O_APPEND | O_CLOEXEC);
	world_remove("a.csv");
	world_put("a.csv", HEAD "d,9\n");
	world_rescan();
	ck_assert_int_eq(write(fd, "d,2\n", 4), 4);
	world_reload();
	world_rescan();
	ck_assert_int_eq(write(fd, "d,3\n", 4), 4);
	for (int i = 0; i < 20; i++) {
		world_pass(1000);
		world_read();
	}
	world_rows_any_order("d,1\nd,2\nd,3\nd,9\n");
	close(fd);
	for (int i = 0; i < 70; i++) {
		world_pass(1000);
		world_read();
	}
	world_said("gone a.csv\n");
	ck_assert_int_eq(world_open_files(), 1);
}
END_TEST

/* The order of two positions of one name must not matter. */
START_TEST(nameless_file_outlives_a_reload_after_its_heir)
{
	size_t old = 0, heir = 0;

	world_put("acct.csv", HEAD "d,0\n");
	world_open("acct.csv");
	world_rescan();
	world_pass(5000);
	world_read();
	world_move("acct.csv", "gone.1");
	world_put("acct.csv", HEAD "d,1\n");
	world_rescan();
	for (int i = 0; i < 90; i++) {
		world_pass(1000);
		world_read();
	}
	/* Two days later, a rotation, with rows that are not read yet. */
	world_pass(3 * 86400 * INT64_C(1000));
	world_put("acct.csv", "d,2\n");
	world_notice("acct.csv");
	world_move("acct.csv", "gone.2");
	world_put("acct.csv", HEAD "d,9\n");
	world_rescan();
	for (size_t i = 0; i < sources_count(world.s); i++) {
		const struct position *at =
			source_position(sources_get(world.s, i));

		if (at->number == 2)
			old = i;
		if (at->number == 3)
			heir = i;
	}
	ck_assert_uint_eq(sources_count(world.s), 2);
	ck_assert_uint_lt(heir, old);
	world_reload();
	world_rescan();
	for (int i = 0; i < 90; i++) {
		world_pass(1000);
		world_read();
	}
	ck_assert_msg(!sources_unread(world.s), "unread for ever");
	world_rows_any_order("d,0\nd,1\nd,2\nd,9\n");
}
END_TEST

/* A block that is not sealed must leave no account behind. */
START_TEST(restore_takes_the_account_back)
{
	struct source *source;
	struct position before;
	struct account account = {.rows = 5, .shipped = 5};
	struct shape_file file;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_open("*.csv");
	world_rescan();
	world_pass(5000);
	world_read();
	world_put("a.csv", "d,3\n");
	world_rescan();
	world_pass(5000);
	source = sources_due(world.s, world.ms);
	ck_assert_ptr_nonnull(source);
	position_init(&before);
	position_copy(&before, source_position(source));
	shape_file_init(&file);
	shape_file_copy(&file, &before.file);
	/* Written anew while it is read. */
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,7\nd,8\nd,9\nd,10\n");
	source_advance(source, before.size, &file, &account, world.unix_s);
	source_restore(source, &before, world.ms, 2000);
	ck_assert_uint_eq(source_position(source)->account.rows,
			  before.account.rows);
	position_release(&before);
	shape_file_release(&file);
}
END_TEST

START_TEST(file_replaced_while_stopped_is_read_whole)
{
	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_open("*.csv");
	later(5000);
	world_restart();
	world_put("new", HEAD "d,3\nd,4\nd,5\n");
	world_move("new", "a.csv");
	later(5000);
	world_rows("d,1\nd,2\nd,3\nd,4\nd,5\n");
	world_said("replaced a.csv\n"
		   "gone a.csv: while nobody looked: rows after byte 18, if "
		   "there were any, are lost\n");
}
END_TEST

START_TEST(finished_file_changed_while_stopped_is_looked_at)
{
	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD);
	world_age("a.csv", 100);
	world_open("*.csv");
	later(5000);
	world_state("a.csv", POSITION_FINISHED);
	world_restart();
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,2\n");
	world_age("a.csv", -100);
	later(5000);
	world_rows("d,1\nd,2\n");
	world_said("rewritten a.csv\n");
}
END_TEST

/* The position as if the devices had been counted otherwise before. */
START_TEST(device_numbers_may_change_over_a_boot)
{
	struct position p;

	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	later(5000);
	position_init(&p);
	position_copy(&p, source_position(world_source("a.csv")));
	p.id.dev += 7;
	sources_free(&world.s);
	world_open("*.csv");
	sources_adopt(world.s, &p, 1, 0);
	world_put("a.csv", "d,2\n");
	later(5000);
	world_rows("d,1\nd,2\n");
	ck_assert_uint_eq(sources_count(world.s), 1);
	ck_assert_uint_eq(source_position(sources_get(world.s, 0))->id.dev,
			  p.id.dev - 7);
	position_release(&p);
}
END_TEST

START_TEST(damaged_position_does_no_harm)
{
	struct position p;
	struct stat st;

	world_put("a.csv", HEAD "d,1\n");
	position_init(&p);
	p.path = mem_str(world_path("a.csv"));
	p.offset = -5;
	p.tail_len = 4000000000u;
	p.id.head_len = 4000000000u;
	ck_assert_int_eq(stat(world_path("a.csv"), &st), 0);
	p.id.dev = st.st_dev;
	p.id.ino = st.st_ino;
	world_open("*.csv");
	sources_adopt(world.s, &p, 1, 0);
	later(5000);
	world_rows("d,1\n");
	world_said("");
	position_release(&p);
}
END_TEST

START_TEST(gone_positions_are_dropped_after_two_days)
{
	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	later(5000);
	world_remove("a.csv");
	later(120000);
	later(1000);
	world_state("a.csv", POSITION_GONE);
	world_restart();
	later(47 * 3600000LL);
	world_rescan();
	ck_assert_uint_eq(sources_count(world.s), 1);
	world_pass(3600000);
	world_rescan();
	ck_assert_uint_eq(sources_count(world.s), 0);
}
END_TEST

static int64_t pmta_rows(const char *name)
{
	return source_position(world_source(name))->pmta_rows;
}

START_TEST(start_end_skips_what_is_there)
{
	world_put("a.csv", HEAD "d,1\nd,2");
	open_settings(NULL, true, true);
	later(5000);
	world_rows("");
	ck_slice(
		buf_slice(&source_position(world_source("a.csv"))->file.header),
		"type,rcpt");
	ck_assert_int_eq(
		source_position(world_source("a.csv"))->file.header_offset, 0);
	world_put("a.csv", "2\nd,3\n");
	world_put("b.csv", HEAD "d,4\n");
	later(5000);
	world_rows_any_order("d,22\nd,3\nd,4\n");
	ck_assert_int_eq(pmta_rows("a.csv"), POSITION_PMTA_NEVER);
	ck_assert_int_eq(pmta_rows("b.csv"), POSITION_PMTA_UNKNOWN);
}
END_TEST

/* What PowerMTA counted is kept over a restart, until the file changes. */
START_TEST(pmta_rows_last_as_long_as_the_file_does)
{
	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD);
	world_age("a.csv", 100);
	world_open("*.csv");
	later(5000);
	world_state("a.csv", POSITION_FINISHED);
	source_set_pmta_rows(world_source("a.csv"), 1);
	world_restart();
	later(5000);
	ck_assert_int_eq(pmta_rows("a.csv"), 1);
	world_put("a.csv", "d,2\n");
	later(5000);
	world_rows("d,1\nd,2\n");
	ck_assert_int_eq(pmta_rows("a.csv"), POSITION_PMTA_UNKNOWN);
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,3\n");
	later(5000);
	world_rows("d,3\n");
	ck_assert_int_eq(pmta_rows("a.csv"), POSITION_PMTA_NEVER);
}
END_TEST

START_TEST(start_end_is_for_the_very_first_start)
{
	world_put("a.csv", HEAD "d,1\n");
	open_settings(NULL, true, false);
	later(5000);
	world_rows("d,1\n");
}
END_TEST

START_TEST(start_end_skips_a_bom_and_takes_no_row_for_a_header)
{
	const struct shape_file *file;

	world_put("a.csv", "\xef\xbb\xbftype,rcpt\r\nd,1\r\n");
	world_put("b.csv", "d,1\n");
	world_put("c.csv", "no line end");
	open_settings(NULL, true, true);
	later(5000);
	world_rows("");
	file = &source_position(world_source("a.csv"))->file;
	ck_slice(buf_slice(&file->header), "type,rcpt");
	file = &source_position(world_source("b.csv"))->file;
	ck_assert_uint_eq(file->header.len, 0);
	ck_assert_int_eq(source_position(world_source("c.csv"))->offset, 0);
}
END_TEST

START_TEST(columns_are_the_header_of_a_file_without_one)
{
	const struct position *at;

	world_put("a.csv", "d,1\n");
	open_settings("rcpt,orig", false, true);
	world_rescan();
	at = source_position(world_source("a.csv"));
	ck_slice(buf_slice(&at->file.header), "type,rcpt,orig");
	ck_assert_int_eq(at->file.header_offset, -1);
	world_pass(5000);
	world_read();
	world_cut("a.csv", 0);
	world_rescan();
	at = source_position(world_source("a.csv"));
	ck_slice(buf_slice(&at->file.header), "type,rcpt,orig");
}
END_TEST

START_TEST(set_aside_file_is_read_again_when_columns_are_given)
{
	struct position p;

	world_put("a.csv", "d,1\n");
	world_open("*.csv");
	world_rescan();
	source_set_aside(world_source("a.csv"), "rows without a header");
	ck_assert_str_eq(source_why(world_source("a.csv")),
			 "rows without a header");
	world_put("a.csv", "d,2\n");
	later(5000);
	world_rows("");
	world_state("a.csv", POSITION_SET_ASIDE);
	ck_assert_int_eq(world_open_files(), 0);
	ck_assert(!sources_unread(world.s));
	world_restart();
	later(5000);
	world_rows("");
	world_state("a.csv", POSITION_SET_ASIDE);
	position_init(&p);
	position_copy(&p, source_position(world_source("a.csv")));
	sources_free(&world.s);
	open_settings("rcpt", false, false);
	sources_adopt(world.s, &p, 1, 0);
	later(5000);
	world_rows("d,1\nd,2\n");
	position_release(&p);
}
END_TEST

START_TEST(set_aside_file_with_a_header_takes_no_columns)
{
	struct position p;

	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	later(5000);
	world_put("a.csv", "d,2\n");
	world_rescan();
	world_pass(5000);
	source_set_aside(sources_due(world.s, world.ms), "a row is too large");
	ck_assert_ptr_null(sources_due(world.s, world.ms));
	position_init(&p);
	position_copy(&p, source_position(world_source("a.csv")));
	ck_assert_uint_eq(p.file.header.len, 0);
	sources_free(&world.s);
	open_settings("orig", false, false);
	sources_adopt(world.s, &p, 1, 0);
	later(5000);
	world_state("a.csv", POSITION_SET_ASIDE);
	ck_assert_int_eq(
		source_position(world_source("a.csv"))->file.header_offset, 0);
	position_release(&p);
}
END_TEST

START_TEST(failure_of_a_moment_is_tried_again_soon)
{
	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	later(5000);
	world_rows("d,1\n");
	world_put("a.csv", "d,2\n");
	world_rescan();
	world_pass(5000);
	fault_arm("pread", 1, EIO);
	ck_assert_uint_eq(world_read(), 0);
	fault_disarm();
	world_state("a.csv", POSITION_WAITING);
	ck_assert_int_le(sources_next_ms(world.s, world.ms), 2000);
	world_pass(2000);
	ck_assert(sources_rescan_due(world.s, world.ms));
	later(5000);
	world_rows("d,2\n");
	/* What goes on failing is not looked at all the time. */
	ck_assert(!sources_rescan_due(world.s, world.ms));
}
END_TEST

/* --- Numbers, and bytes that are read once more --- */

static uint64_t number_of(const char *name)
{
	return source_position(world_source(name))->number;
}

START_TEST(numbers_are_given_once)
{
	uint64_t a, b;

	world_put("a.csv", HEAD "d,1\n");
	world_put("b.csv", HEAD "d,2\n");
	world_open("*.csv");
	later(5000);
	a = number_of("a.csv");
	b = number_of("b.csv");
	ck_assert_uint_ne(a, b);
	ck_assert_uint_ge(a, 1);
	ck_assert_uint_eq(sources_numbers(world.s), 2);
	ck_assert_ptr_eq(sources_numbered(world.s, b), world_source("b.csv"));
	world_restart();
	later(5000);
	ck_assert_uint_eq(number_of("a.csv"), a);
	world_put("c.csv", HEAD "d,3\n");
	later(5000);
	ck_assert_uint_eq(number_of("c.csv"), 3);
	ck_assert_ptr_null(sources_numbered(world.s, 4));
}
END_TEST

START_TEST(credit_finds_its_file_or_waits_for_it)
{
	const struct position_credit credit = {
		.number = 9, .events = {1, 2}, .fate = {.sent = 3}};
	struct sources_beyond beyond = {.number = 9, .to = 14};
	const struct position *at;

	world_put("a.csv", HEAD "d,1\n");
	world_open("*.csv");
	/* Of a file that is not met yet, but told apart by its bytes. */
	beyond.id.ino = world_inode("a.csv");
	sources_credit(world.s, &credit);
	later(5000);
	at = source_position(world_source("a.csv"));
	ck_assert_uint_eq(at->fate.sent, 0);
	beyond.id = at->id;
	sources_advance_to(world.s, &beyond);
	ck_assert_uint_eq(at->number, 9);
	ck_assert_uint_eq(at->fate.sent, 3);
	ck_assert_uint_eq(at->account.events[1], 2);
	sources_credit(world.s, &credit);
	ck_assert_uint_eq(at->fate.sent, 6);
	/* A new file gets a number that no other has. */
	world_put("b.csv", HEAD "d,1\n");
	later(5000);
	ck_assert_uint_eq(number_of("b.csv"), 10);
}
END_TEST

/* The numbers of a commit that failed are given to other batches. */
START_TEST(file_written_anew_owns_the_batches_that_were_not_made)
{
	world_put("a.csv", "type,x\nd,1\n");
	world_open("*.csv");
	world_rescan();
	later(5000);
	world_rows("d,1\n");
	sources_set_seq(world.s, 9);
	world_cut("a.csv", 0);
	world_notice("a.csv");
	ck_assert_uint_eq(source_position(world_source("a.csv"))->anew_seq, 9);
	sources_set_seq(world.s, 5);
	ck_assert_uint_eq(source_position(world_source("a.csv"))->anew_seq, 5);
	sources_set_seq(world.s, 7);
	ck_assert_uint_eq(source_position(world_source("a.csv"))->anew_seq, 5);
}
END_TEST

static struct sources_part part_of(const char *name)
{
	const struct position *at = source_position(world_source(name));

	return (struct sources_part){.number = at->number,
				     .id = at->id,
				     .to = at->offset,
				     .header_offset = -1};
}

START_TEST(reopen_gives_the_header_in_force)
{
	struct sources_part part;
	struct shape_file file;
	int fd;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_open("*.csv");
	later(5000);
	part = part_of("a.csv");
	part.header_offset = 0;
	part.skipping = true;
	shape_file_init(&file);
	fd = sources_reopen(world.s, &part, &file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_str_eq(buf_str(&file.header), "type,rcpt");
	ck_assert(file.skipping);
	shape_file_release(&file);
}
END_TEST

START_TEST(reopen_tells_why_it_cannot)
{
	struct sources_part part;
	struct shape_file file;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	world_open("*.csv");
	later(5000);
	part = part_of("a.csv");
	shape_file_init(&file);
	part.to += 1;
	ck_assert_int_eq(sources_reopen(world.s, &part, &file), -1);
	ck_assert_int_eq(errno, ESTALE);
	part.to -= 1;
	part.id.head ^= 1;
	ck_assert_int_eq(sources_reopen(world.s, &part, &file), -1);
	ck_assert_int_eq(errno, ESTALE);
	part = part_of("a.csv");
	part.number = 99;
	ck_assert_int_eq(sources_reopen(world.s, &part, &file), -1);
	ck_assert_int_eq(errno, ENOENT);
	world_remove("a.csv");
	part = part_of("a.csv");
	for (int i = 0; i < 100; i++)
		later(5000);
	ck_assert_int_eq(sources_reopen(world.s, &part, &file), -1);
	ck_assert_int_eq(errno, ENOENT);
	shape_file_release(&file);
}
END_TEST

START_TEST(set_aside_file_that_begins_anew_is_followed)
{
	world_put("a.csv", "d,1\nd,2\n");
	world_open("*.csv");
	world_rescan();
	source_set_aside(world_source("a.csv"), "rows without a header");
	later(5000);
	world_put("new", HEAD "d,3\n");
	world_move("new", "a.csv");
	later(5000);
	world_rows("d,3\n");
}
END_TEST

/* --- Batches beyond the checkpoint --- */

static struct position_id id_of(const char *name)
{
	struct position_id id;

	sources_free(&world.s);
	world_open("*.csv");
	world_rescan();
	id = source_position(world_source(name))->id;
	sources_free(&world.s);
	return id;
}

static void check_advanced(void)
{
	const struct position *at;

	later(5000);
	world_rows("d,2\n");
	at = source_position(world_source("a.csv"));
	ck_slice(buf_slice(&at->file.header), "type,rcpt");
	ck_assert_int_eq(at->file.header_offset, 0);
}

START_TEST(batch_moves_a_known_position_forward)
{
	struct position_id id;

	world_put("a.csv", HEAD "d,1\n");
	id = id_of("a.csv");
	world_put("a.csv", "d,2\n");
	world_open("*.csv");
	world_rescan();
	if (_i)
		world_restart();
	advance(world.s, &id, 14, 0, false);
	advance(world.s, &id, 10, 0, false);
	check_advanced();
}
END_TEST

START_TEST(batch_moves_a_file_found_later)
{
	struct position_id id;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	id = id_of("a.csv");
	world_open("*.csv");
	if (_i) {
		world_move("a.csv", "hidden");
		world_rescan();
	}
	advance(world.s, &id, 14, 0, false);
	if (_i)
		world_move("hidden", "a.csv");
	check_advanced();
}
END_TEST

START_TEST(batch_of_another_file_with_that_inode_moves_nothing)
{
	struct position_id id;

	world_put("a.csv", HEAD "d,1\n");
	id = id_of("a.csv");
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,7\nd,2\n");
	world_open("*.csv");
	advance(world.s, &id, 14, 0, false);
	later(5000);
	world_rows("d,7\nd,2\n");
}
END_TEST

START_TEST(batch_of_a_file_truncated_since_starts_over)
{
	struct position_id id;

	world_put("a.csv", HEAD);
	id = id_of("a.csv");
	world_put("a.csv", "d,2\n");
	world_open("*.csv");
	advance(world.s, &id, 1000, 0, false);
	later(5000);
	world_rows("d,2\n");
	world_said("found a.csv\ntruncated a.csv\n");
}
END_TEST

START_TEST(batch_in_the_middle_of_an_overlong_row_keeps_skipping)
{
	struct position_id id;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	id = id_of("a.csv");
	world_open("*.csv");
	advance(world.s, &id, 12, -1, true);
	world_rescan();
	ck_assert(source_position(world_source("a.csv"))->file.skipping);
	ck_assert_int_eq(source_position(world_source("a.csv"))->offset, 12);
}
END_TEST

START_TEST(batch_moves_a_file_that_is_readable_later)
{
	struct position_id id;

	world_put("a.csv", HEAD "d,1\nd,2\n");
	id = id_of("a.csv");
	world_open("*.csv");
	advance(world.s, &id, 14, 0, false);
	fault_arm("openat", 2, EACCES);
	world_rescan();
	fault_disarm();
	world_state("a.csv", POSITION_WAITING);
	check_advanced();
}
END_TEST

START_TEST(batch_moves_a_file_once)
{
	struct position_id id;

	world_put("a.csv", HEAD);
	id = id_of("a.csv");
	world_put("a.csv", "d,1\nd,2\n");
	world_open("*.csv");
	advance(world.s, &id, 14, 0, false);
	check_advanced();
	world_cut("a.csv", 0);
	world_put("a.csv", HEAD "d,3\nd,4\n");
	world_age("a.csv", 1);
	world_rescan();
	world_move("a.csv", "b.csv");
	later(5000);
	world_rows("d,3\nd,4\n");
}
END_TEST

/* --- News --- */

START_TEST(news_beyond_a_thousand_are_dropped)
{
	struct sources_event event;
	char name[32];
	int count = 0;

	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "a-%04d.csv", i);
		world_put(name, "");
	}
	world_open("*.csv");
	world_rescan();
	while (sources_event(world.s, &event))
		count++;
	ck_assert_int_eq(count, 1000);
	world_put("b.csv", "");
	world_rescan();
	world_said("found b.csv\n");
}
END_TEST

static void add_starting(TCase *tc)
{
	tcase_add_test(tc, restart_goes_on_in_the_middle);
	tcase_add_test(tc, file_renamed_while_stopped_goes_on);
	tcase_add_test(tc, glob_may_lead_to_the_same_file_by_another_way);
	tcase_add_test(tc, file_deleted_while_stopped_is_gone);
	tcase_add_test(tc, nameless_file_outlives_a_reload);
	tcase_add_test(tc, nameless_file_outlives_a_reload_after_its_heir);
	tcase_add_test(tc, restore_takes_the_account_back);
	tcase_add_test(tc, file_deleted_unseen_may_have_had_more);
	tcase_add_test(tc, file_replaced_while_stopped_is_read_whole);
	tcase_add_test(tc, finished_file_changed_while_stopped_is_looked_at);
	tcase_add_test(tc, device_numbers_may_change_over_a_boot);
	tcase_add_test(tc, damaged_position_does_no_harm);
	tcase_add_test(tc, gone_positions_are_dropped_after_two_days);
	tcase_add_test(tc, start_end_skips_what_is_there);
	tcase_add_test(tc, start_end_is_for_the_very_first_start);
	tcase_add_test(tc, pmta_rows_last_as_long_as_the_file_does);
	tcase_add_test(tc, start_end_skips_a_bom_and_takes_no_row_for_a_header);
	tcase_add_test(tc, columns_are_the_header_of_a_file_without_one);
	tcase_add_test(tc, set_aside_file_is_read_again_when_columns_are_given);
	tcase_add_test(tc, set_aside_file_with_a_header_takes_no_columns);
	tcase_add_test(tc, set_aside_file_that_begins_anew_is_followed);
	tcase_add_test(tc, failure_of_a_moment_is_tried_again_soon);
	tcase_add_test(tc, numbers_are_given_once);
	tcase_add_test(tc, credit_finds_its_file_or_waits_for_it);
	tcase_add_test(tc,
		       file_written_anew_owns_the_batches_that_were_not_made);
	tcase_add_test(tc, reopen_gives_the_header_in_force);
	tcase_add_test(tc, reopen_tells_why_it_cannot);
	tcase_add_loop_test(tc, batch_moves_a_known_position_forward, 0, 2);
	tcase_add_loop_test(tc, batch_moves_a_file_found_later, 0, 2);
	tcase_add_test(tc, batch_of_another_file_with_that_inode_moves_nothing);
	tcase_add_test(tc, batch_of_a_file_truncated_since_starts_over);
	tcase_add_test(tc, batch_moves_a_file_that_is_readable_later);
	tcase_add_test(tc, batch_moves_a_file_once);
	tcase_add_test(tc,
		       batch_in_the_middle_of_an_overlong_row_keeps_skipping);
}

Suite *sources_suite(void)
{
	Suite *s = suite_create("sources");
	TCase *tc = tcase_create("sources");

	tcase_add_checked_fixture(tc, world_begin, world_end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, due_after_max_delay);
	tcase_add_test(tc, due_at_once_when_a_block_is_full);
	tcase_add_test(tc, nothing_to_do_until_the_next_rescan);
	tcase_add_test(tc, rows_left_by_a_full_block_are_overdue);
	tcase_add_test(tc, rows_that_come_during_a_turn_have_their_own_time);
	tcase_add_test(tc, half_a_row_does_not_make_another_turn);
	tcase_add_test(tc, flush_makes_all_due_but_half_a_row);
	tcase_add_test(tc, restored_position_is_read_again_after_a_while);
	tcase_add_test(tc, backlog_and_live_file_take_turns);
	tcase_add_test(tc, oldest_goes_first);
	tcase_add_test(tc, no_more_files_are_open_than_allowed);
	tcase_add_test(tc, header_goes_and_comes_with_the_descriptor);
	tcase_add_test(tc, ten_thousand_finished_files_are_not_opened);
	tcase_add_test(tc, new_directories_are_found);
	tcase_add_test(tc, directory_that_is_not_there_yet_is_waited_for);
	tcase_add_test(tc, directory_that_went_wants_a_rescan);
	tcase_add_test(tc, hidden_names_do_not_match_a_star);
	tcase_add_test(tc, news_beyond_a_thousand_are_dropped);
	add_starting(tc);
	suite_add_tcase(s, tc);
	return s;
}
