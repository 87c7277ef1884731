/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>

#include "base/mem.h"
#include "fault/wrap.h"
#include "unit/world.h"

/*
 * What is dropped from the page cache: only behind blocks that were sealed
 * before the present one, in few calls, and nothing that was written lately.
 */

enum { MIB = 1 << 20, LATELY = 16 << 20 };

static struct {
	int64_t sealed; /* up to the block before the present one */
	int64_t dropped, calls, sequential;
} seen;

static void on_advice(int fd, off_t offset, off_t n, int advice)
{
	ck_assert_int_ge(fd, 0);
	if (advice == POSIX_FADV_SEQUENTIAL) {
		seen.sequential++;
		return;
	}
	ck_assert_int_eq(advice, POSIX_FADV_DONTNEED);
	ck_assert_int_gt(n, 0); /* 0 would be all there is, read or not */
	ck_assert_int_ge(offset, MIB);
	ck_assert_int_le(offset, seen.dropped > MIB ? seen.dropped : MIB);
	ck_assert_int_gt(offset + n, seen.dropped);
	seen.dropped = offset + n;
	seen.calls++;
	ck_assert_int_le(seen.dropped, seen.sealed);
}

static void setup(void)
{
	world_begin();
	memset(&seen, 0, sizeof(seen));
	wrap_on_advice(on_advice);
}

static void teardown(void)
{
	/* What is closed at the end is judged by nobody. */
	wrap_on_advice(NULL);
	world_end();
}

/* Lines of a KiB. */
static void put(const char *name, int kib)
{
	char *text = mem_alloc(MIB + 1);
	int piece;

	memset(text, 'd', MIB);
	text[MIB] = '\0';
	for (int i = 1; i <= MIB / 1024; i++)
		text[i * 1024 - 1] = '\n';
	for (; kib > 0; kib -= piece) {
		piece = kib < MIB / 1024 ? kib : MIB / 1024;
		text[piece * 1024] = '\0';
		world_put(name, text);
	}
	mem_free(text);
}

static void read_all(const char *name)
{
	world.block = 300 * 1024;
	for (;;) {
		seen.sealed =
			world_source(name)
				? source_position(world_source(name))->offset
				: 0;
		if (!world_read_one())
			break;
		buf_reset(&world.got);
	}
}

START_TEST(cache_loses_what_a_backlog_brought_in_and_was_sealed)
{
	put("a.csv", 24 * 1024);
	world_age("a.csv", 3600);
	world_open("*.csv");
	world_rescan();
	read_all("a.csv");
	ck_assert_int_ge(seen.dropped, 22 * MIB);
	ck_assert_int_le(seen.calls, 24);
	ck_assert_int_eq(seen.sequential, 1);
}
END_TEST

START_TEST(cache_keeps_what_was_written_lately)
{
	put("a.csv", 24 * 1024);
	world_open("*.csv");
	world_rescan();
	read_all("a.csv");
	ck_assert_int_gt(seen.dropped, 24 * MIB - LATELY - 2 * MIB);
	ck_assert_int_le(seen.dropped, 24 * MIB - LATELY);
	/* The rest stays, although it was read long ago by now. */
	world_pass(3600000);
	put("a.csv", 100);
	world_rescan();
	world_pass(10000);
	read_all("a.csv");
	ck_assert_int_le(seen.dropped, 24 * MIB - LATELY);
}
END_TEST

START_TEST(cache_is_left_alone_by_small_files)
{
	put("a.csv", 700);
	world_age("a.csv", 3600);
	world_open("*.csv");
	world_rescan();
	read_all("a.csv");
	ck_assert_int_eq(seen.calls, 0);
}
END_TEST

START_TEST(cache_of_a_finished_file_is_dropped_to_its_end)
{
	put("a.csv", 3 * 1024 + 7);
	world_age("a.csv", 3600);
	put("b.csv", 1);
	world_open("*.csv");
	world_rescan();
	read_all("a.csv");
	world_pass(70000);
	world_rescan();
	seen.sealed = source_position(world_source("a.csv"))->offset;
	while (world_read_one())
		;
	world_state("a.csv", POSITION_FINISHED);
	ck_assert_int_eq(seen.dropped, (3 * 1024 + 7) * 1024);
}
END_TEST

Suite *source_cache_suite(void)
{
	Suite *s = suite_create("source_cache");
	TCase *tc = tcase_create("cache");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       cache_loses_what_a_backlog_brought_in_and_was_sealed);
	tcase_add_test(tc, cache_keeps_what_was_written_lately);
	tcase_add_test(tc, cache_is_left_alone_by_small_files);
	tcase_add_test(tc, cache_of_a_finished_file_is_dropped_to_its_end);
	suite_add_tcase(s, tc);
	return s;
}
