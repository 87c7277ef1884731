/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "follow/pattern.h"
#include "follow/table.h"
#include "unit/world.h"

/*
 * A writer that does at random what PowerMTA and logrotate do, while a reader
 * stops, starts, and hears of some of it: every row is read exactly once.
 */

enum { STEPS = 300, SEEDS = 40 };

struct writer {
	unsigned int seed;
	char live[32];	  /* the name that is being written */
	bool half;	  /* it ends in half a row */
	int rows, files;  /* numbers given out */
	struct buf wrote; /* every whole row */
	char half_row[32];
};

static unsigned int any(struct writer *w, unsigned int below)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 16) % below;
}

static void tell(struct writer *w, const char *name)
{
	if (any(w, 2))
		world_notice(name);
}

static void complete(struct writer *w)
{
	if (!w->half)
		return;
	world_put(w->live, "#\n");
	buf_addf(&w->wrote, "%s#\n", w->half_row);
	w->half = false;
	tell(w, w->live);
}

static void append(struct writer *w)
{
	char row[32];

	complete(w);
	for (unsigned int n = 1 + any(w, 5); n; n--) {
		snprintf(row, sizeof(row), "d,%d\n", w->rows++);
		world_put(w->live, row);
		buf_add_str(&w->wrote, row);
	}
	tell(w, w->live);
}

static void append_half(struct writer *w)
{
	complete(w);
	snprintf(w->half_row, sizeof(w->half_row), "d,%d", w->rows++);
	world_put(w->live, w->half_row);
	w->half = true;
	tell(w, w->live);
}

static void begin(struct writer *w, const char *name)
{
	snprintf(w->live, sizeof(w->live), "%s", name);
	world_put(w->live, "type,rcpt\n");
	tell(w, w->live);
}

static void roll_over(struct writer *w)
{
	char name[32];

	complete(w);
	/* Time stands still between two ticks of the file system's clock. */
	world_age(w->live, 1);
	snprintf(name, sizeof(name), "a-%04d.csv", w->files++);
	begin(w, name);
}

static void roll_by_rename(struct writer *w)
{
	char name[32], live[32];

	complete(w);
	world_age(w->live, 1);
	snprintf(live, sizeof(live), "%s", w->live);
	snprintf(name, sizeof(name),
		 any(w, 2) ? "old/r-%04d.csv" : "r-%04d.csv", w->files++);
	world_move(live, name);
	begin(w, live);
	tell(w, live);
	tell(w, name);
}

static void wait_and_read(struct writer *w)
{
	world_pass(any(w, 4000));
	if (any(w, 2))
		world_rescan();
	world_read();
}

static void wait_long(struct writer *w)
{
	complete(w);
	world_rescan();
	world_pass(60000 + any(w, 10000));
	world_read();
}

static void restart(struct writer *w)
{
	world_restart();
	if (any(w, 2))
		world_rescan();
}

START_TEST(every_row_is_read_exactly_once)
{
	static void (*const acts[])(struct writer *) = {
		append,	       append,	      append,	      append_half,
		append_half,   roll_over,     roll_by_rename, wait_and_read,
		wait_and_read, wait_and_read, wait_long,      restart};
	static const char *const globs[] = {"*.csv", "old/*.csv"};
	struct sources_limits limits = world_limits();
	struct writer w = {.seed = (unsigned int)_i + 1};

	limits.max_open = 2 + _i % 7;
	limits.block_bytes = _i % 3 ? 64 : 1 << 20;
	world.block = _i % 2 ? 64 : 1 << 16;
	buf_init(&w.wrote, 16 << 20);
	mkdir(world_path("old"), 0700);
	world_open_with(globs, 2, &limits, false);
	world_rescan();
	begin(&w, "acct.csv");
	for (int i = 0; i < STEPS; i++) {
		acts[any(&w, NROF(acts))](&w);
		if (i % 16 == 0)
			ck_assert_int_le(world_open_files(),
					 (int)limits.max_open);
	}
	complete(&w);
	for (int i = 0; i < 3; i++) {
		world_rescan();
		world_pass(61000);
		world_read();
	}
	world_rows_any_order(buf_str(&w.wrote));
	for (size_t i = 0; i < sources_count(world.s); i++) {
		const struct position *at =
			source_position(sources_get(world.s, i));

		ck_assert_int_eq(at->offset, at->size);
	}
	buf_release(&w.wrote);
}
END_TEST

START_TEST(table_finds_what_was_added_and_not_removed)
{
	static int items[5000];
	struct table t = {0};

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < NROF(items); i++)
			table_add(&t, i / 3, &items[i]);
		for (size_t i = 0; i < NROF(items); i += 2)
			table_remove(&t, i / 3, &items[i]);
		for (size_t i = 0; i < NROF(items); i++) {
			bool found = false;
			void *item;

			for (size_t at = 0;
			     (item = table_next(&t, i / 3, &at));)
				found |= item == &items[i];
			ck_assert_int_eq(found, i % 2);
		}
		for (size_t i = 1; i < NROF(items); i += 2)
			table_remove(&t, i / 3, &items[i]);
		ck_assert_uint_eq(t.count, 0);
	}
	table_remove(&t, 7, &items[0]);
	table_release(&t);
	table_remove(&t, 7, &items[0]);
}
END_TEST

static const struct {
	const char *pattern, *path;
	bool want;
} matches[] = {
	{"/var/log/*.csv", "/var/log/a.csv", true},
	{"/var//log/*.csv", "/var/log/a.csv", true},
	{"/var/log/*.csv", "/var/log/x/a.csv", false},
	{"/var/*/*.csv", "/var/log/a.csv", true},
	{"/var/log/*.csv", "/var/log/.a.csv", false},
	{"/var/log/a[0-9].csv", "/var/log/a7.csv", true},
	{"/var/log/a\\*.csv", "/var/log/a*.csv", true},
	{"/var/log/a\\*.csv", "/var/log/ab.csv", false},
	{"log/*.csv", "./log/a.csv", true},
};

START_TEST(pattern_matches_as_the_shell_does)
{
	struct pattern p;

	pattern_init(&p, matches[_i].pattern);
	ck_assert_int_eq(pattern_matches(&p, matches[_i].path),
			 matches[_i].want);
	pattern_release(&p);
}
END_TEST

Suite *follow_suite(void)
{
	Suite *s = suite_create("follow");
	TCase *tc = tcase_create("follow");

	tcase_add_checked_fixture(tc, world_begin, world_end);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, every_row_is_read_exactly_once, 0, SEEDS);
	tcase_add_test(tc, table_finds_what_was_added_and_not_removed);
	tcase_add_loop_test(tc, pattern_matches_as_the_shell_does, 0,
			    NROF(matches));
	suite_add_tcase(s, tc);
	return s;
}
