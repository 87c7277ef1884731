/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/spool_fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_init(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

/* --- The way of a batch --- */

START_TEST(spool_on_its_first_start_is_fresh_and_empty)
{
	struct spool_totals totals;
	struct batch batch;

	fixture_open(&f);
	ck_assert(f.found.fresh);
	ck_assert(!f.found.damaged);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	ck_assert_uint_eq(spool_next_seq(f.spool), 1);
	ck_assert_int_eq(spool_take(f.spool, &batch), 0);
	ck_assert(!spool_unsettled(f.spool));
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(totals.batches, 0);
	ck_assert_int_eq(totals.oldest_event_s, 0);
	ck_assert_uint_gt(totals.free_bytes, 0);
	fixture_agrees(&f);
}
END_TEST

static const struct {
	const char *name;
	mode_t mode;
} made[] = {{"", 0750},		 {"/lock", 0640},	    {"/tmp", 0750},
	    {"/ready", 0750},	 {"/sent", 0750},	    {"/refused", 0750},
	    {"/rows.csv", 0640}, {"/checkpoint.json", 0640}};

START_TEST(spool_makes_directories_and_files_for_owner_and_group_only)
{
	mode_t old = umask(0022);
	char top[sizeof(f.directory)], path[128];

	memcpy(top, f.directory, sizeof(top));
	ck_assert_int_eq(rmdir(f.directory), 0);
	fixture_open(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_int_eq(spool_add_rows(f.spool, SLICE("x\n")), 0);
	for (size_t i = 0; i < NROF(made); i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s%s%s", top,
			 i == 6 ? "/refused" : "", made[i].name);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_eq(st.st_mode & 07777, made[i].mode);
	}
	umask(old);
}
END_TEST

static int wakes;

static void wake(void *ctx)
{
	wakes += *(int *)ctx;
}

START_TEST(spool_batch_goes_from_seal_to_settled)
{
	struct batch batch;
	struct buf want;
	char byte[64];
	int one = 1, hundred = 100, fd;

	buf_init(&want, 4096);
	fixture_open(&f);
	spool_on_seal(f.spool, wake, &one);
	spool_on_depart(f.spool, wake, &hundred);
	wakes = 0;
	ck_assert_int_eq(fixture_seal(&f, 100), 0);
	ck_assert_int_eq(wakes, 1);
	fixture_agrees(&f);
	ck_assert_uint_eq(spool_next_seq(f.spool), 2);

	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 1);
	ck_assert_uint_eq(batch_events(&batch), 100);
	fd = spool_open_batch(f.spool, &batch);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, byte, 4), 4);
	ck_assert_mem_eq(byte, fixture_gz(&batch, &want).p, 4);
	close(fd);
	fixture_agrees(&f);

	ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 3), 0);
	ck_assert_int_eq(wakes, 101);
	ck_assert_uint_eq(fixture_count(&f, "ready"), 0);
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
	ck_assert(spool_unsettled(f.spool));
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.sent_batches, 1);
	ck_assert_uint_eq(f.ledger.sent_events, 97);
	ck_assert_uint_eq(f.ledger.sent_bytes, batch.bytes);
	ck_assert_uint_eq(f.ledger.refused_events, 3);
	ck_assert_uint_eq(f.ledger.refused_batches, 0);

	ck_assert(spool_unsettled(f.spool));
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert(!spool_unsettled(f.spool));
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
	fixture_agrees(&f);
	fixture_reopen(&f);
	fixture_agrees(&f);
	fixture_clean(&f);
	ck_assert_uint_eq(f.found.checkpoint.seq, 1);
	ck_assert_uint_eq(f.found.checkpoint.departures, 1);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	ck_assert(!f.found.fresh);
	buf_release(&want);
}
END_TEST

static const struct {
	enum batch_departure why;
	uint32_t refused;
	uint64_t sent, refused_events, expired, evicted;
	bool emptied;
} ways[] = {
	{BATCH_SENT, 0, 50, 0, 0, 0, false},
	{BATCH_SENT, 50, 0, 50, 0, 0, false},
	{BATCH_SENT, 51, 0, 50, 0, 0, false},
	{BATCH_REFUSED, 0, 0, 50, 0, 0, false},
	{BATCH_REFUSED, 50, 0, 50, 0, 0, false},
	{BATCH_EXPIRED, 7, 0, 0, 50, 0, true},
	{BATCH_EVICTED, 0, 0, 0, 0, 50, true},
};

static int64_t sent_bytes(void)
{
	char command[256];
	long bytes = -1;
	FILE *pipe;

	snprintf(command, sizeof(command), "cat %s/sent/*.gz | wc -c",
		 f.directory);
	pipe = popen(command, "re");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_int_eq(fscanf(pipe, "%ld", &bytes), 1);
	pclose(pipe);
	return bytes;
}

START_TEST(spool_departure_of_each_kind_is_counted_once)
{
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 50), 0);
	ck_assert_int_eq(fixture_seal(&f, 5), 0);
	ck_assert_int_eq(fixture_depart(&f, ways[_i].why, ways[_i].refused), 0);
	ck_assert_int_eq(sent_bytes() == 0, ways[_i].emptied);
	/* Not in the checkpoint yet: a start counts it from its name. */
	for (int i = 0; i < 3; i++) {
		fixture_agrees(&f);
		ck_assert_uint_eq(f.ledger.sent_events, ways[_i].sent);
		ck_assert_uint_eq(f.ledger.refused_events,
				  ways[_i].refused_events);
		ck_assert_uint_eq(f.ledger.expired_events, ways[_i].expired);
		ck_assert_uint_eq(f.ledger.evicted_events, ways[_i].evicted);
		ck_assert_uint_eq(f.departures, 1);
		if (i == 1)
			ck_assert_int_eq(fixture_save(&f), 0);
		fixture_reopen(&f);
	}
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
}
END_TEST

START_TEST(spool_settles_with_the_next_seal_as_well)
{
	uint64_t departures;

	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	departures = f.departures = spool_settle(f.spool, &f.ledger);
	ck_assert_int_eq(fixture_seal(&f, 20), 0);
	spool_settled(f.spool, departures);
	ck_assert(!spool_unsettled(f.spool));
	ck_assert_uint_eq(fixture_count(&f, "sent"), 0);
	fixture_agrees(&f);
	fixture_reopen(&f);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.sent_events, 10);
}
END_TEST

START_TEST(spool_takes_the_oldest_first_and_no_batch_twice)
{
	struct batch a, b, again;

	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(spool_take(f.spool, &a), 1);
	ck_assert_int_eq(spool_take(f.spool, &b), 1);
	ck_assert_uint_eq(a.seq, 1);
	ck_assert_uint_eq(b.seq, 2);
	spool_put_back(f.spool, &a);
	spool_put_back(f.spool, &a);
	ck_assert_int_eq(spool_take(f.spool, &again), 1);
	ck_assert_uint_eq(again.seq, 1);
	ck_assert_int_eq(spool_take(f.spool, &again), 1);
	ck_assert_uint_eq(again.seq, 3);
	ck_assert_int_eq(spool_take(f.spool, &again), 0);
	fixture_agrees(&f);
	ck_assert_int_eq(spool_depart(f.spool, &b, BATCH_SENT, 0), 0);
	ck_assert_int_eq(spool_depart(f.spool, &b, BATCH_SENT, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(spool_depart(f.spool, &a, BATCH_READY, 0), -1);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_has_no_more_than_64_batches_in_flight)
{
	struct batch batch, first = {0};

	fixture_open(&f);
	for (int i = 0; i < 66; i++)
		ck_assert_int_eq(fixture_seal(&f, 10), 0);
	for (int i = 0; i < 64; i++) {
		ck_assert_int_eq(spool_take(f.spool, &batch), 1);
		if (!i)
			first = batch;
	}
	ck_assert_int_eq(spool_take(f.spool, &batch), 0);
	ck_assert_int_eq(spool_depart(f.spool, &first, BATCH_SENT, 0), 0);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 65);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_seal_takes_only_the_next_number_and_true_sizes)
{
	struct batch batch;

	fixture_open(&f);
	fixture_next(&f, 10, &batch);
	batch.seq++;
	ck_assert_int_eq(spool_seal(f.spool, &batch, SLICE("0 "), SLICE("{}")),
			 -1);
	ck_assert_int_eq(errno, EINVAL);
	batch.seq--;
	ck_assert_int_eq(spool_seal(f.spool, &batch, SLICE("0"), SLICE("{}")),
			 -1);
	batch.to = batch.from - 1;
	ck_assert_int_eq(spool_seal(f.spool, &batch, SLICE("0 "), SLICE("{}")),
			 -1);
	ck_assert_uint_eq(fixture_count(&f, "ready"), 0);
}
END_TEST

START_TEST(spool_skips_a_batch_that_somebody_removed)
{
	struct batch batch;
	char name[BATCH_NAME], path[512];

	fixture_open(&f);
	fixture_next(&f, 10, &batch);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_seal(&f, 20), 0);
	batch_name(&batch, name);
	snprintf(path, sizeof(path), "%s/ready/%s", f.directory, name);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 2);
	ck_assert_int_eq(spool_depart(f.spool, &batch, BATCH_SENT, 0), 0);
	ck_assert_int_eq(spool_take(f.spool, &batch), 0);
}
END_TEST

START_TEST(spool_opens_no_batch_whose_size_is_wrong)
{
	struct batch batch;
	char name[BATCH_NAME], path[512];

	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	batch_name(&batch, name);
	snprintf(path, sizeof(path), "%s/ready/%s", f.directory, name);
	ck_assert_int_eq(truncate(path, 1), 0);
	ck_assert_int_eq(spool_open_batch(f.spool, &batch), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(spool_open_batch(f.spool, &batch), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(spool_open_batch(f.spool, &batch), -1);
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

START_TEST(spool_evicts_a_batch_whose_eviction_a_crash_cut_short)
{
	struct batch batch;
	char name[BATCH_NAME], path[512];

	fixture_open(&f);
	fixture_next(&f, 10, &batch);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_seal(&f, 20), 0);
	batch_name(&batch, name);
	snprintf(path, sizeof(path), "%s/ready/%s", f.directory, name);
	ck_assert_int_eq(truncate(path, 0), 0);
	fixture_reopen(&f);
	ck_assert_int_eq(spool_take(f.spool, &batch), 1);
	ck_assert_uint_eq(batch.seq, 2);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.evicted_events, 10);
}
END_TEST

/* --- What a start finds --- */

static enum spool_open_status try_open(struct buf *why)
{
	struct spool *spool;
	struct spool_found found;
	enum spool_open_status status;

	buf_init(why, 4096);
	status = spool_open(&f.settings, &spool, &found, why);
	if (status == SPOOL_OPEN_OK) {
		spool_found_release(&found);
		spool_close(&spool);
	} else {
		ck_assert_ptr_null(spool);
	}
	return status;
}

START_TEST(spool_is_taken_by_the_first_opener)
{
	struct spool_view view;
	char want[256];
	struct buf why;

	fixture_open(&f);
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_TAKEN);
	snprintf(want, sizeof(want), "another sparktail (pid %d) holds %s/lock",
		 (int)getpid(), f.directory);
	ck_assert_str_eq(buf_str(&why), want);
	buf_release(&why);
	fixture_view(&f, &view);
	ck_assert(view.running);
	ck_assert_int_eq(view.pid, getpid());
	spool_view_release(&view);
	fixture_crash(&f);
	/* The pid is still in the file, but nobody holds it. */
	fixture_view(&f, &view);
	ck_assert(!view.running);
	ck_assert_int_eq(view.pid, 0);
	spool_view_release(&view);
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_OK);
}
END_TEST

START_TEST(spool_view_never_makes_a_start_fail)
{
	fixture_open(&f);
	fixture_crash(&f);
	for (int i = 0; i < 20; i++) {
		struct spool_view view;

		fixture_view(&f, &view);
		fixture_open(&f);
		spool_view_release(&view);
		fixture_crash(&f);
	}
}
END_TEST

START_TEST(spool_empties_tmp_and_leaves_strangers_alone)
{
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	fixture_crash(&f);
	fixture_write(&f, "tmp/rubbish", "x");
	fixture_write(&f, "tmp/000", "x");
	fixture_write(&f, "ready/README", "x");
	fixture_write(&f, "ready/0000000000000009_x.ndjson.gz", "x");
	fixture_write(&f, "sent/notes.txt", "x");
	fixture_write(&f, "refused/mine", "x");
	fixture_write(&f, "stranger", "x");
	fixture_open(&f);
	ck_assert_uint_eq(f.found.tmp_removed, 2);
	fixture_clean(&f);
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	spool_clean(f.spool, f.now_s + 1000000000);
	fixture_agrees(&f);
	ck_assert(fixture_has(&f, "ready/README"));
	ck_assert(fixture_has(&f, "ready/0000000000000009_x.ndjson.gz"));
	ck_assert(fixture_has(&f, "sent/notes.txt"));
	ck_assert(fixture_has(&f, "refused/mine"));
	ck_assert(fixture_has(&f, "stranger"));
	ck_assert_uint_eq(fixture_count(&f, "sent"), 1);
}
END_TEST

/* Three batches; the first was sent and settled, the second is in sent/. */
static void prepare(void)
{
	fixture_open(&f);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(fixture_seal(&f, (uint32_t)i * 10), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_save(&f), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	fixture_crash(&f);
}

static const char *const broken[] = {"",     "{",	 "[]",
				     "null", "\xff\xff", "{\"version\":1}"};

START_TEST(spool_sets_a_damaged_checkpoint_aside_and_counts_what_is_there)
{
	struct spool_view view;

	prepare();
	fixture_write(&f, "checkpoint.damaged", "an older one");
	fixture_write(&f, "checkpoint.json", broken[_i]);
	fixture_view(&f, &view);
	ck_assert(view.damaged);
	ck_assert(!view.has_checkpoint);
	ck_assert_uint_eq(account_events(&view.checkpoint.ledger.account), 50);
	spool_view_release(&view);
	fixture_open(&f);
	ck_assert(f.found.damaged);
	ck_assert(!f.found.fresh);
	ck_assert(!fixture_has(&f, "checkpoint.json"));
	ck_assert(fixture_has(&f, "checkpoint.damaged"));
	/* Both that are left; of one source, the furthest is kept. */
	ck_assert_uint_ge(f.found.beyond_count, 1);
	ck_assert_int_eq(f.offset, 60);
	ck_assert_uint_eq(f.found.checkpoint.seq, 3);
	ck_assert_uint_eq(f.found.checkpoint.departures, 2);
	ck_assert_uint_eq(account_events(&f.ledger.account), 50);
	ck_assert_uint_eq(f.ledger.sent_events, 20);
	/* The first batch is forgotten: 50 of 60 events are in the ledger. */
	f.offset = 50;
	fixture_agrees(&f);
	ck_assert_int_eq(fixture_save(&f), 0);
	fixture_reopen(&f);
	ck_assert(!f.found.damaged);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_without_its_checkpoint_counts_what_is_there)
{
	char path[128];

	prepare();
	snprintf(path, sizeof(path), "%s/checkpoint.json", f.directory);
	ck_assert_int_eq(unlink(path), 0);
	fixture_open(&f);
	ck_assert(!f.found.damaged);
	ck_assert(!f.found.fresh);
	ck_assert_int_eq(f.offset, 60);
	ck_assert_uint_eq(account_events(&f.ledger.account), 50);
	ck_assert_uint_eq(spool_next_seq(f.spool), 4);
}
END_TEST

START_TEST(spool_with_an_old_checkpoint_moves_it_forward)
{
	struct buf old;

	buf_init(&old, 1 << 20);
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	fixture_read(&f, "checkpoint.json", &old);
	ck_assert_int_eq(fixture_seal(&f, 20), 0);
	ck_assert_int_eq(fixture_seal(&f, 30), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	ck_assert_int_eq(fixture_depart(&f, BATCH_SENT, 0), 0);
	fixture_crash(&f);
	fixture_write(&f, "checkpoint.json", buf_str(&old));
	fixture_open(&f);
	ck_assert_uint_ge(f.found.beyond_count, 1);
	ck_assert_int_eq(f.offset, 60);
	fixture_agrees(&f);
	ck_assert_uint_eq(f.ledger.sent_events, 30);
	ck_assert_int_eq(fixture_seal(&f, 40), 0);
	fixture_reopen(&f);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	fixture_agrees(&f);
	buf_release(&old);
}
END_TEST

START_TEST(spool_beyond_is_one_for_each_source)
{
	struct batch batch = {.after = {.header_offset = -1}};
	char name[BATCH_NAME], path[BATCH_NAME + 8];

	fixture_open(&f);
	fixture_crash(&f);
	for (uint64_t i = 1; i <= 1000; i++) {
		batch.seq = i;
		batch.source.ino = i % 7;
		batch.source.head_len = i % 2 ? 100 : 1024;
		batch.to = 5000 - (int64_t)i;
		batch_name(&batch, name);
		snprintf(path, sizeof(path), "ready/%s", name);
		fixture_write(&f, path, "");
	}
	fixture_open(&f);
	ck_assert_uint_eq(f.found.beyond_count, 14);
	for (size_t i = 0; i < 14; i++)
		ck_assert_int_ge(f.found.beyond[i].to, 5000 - 14);
}
END_TEST

START_TEST(spool_of_a_later_version_is_left_alone)
{
	static const char *const files[] = {"checkpoint.json",
					    "checkpoint.next"};
	struct spool_view view;
	struct buf why, text;

	buf_init(&text, 1000);
	prepare();
	fixture_write(&f, "tmp/theirs", "x");
	fixture_write(&f, files[_i], "{\"version\":2,\"x\":[]}");
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_NEWER);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "later version"));
	buf_release(&why);
	ck_assert(fixture_has(&f, "tmp/theirs"));
	fixture_read(&f, files[_i], &text);
	ck_slice(buf_slice(&text), "{\"version\":2,\"x\":[]}");
	buf_release(&text);
	fixture_view(&f, &view);
	ck_assert(view.newer);
	ck_assert(!view.running);
	spool_view_release(&view);
}
END_TEST

/* --- checkpoint.next --- */

static void write_next(uint64_t seq, uint32_t events)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	ck_assert_int_eq(fixture_text(&f, seq, events, &text), 0);
	fixture_write(&f, "checkpoint.next", buf_str(&text));
	buf_release(&text);
}

/* A commit that was cut short: batch 2 of 20 events, after one of 10. */
static void cut_commit(bool placed, bool has_next)
{
	struct buf old, next;

	buf_init(&old, 1 << 20);
	buf_init(&next, 1 << 20);
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	fixture_read(&f, "checkpoint.json", &old);
	if (!placed)
		write_next(2, 20);
	else
		ck_assert_int_eq(fixture_seal(&f, 20), 0);
	if (placed && has_next) {
		fixture_read(&f, "checkpoint.json", &next);
		fixture_write(&f, "checkpoint.next", buf_str(&next));
	}
	fixture_write(&f, "checkpoint.json", buf_str(&old));
	buf_release(&old);
	buf_release(&next);
	fixture_crash(&f);
}

START_TEST(spool_finishes_a_commit_whose_batch_is_there)
{
	struct spool_view view;

	cut_commit(true, true);
	fixture_view(&f, &view);
	ck_assert_uint_eq(view.checkpoint.seq, 2);
	ck_assert_uint_eq(view.checkpoint.ledger.account.rows, 30);
	spool_view_release(&view);
	fixture_open(&f);
	fixture_clean(&f);
	ck_assert_uint_eq(f.found.beyond_count, 0);
	ck_assert_uint_eq(f.ledger.account.rows, 30);
	ck_assert_int_eq(f.offset, 30);
	fixture_agrees(&f);
	fixture_reopen(&f);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_finishes_a_commit_although_its_checkpoint_is_damaged)
{
	cut_commit(true, true);
	fixture_write(&f, "checkpoint.json", "{");
	fixture_open(&f);
	ck_assert(f.found.damaged);
	ck_assert_uint_eq(f.ledger.account.rows, 30);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_undoes_a_commit_whose_batch_is_not_there)
{
	struct spool_view view;

	cut_commit(false, true);
	fixture_view(&f, &view);
	ck_assert_uint_eq(view.checkpoint.seq, 1);
	spool_view_release(&view);
	fixture_open(&f);
	fixture_clean(&f);
	ck_assert_int_eq(f.offset, 10);
	ck_assert_uint_eq(spool_next_seq(f.spool), 2);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_does_not_take_a_cut_next_for_the_checkpoint)
{
	cut_commit(true, false);
	fixture_write(&f, "checkpoint.next", broken[_i]);
	fixture_open(&f);
	fixture_clean(&f);
	ck_assert(!f.found.damaged);
	/* The batch itself moves its source forward. */
	ck_assert_uint_eq(f.found.beyond_count, 1);
	ck_assert_int_eq(f.offset, 30);
	fixture_agrees(&f);
}
END_TEST

START_TEST(spool_does_not_take_an_older_next_for_the_checkpoint)
{
	fixture_open(&f);
	ck_assert_int_eq(fixture_seal(&f, 10), 0);
	ck_assert_int_eq(fixture_seal(&f, 20), 0);
	f.offset = 5;
	write_next(_i ? 2 : 1, 0);
	fixture_crash(&f);
	fixture_open(&f);
	fixture_clean(&f);
	ck_assert_int_eq(f.offset, 30);
	fixture_agrees(&f);
}
END_TEST

/* --- What can go wrong at a start --- */

START_TEST(spool_open_says_what_is_in_the_way)
{
	struct buf why;
	char path[128];

	snprintf(path, sizeof(path), "%s/ready", f.directory);
	fixture_write(&f, "ready", "a file");
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_FAILED);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), path));
	ck_assert_ptr_nonnull(strstr(buf_str(&why), "move it away"));
	buf_release(&why);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/tmp", path), 0);
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_FAILED);
	buf_release(&why);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_OK);
	buf_release(&why);
}
END_TEST

START_TEST(spool_open_says_that_the_parent_is_missing)
{
	char directory[128];
	struct buf why;

	snprintf(directory, sizeof(directory), "%s/a/b", f.directory);
	f.settings.directory = directory;
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_FAILED);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), directory));
	ck_assert_ptr_nonnull(
		strstr(buf_str(&why), "make the directory above it first"));
	buf_release(&why);
	f.settings.directory = f.directory;
}
END_TEST

START_TEST(spool_open_does_not_follow_links_to_its_files)
{
	static const char *const files[] = {"lock", "checkpoint.json",
					    "checkpoint.next"};
	struct buf why;
	char path[128], target[128];

	snprintf(path, sizeof(path), "%s/%s", f.directory, files[_i]);
	snprintf(target, sizeof(target), "%s/target", f.directory);
	fixture_write(&f, "target", "{}");
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(try_open(&why), SPOOL_OPEN_FAILED);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), path));
	buf_release(&why);
}
END_TEST

START_TEST(spool_view_of_no_spool_says_where)
{
	struct spool_view view;
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_int_eq(spool_view("/nowhere/at/all", &view, &why), -1);
	ck_assert_str_eq(buf_str(&why), "cannot read the spool "
					"/nowhere/at/all: No such file or "
					"directory");
	buf_release(&why);
}
END_TEST

/* What does not fit into a group lets go of it, and nothing of it stays. */
START_TEST(spool_group_has_its_limits)
{
	struct batch batch;
	struct buf gz;

	fixture_open(&f);
	buf_init(&gz, 1 << 20);
	ck_assert_int_eq(spool_commit(f.spool, SLICE("text")), -1);
	ck_assert_int_eq(errno, EINVAL);
	for (uint32_t i = 0; i <= SPOOL_GROUP; i++) {
		bool fits = i < SPOOL_GROUP;

		ck_assert_uint_eq(spool_staged(f.spool), i);
		ck_assert_uint_eq(spool_next_seq(f.spool), i + 1);
		fixture_next(&f, 10, &batch);
		ck_assert_int_eq(
			spool_stage(f.spool, &batch, fixture_gz(&batch, &gz)),
			fits ? 0 : -1);
		ck_assert_int_eq(spool_save(f.spool, SLICE("text")),
				 fits ? -1 : 0);
	}
	ck_assert_uint_eq(spool_staged(f.spool), 0);
	ck_assert_uint_eq(spool_next_seq(f.spool), 1);
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
	ck_assert_int_eq(fixture_seal_group(&f, 10, SPOOL_GROUP, NULL), 0);
	fixture_agrees(&f);
	/* The number is not the next one. */
	fixture_next(&f, 10, &batch);
	ck_assert_int_eq(spool_stage(f.spool, &batch, fixture_gz(&batch, &gz)),
			 0);
	ck_assert_int_eq(spool_stage(f.spool, &batch, fixture_gz(&batch, &gz)),
			 -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
	fixture_next(&f, 10, &batch);
	ck_assert_int_eq(spool_stage(f.spool, &batch, fixture_gz(&batch, &gz)),
			 0);
	spool_unstage(f.spool);
	ck_assert_uint_eq(fixture_count(&f, "tmp"), 0);
	fixture_reopen(&f);
	fixture_clean(&f);
	fixture_agrees(&f);
	buf_release(&gz);
}
END_TEST

Suite *spool_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *tc = tcase_create("spool");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, spool_group_has_its_limits);
	tcase_add_test(tc, spool_on_its_first_start_is_fresh_and_empty);
	tcase_add_test(
		tc, spool_makes_directories_and_files_for_owner_and_group_only);
	tcase_add_test(tc, spool_batch_goes_from_seal_to_settled);
	tcase_add_loop_test(tc, spool_departure_of_each_kind_is_counted_once, 0,
			    NROF(ways));
	tcase_add_test(tc, spool_settles_with_the_next_seal_as_well);
	tcase_add_test(tc, spool_takes_the_oldest_first_and_no_batch_twice);
	tcase_add_test(tc, spool_has_no_more_than_64_batches_in_flight);
	tcase_add_test(tc,
		       spool_seal_takes_only_the_next_number_and_true_sizes);
	tcase_add_test(tc, spool_skips_a_batch_that_somebody_removed);
	tcase_add_test(tc, spool_opens_no_batch_whose_size_is_wrong);
	tcase_add_test(tc,
		       spool_evicts_a_batch_whose_eviction_a_crash_cut_short);
	tcase_add_test(tc, spool_is_taken_by_the_first_opener);
	tcase_add_test(tc, spool_view_never_makes_a_start_fail);
	tcase_add_test(tc, spool_empties_tmp_and_leaves_strangers_alone);
	tcase_add_loop_test(
		tc,
		spool_sets_a_damaged_checkpoint_aside_and_counts_what_is_there,
		0, NROF(broken));
	tcase_add_test(tc, spool_without_its_checkpoint_counts_what_is_there);
	tcase_add_test(tc, spool_with_an_old_checkpoint_moves_it_forward);
	tcase_add_test(tc, spool_beyond_is_one_for_each_source);
	tcase_add_loop_test(tc, spool_of_a_later_version_is_left_alone, 0, 2);
	tcase_add_test(tc, spool_finishes_a_commit_whose_batch_is_there);
	tcase_add_test(
		tc, spool_finishes_a_commit_although_its_checkpoint_is_damaged);
	tcase_add_test(tc, spool_undoes_a_commit_whose_batch_is_not_there);
	tcase_add_loop_test(tc,
			    spool_does_not_take_a_cut_next_for_the_checkpoint,
			    0, NROF(broken));
	tcase_add_loop_test(
		tc, spool_does_not_take_an_older_next_for_the_checkpoint, 0, 2);
	tcase_add_test(tc, spool_open_says_what_is_in_the_way);
	tcase_add_test(tc, spool_open_says_that_the_parent_is_missing);
	tcase_add_loop_test(tc, spool_open_does_not_follow_links_to_its_files,
			    0, 3);
	tcase_add_test(tc, spool_view_of_no_spool_says_where);
	suite_add_tcase(s, tc);
	return s;
}
