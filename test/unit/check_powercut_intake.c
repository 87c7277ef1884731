/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/intake.h"
#include "app/status.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/powercut_run.h"
#include "unit/scripted.h"

/*
 * The whole way, from rows to the service: after a power cut the rest is read
 * and delivered, and then the service has every event, each is counted once,
 * and every row is in the account once.  The accounting files and the service
 * are on other machines, so to speak: they keep all they were given.
 */

#define HEADER "type,timeLogged,timeQueued,orig,rcpt,dsnStatus\n"
#define ROW(who)                                                               \
	"d,1700000000,1699999990,a@from.example," who "@to.example,2.0.0\n"
#define BOUNCE(who)                                                            \
	"b,1700000000,1699999990,a@from.example," who "@to.example,5.1.1\n"
#define MALFORMED "d,never,,a@from.example,no@to.example,2.0.0\n"

enum { NOW_S = 1700000010, DELAY_MS = 5000, IDS = 128, ID = 64 };

/* What the service has of one event. */
struct event {
	char id[ID];
	size_t at; /* since when */
};

static struct service {
	struct event events[IDS];
	size_t count;
	unsigned int posts, fail_post; /* this one is answered 503 */
	bool down;		       /* as all are */
} service, told;

static struct config *config;
static struct spool *spool;
static struct intake *intake;
static struct powercut *record; /* while it runs */
static int64_t now_ms;
static uint64_t rows;

/* --- The service --- */

static void know(const char *id, size_t len)
{
	struct event *event = &service.events[service.count];

	ck_assert_uint_lt(len, ID);
	for (size_t i = 0; i < service.count; i++) {
		if (strncmp(service.events[i].id, id, len) == 0)
			return;
	}
	ck_assert_uint_lt(++service.count, IDS);
	memcpy(event->id, id, len);
	event->id[len] = '\0';
	event->at = record ? powercut_length(record) : 0;
}

static void know_all(const struct scripted_post *post)
{
	static const char key[] = "\"event_id\":\"";
	const char *p = post->text.p, *end = p + post->text.len;

	while ((p = memmem(p, (size_t)(end - p), key, strlen(key)))) {
		const char *id = p + strlen(key);

		p = memchr(id, '"', (size_t)(end - id));
		ck_assert_ptr_nonnull(p);
		know(id, (size_t)(p - id));
	}
}

static int answer(const struct scripted_post *post)
{
	ck_assert(!post->damaged);
	ck_assert_uint_gt(post->text.len, 0);
	if (++service.posts == service.fail_post || service.down)
		return 503;
	if (memmem(post->text.p, post->text.len, "turned.down", 11))
		return 400;
	know_all(post);
	return 200;
}

static void on_refused(void *ctx, const struct batch *batch, uint32_t first,
		       uint32_t count, struct slice json)
{
	(void)ctx;
	(void)first;
	(void)count;
	intake_refused(intake, batch, json);
}

/* --- A process --- */

static void quiet(int priority, const char *line)
{
	(void)priority;
	if (getenv("POWERCUT_LOG"))
		fprintf(stderr, "%s\n", line);
}

static void start(const char *above)
{
	char directory[160];
	struct spool_found found = {0};
	struct buf why;

	snprintf(directory, sizeof(directory), "%s/spool", above);
	mem_free(config->spool.directory);
	config->spool.directory = mem_str(directory);
	buf_init(&why, 4096);
	ck_assert_msg(spool_open(&config->spool, &spool, &found, &why) ==
			      SPOOL_OPEN_OK,
		      "%s: %s", powercut_where(), buf_str(&why));
	buf_release(&why);
	ck_assert_msg(!found.damaged && !found.beyond_count,
		      "%s: a damaged checkpoint, or batches beyond it",
		      powercut_where());
	intake = intake_new(config, spool, &found, now_ms, NOW_S);
	spool_found_release(&found);
	memset(&scripted, 0, sizeof(scripted));
	buf_init(&scripted.accepted, 1 << 20);
	scripted.rule = answer;
	scripted.now_s = NOW_S;
	scripted.settings =
		(struct delivery_settings){.connections = 2,
					   .retry_min_ms = 1000,
					   .retry_max_ms = 2000,
					   .compression = 1,
					   .on_refused = on_refused};
	scripted.delivery = delivery_new(&scripted.settings, spool,
					 &scripted_transport, &scripted);
}

static void stop(void)
{
	delivery_free(&scripted.delivery);
	intake_free(&intake);
	spool_close(&spool);
	for (unsigned int i = 0; i < scripted.posted; i++) {
		buf_release(&scripted.posts[i].text);
		buf_release(&scripted.posts[i].body);
	}
	buf_release(&scripted.accepted);
	scripted.posted = 0;
}

static void turn(int64_t ms)
{
	struct delivery_state state;

	now_ms += ms;
	scripted.now_ms = now_ms;
	intake_step(intake, now_ms, NOW_S);
	delivery_step(scripted.delivery, now_ms, NOW_S);
	delivery_step(scripted.delivery, now_ms, NOW_S);
	delivery_state(scripted.delivery, &state);
	intake_uploads(intake, &state, now_ms);
	intake_step(intake, now_ms, NOW_S);
}

static bool is_over(void)
{
	struct spool_totals totals;

	spool_totals(spool, &totals);
	return intake_done(intake, now_ms) && !intake_pending(intake) &&
	       !totals.batches && !spool_unsettled(spool);
}

static bool is_healed(void)
{
	struct spool_view view;
	struct buf why;
	bool healed;

	buf_init(&why, 4096);
	ck_assert_int_eq(spool_view(config->spool.directory, &view, &why), 0);
	healed = !view.checkpoint.ledger.gaps.count;
	spool_view_release(&view);
	buf_release(&why);
	return healed;
}

/* Read what there is, deliver what waits. */
static void finish(void)
{
	intake_rescan(intake, now_ms, NOW_S);
	for (int i = 0; i < 500 && !(is_over() && is_healed()); i++) {
		intake_flush(intake);
		turn(2000);
	}
	ck_assert_msg(is_over() && is_healed(), "%s: it does not end",
		      powercut_where());
	ck_assert_int_eq(intake_save(intake, NOW_S), 0);
}

/* --- Fixture --- */

static void add(const char *name, const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/acct/%s", powercut_root(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void setup(void)
{
	char path[160];

	powercut_places();
	log_set_sink(quiet);
	snprintf(path, sizeof(path), "%s/acct", powercut_root());
	ck_assert_int_eq(mkdir(path, 0700), 0);
	config = config_default();
	config->sources = mem_zero(1, sizeof(*config->sources));
	config->sources_count = 1;
	snprintf(path, sizeof(path), "%s/acct/*.csv", powercut_root());
	config->sources[0].path = mem_str(path);
	config->spool.min_free_bytes = 0;
	config->batch_max_delay_ms = DELAY_MS;
	config->events.injection = INJECTION_RECORDS;
	service = told = (struct service){0};
	now_ms = 1000000;
	rows = 0;
}

static void teardown(void)
{
	fault_disarm();
	stop();
	powercut_free(&record);
	config_free(&config);
	log_set_sink(NULL);
	powercut_clear();
}

/* --- What must be true in the end --- */

static void check_end(uint64_t refused)
{
	struct spool_view view = {0};
	const struct ledger *ledger = &view.checkpoint.ledger;
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_int_eq(spool_view(config->spool.directory, &view, &why), 0);
	ck_assert_msg(status_agrees(&view, &why), "%s: %s", powercut_where(),
		      buf_str(&why));
	ck_assert_msg(ledger->account.rows == rows, "%s: %llu rows of %llu",
		      powercut_where(),
		      (unsigned long long)ledger->account.rows,
		      (unsigned long long)rows);
	ck_assert_msg(ledger->sent_events == service.count,
		      "%s: %llu sent, the service has %llu", powercut_where(),
		      (unsigned long long)ledger->sent_events,
		      (unsigned long long)service.count);
	ck_assert_msg(ledger->refused_events == refused, "%s: %llu refused",
		      powercut_where(),
		      (unsigned long long)ledger->refused_events);
	ck_assert_msg(account_events(&ledger->account) ==
			      service.count + refused,
		      "%s: %llu made", powercut_where(),
		      (unsigned long long)account_events(&ledger->account));
	spool_view_release(&view);
	buf_release(&why);
}

/* The service as it was at a moment. */
static void tell(size_t at)
{
	service = (struct service){0};
	for (size_t i = 0; i < told.count; i++) {
		if (told.events[i].at <= at)
			service.events[service.count++] = told.events[i];
	}
}

static void visit(void *ctx, size_t at)
{
	const uint64_t *refused = ctx;

	tell(at);
	start(powercut_image());
	finish();
	check_end(*refused);
	ck_assert_msg(service.count == told.count, "%s: the service lacks %zu",
		      powercut_where(), told.count - service.count);
	for (size_t i = 0; i < told.count; i++)
		know(told.events[i].id, strlen(told.events[i].id));
	ck_assert_msg(service.count == told.count, "%s: other events",
		      powercut_where());
	stop();
}

static uint64_t promised(void *ctx, size_t at)
{
	uint64_t n = 0;

	(void)ctx;
	for (size_t i = 0; i < told.count; i++)
		n += told.events[i].at <= at;
	return n;
}

static void run(struct powercut *log, uint64_t *refused,
		void (*how)(void *ctx, size_t at), unsigned int seeds)
{
	powercut_run(&(struct powercut_run){
		.log = log,
		.from = powercut_first(log),
		.to = powercut_length(log),
		.step = how == visit ? 1 : 12,
		.seeds = powercut_is_long() ? seeds * 10 : seeds,
		.only_some = how != visit,
		.both = true,
		.promised = promised,
		.visit = how,
		.ctx = refused});
}

/* --- A recovery is cut as well --- */

static void visit_again(void *ctx, size_t at)
{
	struct service before = told;
	struct powercut *log;

	tell(at);
	for (size_t i = 0; i < service.count; i++)
		service.events[i].at = 0;
	log = record = powercut_begin(powercut_image());
	start(powercut_image());
	finish();
	powercut_end(record);
	record = NULL;
	stop();
	told = service;
	run(log, ctx, visit, 1);
	powercut_free(&log);
	told = before;
}

static void cut(uint64_t sent, uint64_t refused)
{
	struct powercut *log = record;

	finish();
	check_end(refused);
	ck_assert_uint_eq(service.count, sent);
	powercut_end(record);
	record = NULL;
	stop();
	told = service;
	run(log, &refused, visit, 4);
	run(log, &refused, visit_again, 1);
	powercut_free(&log);
}

/* --- Tales --- */

static void begin(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/spool", powercut_live());
	ck_assert_int_eq(mkdir(path, 0750), 0);
	record = powercut_begin(powercut_live());
	start(powercut_live());
}

static void put(const char *name, const char *text, unsigned int n)
{
	add(name, text);
	rows += n;
	intake_rescan(intake, now_ms, NOW_S);
}

START_TEST(powercut_on_the_way_from_rows_to_the_service)
{
	begin();
	put("a.csv", HEADER ROW("u1") ROW("u2"), 2);
	turn(0);
	turn(DELAY_MS);
	put("b.csv", HEADER ROW("v1") MALFORMED, 2);
	put("a.csv", ROW("u3") BOUNCE("u4") "d,17000", 2);
	turn(DELAY_MS);
	service.fail_post = service.posts + 1;
	put("a.csv", "00000,1699999990,a@from.example,u5@to.example,2.0.0\n",
	    1);
	put("c.csv", HEADER ROW("w1") ROW("w2"), 2);
	turn(DELAY_MS);
	turn(1000);
	turn(1000);
	put("b.csv", MALFORMED, 1);
	turn(DELAY_MS);
	turn(1000);
	cut(8, 0);
}
END_TEST

START_TEST(powercut_with_an_event_the_service_turns_down)
{
	begin();
	put("a.csv", HEADER ROW("u1") ROW("turned.down") ROW("u3"), 3);
	put("b.csv", HEADER ROW("v1"), 1);
	turn(0);
	turn(DELAY_MS);
	for (int i = 0; i < 20; i++)
		turn(1000);
	put("b.csv", ROW("v2"), 1);
	turn(DELAY_MS);
	cut(4, 1);
}
END_TEST

START_TEST(powercut_with_a_rotation)
{
	char from[160], to[160];

	begin();
	put("a.csv", HEADER ROW("u1") ROW("u2"), 2);
	turn(0);
	turn(DELAY_MS);
	put("a.csv", ROW("u3"), 1);
	snprintf(from, sizeof(from), "%s/acct/a.csv", powercut_root());
	snprintf(to, sizeof(to), "%s/acct/a-1.csv", powercut_root());
	ck_assert_int_eq(rename(from, to), 0);
	put("a.csv", HEADER ROW("u4"), 1);
	turn(DELAY_MS);
	put("a-1.csv", ROW("u5"), 1);
	turn(DELAY_MS);
	put("a.csv", ROW("u6"), 1);
	turn(DELAY_MS);
	turn(1000);
	cut(6, 0);
}
END_TEST

static void limit(uint64_t max_bytes)
{
	config->spool.max_bytes = max_bytes;
	spool_configure(spool, &config->spool);
}

START_TEST(powercut_while_evicting_and_healing)
{
	struct spool_totals totals;

	config->events.max_events = 1;
	begin();
	service.down = true;
	put("a.csv", HEADER ROW("u1") ROW("u2") ROW("u3") ROW("u4"), 4);
	put("b.csv", HEADER ROW("v1") ROW("v2"), 2);
	turn(0);
	turn(DELAY_MS);
	turn(DELAY_MS);
	spool_totals(spool, &totals);
	ck_assert_uint_eq(totals.batches, 6);
	limit(totals.bytes / 2);
	turn(DELAY_MS);
	turn(1000);
	spool_totals(spool, &totals);
	ck_assert_uint_lt(totals.batches, 4);
	ck_assert(!is_healed());
	limit(0);
	for (int i = 0; i < 6; i++)
		turn(DELAY_MS);
	ck_assert(is_healed());
	limit(totals.bytes * 4 / 3);
	turn(DELAY_MS);
	limit(0);
	service.down = false;
	turn(DELAY_MS);
	cut(6, 0);
}
END_TEST

enum { REFUSALS = 6 };

START_TEST(powercut_after_the_disk_refused)
{
	begin();
	put("a.csv", HEADER ROW("u1") ROW("u2"), 2);
	turn(0);
	turn(DELAY_MS);
	put("a.csv", ROW("u3") ROW("u4"), 2);
	fault_arm_some("fsync", 3 + _i, _i % 2 ? 1 : 100, EIO);
	turn(DELAY_MS);
	turn(1000);
	fault_disarm();
	put("a.csv", ROW("u5"), 1);
	turn(2000);
	turn(DELAY_MS);
	cut(5, 0);
}
END_TEST

Suite *powercut_intake_suite(void)
{
	Suite *s = suite_create("powercut_intake");
	TCase *tc = tcase_create("powercut_intake");

	tcase_set_timeout(tc, 1800);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, powercut_on_the_way_from_rows_to_the_service);
	tcase_add_test(tc, powercut_with_an_event_the_service_turns_down);
	tcase_add_test(tc, powercut_with_a_rotation);
	tcase_add_test(tc, powercut_while_evicting_and_healing);
	tcase_add_loop_test(tc, powercut_after_the_disk_refused, 0, REFUSALS);
	suite_add_tcase(s, tc);
	return s;
}
