/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/fault.h"
#include "unit/scripted.h"

/*
 * In these batches "g" is a good event and "b" a guilty one: the service
 * answers 400 to whatever holds one.
 */

/* Events of batch "seq" that were accepted at least once, or kept refused. */
static unsigned int ck_has(struct buf *text, unsigned int seq, size_t n,
			   char kind)
{
	char line[80];

	snprintf(line, sizeof(line), "{\"batch\":%u,\"n\":%zu,\"is\":\"%c\"}\n",
		 seq, n, kind);
	return strstr(buf_str(text), line) != NULL;
}

static uint32_t count_bad(const char *kinds)
{
	uint32_t n = 0;

	for (; *kinds; kinds++)
		n += *kinds == 'b';
	return n;
}

/* Each good event was accepted, each guilty one is in refused/, and told. */
static void ck_sorted(unsigned int seq, const char *kinds)
{
	struct buf refused;
	char told[100];

	buf_init(&refused, 1 << 20);
	scripted_read("refused", ".ndjson.gz", &refused);
	for (size_t i = 0; kinds[i]; i++) {
		bool bad = kinds[i] == 'b';

		ck_assert_uint_eq(ck_has(&scripted.accepted, seq, i, kinds[i]),
				  !bad);
		ck_assert_uint_eq(ck_has(&refused, seq, i, kinds[i]), bad);
		snprintf(told, sizeof(told),
			 "%u %zu 1 {\"batch\":%u,\"n\":%zu,", seq, i, seq, i);
		ck_assert_int_eq(
			strstr(buf_str(&scripted.refused), told) != NULL, bad);
	}
	buf_release(&refused);
}

static void ck_ledger(uint64_t sent, uint64_t refused, unsigned int ready)
{
	struct ledger ledger = scripted_ledger();

	ck_assert_uint_eq(ledger.sent_events, sent);
	ck_assert_uint_eq(ledger.refused_events, refused);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), ready);
}

/* Nothing of it left ready/, nothing is in refused/. */
static void ck_whole(unsigned int ready)
{
	ck_ledger(0, 0, ready);
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), 0);
	ck_assert_uint_eq(scripted.refused.len, 0);
}

static const unsigned int sizes[] = {1, 2, 3, 7, 16};
static const unsigned int all_sizes[] = {1, 2, 3, 7, 16, 100};

static void fill(char *kinds, unsigned int n, char kind)
{
	memset(kinds, kind, n);
	kinds[n] = '\0';
}

START_TEST(cut_finds_the_guilty_event_wherever_it_is)
{
	char kinds[120], said[200];
	unsigned int n = sizes[_i];

	scripted.rule = scripted_refuse_bad;
	for (unsigned int at = 0; at < n; at++) {
		unsigned int seq;

		fill(kinds, n, 'g');
		kinds[at] = 'b';
		seq = (unsigned int)scripted_seal(kinds);
		scripted_run();
		if (n == 1) /* a witness for the batch of one event */
			scripted_seal("g");
		scripted_run();
		ck_sorted(seq, kinds);
		snprintf(said, sizeof(said),
			 "delivery: events refused: batch %016x: 1 of %u: "
			 "status 400: No: ...@example.test is 400",
			 seq, n);
		ck_said(said);
	}
	ck_ledger(n == 1 ? 1 : n * (n - 1), n, 0);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_IDLE);
	ck_assert_uint_eq(scripted_state().failures, 0);
}
END_TEST

START_TEST(cut_needs_few_uploads_for_one_guilty_event)
{
	char kinds[120];

	scripted.rule = scripted_refuse_bad;
	fill(kinds, 64, 'g');
	kinds[37] = 'b';
	scripted_seal(kinds);
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 1 + 2 * 6);
	ck_said("delivery: events refused: ");
}
END_TEST

START_TEST(cut_finds_its_way_in_a_large_batch)
{
	char kinds[4001];

	scripted.rule = scripted_refuse_bad;
	fill(kinds, 4000, 'g'); /* more than one block of it */
	for (int i = 0; i < 50; i++)
		kinds[1800 + 7 * i] = 'b';
	scripted_seal(kinds);
	scripted_run();
	ck_sorted(1, kinds);
	ck_said("delivery: events refused: batch 0000000000000001: 50 of ");
	ck_ledger(3950, 50, 0);
}
END_TEST

START_TEST(cut_finds_guilty_events_in_a_row)
{
	char kinds[91];

	scripted.rule = scripted_refuse_bad;
	fill(kinds, 90, 'b');
	kinds[0] = 'g';
	scripted_seal(kinds);
	scripted_run();
	ck_sorted(1, kinds);
	ck_said("delivery: events refused: batch 0000000000000001: 89 of ");
	ck_ledger(1, 89, 0);
}
END_TEST

/* Guilty ones so close together that no other half is accepted at first. */
static const struct {
	const char *kinds;
	bool needs_witness;
} several[] = {
	{"bgb", true},
	{"gbb", false},
	{"bbg", true},
	{"bbgg", false},
	{"bgbg", false},
	{"bbgb", true},
	{"bgbbggg", true},
	{"bbbgggg", false},
	{"gbgbgbgbgbgbgbgb", false},
	{"bgbgbgbgbgbgbgbg", false},
	{"bbbgbbbgggggggbg", true},
	{"bbbbbbbbbbbbbbbg", true},
	{"gbbbbbbbbbbbbbbb", false},
};

START_TEST(cut_finds_all_guilty_events)
{
	const char *kinds = several[_i].kinds;
	size_t n = strlen(kinds);

	scripted.rule = scripted_refuse_bad;
	scripted_seal(kinds);
	scripted_run();
	if (several[_i].needs_witness) {
		ck_whole(1);
		ck_assert_int_eq(scripted_state().phase, DELIVERY_KEY_REFUSED);
		ck_said("delivery: refused whatever is sent: status 400: ");
		scripted_seal("g");
		scripted_step(300000);
		scripted_run();
		ck_said("delivery: uploads work again: 1 failures in 300 s");
		ck_ledger(1 + n - count_bad(kinds), count_bad(kinds), 0);
	} else {
		ck_ledger(n - count_bad(kinds), count_bad(kinds), 0);
	}
	ck_said("delivery: events refused: batch 0000000000000001: ");
	ck_sorted(1, kinds);
}
END_TEST

START_TEST(cut_finds_every_pair)
{
	char kinds[20];
	unsigned int seq;

	scripted.rule = scripted_refuse_bad;
	for (unsigned int a = 0; a < 7; a++) {
		for (unsigned int b = a + 1; b < 7; b++) {
			fill(kinds, 7, 'g');
			kinds[a] = kinds[b] = 'b';
			seq = (unsigned int)scripted_seal(kinds);
			scripted_run();
			ck_sorted(seq, kinds);
			ck_said("delivery: events refused: ");
		}
	}
	ck_ledger(21 * 5, 21 * 2, 0);
}
END_TEST

START_TEST(cut_refuses_nothing_when_all_is_refused)
{
	char kinds[120];
	unsigned int posted, n = all_sizes[_i];

	scripted.rule = scripted_refuse_bad;
	fill(kinds, n, 'b');
	scripted_seal(kinds);
	scripted_run();
	/* A single event is its own first half: it is asked about twice. */
	scripted_step(300000);
	scripted_run();
	ck_whole(1);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_KEY_REFUSED);
	ck_assert(!scripted_state().key_refused);
	ck_assert_str_eq(scripted_state().last_error,
			 "status 400: No: ...@example.test is 400");
	ck_said("delivery: refused whatever is sent: status 400: "
		"No: ...@example.test is 400: next try in 300.0 s");
	for (int i = 0; i < 3; i++) {
		posted = scripted.posted;
		ck_assert_int_eq(scripted_step(1000), 299000);
		scripted_step(298999);
		ck_assert_uint_eq(scripted.posted, posted);
		scripted_step(1);
		scripted_run();
		ck_assert_uint_gt(scripted.posted, posted);
		/* The way down and back, not each event. */
		ck_assert_uint_le(scripted.posted - posted, 1 + 2 * 7);
		ck_silent();
		ck_whole(1);
	}
	scripted.rule = scripted_accept;
	scripted_step(300000);
	scripted_run();
	ck_said("delivery: uploads work again: ");
	ck_ledger(n, 0, 0);
}
END_TEST

START_TEST(cut_refuses_all_of_a_batch_when_others_are_accepted)
{
	struct ledger ledger;

	scripted.rule = scripted_refuse_bad;
	scripted_seal("bbbb");
	scripted_run();
	ck_whole(1);
	ck_said("delivery: refused whatever is sent: ");
	scripted_seal("gg");
	scripted_step(300000);
	scripted_run();
	ck_said("delivery: uploads work again: ");
	ck_said("delivery: events refused: batch 0000000000000001: 4 of 4: ");
	ck_sorted(1, "bbbb");
	ledger = scripted_ledger();
	ck_assert_uint_eq(ledger.refused_events, 4);
	ck_assert_uint_eq(ledger.sent_events, 2);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
}
END_TEST

START_TEST(cut_suspicion_ends_with_an_acceptance)
{
	scripted.settings.connections = 2;
	scripted_restart();
	scripted.rule = scripted_refuse_bad;
	scripted_seal("bb");
	scripted_run();
	ck_said("delivery: refused whatever is sent: ");
	scripted_seal("g");
	scripted_step(300000);
	scripted_run();
	ck_said("delivery: uploads work again: ");
	ck_said("delivery: events refused: ");
	/* From now on a refusal shows again that the service is well. */
	scripted.rule = NULL;
	scripted_seal("gb");
	scripted_step(0);
	scripted_answer(scripted.posted - 1, 503);
	scripted_step(0);
	ck_said("delivery: service unavailable: ");
	scripted_step(1000);
	scripted_answer(scripted.posted - 1, 400);
	scripted_step(0);
	ck_said("delivery: uploads work again: ");
	scripted_seal("g");
	scripted_widen();
	scripted_step(0);
	ck_assert_uint_eq(scripted_state().in_flight, 2);
}
END_TEST

START_TEST(cut_gives_up_for_all_that_wait_to_be_cut)
{
	unsigned int posted;

	scripted.settings.connections = 3;
	scripted_restart();
	scripted_widen();
	for (int i = 0; i < 3; i++)
		scripted_seal("bb");
	scripted_step(0);
	for (unsigned int i = 0; i < 3; i++)
		scripted_answer(i, 400);
	scripted.rule = scripted_refuse_bad;
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 3 + 2);
	ck_said("delivery: refused whatever is sent: ");
	/* The others are in the same case: one of them is the probe. */
	scripted_step(300000);
	posted = scripted.posted;
	ck_assert_uint_eq(posted, 6);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&scripted.posts[5].text), "\"batch\":1,"));
	ck_assert_ptr_nonnull(
		strstr(buf_str(&scripted.posts[5].text), "\"n\":1,"));
	scripted_run();
	ck_whole(3);
}
END_TEST

START_TEST(cut_many_bad_batches_stay_within_bounds)
{
	scripted.settings.connections = 16;
	scripted_restart();
	scripted.rule = scripted_refuse_bad;
	for (int i = 0; i < 60; i++)
		scripted_seal("bb");
	for (int i = 0; i < 40; i++) {
		scripted_run();
		scripted_step(300000);
	}
	ck_whole(60);
	ck_said("delivery: refused whatever is sent: ");
	ck_silent();
	/* The first acceptance solves all of it. */
	scripted.rule = scripted_accept;
	scripted_step(300000);
	scripted_run();
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
	ck_said("delivery: uploads work again: ");
	ck_assert_uint_eq(scripted_ledger().refused_events, 0);
	for (unsigned int n = scripted_said("accepted in parts"); n; n--)
		ck_said("delivery: accepted in parts: ");
}
END_TEST

/* --- A batch of one event --- */

START_TEST(cut_single_event_waits_for_a_witness)
{
	scripted_seal("b");
	scripted_step(0);
	scripted_answer(0, 422);
	scripted_step(0);
	ck_whole(1);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_IDLE);
	scripted_seal("g");
	scripted_step(0); /* the next one is the probe, at once */
	ck_assert_uint_eq(scripted.posted, 2);
	scripted_seal("g");
	scripted_step(0);
	ck_assert_uint_eq(scripted.posted, 2);
	scripted_answer(1, 200);
	scripted_step(0); /* now it is asked about again */
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), 0);
	scripted_answer(2, 422);
	scripted_step(0);
	ck_said("delivery: events refused: batch 0000000000000001: 1 of 1: "
		"status 422: ");
	ck_ledger(1, 1, 1);
}
END_TEST

START_TEST(cut_single_event_is_not_refused_for_an_outage)
{
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(0, 400);
	scripted_step(0);
	scripted_seal("g");
	scripted_step(0);
	scripted.rule = scripted_accept;
	scripted_answer(1, 200);
	scripted_run();
	ck_said("delivery: accepted in parts: batch 0000000000000001: ");
	ck_ledger(2, 0, 0);
}
END_TEST

/* The first half was refused before the service took anything. */
START_TEST(cut_events_are_not_refused_for_an_outage)
{
	scripted_seal("gg");
	for (unsigned int i = 0; i < 2; i++) {
		scripted_step(0);
		ck_assert_uint_eq(scripted.posted, i + 1);
		scripted_answer(i, 400);
	}
	scripted.rule = scripted_accept;
	scripted_run();
	ck_said("delivery: accepted in parts: batch 0000000000000001: ");
	ck_ledger(2, 0, 0);
}
END_TEST

/* Nobody is called for one event while there is nothing else to send. */
START_TEST(cut_single_event_is_no_alarm_when_others_were_accepted_lately)
{
	scripted.rule = scripted_refuse_bad;
	scripted_seal("g");
	scripted_run();
	scripted_step(_i ? 3600001 : 3000000);
	scripted_seal("b");
	scripted_run();
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), 0);
	ck_assert_int_eq(scripted_state().phase, DELIVERY_IDLE);
	scripted_step(300000);
	scripted_run();
	ck_assert_int_eq(scripted_state().phase,
			 _i ? DELIVERY_KEY_REFUSED : DELIVERY_IDLE);
	if (_i)
		ck_said("delivery: refused whatever is sent: ");
	ck_silent();
	scripted_seal("g");
	scripted_step(300000);
	scripted_run();
	if (_i)
		ck_said("delivery: uploads work again: ");
	ck_said("delivery: events refused: batch 0000000000000002: 1 of 1: ");
	ck_ledger(2, 1, 0);
	ck_sorted(2, "b");
}
END_TEST

START_TEST(cut_two_single_events_in_a_row_are_not_the_data)
{
	scripted.rule = scripted_refuse_bad;
	scripted_seal("b");
	scripted_seal("b");
	scripted_seal("g");
	scripted_run();
	ck_assert_uint_eq(scripted.posted, 2);
	ck_whole(3);
	ck_said("delivery: refused whatever is sent: ");
	ck_assert_int_eq(scripted_state().phase, DELIVERY_KEY_REFUSED);
	scripted_step(300000);
	scripted_run();
	ck_said("delivery: uploads work again: ");
	ck_said("delivery: events refused: batch 0000000000000001: ");
	ck_said("delivery: events refused: batch 0000000000000002: ");
	ck_ledger(1, 2, 0);
}
END_TEST

/* --- Other answers in the middle --- */

static unsigned int odd_at;
static int odd_status;

static int refuse_bad_but_once(const struct scripted_post *post)
{
	if (scripted.posted == odd_at + 1)
		return odd_status;
	return scripted_refuse_bad(post);
}

static const int odd[] = {0, 302, 401, 408, 429, 500, 503};

START_TEST(cut_goes_on_after_trouble_at_any_upload)
{
	static const char kinds[] = "bggbgggg";

	odd_status = odd[_i];
	scripted.rule = refuse_bad_but_once;
	for (unsigned int at = 0; at < 12; at++) {
		unsigned int seq;
		bool reached;

		odd_at = scripted.posted + at;
		seq = (unsigned int)scripted_seal(kinds);
		scripted_run();
		reached = scripted.posted > odd_at;
		if (reached) {
			ck_assert_int_ne(scripted_state().phase, DELIVERY_IDLE);
			scripted_step(300000);
			scripted_run();
			/* The same part once more. */
			ck_slice(buf_slice(&scripted.posts[odd_at].text),
				 buf_str(&scripted.posts[odd_at + 1].text));
		}
		ck_assert_int_eq(scripted_state().phase, DELIVERY_IDLE);
		ck_sorted(seq, kinds);
		ck_said("delivery: events refused: ");
		if (reached && odd_status != 429) {
			ck_said("delivery: ");
			ck_said("delivery: uploads work again: 1 failures ");
		}
	}
	ck_ledger(12 * 6, 12 * 2, 0);
}
END_TEST

static unsigned int crash_at;

static int refuse_bad_until_crash(const struct scripted_post *post)
{
	return scripted.posted > crash_at ? -1 : scripted_refuse_bad(post);
}

START_TEST(cut_ends_right_after_a_crash_at_any_upload)
{
	static const char kinds[] = "gbggggbg";

	for (unsigned int at = 1; at < 14; at++) {
		unsigned int seq = (unsigned int)scripted_seal(kinds);

		crash_at = scripted.posted + at - 1;
		scripted.rule = refuse_bad_until_crash;
		scripted_run();
		scripted_restart();
		scripted.rule = scripted_refuse_bad;
		scripted_run();
		ck_sorted(seq, kinds);
		ck_said("delivery: events refused: ");
		ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
	}
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), 13 * 2);
}
END_TEST

START_TEST(cut_is_resumed_after_a_reload)
{
	static const char kinds[] = "gbgggggb";

	crash_at = 4;
	scripted.rule = refuse_bad_until_crash;
	scripted_seal(kinds);
	scripted_run();
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	scripted.posts[scripted.posted - 1].answered = true;
	scripted.posts[scripted.posted - 1].reaped = true;
	delivery_configure(scripted.delivery, &scripted.settings,
			   &scripted_transport, &scripted);
	scripted.rule = scripted_refuse_bad;
	scripted_run();
	ck_sorted(1, kinds);
	ck_said("delivery: events refused: batch 0000000000000001: 2 of 8: ");
	ck_ledger(6, 2, 0);
}
END_TEST

/* --- Size --- */

static int refuse_large(const struct scripted_post *post)
{
	size_t lines = 0;

	for (size_t i = 0; i < post->text.len; i++)
		lines += post->text.p[i] == '\n';
	return lines > 3 ? 413 : 200;
}

START_TEST(cut_sends_in_parts_what_is_too_large)
{
	scripted.rule = refuse_large;
	scripted_seal("ggggggggggggg");
	scripted_run();
	ck_said("delivery: accepted in parts: batch 0000000000000001: "
		"13 events: status 413: ");
	ck_sorted(1, "ggggggggggggg");
	ck_ledger(13, 0, 0);
}
END_TEST

START_TEST(cut_single_event_that_is_too_large_is_refused)
{
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(0, 200);
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(1, 413);
	scripted_seal("g");
	scripted_step(0);
	scripted_answer(2, 200);
	scripted_step(0);
	scripted_answer(3, 413);
	scripted_run();
	ck_said("delivery: events refused: batch 0000000000000002: 1 of 1: "
		"status 413");
	ck_ledger(2, 1, 0);
}
END_TEST

START_TEST(cut_parts_are_noted_with_their_range)
{
	struct buf notes;

	buf_init(&notes, 1 << 16);
	scripted.rule = scripted_refuse_bad;
	scripted_seal("gggb");
	scripted_run();
	scripted_read("sent", "accepted.ndjson", &notes);
	ck_assert_ptr_nonnull(strstr(buf_str(&notes), "\"id-1\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&notes), "\"id-3\""));
	ck_said("delivery: events refused: ");
	buf_release(&notes);
}
END_TEST

/* --- Beside others --- */

static int leave_bad(const struct scripted_post *post)
{
	return scripted_refuse_bad(post) == 200 ? 200 : -1;
}

START_TEST(cut_is_of_one_batch_while_others_go_on)
{
	scripted.settings.connections = 4;
	scripted_restart();
	scripted_widen();
	scripted_seal("gb");
	scripted_seal("bg");
	for (int i = 0; i < 10; i++)
		scripted_seal("g");
	scripted.rule = leave_bad;
	scripted_run();
	scripted_step(DELIVERY_GATHER_MS);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 2);
	ck_assert_uint_eq(scripted_state().in_flight, 2);
	scripted_answer(0, 400);
	scripted_answer(1, 400);
	scripted_run();
	/* The first is cut down to its guilty event, the second has to wait. */
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	scripted_answer(scripted.posted - 1, 400);
	scripted_run();
	ck_said("delivery: events refused: batch 0000000000000001: 1 of 2: ");
	ck_assert_uint_eq(scripted_state().in_flight, 1);
	scripted_answer(scripted.posted - 1, 400);
	scripted_run();
	ck_said("delivery: events refused: batch 0000000000000002: 1 of 2: ");
	ck_ledger(12, 2, 0);
}
END_TEST

/* --- Disk, damage --- */

static const char *const calls[] = {"openat", "write", "fsync", "renameat"};

START_TEST(cut_waits_for_the_disk_with_a_guilty_event)
{
	struct delivery_state state;

	scripted.rule = scripted_refuse_bad;
	scripted_seal("gb");
	scripted_step(0); /* whole */
	scripted_step(0); /* first half */
	scripted_step(0); /* second half */
	fault_arm_from(calls[_i], 1, ENOSPC);
	ck_assert_int_eq(scripted_step(0), 2000);
	ck_assert_int_eq(scripted_step(2000), 2000);
	fault_disarm();
	state = scripted_state();
	ck_assert_int_eq(state.phase, DELIVERY_IDLE);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 1);
	scripted_step(2000);
	ck_ledger(1, 1, 0);
	ck_sorted(1, "gb");
	ck_assert_uint_eq(scripted.posted, 3);
	ck_said("delivery: ");
	ck_said("delivery: events refused: batch 0000000000000001: 1 of 2: ");
}
END_TEST

static void damage(const char *part)
{
	char command[400], name[300] = "";
	FILE *list;
	int fd;

	snprintf(command, sizeof(command), "ls %s/ready/*%s*",
		 scripted.directory, part);
	list = popen(command, "r");
	ck_assert_ptr_nonnull(fgets(name, sizeof(name), list));
	pclose(list);
	name[strcspn(name, "\n")] = '\0';
	fd = open(name, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "\xff\xff\xff\xff", 4, 20), 4);
	close(fd);
}

START_TEST(cut_damaged_batch_is_refused_as_it_is)
{
	scripted.rule = scripted_refuse_bad;
	scripted_seal("gggg");
	damage("0000000000000001_");
	scripted_run();
	ck_said("delivery: batch is damaged: batch 0000000000000001: ");
	ck_said("delivery: refused whatever is sent: ");
	ck_whole(1);
	scripted_seal("g");
	scripted_step(300000);
	scripted_run();
	ck_said("delivery: uploads work again: ");
	ck_said("delivery: events refused: batch 0000000000000001: 4 of 4: ");
	ck_ledger(1, 4, 0);
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), 1);
	ck_assert_str_eq(buf_str(&scripted.refused), "1 0 4 \n");
}
END_TEST

/* --- Privacy --- */

START_TEST(cut_masks_the_words_it_keeps_only_with_privacy)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	scripted.settings.privacy = _i;
	scripted_restart();
	scripted.rule = scripted_refuse_bad;
	scripted_seal("gb");
	scripted_run();
	scripted_read("refused", ".json", &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "@example.test is 400"));
	ck_assert_int_eq(strstr(buf_str(&text), "joe") == NULL, _i);
	ck_said("delivery: events refused: ");
	ck_assert_uint_eq(scripted_said("joe"), 0);
	buf_release(&text);
}
END_TEST

/* --- Anything --- */

static unsigned int dice;

static unsigned int throw(unsigned int sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

/* Right two times of three; else wrong, or silent for now. */
static int moody(const struct scripted_post *post)
{
	static const int moods[] = {0, 302, 401, 429, 500, 503, -1, -1};

	return throw(3) ? scripted_refuse_bad(post) : moods[throw(NROF(moods))];
}

static void happen(void)
{
	switch (throw(8)) {
	case 0:
		scripted_restart();
		break;
	case 1:
		delivery_configure(scripted.delivery, &scripted.settings,
				   &scripted_transport, &scripted);
		break;
	case 2:
		fault_arm("renameat", 1 + (int) throw(3), EIO);
		break;
	default:
		for (unsigned int i = 0; i < scripted.posted; i++) {
			if (!scripted.posts[i].answered && throw(2))
				scripted_answer(i, scripted_refuse_bad(
							   &scripted.posts[i]));
		}
	}
	scripted_step((int64_t) throw(100) * 1000);
	fault_disarm();
}

enum { ANY_BATCHES = 12, ANY_EVENTS = 9 };

START_TEST(cut_comes_to_the_same_whatever_happens)
{
	char kinds[ANY_BATCHES][ANY_EVENTS + 1];
	uint32_t bad = 0, witnesses = 0;

	dice = (unsigned int)_i * 7919 + 1;
	scripted.settings.connections = 1 + throw(4);
	scripted_restart();
	scripted.rule = moody;
	for (unsigned int i = 0; i < ANY_BATCHES; i++) {
		unsigned int n = 1 + throw(ANY_EVENTS);

		for (unsigned int j = 0; j < n; j++)
			kinds[i][j] = throw(4) ? 'g' : 'b';
		kinds[i][n] = '\0';
		bad += count_bad(kinds[i]);

		scripted_seal(kinds[i]);
		for (int k = 0; k < 6; k++)
			happen();
	}
	scripted.rule = scripted_refuse_bad;
	for (unsigned int i = 0; i < scripted.posted; i++) {
		if (!scripted.posts[i].answered)
			scripted_answer(i, 503);
	}
	while (scripted_files("ready", ".gz") && witnesses < 30) {
		scripted_seal("g");
		witnesses++;
		scripted_run();
		scripted_step(300000);
		scripted_run();
	}
	for (unsigned int i = 0; i < ANY_BATCHES; i++)
		ck_sorted(i + 1, kinds[i]);
	ck_assert_uint_eq(scripted_files("refused", ".ndjson.gz"), bad);
	ck_assert_uint_eq(scripted_files("ready", ".gz"), 0);
	ck_assert_uint_eq(scripted_state().in_flight, 0);

	scripted_hush();
}
END_TEST

static void guilty_cases(TCase *tc)
{
	tcase_add_loop_test(tc, cut_finds_the_guilty_event_wherever_it_is, 0,
			    NROF(sizes));
	tcase_add_test(tc, cut_needs_few_uploads_for_one_guilty_event);
	tcase_add_test(tc, cut_finds_its_way_in_a_large_batch);
	tcase_add_test(tc, cut_finds_guilty_events_in_a_row);
	tcase_add_loop_test(tc, cut_finds_all_guilty_events, 0, NROF(several));
	tcase_add_test(tc, cut_finds_every_pair);
	tcase_add_loop_test(tc, cut_refuses_nothing_when_all_is_refused, 0,
			    NROF(all_sizes));
	tcase_add_test(tc, cut_refuses_all_of_a_batch_when_others_are_accepted);
	tcase_add_test(tc, cut_suspicion_ends_with_an_acceptance);
	tcase_add_test(tc, cut_gives_up_for_all_that_wait_to_be_cut);
	tcase_add_test(tc, cut_many_bad_batches_stay_within_bounds);
	tcase_add_test(tc, cut_single_event_waits_for_a_witness);
	tcase_add_test(tc, cut_single_event_is_not_refused_for_an_outage);
	tcase_add_test(tc, cut_events_are_not_refused_for_an_outage);
	tcase_add_loop_test(
		tc,
		cut_single_event_is_no_alarm_when_others_were_accepted_lately,
		0, 2);
	tcase_add_test(tc, cut_two_single_events_in_a_row_are_not_the_data);
}

static void other_cases(TCase *tc)
{
	tcase_add_loop_test(tc, cut_goes_on_after_trouble_at_any_upload, 0,
			    NROF(odd));
	tcase_add_test(tc, cut_ends_right_after_a_crash_at_any_upload);
	tcase_add_test(tc, cut_is_resumed_after_a_reload);
	tcase_add_test(tc, cut_sends_in_parts_what_is_too_large);
	tcase_add_test(tc, cut_single_event_that_is_too_large_is_refused);
	tcase_add_test(tc, cut_parts_are_noted_with_their_range);
	tcase_add_test(tc, cut_is_of_one_batch_while_others_go_on);
	tcase_add_loop_test(tc, cut_waits_for_the_disk_with_a_guilty_event, 0,
			    NROF(calls));
	tcase_add_test(tc, cut_damaged_batch_is_refused_as_it_is);
	tcase_add_loop_test(tc, cut_masks_the_words_it_keeps_only_with_privacy,
			    0, 2);
	tcase_add_loop_test(tc, cut_comes_to_the_same_whatever_happens, 0, 20);
}

Suite *delivery_cut_suite(void)
{
	static void (*const cases[])(TCase *) = {guilty_cases, other_cases};
	static const char *const names[] = {"guilty", "other"};
	Suite *s = suite_create("delivery_cut");

	for (size_t i = 0; i < NROF(cases); i++) {
		TCase *tc = tcase_create(names[i]);

		tcase_set_timeout(tc, 60);
		tcase_add_checked_fixture(tc, scripted_setup,
					  scripted_teardown);
		cases[i](tc);
		suite_add_tcase(s, tc);
	}
	return s;
}
