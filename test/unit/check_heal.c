/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/block.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/inlet.h"

/* What was evicted is read again, once, and has its account all the time. */

enum { LATER_MS = 60000 };

/* One batch for each row; ready/ takes "batches" of them. */
static void begin(unsigned int rows)
{
	char row[128];

	inlet.config->events.max_events = 1;
	inlet.config->events.max_age_s = 86400;
	inlet_add("a.csv", INLET_HEADER);
	for (unsigned int i = 0; i < rows; i++) {
		snprintf(row, sizeof(row),
			 "d,%d,1699999990,a@from.example,u%u@to.example,"
			 "2.0.0\n",
			 1700000000 + (int)i, i);
		inlet_add("a.csv", row);
	}
}

static void configure(uint64_t max_bytes)
{
	inlet.config->spool.max_bytes = max_bytes;
	spool_configure(inlet.spool, &inlet.config->spool);
}

static void read_all(int64_t now_ms)
{
	intake_flush(inlet.intake);
	inlet_settle(now_ms);
}

/* Ten rows, five of them evicted by the limit. */
static void evict_half(void)
{
	struct spool_view view;

	begin(10);
	inlet_start(1000);
	read_all(1000);
	ck_assert_uint_eq(inlet_totals().batches, 10);
	configure(inlet_totals().bytes / 2);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	ck_assert_uint_eq(view.totals.batches, 5);
	ck_assert_uint_eq(view.checkpoint.ledger.evicted_events, 5);
	/* They touch, so they are one. */
	ck_assert_uint_eq(view.checkpoint.ledger.gaps.count, 1);
	ck_assert_uint_eq(gaps_events(&view.checkpoint.ledger.gaps), 5);
	spool_view_release(&view);
}

/* As often as it takes, if nothing is in its way. */
static void heal(int64_t now_ms)
{
	for (int i = 0; i < 20; i++)
		intake_step(inlet.intake, now_ms, inlet.now_s);
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
}

static void healed(uint64_t events, uint64_t open)
{
	struct spool_view view = inlet_view();
	const struct ledger *ledger = &view.checkpoint.ledger;

	ck_assert_msg(ledger->healed_events == events, "%s", inlet.said);
	ck_assert_uint_eq(gaps_events(&ledger->gaps), open);
	ck_assert_uint_eq(ledger->account.rows, 10);
	ck_assert_uint_eq(account_events(&ledger->account), 10);
	spool_view_release(&view);
}

/* The batches that wait: their ranges must cover the file once. */
static void covers(uint64_t batches)
{
	int64_t from[32], to[32], at = INT64_MAX, end = 0;
	struct batch batch;
	size_t n = 0;

	while (n < NROF(from) && spool_take(inlet.spool, &batch) == 1) {
		from[n] = batch.from;
		to[n++] = batch.to;
	}
	ck_assert_uint_eq(n, batches);
	for (size_t i = 0; i < n; i++) {
		at = from[i] < at ? from[i] : at;
		end = to[i] > end ? to[i] : end;
	}
	ck_assert_int_eq(at, 0);
	for (size_t steps = 0; at < end && steps < n; steps++) {
		for (size_t i = 0; i < n; i++) {
			if (from[i] == at && to[i] > at) {
				at = to[i];
				break;
			}
		}
	}
	ck_assert_int_eq(at, end);
}

START_TEST(heal_reads_again_when_there_is_room)
{
	evict_half();
	configure(0);
	/* Not at once: what was taken may be wanted again. */
	intake_step(inlet.intake, 10001, inlet.now_s);
	intake_step(inlet.intake, 10002, inlet.now_s);
	healed(0, 5);
	heal(LATER_MS);
	healed(5, 0);
	ck_assert_uint_eq(inlet_totals().events, 10);
	covers(10);
}
END_TEST

START_TEST(heal_waits_for_room_to_spare)
{
	uint64_t half;

	evict_half();
	half = inlet_totals().bytes;
	/* A little more than there is, but nothing to spare. */
	configure(half + 10);
	heal(LATER_MS);
	healed(0, 5);
	ck_assert_uint_eq(inlet_totals().batches, 5);
	configure(half * 4);
	heal(2 * LATER_MS);
	healed(5, 0);
}
END_TEST

START_TEST(heal_goes_on_after_a_restart)
{
	evict_half();
	inlet_stop();
	inlet.config->spool.max_bytes = 0;
	inlet_start(LATER_MS);
	heal(LATER_MS);
	healed(5, 0);
	covers(10);
}
END_TEST

/* A crash at any call of it: healed once, and in the books. */
START_TEST(heal_is_done_once_whatever_call_fails)
{
	evict_half();
	configure(0);
	fault_arm_some(NULL, _i + 1, 3, EIO);
	for (int i = 0; i < 20; i++)
		intake_step(inlet.intake, LATER_MS, inlet.now_s);
	fault_disarm();
	/* Some die here, some go on. */
	if (_i % 2) {
		inlet_stop();
		inlet_start(2 * LATER_MS);
	}
	heal(3 * LATER_MS);
	heal(9 * LATER_MS);
	healed(5, 0);
	covers(10);
}
END_TEST

START_TEST(heal_gives_up_what_is_too_old)
{
	struct spool_view view;

	evict_half();
	configure(0);
	/* Events are of 1700000000 and the seconds after it. */
	inlet.now_s = 1700000000 + 86400 + 2;
	heal(LATER_MS);
	view = inlet_view();
	/* The third of the five is just young enough. */
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events, 3);
	ck_assert_uint_eq(view.checkpoint.ledger.lapsed_events, 2);
	ck_assert_uint_eq(view.checkpoint.ledger.gaps.count, 0);
	spool_view_release(&view);
}
END_TEST

START_TEST(heal_lets_a_gap_lapse_as_a_whole)
{
	struct spool_view view;

	evict_half();
	inlet.now_s += 2 * 86400;
	heal(LATER_MS);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events, 0);
	ck_assert_uint_eq(view.checkpoint.ledger.lapsed_events, 5);
	spool_view_release(&view);
	inlet_said("5 evicted events are too old now");
}
END_TEST

START_TEST(heal_tries_a_missing_file_until_it_is_too_late)
{
	struct spool_view view;

	evict_half();
	configure(0);
	ck_assert_int_eq(rename(inlet_path("a.csv"), inlet_path("a.away")), 0);
	intake_rescan(inlet.intake, LATER_MS, inlet.now_s);
	for (int64_t ms = LATER_MS; ms < 10 * LATER_MS; ms += 1000)
		intake_step(inlet.intake, ms, inlet.now_s);
	ck_assert_int_eq(rename(inlet_path("a.away"), inlet_path("a.csv")), 0);
	intake_rescan(inlet.intake, 20 * LATER_MS, inlet.now_s);
	heal(20 * LATER_MS);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events +
				  gaps_events(&view.checkpoint.ledger.gaps),
			  5);
	ck_assert_uint_eq(view.checkpoint.ledger.unreadable_events, 0);
	spool_view_release(&view);
}
END_TEST

START_TEST(heal_takes_no_other_bytes_for_the_evicted_ones)
{
	struct spool_view view;

	evict_half();
	configure(0);
	ck_assert_int_eq(truncate(inlet_path("a.csv"), 0), 0);
	inlet_add("a.csv", INLET_HEADER INLET_ROW(77));
	intake_rescan(inlet.intake, LATER_MS, inlet.now_s);
	heal(LATER_MS);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events, 0);
	ck_assert_uint_eq(view.checkpoint.ledger.unreadable_events, 5);
	spool_view_release(&view);
	inlet_said("cannot heal: ");
}
END_TEST

START_TEST(heal_is_never_needed_with_pause)
{
	struct spool_view view;
	int64_t wait;

	begin(10);
	inlet.config->spool.pause = true;
	inlet.config->spool.max_bytes = 100; /* less than a batch */
	inlet_start(1000);
	intake_flush(inlet.intake);
	for (int i = 0; i < 5; i++)
		wait = intake_step(inlet.intake, 1000 + i, inlet.now_s);
	ck_assert(intake_paused(inlet.intake));
	ck_assert(!intake_stuck(inlet.intake));
	ck_assert_int_gt(wait, 0);
	ck_assert_uint_eq(inlet_totals().batches, 0);
	inlet_said("reading pauses until there is room");
	configure(0);
	read_all(10000);
	ck_assert(!intake_paused(inlet.intake));
	inlet_said("reading goes on");
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	ck_assert_uint_eq(view.totals.events, 10);
	ck_assert_uint_eq(view.checkpoint.ledger.evicted_events, 0);
	spool_view_release(&view);
}
END_TEST

/* --- The same events --- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The events of all that waits, sorted. */
static void events_of_all(struct buf *out)
{
	struct batch batches[32];
	struct buf json;
	char *lines[64], *at;
	size_t n = 0, count = 0;

	buf_init(&json, 1 << 20);
	while (n < NROF(batches) && spool_take(inlet.spool, &batches[n]) == 1) {
		int fd = spool_open_batch(inlet.spool, &batches[n++]);
		struct gzip_reader *reader = gzip_reader_new(fd);
		char bytes[4096];
		ptrdiff_t got;

		while ((got = gzip_read(reader, bytes, sizeof(bytes))) > 0)
			buf_add(&json, bytes, (size_t)got);
		gzip_reader_free(&reader);
		close(fd);
	}
	while (n > 0)
		spool_put_back(inlet.spool, &batches[--n]);
	for (at = json.len ? (char *)buf_str(&json) : NULL;
	     at && *at && count < NROF(lines);) {
		char *end = strchr(at, '\n');

		ck_assert_ptr_nonnull(end);
		*end = '\0';
		lines[count++] = at;
		at = end + 1;
	}
	qsort(lines, count, sizeof(*lines), by_text);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s\n", lines[i]);
	buf_release(&json);
}

/* Whatever the blocks are by now: ids and all. */
START_TEST(heal_makes_the_same_events_again)
{
	struct buf before, after;

	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	begin(10);
	inlet_start(1000);
	read_all(1000);
	events_of_all(&before);
	ck_assert_ptr_nonnull(strstr(buf_str(&before), "\"event_id\":"));
	configure(inlet_totals().bytes / 2);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 5);
	inlet.config->events.max_events = (uint32_t)_i;
	intake_configure(inlet.intake, inlet.config, 10002, inlet.now_s);
	configure(0);
	heal(LATER_MS);
	healed(5, 0);
	events_of_all(&after);
	ck_assert(slice_eq(buf_slice(&after), buf_slice(&before)));
	buf_release(&before);
	buf_release(&after);
}
END_TEST

/* Six delays of one message: a batch has its injection once, and six small
 * batches had it six times. */
START_TEST(heal_makes_no_fewer_injections)
{
	struct spool_view view;

	inlet.config->events.injection = INJECTION_SYNTHESIZE;
	inlet.config->events.max_events = 2;
	inlet.config->events.max_age_s = 86400;
	inlet_add("a.csv", "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,"
			   "header_Message-Id\n");
	for (int i = 0; i < 6; i++)
		inlet_add("a.csv", "t,1700000000,1699999990,a@from.example,"
				   "u@to.example,4.0.0,<1@from.example>\n");
	inlet_start(1000);
	read_all(1000);
	ck_assert_uint_eq(inlet_totals().events, 12);
	ck_assert_uint_eq(inlet_totals().batches, 6);
	configure(1);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 0);
	inlet.config->events.max_events = 10000;
	intake_configure(inlet.intake, inlet.config, 10002, inlet.now_s);
	configure(0);
	heal(LATER_MS);
	view = inlet_view();
	ck_assert_uint_eq(view.totals.batches, 1);
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events, 12);
	ck_assert_uint_eq(view.checkpoint.ledger.lapsed_events, 0);
	spool_view_release(&view);
}
END_TEST

START_TEST(heal_reads_a_file_that_was_put_back)
{
	evict_half();
	configure(0);
	ck_assert_int_eq(rename(inlet_path("a.csv"), inlet_path("a.away")), 0);
	intake_rescan(inlet.intake, LATER_MS, inlet.now_s);
	inlet_stop();
	inlet_start(2 * LATER_MS);
	heal(2 * LATER_MS);
	healed(0, 5);
	inlet_said("which was evicted (5 events); trying until they are too "
		   "old");
	ck_assert_int_eq(rename(inlet_path("a.away"), inlet_path("a.csv")), 0);
	intake_rescan(inlet.intake, 3 * LATER_MS, inlet.now_s);
	heal(4 * LATER_MS);
	healed(5, 0);
	covers(10);
}
END_TEST

/* What is repeated must not hide what is lost. */
START_TEST(heal_does_not_hide_a_loss_behind_repeats)
{
	struct spool_view view;
	const struct ledger *l;

	inlet.config->events.injection = INJECTION_SYNTHESIZE;
	inlet.config->events.max_events = 9;
	inlet.config->events.max_age_s = 86400;
	inlet_add("a.csv", "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,"
			   "header_Message-Id\n");
	/* One batch of 1 + 8 events, and one of 6. */
	for (int i = 0; i < 8; i++)
		inlet_add("a.csv", "t,1700000000,1699999990,a@from.example,"
				   "u@to.example,4.0.0,<1@from.example>\n");
	inlet_add("a.csv", "d,1700000000,1699999990,a@from.example,"
			   "v@to.example,2.0.0,<2@from.example>\n");
	inlet_add("a.csv", "d,1700000000,1699999990,a@from.example,"
			   "w@to.example,2.0.0,<3@from.example>\n");
	inlet_add("a.csv", "d,1700000000,1699999990,a@from.example,"
			   "x@to.example,2.0.0,<4@from.example>\n");
	inlet_start(1000);
	read_all(1000);
	ck_assert_uint_eq(inlet_totals().batches, 2);
	ck_assert_uint_eq(inlet_totals().events, 15);
	configure(1);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 0);
	configure(0);
	/* The eight are read again, then all gets too old. */
	intake_step(inlet.intake, LATER_MS, inlet.now_s);
	intake_step(inlet.intake, LATER_MS, inlet.now_s);
	inlet.now_s += 2 * 86400;
	heal(2 * LATER_MS);
	view = inlet_view();
	l = &view.checkpoint.ledger;
	ck_assert_uint_eq(l->gaps.count, 0);
	/* Six were lost; an injection that two pieces made is not told. */
	ck_assert_uint_ge(l->lapsed_events, 5);
	spool_view_release(&view);
}
END_TEST

/* Evicted after the file was written anew, behind one long header. */
START_TEST(heal_gives_up_what_was_evicted_after_the_file_was_written_anew)
{
	struct spool_view view;
	struct buf header;
	char row[128];

	buf_init(&header, 8192);
	buf_add_str(&header, "type,timeLogged,timeQueued,orig,rcpt,dsnStatus");
	for (int i = 0; i < 60; i++)
		buf_addf(&header, ",header_X-Some-Long-Name-%d", i);
	buf_add_char(&header, '\n');
	inlet.config->events.max_events = 1;
	inlet.config->events.max_age_s = 86400;
	inlet_add("a.csv", buf_str(&header));
	for (int i = 0; i < 10; i++) {
		snprintf(row, sizeof(row),
			 "d,%d,1699999990,a@from.example,"
			 "u%d@to.example,2.0.0\n",
			 1700000000 + i, i);
		inlet_add("a.csv", row);
	}
	inlet_start(1000);
	read_all(1000);
	ck_assert_uint_eq(inlet_totals().batches, 10);
	ck_assert_int_eq(truncate(inlet_path("a.csv"), 0), 0);
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	inlet_add("a.csv", buf_str(&header));
	for (int i = 0; i < 10; i++) {
		snprintf(row, sizeof(row),
			 "d,%d,1699999990,a@from.example,"
			 "n%d@to.example,2.0.0\n",
			 1700000000 + i, i);
		inlet_add("a.csv", row);
	}
	intake_rescan(inlet.intake, 3000, inlet.now_s);
	intake_step(inlet.intake, 3000, inlet.now_s);
	/* Now the old ones go for lack of room. */
	configure(inlet_totals().bytes / 2);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	configure(0);
	heal(LATER_MS);
	view = inlet_view();
	ck_assert_uint_gt(view.checkpoint.ledger.evicted_events, 0);
	ck_assert_msg(view.checkpoint.ledger.healed_events == 0,
		      "%d of %d evicted events are healed from other bytes",
		      (int)view.checkpoint.ledger.healed_events,
		      (int)view.checkpoint.ledger.evicted_events);
	spool_view_release(&view);
	buf_release(&header);
}
END_TEST

/* A batch that somebody removed must not stop eviction. */
START_TEST(eviction_passes_over_what_was_removed)
{
	char command[400];

	begin(10);
	inlet_start(1000);
	read_all(1000);
	snprintf(command, sizeof(command),
		 "rm \"$(ls -d %s/ready/* | head -n 1)\"",
		 inlet.config->spool.directory);
	ck_assert_int_eq(system(command), 0);
	configure(inlet_totals().bytes / 2);
	for (int i = 0; i < 5; i++)
		intake_step(inlet.intake, 10000 + 6000 * i, inlet.now_s);
	ck_assert_uint_le(inlet_totals().batches, 5);
}
END_TEST

/* A limit that holds one batch lets one heal. */
START_TEST(heal_needs_nothing_to_spare_in_an_empty_spool)
{
	struct spool_view view;
	uint64_t bytes;

	begin(1);
	inlet_start(1000);
	read_all(1000);
	bytes = inlet_totals().bytes;
	configure(1);
	intake_step(inlet.intake, 10000, inlet.now_s);
	intake_step(inlet.intake, 10001, inlet.now_s);
	ck_assert_uint_eq(inlet_totals().events, 0);
	configure(bytes + bytes / 10);
	heal(LATER_MS);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.healed_events, 1);
	spool_view_release(&view);
}
END_TEST

/* A file that is cut between the look at its size and the reading of it. */
/* Delivery finds what a crash in an eviction left: the file, empty. */
static void find_an_empty_batch(void)
{
	char name[BATCH_NAME], path[BATCH_NAME + 16];
	struct batch batch;

	ck_assert_int_eq(spool_take(inlet.spool, &batch), 1);
	batch_name(&batch, name);
	snprintf(path, sizeof(path), "spool/ready/%s", name);
	spool_put_back(inlet.spool, &batch);
	ck_assert_int_eq(truncate(inlet_path(path), 0), 0);
	ck_assert(intake_settled(inlet.intake));
	ck_assert_int_ge(spool_take(inlet.spool, &batch), 0);
}

START_TEST(heal_is_due_after_the_last_batch_was_found_empty)
{
	begin(10);
	inlet_start(1000);
	read_all(1000);
	find_an_empty_batch();
	ck_assert(!intake_settled(inlet.intake));
	ck_assert(!intake_healing(inlet.intake));
	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	ck_assert(intake_settled(inlet.intake));
	ck_assert(intake_healing(inlet.intake));
	healed(0, 1);
	intake_step(inlet.intake, 1001, inlet.now_s);
	healed(1, 0);
}
END_TEST

START_TEST(heal_takes_no_half_row_for_a_whole_one)
{
	struct shape_file file;
	struct block *block;
	struct block_part part = {.file = &file, .bytes = 65536};

	inlet_add("a.csv", INLET_HEADER INLET_ROW(1) "d,1700000000,16");
	part.fd = open(inlet_path("a.csv"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(part.fd, 0);
	part.to = lseek(part.fd, 0, SEEK_END) + 40;
	block = block_new(inlet.config);
	shape_file_init(&file);
	ck_assert_int_eq(block_read_part(block, &part, inlet.now_s),
			 BLOCK_UNREADABLE);
	ck_assert_int_eq(errno, ESTALE);
	shape_file_release(&file);
	block_free(&block);
	close(part.fd);
}
END_TEST

Suite *heal_suite(void)
{
	Suite *s = suite_create("heal");
	TCase *tc = tcase_create("heal");

	tcase_add_checked_fixture(tc, inlet_setup, inlet_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, heal_reads_again_when_there_is_room);
	tcase_add_test(tc, heal_waits_for_room_to_spare);
	tcase_add_test(tc, heal_goes_on_after_a_restart);
	tcase_add_loop_test(tc, heal_is_done_once_whatever_call_fails, 0, 60);
	tcase_add_test(tc, heal_gives_up_what_is_too_old);
	tcase_add_test(tc, heal_lets_a_gap_lapse_as_a_whole);
	tcase_add_test(tc, heal_tries_a_missing_file_until_it_is_too_late);
	tcase_add_test(tc, heal_takes_no_other_bytes_for_the_evicted_ones);
	tcase_add_test(tc, heal_is_never_needed_with_pause);
	tcase_add_loop_test(tc, heal_makes_the_same_events_again, 1, 5);
	tcase_add_test(tc, heal_makes_no_fewer_injections);
	tcase_add_test(tc, heal_reads_a_file_that_was_put_back);
	tcase_add_test(tc, heal_is_due_after_the_last_batch_was_found_empty);
	tcase_add_test(tc, heal_takes_no_half_row_for_a_whole_one);
	tcase_add_test(tc, heal_does_not_hide_a_loss_behind_repeats);
	tcase_add_test(
		tc,
		heal_gives_up_what_was_evicted_after_the_file_was_written_anew);
	tcase_add_test(tc, eviction_passes_over_what_was_removed);
	tcase_add_test(tc, heal_needs_nothing_to_spare_in_an_empty_spool);
	suite_add_tcase(s, tc);
	return s;
}
