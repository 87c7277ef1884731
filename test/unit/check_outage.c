/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A service that is away for 30 hours while a thousand events a second are
 * sealed: spool and delivery, with a clock of our own.  Files are small, their
 * names say what they would hold.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "ingest/delivery.h"
#include "unit/check_all.h"
#include "unit/spool_fixture.h"

enum {
	OUTAGE_S = 30 * 3600,
	MAX_AGE_S = 24 * 3600,
	RETRY_MAX_S = 300,
	EVERY_S = 10,	/* a batch */
	LATE_EVERY = 8, /* each eighth is of a file that turned up late */
	LATE_S = 3600,
	BATCHES_MAX = OUTAGE_S / EVERY_S + 1000,
	UPLOADS = 2,
	HEAP_GROWS = 256 << 10 /* at most, once the window is full */
};

/* What a batch holds, by type: 1,000 events for each second. */
static const uint32_t mix[EVENT_TYPES] = {4000, 4500, 500, 600, 200, 200};
enum { MIX = 10000 };

static struct fixture f;
static struct delivery *delivery;
static int64_t now_ms, began_s;
static uint64_t made; /* batches */
static unsigned int lines;

/* The service: what it was asked, and what it took. */
static struct {
	bool up;
	uint64_t tries, taken;
	int64_t first_s, last_s; /* newest events of the first and last taken */
	unsigned char seen[BATCHES_MAX + 1]; /* by number */
	uint64_t tokens[UPLOADS];
	int64_t ready_ms[UPLOADS]; /* when it answers */
	unsigned int busy;
	int64_t pace_ms, free_ms; /* it takes that long for each */
} service;

/* When the newest event of a batch was logged; no two are the same. */
static int64_t newest_of(uint64_t n)
{
	bool late = n % LATE_EVERY == 0 && n <= OUTAGE_S / EVERY_S;

	return began_s + (int64_t)n * EVERY_S - (late ? LATE_S : 0);
}

static int service_post(void *ctx, uint64_t token, int fd, off_t offset,
			off_t size)
{
	char text[32] = "";
	uint64_t n;

	(void)ctx;
	ck_assert_int_eq(offset, 0);
	ck_assert_int_eq(pread(fd, text, sizeof(text) - 1, 0), size);
	close(fd);
	n = strtoull(text, NULL, 10);
	ck_assert_uint_ge(n, 1);
	ck_assert_uint_le(n, made);
	ck_assert_uint_lt(service.busy, UPLOADS);
	if (service.free_ms < now_ms)
		service.free_ms = now_ms;
	service.free_ms += service.pace_ms;
	service.ready_ms[service.busy] = service.free_ms;
	service.tokens[service.busy++] = token;
	service.tries++;
	if (!service.up)
		return 0;
	/* Each once, the oldest first, and none that is too old. */
	ck_assert_uint_eq(service.seen[n], 0);
	ck_assert_int_gt(newest_of(n), service.last_s);
	ck_assert_int_le(f.now_s - newest_of(n), MAX_AGE_S);
	service.seen[n] = 1;
	service.last_s = newest_of(n);
	if (service.taken++ == 0)
		service.first_s = service.last_s;
	return 0;
}

static bool service_reap(void *ctx, struct http_reply *reply_out, int64_t now_s)
{
	unsigned int i = 0;

	(void)ctx;
	(void)now_s;
	while (i < service.busy && service.ready_ms[i] > now_ms)
		i++;
	if (i == service.busy)
		return false;
	*reply_out = (struct http_reply){.token = service.tokens[i],
					 .retry_after_s = -1};
	service.busy--;
	service.tokens[i] = service.tokens[service.busy];
	service.ready_ms[i] = service.ready_ms[service.busy];
	if (service.up) {
		reply_out->status = 200;
		reply_out->body = SLICE("{\"results\":{\"id\":\"1\"}}");
	} else {
		reply_out->error = SLICE("Connection refused");
	}
	return true;
}

static unsigned int service_busy(void *ctx)
{
	(void)ctx;
	return service.busy;
}

static const struct delivery_transport transport = {
	.post = service_post, .reap = service_reap, .busy = service_busy};

static void count_line(int priority, const char *line)
{
	(void)priority;
	(void)line;
	lines++;
}

/* Files by the ten thousand: in memory, where there is some. */
static void make_directory(void)
{
	struct statvfs v;
	bool ours = !getenv("TMPDIR") && access("/dev/shm", W_OK) == 0 &&
		    statvfs("/dev/shm", &v) == 0 &&
		    v.f_bavail * v.f_frsize > 512u << 20;

	if (ours)
		setenv("TMPDIR", "/dev/shm", 1);
	fixture_init(&f);
	if (ours)
		unsetenv("TMPDIR");
}

static void setup(void)
{
	make_directory();
	memset(&service, 0, sizeof(service));
	log_set_sink(count_line);
	lines = 0;
	made = 0;
	now_ms = 5000000;
	began_s = f.now_s;
}

static void teardown(void)
{
	delivery_free(&delivery);
	log_set_sink(NULL);
	fixture_release(&f);
}

/* --- Intake and delivery, as the daemon does it --- */

/* What has left, into the ledger; "text" is the checkpoint that says so. */
static void settle(struct buf *text)
{
	f.departures = spool_settle(f.spool, &f.ledger);
	buf_reset(text);
	ck_assert_int_eq(fixture_text(&f, made, 0, text), 0);
}

static void describe(uint64_t seq, struct batch *batch_out)
{
	*batch_out = (struct batch){.seq = seq,
				    .source = {0x801, 0x1a2b, 64, 0xabcdef},
				    .from = f.offset,
				    .to = f.offset + MIX,
				    .oldest_s = newest_of(seq) - EVERY_S,
				    .newest_s = newest_of(seq),
				    .sealed_s = f.now_s};
	memcpy(batch_out->events, mix, sizeof(mix));
}

static void seal(struct buf *text)
{
	struct account *account = &f.ledger.account;
	struct batch batch;
	char gz[32];
	int n;

	describe(spool_next_seq(f.spool), &batch);
	ck_assert_uint_eq(batch.seq, ++made);
	n = snprintf(gz, sizeof(gz), "%llu", (unsigned long long)made);
	batch.bytes = (uint64_t)n;
	f.offset += MIX;
	account->rows += MIX;
	account->shipped += MIX;
	for (int i = 0; i < EVENT_TYPES; i++)
		account->events[i] += mix[i];
	settle(text);
	ck_assert_int_eq(spool_seal(f.spool, &batch, slice_of(gz, (size_t)n),
				    buf_slice(text)),
			 0);
	spool_settled(f.spool, f.departures);
}

static void agrees(struct buf *text)
{
	struct spool_totals totals;
	struct spool_view view;

	settle(text);
	ck_assert_int_eq(spool_save(f.spool, buf_slice(text)), 0);
	spool_settled(f.spool, f.departures);
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(made * MIX, totals.events + fixture_left(&f.ledger));
	ck_assert_uint_eq(totals.batches * MIX, totals.events);
	/* What was taken a moment ago is still in flight, and what was accepted
	 * before may wait for it. */
	ck_assert_uint_le(f.ledger.sent_events,
			  (service.taken - service.busy) * MIX);
	ck_assert_uint_ge(f.ledger.sent_events +
				  (service.busy ? SPOOL_DEPARTURES : 0) * MIX,
			  (service.taken - service.busy) * MIX);
	ck_assert_uint_eq(f.ledger.evicted_events, 0);
	ck_assert_uint_eq(f.ledger.refused_events, 0);
	fixture_view(&f, &view);
	ck_assert_uint_eq(view.totals.events, totals.events);
	ck_assert_uint_eq(fixture_left(&view.checkpoint.ledger),
			  fixture_left(&f.ledger));
	spool_view_release(&view);
}

static void pass(int64_t ms)
{
	now_ms += ms;
	f.now_s = began_s + (now_ms - 5000000) / 1000;
}

/* A step, and another for the answers. */
static int64_t deliver(void)
{
	int64_t wait_ms;

	do {
		wait_ms = delivery_step(delivery, now_ms, f.now_s);
	} while (!service.up && service.busy);
	return wait_ms;
}

static void tick(struct buf *text)
{
	struct spool_evicted evicted;

	pass(EVERY_S * 1000);
	seal(text);
	deliver();
	ck_assert_int_ge(spool_make_room(f.spool, 0, f.now_s, &evicted), 0);
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void open_delivery(void)
{
	struct delivery_settings settings = {.connections = UPLOADS,
					     .retry_min_ms = 1000,
					     .retry_max_ms = RETRY_MAX_S * 1000,
					     .compression = 1,
					     .max_age_s = MAX_AGE_S};

	f.settings.max_age_s = MAX_AGE_S;
	fixture_open(&f);
	delivery = delivery_new(&settings, f.spool, &transport, &service);
}

static void stay_away(struct buf *text)
{
	size_t grown, early = 0;

	while (f.now_s < began_s + OUTAGE_S) {
		tick(text);
		if ((f.now_s - began_s) % 3600 == 0)
			agrees(text);
		if (f.now_s == began_s + 4 * 3600)
			early = heap();
	}
	grown = heap() > early ? heap() - early : 0;
	ck_assert_msg(grown < HEAP_GROWS, "the heap grew by %zu bytes", grown);
	ck_assert_uint_eq(service.taken, 0);
	/* With jitter a wait is half of retry_max, and now and then a tenth. */
	ck_assert_uint_ge(service.tries, OUTAGE_S / RETRY_MAX_S / 2);
	ck_assert_uint_le(service.tries, OUTAGE_S / RETRY_MAX_S * 6);
}

/* What is young enough goes, while more is made. */
static void come_back(struct buf *text)
{
	struct spool_totals totals;
	int64_t sealed_ms = now_ms, until_ms = now_ms + RETRY_MAX_S * 1000;

	service.up = true;
	do {
		int64_t wait_ms = deliver();

		if (service.busy || wait_ms < 10)
			wait_ms = 10;
		pass(wait_ms > 1000 ? 1000 : wait_ms);
		if (now_ms - sealed_ms >= EVERY_S * 1000) {
			sealed_ms += EVERY_S * 1000;
			seal(text);
			agrees(text);
		}
		ck_assert(service.taken || now_ms <= until_ms);
		spool_totals(f.spool, &totals);
		ck_assert_uint_lt(made, BATCHES_MAX);
	} while (totals.batches || service.busy);
}

/* How many batches hold nothing that is younger than that? */
static uint64_t older_than(int64_t when_s)
{
	uint64_t count = 0;

	for (uint64_t n = 1; n <= made; n++)
		count += newest_of(n) < when_s;
	return count;
}

START_TEST(outage_of_thirty_hours_costs_what_is_too_old_and_no_more)
{
	int64_t border_s = began_s + OUTAGE_S - MAX_AGE_S;
	struct buf text;

	buf_init(&text, 1 << 20);
	open_delivery();
	stay_away(&text);
	/* It went as it became too old, and not when the service came back. */
	ck_assert_uint_ge(f.ledger.expired_batches,
			  older_than(border_s - 2 * RETRY_MAX_S));
	come_back(&text);
	agrees(&text);
	/* What expired last did so before the first try that succeeded. */
	ck_assert_int_ge(service.first_s, border_s);
	ck_assert_int_le(service.first_s, border_s + RETRY_MAX_S + EVERY_S);
	for (uint64_t n = 1; n <= made; n++)
		ck_assert_uint_eq(service.seen[n],
				  newest_of(n) >= service.first_s);
	ck_assert_uint_eq(f.ledger.expired_batches,
			  older_than(service.first_s));
	ck_assert_uint_eq(service.taken + f.ledger.expired_batches, made);
	for (int i = 0; i < EVENT_TYPES; i++)
		ck_assert_uint_eq(f.ledger.expired[i],
				  f.ledger.expired_batches * mix[i]);
	/* A line for each burst of what expired, and for the outage. */
	ck_assert_uint_le(lines, service.tries);
	buf_release(&text);
}
END_TEST

/* --- What is foretold --- */

enum {
	SLOW_AFTER_S = 20 * 3600, /* it comes back, and takes */
	SLOW_RATE = 600		  /* events a second of the thousand made */
};

static void go_on_slowly(struct buf *text)
{
	int64_t until_s = f.now_s + MAX_AGE_S + 2 * RETRY_MAX_S;

	service.up = true;
	service.pace_ms = MIX * 1000 / SLOW_RATE;
	for (bool odd = false; f.now_s < until_s; odd = !odd) {
		pass(EVERY_S * 500);
		if (odd)
			seal(text);
		deliver();
	}
	agrees(text);
}

START_TEST(outage_costs_what_was_foretold)
{
	uint64_t waiting, lost = 0;
	struct forecast forecast;
	struct buf text;

	buf_init(&text, 1 << 20);
	open_delivery();
	while (f.now_s < began_s + SLOW_AFTER_S)
		tick(&text);
	/* As long as nothing goes, all of it will be too old. */
	waiting = made;
	spool_forecast(f.spool, 0, f.now_s, &forecast);
	ck_assert_uint_eq(forecast.expiring_events, made * MIX);
	ck_assert_int_ge(forecast.first_s, began_s + MAX_AGE_S - LATE_S);
	ck_assert_int_le(forecast.last_s, f.now_s + MAX_AGE_S);
	spool_forecast(f.spool, SLOW_RATE, f.now_s, &forecast);
	go_on_slowly(&text);
	for (uint64_t n = 1; n <= waiting; n++)
		lost += service.seen[n] ? 0 : MIX;
	printf("  foretold %llu events, lost %llu\n",
	       (unsigned long long)forecast.expiring_events,
	       (unsigned long long)lost);
	fflush(stdout);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_ge(forecast.expiring_events * 10, lost * 9);
	ck_assert_uint_le(forecast.expiring_events * 10, lost * 11);
	buf_release(&text);
}
END_TEST

/* --- A backlog at start --- */

enum { BACKLOG = 100000, OPEN_MS = 10000 };

static void make_backlog(void)
{
	char name[BATCH_NAME], path[BATCH_NAME + 128];
	struct batch batch;
	struct buf text;

	fixture_open(&f);
	fixture_crash(&f);
	describe(1, &batch);
	batch.bytes = 1;
	for (batch.seq = 1; batch.seq <= BACKLOG; batch.seq++) {
		batch.from = ((int64_t)batch.seq - 1) * MIX;
		batch.to = batch.from + MIX;
		batch_name(&batch, name);
		snprintf(path, sizeof(path), "ready/%s", name);
		fixture_write(&f, path, "");
	}
	f.offset = (int64_t)BACKLOG * MIX;
	for (int i = 0; i < EVENT_TYPES; i++)
		f.ledger.account.events[i] = (uint64_t)BACKLOG * mix[i];
	buf_init(&text, 1 << 20);
	ck_assert_int_eq(fixture_text(&f, BACKLOG, 0, &text), 0);
	fixture_write(&f, "checkpoint.json", buf_str(&text));
	buf_release(&text);
}

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(outage_of_a_hundred_thousand_batches_opens_at_once)
{
	struct spool_totals totals;
	size_t before, after;
	int64_t ms;

	make_backlog();
	before = heap();
	ms = monotonic_ms();
	fixture_open(&f);
	ms = monotonic_ms() - ms;
	after = heap();
	printf("  a spool of %d batches opens in %lld ms, with %zu KiB\n",
	       BACKLOG, (long long)ms,
	       after > before ? (after - before) >> 10 : 0);
	fflush(stdout);
	ck_assert_int_le(ms, OPEN_MS);
	ck_assert(after < before + (4 << 20));
	spool_totals(f.spool, &totals);
	ck_assert_uint_eq(totals.batches, BACKLOG);
	ck_assert_uint_eq(totals.events, (uint64_t)BACKLOG * MIX);
	ck_assert_uint_eq(f.found.beyond_count, 0);
}
END_TEST

Suite *outage_suite(void)
{
	Suite *suite = suite_create("outage");
	TCase *tc = tcase_create("outage");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 600);
	tcase_add_test(
		tc, outage_of_thirty_hours_costs_what_is_too_old_and_no_more);
	tcase_add_test(tc, outage_costs_what_was_foretold);
	tcase_add_test(tc, outage_of_a_hundred_thousand_batches_opens_at_once);
	suite_add_tcase(suite, tc);
	return suite;
}
