/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/crew.h"
#include "base/fs.h"
#include "unit/check_all.h"
#include "unit/inlet.h"

/* A file of many blocks of 64 KiB, and a crew for it. */
enum { CREW_ROWS = 20000 };

static struct crew *crew;
static struct shape_file header;
static int file;

static void setup(void)
{
	struct buf rows;

	inlet_setup();
	inlet.config->threads = 2;
	inlet.config->events.max_events = 1;
	buf_init(&rows, 4 << 20);
	buf_add_str(&rows, INLET_HEADER);
	/* Rows that make no event, so that no batch is full. */
	for (int i = 0; i < CREW_ROWS; i++)
		buf_addf(&rows, "rs,1700000000,1699999990,a@f.example,u%d@t,\n",
			 10000 + i);
	inlet_add("a.csv", buf_str(&rows));
	buf_release(&rows);
	file = open(inlet_path("a.csv"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	shape_file_init(&header);
	crew = crew_new(inlet.config);
	ck_assert_ptr_nonnull(crew);
}

static void teardown(void)
{
	crew_free(&crew);
	shape_file_release(&header);
	close(file);
	inlet_teardown();
}

static struct crew_order order_at(int64_t from)
{
	return (struct crew_order){.number = 1,
				   .from = from,
				   .bytes = 65536,
				   .next = -1,
				   .file = &header,
				   .now_s = inlet.now_s};
}

static struct crew_job *begin(const struct crew_order *order)
{
	return crew_begin(crew, order, fcntl(file, F_DUPFD_CLOEXEC, 0));
}

START_TEST(crew_is_not_there_for_one_thread)
{
	struct crew *none;

	inlet.config->threads = 1;
	none = crew_new(inlet.config);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(crew_has_a_thread_for_each_processor)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct crew *all;

	inlet.config->threads = 0;
	all = crew_new(inlet.config);
	ck_assert_int_eq(all ? (long)crew_ahead(all) : 2,
			 processors < CREW_MAX ? 2 * processors
					       : CREW_AHEAD_MAX);
	crew_free(&all);
}
END_TEST

START_TEST(crew_makes_what_is_ordered)
{
	struct crew_order order = order_at(0);
	const struct shape_file *after;
	struct crew_job *job = begin(&order);
	int64_t from;

	ck_assert_ptr_nonnull(job);
	ck_assert_ptr_eq(crew_find(crew, &order), job);
	ck_assert_int_eq(crew_wait(crew, job), BLOCK_MADE);
	ck_assert_int_eq(block_batch(crew_block(job))->from, 0);
	ck_assert(crew_after(crew, job, &from, &after));
	ck_assert_int_eq(from, block_batch(crew_block(job))->to);
	ck_assert_int_le(from, 65536);
	ck_assert_int_gt(from, 65536 - 64);
	ck_assert_uint_eq(after->header.len, strlen(INLET_HEADER) - 1);
}
END_TEST

START_TEST(crew_finds_nothing_else)
{
	struct crew_order order = order_at(0), other = order;
	struct shape_file long_row;

	ck_assert_ptr_nonnull(begin(&order));
	other.number = 2;
	ck_assert_ptr_null(crew_find(crew, &other));
	other = order;
	other.from = 1;
	ck_assert_ptr_null(crew_find(crew, &other));
	other = order;
	other.bytes--;
	ck_assert_ptr_null(crew_find(crew, &other));
	other = order;
	other.now_s += CREW_FRESH_S;
	ck_assert_ptr_nonnull(crew_find(crew, &other));
	other.now_s++;
	ck_assert_ptr_null(crew_find(crew, &other));
	other.now_s = order.now_s - 1;
	ck_assert_ptr_null(crew_find(crew, &other));
	other = order;
	shape_file_init(&long_row);
	other.file = &long_row;
	long_row.said_no_from = long_row.said_expired = true;
	ck_assert_ptr_nonnull(crew_find(crew, &other));
	long_row.skipping = true;
	ck_assert_ptr_null(crew_find(crew, &other));
}
END_TEST

START_TEST(crew_keeps_what_it_is_told_to)
{
	size_t all = crew_ahead(crew) + 1;
	struct crew_job *jobs[CREW_AHEAD_MAX + 1];
	struct crew_order order = order_at(0);

	for (size_t i = 0; i < all; i++) {
		order.number = i + 1;
		jobs[i] = begin(&order);
		ck_assert_ptr_nonnull(jobs[i]);
	}
	order.number = 100;
	ck_assert_ptr_null(begin(&order));
	for (size_t i = 0; i < all; i++)
		crew_wait(crew, jobs[i]);
	jobs[1] = NULL;
	crew_keep(crew, jobs, all);
	order.number = 2;
	ck_assert_ptr_null(crew_find(crew, &order));
	order.number = 3;
	ck_assert_ptr_eq(crew_find(crew, &order), jobs[2]);
	order.number = 100;
	ck_assert_ptr_nonnull(begin(&order));
}
END_TEST

/* What is being made when it is dropped is nobody's; its place comes back. */
START_TEST(crew_forgets_what_is_being_made)
{
	struct crew_order order = order_at(0);

	for (int i = 0; i < 200; i++) {
		order.number = (uint64_t)i + 1;
		begin(&order);
		if (i % 3 == 0)
			crew_keep(crew, NULL, 0);
		ck_assert(i % 3 || !crew_find(crew, &order));
	}
	crew_keep(crew, NULL, 0);
	order.number = 1000;
	for (;;) {
		struct crew_job *job = begin(&order);

		if (job) {
			ck_assert_int_eq(crew_wait(crew, job), BLOCK_MADE);
			break;
		}
	}
}
END_TEST

START_TEST(crew_gives_up_at_the_end_of_the_file)
{
	off_t end = lseek(file, 0, SEEK_END);
	struct crew_order order = order_at(end - 6400);
	const struct shape_file *after;
	struct crew_job *job = begin(&order);
	int64_t from;

	ck_assert_int_eq(crew_wait(crew, job), BLOCK_UNREADABLE);
	ck_assert(!crew_after(crew, job, &from, &after));
}
END_TEST

START_TEST(crew_guesses_only_under_a_header)
{
	struct crew_order order = order_at(0);
	const struct shape_file *after;
	struct crew_job *job = NULL;
	int64_t from;

	order.next = 65536;
	/* Enough before it that it is not begun yet. */
	for (int i = 0; i < 4; i++) {
		order.number++;
		job = begin(&order);
	}
	if (!crew_after(crew, job, &from, &after)) {
		ck_assert_int_eq(crew_wait(crew, job), BLOCK_MADE);
		ck_assert(crew_after(crew, job, &from, &after));
	}
	ck_assert_uint_gt(after->header.len, 0);
}
END_TEST

START_TEST(crew_ends_with_work_to_be_done)
{
	struct crew_order order = order_at(0);

	for (size_t i = 0; i <= crew_ahead(crew); i++) {
		order.number++;
		ck_assert_ptr_nonnull(begin(&order));
	}
	crew_free(&crew);
	ck_assert_ptr_null(crew);
}
END_TEST

/* No descriptor is left behind, whatever becomes of a job. */
START_TEST(crew_closes_its_descriptors)
{
	struct crew_order order = order_at(0);
	int lowest = dup(file);

	close(lowest);
	for (int i = 0; i < 20; i++) {
		order.number++;
		begin(&order);
		if (i % 4 == 0)
			crew_keep(crew, NULL, 0);
	}
	crew_free(&crew);
	ck_assert_int_eq(fcntl(file, F_DUPFD_CLOEXEC, 0), lowest);
}
END_TEST

Suite *crew_suite(void)
{
	Suite *s = suite_create("crew");
	TCase *tc = tcase_create("crew");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, crew_is_not_there_for_one_thread);
	tcase_add_test(tc, crew_has_a_thread_for_each_processor);
	tcase_add_test(tc, crew_makes_what_is_ordered);
	tcase_add_test(tc, crew_finds_nothing_else);
	tcase_add_test(tc, crew_keeps_what_it_is_told_to);
	tcase_add_test(tc, crew_forgets_what_is_being_made);
	tcase_add_test(tc, crew_gives_up_at_the_end_of_the_file);
	tcase_add_test(tc, crew_guesses_only_under_a_header);
	tcase_add_test(tc, crew_ends_with_work_to_be_done);
	tcase_add_test(tc, crew_closes_its_descriptors);
	suite_add_tcase(s, tc);
	return s;
}
