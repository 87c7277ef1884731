/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_view.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/spool_fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_init(&f);
}

static void teardown(void)
{
	fault_disarm();
	fixture_release(&f);
}

/* --- One step of each kind --- */

static int do_seal(void)
{
	return fixture_seal(&f, 40);
}

static int do_group(void)
{
	return fixture_seal_group(&f, 10, 4, NULL);
}

static int do_save(void)
{
	return fixture_save(&f);
}

static int do_depart(void)
{
	return fixture_depart(&f, BATCH_SENT, 1);
}

static int do_depart_all(void)
{
	return fixture_depart_all(&f, 2);
}

static int do_expire(void)
{
	return fixture_depart(&f, BATCH_EXPIRED, 0);
}

static int do_evict(void)
{
	struct spool_evicted evicted;

	f.settings.max_bytes = 1;
	spool_configure(f.spool, &f.settings);
	return spool_make_room(f.spool, 0, f.now_s, &evicted) < 0 ? -1 : 0;
}

static int do_refuse(void)
{
	struct batch batch;
	int saved, status;

	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	status = spool_refuse(f.spool, &batch, 3, 1, SLICE("gz"), 422,
			      SLICE("no"), f.now_s);
	saved = errno;
	spool_put_back(f.spool, &batch);
	errno = saved;
	return status;
}

static int do_note(void)
{
	struct batch batch;
	int saved, status;

	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	status = fixture_note(&f, &batch, 0, 1, "id", f.now_s);
	saved = errno;
	spool_put_back(f.spool, &batch);
	errno = saved;
	return status;
}

static int do_rows(void)
{
	return spool_add_rows(f.spool, SLICE("acct.csv,0,why,\"row\"\n"));
}

static const struct {
	const char *name;
	int (*run)(void);
	int syncs; /* how many a success takes */
} steps[] = {
	{"seal", do_seal, 5},	       {"save", do_save, 2},
	{"group", do_group, 9},	       {"depart", do_depart, 2},
	{"departs", do_depart_all, 2}, {"expire", do_expire, 2},
	{"evict", do_evict, 6},	       {"refuse", do_refuse, 3},
	{"note", do_note, 2},	       {"rows", do_rows, 2},
};

/* How many calls fail, one after the other. */
static const int spans[] = {1, 2, 3, 1000};

enum { STEPS = NROF(steps), SPANS = NROF(spans) };

/* Three batches wait, one was sent and is not settled. */
static void begin(void)
{
	f.settings.max_bytes = 0;
	fixture_open(&f);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	fixture_agrees(&f);
}

static void next(void)
{
	fixture_release(&f);
	fixture_init(&f);
}

START_TEST(step_syncs_what_it_promises)
{
	begin();
	fault_arm("fsync", 1000000, EIO);
	ck_assert_int_eq(steps[_i].run(), 0);
	ck_assert_int_eq(fault_calls("fsync"), steps[_i].syncs);
}
END_TEST

/* After a failure: here all agrees, it works the next time, and after that a
 * start finds it all. */
static void works_the_next_time(int step)
{
	ck_assert_msg(steps[step].run() == 0, "%s: %s", steps[step].name,
		      strerror(errno));
	fixture_agrees(&f);
	ck_assert_int_eq(do_seal(), 0);
	fixture_agrees(&f);
	fixture_reopen(&f);
	fixture_clean(&f);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"),
			  fixture_has(&f, "sent/accepted.ndjson"));
}

/*
 * Some calls fail, whichever they are, and the process goes on.  Loop tests:
 * _i is a step, and how many calls fail.
 */
START_TEST(step_that_fails_changes_nothing_and_works_the_next_time)
{
	int step = _i / SPANS;
	bool struck = true;

	for (int nth = 1; struck; nth++, next()) {
		int status;

		begin();
		fault_arm_some(NULL, nth, spans[_i % SPANS], EIO);
		status = steps[step].run();
		struck = fault_calls(NULL) >= nth;
		fault_disarm();
		if (!struck)
			ck_assert_int_eq(status, 0);
		if (spans[_i % SPANS] == 1) {
			fixture_agrees(&f);
			ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
		}
		/* What is due is done with the next of its kind. */
		ck_assert_int_eq(do_seal(), 0);
		ck_assert_int_eq(do_depart(), 0);
		fixture_agrees(&f);
		works_the_next_time(step);
	}
}
END_TEST

/* They go on failing while others are tried. */
START_TEST(step_that_goes_on_failing_is_made_up_for)
{
	int step = _i / 2;
	bool struck = true;

	for (int nth = 1; struck; nth++, next()) {
		begin();
		fault_arm_from(NULL, nth, EIO);
		steps[step].run();
		struck = fault_calls(NULL) >= nth;
		if (_i % 2)
			do_seal();
		do_save();
		do_depart();
		fault_disarm();
		ck_assert_int_eq(do_seal(), 0);
		ck_assert_int_eq(do_depart(), 0);
		fixture_agrees(&f);
		works_the_next_time(step);
	}
}
END_TEST

/* Some calls fail, and before anything else is done the process dies. */
START_TEST(step_that_fails_before_a_crash_leaves_a_spool_that_agrees)
{
	int step = _i / SPANS;
	bool struck = true;

	for (int nth = 1; struck; nth++, next()) {
		int64_t before, after;
		int status;

		begin();
		before = f.offset;
		fault_arm_some(NULL, nth, spans[_i % SPANS], EIO);
		status = steps[step].run();
		struck = fault_calls(NULL) >= nth;
		after = f.offset;
		fault_disarm();
		fixture_reopen(&f);
		fixture_clean(&f);
		ck_assert_uint_eq(f.found.beyond_count, 0);
		ck_assert_uint_eq(f.ledger.account.rows, (uint64_t)f.offset);
		fixture_agrees(&f);
		/* A failed seal may turn out to have happened. */
		if (status == 0)
			ck_assert_int_eq(f.offset, after);
		else
			ck_assert(f.offset == before ||
				  f.offset == before + 40);
	}
}
END_TEST

/* checkpoint.next holds the truth until it is renamed: it may not be
 * overwritten before. */
START_TEST(seal_installs_the_last_checkpoint_before_it_writes_the_next)
{
	bool struck = true;

	for (int nth = 1; struck; nth++, next()) {
		begin();
		fault_arm("renameat", 2, EIO);
		ck_assert_int_eq(do_seal(), 0);
		ck_assert(fixture_has(&f, "checkpoint.next"));
		fixture_agrees(&f);
		fault_arm_from(NULL, nth, EIO);
		if (_i)
			do_save();
		else
			do_seal();
		struck = fault_calls(NULL) >= nth;
		fault_disarm();
		fixture_reopen(&f);
		fixture_clean(&f);
		ck_assert_uint_eq(f.found.beyond_count, 0);
		ck_assert_uint_eq(f.ledger.account.rows, (uint64_t)f.offset);
		ck_assert_int_ge(f.offset, 80);
		fixture_agrees(&f);
	}
}
END_TEST

/* Its sync and its removal failed: it is there, but it does not count. */
START_TEST(batch_that_could_not_be_undone_is_not_handed_out)
{
	struct batch batch;
	uint64_t n = 1;

	fixture_open(&f);
	for (; n <= SPOOL_WINDOW + 10; n++)
		ck_assert_int_eq(fixture_seal(&f, 1), 0);
	/* So that the window does not reach to the end. */
	fixture_reopen(&f);
	fault_arm_some(NULL, 11, 2, EIO);
	ck_assert_int_eq(do_seal(), -1);
	fault_disarm();
	ck_assert_uint_eq(fixture_count(&f, "ready"), n);
	while (spool_take(f.spool, &batch) == 1) {
		ck_assert_uint_lt(batch.seq, n);
		ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0),
				 0);
	}
	ck_assert_uint_eq(fixture_count(&f, "ready"), 1);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_uint_eq(fixture_count(&f, "ready"), 0);
	fixture_agrees(&f);
	ck_assert_int_eq(do_seal(), 0);
	fixture_reopen(&f);
	fixture_agrees(&f);
}
END_TEST

/* The line before was cut by a crash, so that there are two writes. */
START_TEST(line_that_fails_is_cut_off_again)
{
	static const char *const kinds[] = {"write", "fsync"};
	struct buf text;

	buf_init(&text, 1000);
	begin();
	fixture_write(&f, "refused/rows.csv", "cut");
	fault_arm(kinds[_i], _i ? 1 : 2, ENOSPC);
	ck_assert_int_eq(do_rows(), -1);
	ck_assert_int_eq(errno, ENOSPC);
	fault_disarm();
	fixture_read(&f, "refused/rows.csv", &text);
	ck_slice(buf_slice(&text), "cut");
	buf_release(&text);
}
END_TEST

START_TEST(step_writes_all_although_writes_are_short)
{
	for (int nth = 1;; nth++, next()) {
		bool struck;

		begin();
		fault_short("write", nth);
		ck_assert_int_eq(steps[_i].run(), 0);
		struck = fault_calls("write") > nth;
		fault_disarm();
		fixture_agrees(&f);
		works_the_next_time(_i);
		if (!struck)
			break;
	}
}
END_TEST

START_TEST(seal_says_that_the_disk_is_full)
{
	static const int errors[] = {ENOSPC, EDQUOT};

	begin();
	fault_arm_from("write", 1, errors[_i]);
	ck_assert_int_eq(do_seal(), -1);
	ck_assert_int_eq(errno, errors[_i]);
	fault_disarm();
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
	fixture_agrees(&f);
	ck_assert_int_eq(do_seal(), 0);
	fixture_agrees(&f);
}
END_TEST

/* A directory may find no block for a name: then the bytes go first. */
START_TEST(eviction_works_on_a_disk_without_a_single_block)
{
	begin();
	fault_arm("renameat", 1, ENOSPC);
	ck_assert_int_eq(do_evict(), 0);
	fault_disarm();
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.evicted_events, 30);
}
END_TEST

START_TEST(eviction_that_is_half_done_is_finished_by_the_next_take)
{
	struct spool_totals totals;
	struct batch batch;

	begin();
	fault_arm_from("renameat", 1, ENOSPC);
	ck_assert_int_eq(do_evict(), -1);
	ck_assert_int_eq(errno, ENOSPC);
	fault_disarm();
	if (_i)
		fixture_reopen(&f);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 3);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.evicted_events, 10);
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(totals.events, 20);
}
END_TEST

/* --- Opening --- */

/* What a crash can leave at most: tmp/, checkpoint.next and its batch. */
static void leave_rubbish(void)
{
	struct buf old, now;

	buf_init(&old, 1 << 20);
	buf_init(&now, 1 << 20);
	fixture_read(&f, "checkpoint.json", &old);
	ck_assert_int_eq(do_seal(), 0);
	fixture_read(&f, "checkpoint.json", &now);
	fixture_crash(&f);
	fixture_write(&f, "checkpoint.json", buf_str(&old));
	fixture_write(&f, "checkpoint.next", buf_str(&now));
	fixture_write(&f, "tmp/rubbish", "x");
	buf_release(&old);
	buf_release(&now);
}

START_TEST(start_that_fails_says_so_and_can_be_repeated)
{
	bool struck = true;

	for (int nth = 1; struck; nth++, next()) {
		enum spool_open_status status;
		struct spool_found found;
		struct spool *spool;
		struct buf why;

		begin();
		leave_rubbish();
		buf_init(&why, 4096);
		fault_arm_some(NULL, nth, spans[_i], EIO);
		status = spool_open(&f.settings, &spool, &found, &why);
		struck = fault_calls(NULL) >= nth;
		fault_disarm();
		if (status != SPOOL_OPEN_OK) {
			ck_assert_int_eq(status, SPOOL_OPEN_FAILED);
			ck_assert_ptr_nonnull(
				strstr(buf_str(&why), f.directory));
			ck_assert_ptr_nonnull(
				strstr(buf_str(&why), "kernel's log"));
		}
		spool_found_release(&found);
		spool_close(&spool);
		buf_release(&why);
		fixture_open(&f);
		fixture_clean(&f);
		fixture_agrees(&f);
		ck_assert_uint_eq(f.found.beyond_count, 0);
		ck_assert_int_eq(f.offset, 80);
	}
}
END_TEST

/* --- Crashes --- */

/* What the process that dies had been told is done. */
struct told {
	int64_t sealed;
	uint64_t left;
	bool settled;
};

static void live(struct told *told, const char *call, int nth)
{
	struct spool_evicted evicted;

	f.settings.max_bytes = 0;
	if (nth)
		fault_arm_exit(call, nth);
	fixture_open(&f);
	for (int i = 0; i < 4; i++) {
		if (fixture_seal(&f, 10) < 0)
			_exit(1);
		told->sealed = f.offset;
	}
	if (do_depart() < 0)
		_exit(2);
	told->left = 10;
	if (do_refuse() < 0 || do_note() < 0 || do_rows() < 0)
		_exit(3);
	f.departures = spool_settle(f.spool, &f.ledger);
	if (fixture_seal(&f, 40) < 0)
		_exit(4);
	told->sealed = f.offset;
	spool_settled(f.spool, f.departures);
	f.settings.max_bytes = 18;
	spool_configure(f.spool, &f.settings);
	if (spool_make_room(f.spool, 0, f.now_s, &evicted) < 1)
		_exit(5);
	told->left += evicted.events;
	if (fixture_depart(&f, BATCH_REFUSED, 0) < 0 || do_save() < 0)
		_exit(6);
	fault_disarm();
	told->settled = true;
	_exit(0);
}

/* true: it died in between. */
static bool die(struct told *told, const char *call, int nth)
{
	pid_t pid;
	int status;

	*told = (struct told){0};
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		live(told, call, nth);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_msg(WEXITSTATUS(status) == 0 ||
			      WEXITSTATUS(status) == FAULT_EXIT,
		      "died with %d", WEXITSTATUS(status));
	return WEXITSTATUS(status) == FAULT_EXIT;
}

static void survive(const struct told *told)
{
	struct spool_view view;
	uint64_t left, made;

	/* A view of what the dead one left says what a start will. */
	if (fixture_has(&f, "refused")) {
		fixture_view(&f, &view);
		left = fixture_left(&view.checkpoint.ledger);
		made = account_events(&view.checkpoint.ledger.account);
		ck_assert_uint_eq(made, left + view.totals.events);
		ck_assert(!view.running);
		spool_view_release(&view);
	} else {
		left = made = 0;
	}
	fixture_open(&f);
	fixture_clean(&f);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	ck_assert_uint_eq(f.ledger.account.rows, (uint64_t)f.offset);
	ck_assert_uint_eq(made, (uint64_t)f.offset);
	ck_assert_uint_eq(left, fixture_left(&f.ledger));
	/* What it had been told is so; what it was about to be told may be. */
	ck_assert_int_ge(f.offset, told->sealed);
	ck_assert_int_le(f.offset, told->sealed + 40);
	ck_assert_uint_ge(left, told->left);
	/* And life goes on. */
	ck_assert_int_eq(do_seal(), 0);
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	fixture_reopen(&f);
	fixture_agrees(&f);
}

START_TEST(spool_survives_a_crash_before_any_call)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int deaths = 0;

	ck_assert_ptr_ne(told, MAP_FAILED);
	while (die(told, NULL, deaths + 1)) {
		deaths++;
		survive(told);
		next();
	}
	ck_assert(told->settled);
	survive(told);
	ck_assert_int_gt(deaths, 80);
	munmap(told, sizeof(*told));
}
END_TEST

START_TEST(spool_survives_a_crash_before_any_call_of_a_start)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool died = true;

	ck_assert_ptr_ne(told, MAP_FAILED);
	for (int nth = 1; died; nth++, next()) {
		pid_t pid;
		int status;

		begin();
		leave_rubbish();
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			fault_arm_exit(NULL, nth);
			fixture_open(&f);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		died = WEXITSTATUS(status) == FAULT_EXIT;
		*told = (struct told){.sealed = 80, .left = 10};
		survive(told);
	}
	munmap(told, sizeof(*told));
}
END_TEST

/* --- A real full disk --- */

enum { SKIPPED = 77 };

static void need(bool is_so, int line)
{
	if (!is_so) {
		fprintf(stderr, "%s:%d: %s\n", __FILE__, line, strerror(errno));
		_exit(1);
	}
}

#define NEED(condition) need(condition, __LINE__)

/* In a child of its own: mounts must not outlive it. */
static void on_a_full_disk(void)
{
	struct spool_evicted evicted;
	struct batch batch;
	int sealed = 0;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", f.directory, "tmpfs", 0, "size=400k") < 0)
		_exit(SKIPPED);
	fault_skip_syncs(false);
	fixture_open(&f);
	while (fixture_seal(&f, 30000) == 0)
		sealed++;
	NEED(errno == ENOSPC);
	NEED(sealed >= 5);
	NEED(fixture_count(&f, "tmp") == 0);
	NEED(!fixture_has(&f, "checkpoint.next"));
	fixture_agrees(&f);
	/* No start and no other step is stopped by it. */
	fixture_reopen(&f);
	fixture_agrees(&f);
	NEED(spool_take(f.spool, &batch) == 1);
	f.settings.min_free_bytes = 10000;
	spool_configure(f.spool, &f.settings);
	NEED(spool_make_room(f.spool, 30000, f.now_s, &evicted) > 0);
	NEED(evicted.batches >= 1 && evicted.batches <= 3);
	fixture_agrees(&f);
	NEED(fixture_seal(&f, 30000) == 0);
	NEED(spool_depart(f.spool, &batch, BATCH_SENT, 0) == 0);
	fixture_agrees(&f);
	NEED(fixture_save(&f) == 0);
	fixture_reopen(&f);
	fixture_agrees(&f);
	/* More than there will ever be: all go, then it says so. */
	NEED(spool_make_room(f.spool, 1 << 30, f.now_s, &evicted) > 0);
	NEED(spool_make_room(f.spool, 1 << 30, f.now_s, &evicted) == -1);
	NEED(errno == ENOSPC);
	fixture_agrees(&f);
	fixture_crash(&f);
	_exit(0);
}

START_TEST(spool_on_a_full_disk_leaves_nothing_half_made)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		on_a_full_disk();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		fprintf(stderr, "no private mount here: skipped\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* --- The reserve --- */

static void reserve_open(void)
{
	f.settings.min_free_bytes = 1;
	fixture_open(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert(fixture_has(&f, "reserve"));
}

START_TEST(reserve_lets_the_checkpoint_be_written)
{
	reserve_open();
	fault_arm("write", 1, ENOSPC);
	ck_assert_int_eq(fixture_save(&f), 0);
	fault_disarm();
	/* It is made again by the next save that finds room. */
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert(fixture_has(&f, "reserve"));
}
END_TEST

START_TEST(reserve_is_not_given_for_other_faults)
{
	reserve_open();
	fault_arm("write", 1, EIO);
	ck_assert_int_eq(fixture_save(&f), -1);
	fault_disarm();
	ck_assert(fixture_has(&f, "reserve"));
	fixture_agrees(&f);
}
END_TEST

START_TEST(reserve_is_not_made_where_no_space_is_asked_for)
{
	fixture_open(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert(!fixture_has(&f, "reserve"));
	fixture_crash(&f);
	f.settings.min_free_bytes = UINT64_C(1) << 62;
	fixture_open(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert(!fixture_has(&f, "reserve"));
}
END_TEST

Suite *spool_fault_suite(void)
{
	Suite *s = suite_create("spool_fault");
	TCase *tc = tcase_create("spool_fault");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, step_syncs_what_it_promises, 0, STEPS);
	tcase_add_loop_test(
		tc, step_that_fails_changes_nothing_and_works_the_next_time, 0,
		STEPS * SPANS);
	tcase_add_loop_test(tc, step_that_goes_on_failing_is_made_up_for, 0,
			    STEPS * 2);
	tcase_add_loop_test(
		tc, step_that_fails_before_a_crash_leaves_a_spool_that_agrees,
		0, STEPS * SPANS);
	tcase_add_loop_test(
		tc, seal_installs_the_last_checkpoint_before_it_writes_the_next,
		0, 2);
	tcase_add_test(tc, batch_that_could_not_be_undone_is_not_handed_out);
	tcase_add_loop_test(tc, line_that_fails_is_cut_off_again, 0, 2);
	tcase_add_loop_test(tc, step_writes_all_although_writes_are_short, 0,
			    STEPS);
	tcase_add_loop_test(tc, seal_says_that_the_disk_is_full, 0, 2);
	tcase_add_test(tc, eviction_works_on_a_disk_without_a_single_block);
	tcase_add_loop_test(
		tc, eviction_that_is_half_done_is_finished_by_the_next_take, 0,
		2);
	tcase_add_loop_test(tc, start_that_fails_says_so_and_can_be_repeated, 0,
			    SPANS);
	tcase_add_test(tc, spool_survives_a_crash_before_any_call);
	tcase_add_test(tc, spool_survives_a_crash_before_any_call_of_a_start);
	tcase_add_test(tc, spool_on_a_full_disk_leaves_nothing_half_made);
	tcase_add_test(tc, reserve_lets_the_checkpoint_be_written);
	tcase_add_test(tc, reserve_is_not_given_for_other_faults);
	tcase_add_test(tc, reserve_is_not_made_where_no_space_is_asked_for);
	suite_add_tcase(s, tc);
	return s;
}
