/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/intake_private.h"
#include "base/digest.h"
#include "base/fs.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/inlet.h"

/*
 * The same story is told with one thread and with more.  What stands in the
 * spool afterwards, in which order, and what was said, has to be the same to
 * the byte.
 */

#define AHEAD_HEADER "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag\n"
#define AHEAD_OTHER  "type,dsnDiag,timeLogged,timeQueued,orig,rcpt,dsnStatus\n"

enum { AHEAD_EVENTS = 1000, AHEAD_BLOCK = 512000, AHEAD_ROW_MAX = 20000 };

/* --- Rows --- */

static uint32_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 1664525 + 1013904223;
	return (dice_state >> 8) % sides;
}

static void add_run(struct buf *out, const char *text, uint32_t times)
{
	while (times--)
		buf_add_str(out, text);
}

/* "old": its event is too old to be sent. */
static void add_row(struct buf *out, unsigned int n, bool old)
{
	buf_addf(out, "d,%d,1699999990,a%u@from.example,u%u@to.example,2.0.0,",
		 old ? 1600000000 : 1700000000, n % 7, n);
}

static void add_plain(struct buf *out, unsigned int n)
{
	add_row(out, n, false);
	add_run(out, "x", 300 + n % 50);
	buf_add_str(out, "\n");
}

static void add_odd(struct buf *out, unsigned int n)
{
	switch (dice(9)) {
	case 0: /* line ends inside of quotes */
		add_row(out, n, false);
		buf_add_str(out, "\"");
		add_run(out, "not a row, but text\n", 1 + dice(200));
		buf_add_str(out, "\"\n");
		break;
	case 1: /* quotes that are never closed, before whole rows */
		add_row(out, n, false);
		buf_add_str(out, "\"open\n");
		break;
	case 2:
		buf_add_str(out, "d,never,,a@b.example,c@d.example,2.0.0,\n");
		break;
	case 3: /* longer than a row may be, and perhaps than a block */
		add_run(out, "way too long ", 2000 + dice(12000));
		buf_add_str(out, "\n");
		break;
	case 4:
		buf_add_str(out, dice(2) ? AHEAD_HEADER : AHEAD_OTHER);
		break;
	case 5: /* so dense that a batch is full before */
		for (uint32_t i = 200 + dice(1500); i > 0; i--)
			buf_addf(out, "d,1700000000,,,u%u@t.example,,\n", i);
		break;
	case 6:
		add_row(out, n, true);
		buf_add_str(out, "\r\n");
		break;
	case 7: /* the same injection twice */
		add_row(out, n, false);
		buf_add_str(out, "\n");
		add_row(out, n, false);
		buf_add_str(out, "\n");
		break;
	case 8:
		buf_add_str(out, "zz,1700000000,,,,,\n\n");
		break;
	}
}

static void write_file(const char *name, uint32_t seed, size_t bytes)
{
	struct buf rows;

	dice_state = seed;
	buf_init(&rows, 4 * bytes + (1 << 20));
	buf_add_str(&rows, AHEAD_HEADER);
	for (unsigned int n = 0; rows.len < bytes; n++) {
		if (dice(250))
			add_plain(&rows, n);
		else
			add_odd(&rows, n);
	}
	add_row(&rows, 1, false);
	inlet_add(name, buf_str(&rows));
	buf_release(&rows);
}

/* Rows first to end - 1; with a header before the first. */
static void write_plain(const char *name, unsigned int first, unsigned int end)
{
	struct buf rows;

	buf_init(&rows, 4 << 20);
	if (!first)
		buf_add_str(&rows, AHEAD_HEADER);
	for (unsigned int n = first; n < end; n++)
		add_plain(&rows, n);
	inlet_add(name, buf_str(&rows));
	buf_release(&rows);
}

/* --- What came of it --- */

static void tell_batch(const struct batch *batch, struct buf *out)
{
	int fd = spool_open_batch(inlet.spool, batch);
	struct buf gz;
	char hex[DIGEST_HEX64];

	buf_init(&gz, 8 << 20);
	ck_assert_int_ge(fd, 0);
	for (;;) {
		ssize_t n;

		ck_assert_int_eq(buf_reserve(&gz, 65536), 0);
		n = read(fd, gz.p + gz.len, 65536);
		ck_assert_int_ge(n, 0);
		if (!n)
			break;
		gz.len += (size_t)n;
	}
	close(fd);
	digest_hex64(digest_of(buf_slice(&gz)), hex);
	buf_addf(out,
		 "%" PRIu64 ": %" PRIu64 " %" PRId64 "-%" PRId64 " %" PRId64
		 "%d %" PRId64 "%d %u %u %" PRId64 " %" PRId64 " %zu %s\n",
		 batch->seq, batch->number, batch->from, batch->to,
		 batch->before.header_offset, batch->before.skipping,
		 batch->after.header_offset, batch->after.skipping,
		 batch->events[EVENT_RECEPTION], batch->events[EVENT_DELIVERY],
		 batch->oldest_s, batch->newest_s, gz.len, hex);
	buf_release(&gz);
}

static void tell_account(struct buf *out)
{
	struct spool_view view;
	const struct account *a;

	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	a = &view.checkpoint.ledger.account;
	buf_addf(out, "rows %" PRIu64 " shipped %" PRIu64 " malformed %" PRIu64,
		 a->rows, a->shipped, a->malformed);
	buf_addf(out, " events %" PRIu64 "\n", account_events(a));
	for (size_t i = 0; i < view.checkpoint.positions_count; i++) {
		const struct position *at = &view.checkpoint.positions[i];

		buf_addf(out, "%" PRIu64 ": %" PRId64 " of %" PRId64 "\n",
			 at->number, at->offset, at->size);
	}
	spool_view_release(&view);
}

/* Without the directory, which is another each time. */
static void tell_text(struct slice text, struct buf *out)
{
	size_t len = strlen(inlet.root);

	while (text.len) {
		struct slice line = slice_cut(text, '\n', &text);
		const char *root = memmem(line.p, line.len, inlet.root, len);

		if (root) {
			buf_add(out, line.p, (size_t)(root - line.p));
			line = slice_skip(line, (size_t)(root - line.p) + len);
		}
		buf_add_slice(out, line);
		buf_add_str(out, "\n");
	}
}

static void tell_all(struct buf *out)
{
	struct batch batch;
	struct buf rows;

	buf_init(&rows, 8 << 20);
	tell_account(out);
	while (spool_take(inlet.spool, &batch) == 1)
		tell_batch(&batch, out);
	fs_read_file(AT_FDCWD, inlet_path("spool/refused/rows.csv"), &rows);
	tell_text(buf_slice(&rows), out);
	tell_text(slice_str(inlet.said), out);
	buf_release(&rows);
}

/* --- Telling it --- */

static size_t ahead; /* steps whose last block was made by another thread */

static size_t guessed; /* ... after which the next block was begun */

/* The work that was begun for the position of the first file, or NULL. */
static struct crew_job *next_job(void)
{
	struct source *source = sources_get(inlet.intake->sources, 0);
	const struct position *at = source_position(source);
	struct crew_order order = {.number = at->number,
				   .from = at->offset,
				   .bytes = source_block_bytes(source),
				   .file = &at->file,
				   .now_s = inlet.now_s};

	return crew_find(inlet.intake->crew, &order);
}

static void step(int64_t now_ms)
{
	intake_step(inlet.intake, now_ms, inlet.now_s);
	if (!inlet.intake->crew)
		return;
	ahead += inlet.intake->block != inlet.intake->own;
	guessed += next_job() != NULL;
}

static void settle(int64_t now_ms)
{
	intake_flush(inlet.intake);
	for (int i = 0; i < 1000 && !intake_done(inlet.intake, now_ms); i++)
		step(now_ms);
	intake_step(inlet.intake, now_ms, inlet.now_s);
	ck_assert(intake_done(inlet.intake, now_ms));
}

static void set_up(unsigned int threads)
{
	inlet_setup();
	fault_skip_syncs(true);
	inlet.config->threads = threads;
	inlet.config->events.max_events = AHEAD_EVENTS;
	inlet.config->events.max_raw_bytes = 1 << 20;
	inlet.config->events.max_event_bytes = 100000;
	inlet.config->events.max_row = AHEAD_ROW_MAX;
	inlet.config->events.injection = INJECTION_SYNTHESIZE;
	ahead = guessed = 0;
}

/* One story with so many threads: what came of it. */
static void tell(void (*story)(int), int variant, unsigned int threads,
		 struct buf *out)
{
	set_up(threads);
	story(variant);
	tell_all(out);
	fault_skip_syncs(false);
	inlet_teardown();
}

static void compare(struct slice one, struct slice more, unsigned int threads)
{
	while (one.len || more.len) {
		struct slice want = slice_cut(one, '\n', &one);
		struct slice got = slice_cut(more, '\n', &more);

		if (slice_eq(want, got))
			continue;
		/* Check takes no long messages. */
		want.len = want.len < 300 ? want.len : 300;
		got.len = got.len < 300 ? got.len : 300;
		ck_abort_msg("with %u threads: \"%.*s\" instead of \"%.*s\"",
			     threads, SLICE_ARGS(got), SLICE_ARGS(want));
	}
}

static void same(void (*story)(int), int variant)
{
	static const unsigned int threads[] = {2, 4};
	struct buf one, more;

	buf_init(&one, 16 << 20);
	buf_init(&more, 16 << 20);
	tell(story, variant, 1, &one);
	ck_assert_uint_eq(ahead, 0);
	for (size_t i = 0; i < NROF(threads); i++) {
		buf_reset(&more);
		tell(story, variant, threads[i], &more);
		ck_assert_uint_gt(ahead, 0);
		compare(buf_slice(&one), buf_slice(&more), threads[i]);
	}
	buf_release(&one);
	buf_release(&more);
}

/* --- Stories --- */

static void story_of_odd_rows(int seed)
{
	write_file("a.csv", (uint32_t)seed * 3 + 1, 4 << 20);
	write_file("b.csv", (uint32_t)seed * 3 + 2, 3600000);
	write_file("c.csv", (uint32_t)seed * 3 + 3, 2000000);
	inlet_start(1000);
	settle(1000);
}

START_TEST(ahead_seals_what_one_thread_seals)
{
	same(story_of_odd_rows, _i);
}
END_TEST

/* Ten blocks, of which some are sealed, and the next ones are made. */
enum { PLAIN_ROWS = 8000, PLAIN_SHIFT = 7000 };

static const struct position *plain_position(void)
{
	return source_position(sources_get(inlet.intake->sources, 0));
}

static void begin_plain(void)
{
	const struct position *at;
	struct crew_job *job;

	write_plain("a.csv", 0, PLAIN_ROWS);
	inlet_start(1000);
	intake_flush(inlet.intake);
	step(1000);
	at = plain_position();
	ck_assert_int_gt(at->size - at->offset, 4 * AHEAD_BLOCK);
	if (!inlet.intake->crew)
		return;
	job = next_job();
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(crew_wait(inlet.intake->crew, job), BLOCK_MADE);
}

/* The first block of a file has a header that is not known before (perhaps
 * behind a byte order mark): those behind it are begun nevertheless, and are
 * what their turns ask for. */
START_TEST(blocks_behind_a_first_one_are_begun_with_it)
{
	struct buf rows;
	struct crew_job *job;
	struct source *source;
	const struct shape_batch *made;
	struct crew_order order;

	set_up(2);
	/* Longer rows: where a batch is full before, the guess is wrong. */
	inlet.config->events.injection = INJECTION_RECORDS;
	buf_init(&rows, 8 << 20);
	buf_add_str(&rows, _i ? "\xef\xbb\xbf" AHEAD_HEADER : AHEAD_HEADER);
	for (unsigned int n = 0; n < PLAIN_ROWS; n++) {
		add_row(&rows, n, false);
		add_run(&rows, "x", 600);
		buf_add_str(&rows, "\n");
	}
	inlet_add("a.csv", buf_str(&rows));
	buf_release(&rows);
	inlet_start(1000);
	intake_flush(inlet.intake);
	source = sources_due(inlet.intake->sources, 1000);
	ck_assert_ptr_nonnull(source);
	ck_assert_int_eq(intake_make(inlet.intake, source, inlet.now_s),
			 BLOCK_MADE);
	ck_assert_ptr_ne(inlet.intake->block, inlet.intake->own);
	made = block_batch(inlet.intake->block);
	ck_assert_int_eq(made->from, 0);
	order = (struct crew_order){.number = source_position(source)->number,
				    .from = made->to,
				    .bytes = source_block_bytes(source),
				    .file = &made->file,
				    .now_s = inlet.now_s};
	job = crew_find(inlet.intake->crew, &order);
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(crew_wait(inlet.intake->crew, job), BLOCK_MADE);
	ck_assert_int_eq(block_batch(crew_block(job))->from, made->to);
	fault_skip_syncs(false);
	inlet_teardown();
}
END_TEST

/* The rows behind the position become others of the same length. */
static void change_rows(bool cut)
{
	int64_t offset = plain_position()->offset;
	struct buf bytes;
	unsigned int first = 0;
	int fd;

	buf_init(&bytes, 4 << 20);
	ck_assert_int_eq(fs_read_file(AT_FDCWD, inlet_path("a.csv"), &bytes),
			 0);
	for (int64_t i = 0; i < offset; i++)
		first += bytes.p[i] == '\n';
	ck_assert_uint_ge(first, 1001);
	buf_reset(&bytes);
	for (unsigned int n = first - 1; n < PLAIN_ROWS; n++)
		add_plain(&bytes, n + PLAIN_SHIFT);
	fd = open(inlet_path("a.csv"), O_WRONLY);
	ck_assert_int_ge(fd, 0);
	if (cut)
		ck_assert_int_eq(ftruncate(fd, offset), 0);
	ck_assert_int_eq(pwrite(fd, bytes.p, bytes.len, offset),
			 (ssize_t)bytes.len);
	close(fd);
	buf_release(&bytes);
}

static void story_of_other_rows(int cut)
{
	begin_plain();
	change_rows(cut);
	settle(2000);
}

static void story_of_another_file(int smaller)
{
	begin_plain();
	ck_assert_int_eq(truncate(inlet_path("a.csv"), 0), 0);
	inlet_add("a.csv", AHEAD_OTHER AHEAD_HEADER);
	write_plain("a.csv", 1, smaller ? 900 : PLAIN_ROWS + 900);
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	settle(2000);
}

static void story_of_a_replaced_file(int variant)
{
	(void)variant;
	begin_plain();
	write_plain("new", 0, PLAIN_ROWS - 100);
	ck_assert_int_eq(rename(inlet_path("new"), inlet_path("a.csv")), 0);
	intake_rescan(inlet.intake, 2000, inlet.now_s);
	settle(2000);
	for (int64_t ms = 3000; ms < 200000; ms += 1000)
		intake_step(inlet.intake, ms, inlet.now_s);
}

static void story_of_a_full_disk(int steps)
{
	begin_plain();
	fault_arm_from("renameat", 1, EIO);
	/* A step for the group, and one for each try of one block. */
	for (int64_t i = 0; i <= steps + 1; i++)
		step(2000 + i * INTAKE_RETRY_MS);
	ck_assert(intake_stuck(inlet.intake));
	fault_disarm();
	settle(2000 + 10 * INTAKE_RETRY_MS);
}

/* Other limits make other blocks. */
static void story_of_a_reload(int variant)
{
	static struct config next;

	begin_plain();
	next = *inlet.config;
	if (variant)
		next.events.max_events = 700;
	intake_configure(inlet.intake, &next, 2000, inlet.now_s);
	settle(2000);
}

static void story_of_a_restart(int variant)
{
	(void)variant;
	begin_plain();
	inlet_stop();
	inlet_start(2000);
	settle(2000);
}

/* What was made in time is too old when its turn comes; or not yet. */
static void story_of_a_long_wait(int back)
{
	begin_plain();
	inlet.now_s += back ? -3600 : 2 * 86400;
	settle(2000);
}

static void story_of_old_rows(int variant)
{
	struct buf rows;

	(void)variant;
	buf_init(&rows, 4 << 20);
	buf_add_str(&rows, AHEAD_HEADER);
	for (unsigned int n = 0; n < PLAIN_ROWS; n++) {
		if (n % 10 == 5) {
			add_row(&rows, n, true);
			buf_add_str(&rows, "\n");
		}
		add_plain(&rows, n);
	}
	inlet_add("a.csv", buf_str(&rows));
	buf_release(&rows);
	inlet_start(1000);
	settle(1000);
}

/* Rows of which a batch is full long before its bytes are taken: after the
 * first block the guesses are right again. */
static void story_of_dense_rows(int variant)
{
	struct buf rows;

	(void)variant;
	buf_init(&rows, 4 << 20);
	buf_add_str(&rows, AHEAD_HEADER);
	for (unsigned int n = 0; n < 2 * PLAIN_ROWS; n++) {
		add_row(&rows, n, false);
		add_run(&rows, "x", 80 + n % 11);
		buf_add_str(&rows, "\n");
	}
	inlet_add("a.csv", buf_str(&rows));
	buf_release(&rows);
	inlet_start(1000);
	settle(1000);
	if (inlet.intake->crew)
		ck_assert_uint_ge(guessed, 3);
}

static const struct {
	void (*story)(int);
	int variant;
} stories[] = {
	{story_of_other_rows, 0},      {story_of_other_rows, 1},
	{story_of_another_file, 0},    {story_of_another_file, 1},
	{story_of_a_replaced_file, 0}, {story_of_a_full_disk, 0},
	{story_of_a_full_disk, 2},     {story_of_a_reload, 0},
	{story_of_a_reload, 1},	       {story_of_a_restart, 0},
	{story_of_a_long_wait, 0},     {story_of_a_long_wait, 1},
	{story_of_old_rows, 0},	       {story_of_dense_rows, 0},
};

START_TEST(ahead_changes_nothing)
{
	same(stories[_i].story, stories[_i].variant);
}
END_TEST

/* A read that fails, of whichever thread, loses and doubles nothing. */
START_TEST(ahead_survives_a_read_that_fails)
{
	int64_t now_ms = 2000;

	inlet_setup();
	fault_skip_syncs(true);
	inlet.config->threads = 3;
	inlet.config->events.max_events = AHEAD_EVENTS;
	write_plain("a.csv", 0, PLAIN_ROWS);
	inlet_start(1000);
	intake_flush(inlet.intake);
	fault_arm("pread", _i * 3 + 1, EIO);
	for (int i = 0; i < 100; i++, now_ms += 1000) {
		step(now_ms);
		if (i % 3 == 2)
			intake_rescan(inlet.intake, now_ms, inlet.now_s);
	}
	fault_disarm();
	inlet_agrees(PLAIN_ROWS, PLAIN_ROWS);
	inlet_teardown();
}
END_TEST

/* Rows so short that a batch is full early, and then long ones: their batches
 * must not stay as small as those of the short ones would be. */
START_TEST(ahead_blocks_grow_again)
{
	struct buf rows;

	buf_init(&rows, 16 << 20);
	buf_add_str(&rows, AHEAD_HEADER);
	for (int i = 0; i < 3000; i++)
		buf_addf(&rows, "d,1700000000,,,u%d@t.example,,%070d\n", i, i);
	for (unsigned int i = 0; i < 8000; i++)
		add_plain(&rows, i);
	inlet_setup();
	fault_skip_syncs(true);
	inlet.config->events.max_events = AHEAD_EVENTS;
	inlet.config->events.injection = INJECTION_RECORDS;
	inlet_add("a.csv", buf_str(&rows));
	buf_release(&rows);
	inlet_start(1000);
	intake_flush(inlet.intake);
	inlet_settle(1000);
	/* Three megabytes: a dozen blocks, not three dozen. */
	ck_assert_uint_ge(inlet_totals().batches, 12);
	ck_assert_uint_le(inlet_totals().batches, 24);
	fault_skip_syncs(false);
	inlet_teardown();
}
END_TEST

Suite *ahead_suite(void)
{
	Suite *s = suite_create("ahead");
	TCase *tc = tcase_create("ahead");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, blocks_behind_a_first_one_are_begun_with_it, 0,
			    2);
	tcase_add_loop_test(tc, ahead_seals_what_one_thread_seals, 0, 5);
	tcase_add_test(tc, ahead_blocks_grow_again);
	tcase_add_loop_test(tc, ahead_changes_nothing, 0, NROF(stories));
	tcase_add_loop_test(tc, ahead_survives_a_read_that_fails, 0, 12);
	suite_add_tcase(s, tc);
	return s;
}
