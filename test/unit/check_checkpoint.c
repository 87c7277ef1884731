/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "unit/check_all.h"

/* Fill every member of an account with a number of its own. */
static void fill_account(struct account *account, uint64_t n)
{
	account->rows = n++;
	account->shipped = n++;
	account->malformed = n++;
	account->expired_rows = n++;
	for (int i = 0; i < SKIP_REASONS; i++)
		account->skipped[i] = n++;
	for (int i = 0; i < EVENT_TYPES; i++)
		account->events[i] = n++;
	for (int i = 0; i < EVENT_TYPES; i++)
		account->expired[i] = n++;
	tally_add(&account->not_shipped, SLICE("vmta:internal"), n++);
	tally_add(&account->not_shipped, SLICE("pool:a.b[].c \"x\"\n"), n);
}

static void same_account(const struct account *a, const struct account *b)
{
	ck_assert_uint_eq(a->rows, b->rows);
	ck_assert_uint_eq(a->shipped, b->shipped);
	ck_assert_uint_eq(a->malformed, b->malformed);
	ck_assert_uint_eq(a->expired_rows, b->expired_rows);
	ck_assert_mem_eq(a->skipped, b->skipped, sizeof(a->skipped));
	ck_assert_mem_eq(a->events, b->events, sizeof(a->events));
	ck_assert_mem_eq(a->expired, b->expired, sizeof(a->expired));
	ck_assert_uint_eq(a->not_shipped.count, b->not_shipped.count);
	for (size_t i = 0; i < a->not_shipped.count; i++) {
		ck_assert_str_eq(a->not_shipped.entries[i].name,
				 b->not_shipped.entries[i].name);
		ck_assert_uint_eq(a->not_shipped.entries[i].count,
				  b->not_shipped.entries[i].count);
	}
}

static void fill_ledger(struct ledger *ledger)
{
	*ledger = (struct ledger){.sent_batches = 1,
				  .sent_events = 2,
				  .sent_bytes = UINT64_MAX,
				  .refused_batches = 4,
				  .refused_events = 5,
				  .evicted_batches = 6,
				  .evicted_events = 7,
				  .expired_batches = 8,
				  .expired_events = 9,
				  .healed_events = 10,
				  .failures = 11,
				  .last_success_s = 1700000000};
	fill_account(&ledger->account, 1000);
}

static void fill_gaps(struct ledger *ledger)
{
	struct gap gap = {.number = 7,
			  .source = {UINT64_MAX, UINT64_MAX - 1, 1024,
				     0xfedcba9876543210},
			  .from = 5,
			  .to = INT64_MAX,
			  .before = {3, true},
			  .seq = UINT64_MAX - 7,
			  .events = UINT64_MAX - 3,
			  .repeats = 4,
			  .bytes = 9,
			  .oldest_s = -1,
			  .newest_s = 1700000000};

	ck_assert_uint_eq(gaps_add(&ledger->gaps, &gap), 0);
	gap.number = 8;
	gap.before = (struct batch_edge){-1, false};
	ck_assert_uint_eq(gaps_add(&ledger->gaps, &gap), 0);
	for (uint64_t i = 0; i < EVENT_TYPES; i++)
		ledger->expired[i] = UINT64_MAX - i;
	ledger->repeated_events = 10;
	ledger->lapsed_events = 11;
	ledger->unreadable_events = 12;
}

static void same_gap(const struct gap *a, const struct gap *b)
{
	ck_assert_uint_eq(a->number, b->number);
	ck_assert_uint_eq(a->source.dev, b->source.dev);
	ck_assert_uint_eq(a->source.ino, b->source.ino);
	ck_assert_uint_eq(a->source.head_len, b->source.head_len);
	ck_assert_uint_eq(a->source.head, b->source.head);
	ck_assert_int_eq(a->from, b->from);
	ck_assert_int_eq(a->to, b->to);
	ck_assert_int_eq(a->before.header_offset, b->before.header_offset);
	ck_assert_int_eq(a->before.skipping, b->before.skipping);
	ck_assert_uint_eq(a->seq, b->seq);
	ck_assert_uint_eq(a->repeats, b->repeats);
	ck_assert_uint_eq(a->events, b->events);
	ck_assert_uint_eq(a->bytes, b->bytes);
	ck_assert_int_eq(a->oldest_s, b->oldest_s);
	ck_assert_int_eq(a->newest_s, b->newest_s);
}

static void same_ledger(const struct ledger *a, const struct ledger *b)
{
	same_account(&a->account, &b->account);
	ck_assert_uint_eq(a->sent_batches, b->sent_batches);
	ck_assert_uint_eq(a->sent_events, b->sent_events);
	ck_assert_uint_eq(a->sent_bytes, b->sent_bytes);
	ck_assert_uint_eq(a->refused_batches, b->refused_batches);
	ck_assert_uint_eq(a->refused_events, b->refused_events);
	ck_assert_uint_eq(a->evicted_batches, b->evicted_batches);
	ck_assert_uint_eq(a->evicted_events, b->evicted_events);
	ck_assert_uint_eq(a->expired_batches, b->expired_batches);
	ck_assert_uint_eq(a->expired_events, b->expired_events);
	ck_assert_mem_eq(a->expired, b->expired, sizeof(a->expired));
	ck_assert_uint_eq(a->healed_events, b->healed_events);
	ck_assert_uint_eq(a->repeated_events, b->repeated_events);
	ck_assert_uint_eq(a->lapsed_events, b->lapsed_events);
	ck_assert_uint_eq(a->unreadable_events, b->unreadable_events);
	ck_assert_uint_eq(a->gaps.count, b->gaps.count);
	for (size_t i = 0; i < a->gaps.count; i++)
		same_gap(&a->gaps.items[i], &b->gaps.items[i]);
	ck_assert_uint_eq(a->failures, b->failures);
	ck_assert_int_eq(a->last_success_s, b->last_success_s);
}

static void fill_position(struct position *p, const char *path,
			  const char *header)
{
	position_init(p);
	p->path = mem_str(path);
	p->number = 77;
	p->anew_seq = 42;
	p->fate = (struct position_fate){1, 2, 3, 4, UINT64_MAX};
	p->id = (struct position_id){UINT64_MAX, UINT64_MAX - 1, 1024,
				     0xfedcba9876543210};
	p->offset = INT64_MAX;
	p->tail_len = 1024;
	p->tail = 0x0123456789abcdef;
	buf_add_str(&p->file.header, header);
	p->file.header_offset = 4096;
	p->file.skipping = true;
	p->file.said_no_from = true;
	p->file.said_expired = true;
	p->state = POSITION_WAITING;
	p->size = INT64_MAX;
	p->last_read_s = 1700000001;
	p->pmta_rows = INT64_MAX;
	fill_account(&p->account, UINT64_MAX - 100);
}

static void same_position(const struct position *a, const struct position *b)
{
	ck_assert_str_eq(a->path, b->path);
	ck_assert_uint_eq(a->number, b->number);
	ck_assert_uint_eq(a->anew_seq, b->anew_seq);
	ck_assert_mem_eq(&a->fate, &b->fate, sizeof(a->fate));
	ck_assert_uint_eq(a->id.dev, b->id.dev);
	ck_assert_uint_eq(a->id.ino, b->id.ino);
	ck_assert_uint_eq(a->id.head_len, b->id.head_len);
	ck_assert_uint_eq(a->id.head, b->id.head);
	ck_assert_int_eq(a->offset, b->offset);
	ck_assert_uint_eq(a->tail_len, b->tail_len);
	ck_assert_uint_eq(a->tail, b->tail);
	ck_assert(slice_eq(buf_slice(&a->file.header),
			   buf_slice(&b->file.header)));
	ck_assert_int_eq(a->file.header_offset, b->file.header_offset);
	ck_assert_int_eq(a->file.skipping, b->file.skipping);
	ck_assert_int_eq(a->file.said_no_from, b->file.said_no_from);
	ck_assert_int_eq(a->file.said_expired, b->file.said_expired);
	ck_assert_int_eq(a->state, b->state);
	ck_assert_int_eq(a->size, b->size);
	ck_assert_int_eq(a->last_read_s, b->last_read_s);
	ck_assert_int_eq(a->pmta_rows, b->pmta_rows);
	same_account(&a->account, &b->account);
}

static int write_all(const struct checkpoint *checkpoint, struct buf *out)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct slice text;
	int status;

	checkpoint_begin(writer, checkpoint);
	for (size_t i = 0; i < checkpoint->positions_count; i++)
		checkpoint_position(writer, &checkpoint->positions[i], 0);
	status = checkpoint_end(writer, &text);
	buf_add_slice(out, text);
	checkpoint_writer_free(&writer);
	return status;
}

/* Paths and headers that come back as they were, whatever their bytes. */
static const struct {
	const char *path, *header;
} sources[] = {
	{"/var/log/pmta/acct-2026-01-31-0000.csv", "type,timeLogged,rcpt"},
	{"/var/log/pmta/a \"b\"\\c\n\x01.csv", "type,\"time\tLogged\""},
	{"/var/log/pmta/\xff\xfe.csv", "type,caf\xe9"},
	{"/var/log/pmta/\xc3\xa9.csv", "type,caf\xc3\xa9"},
	{"/one/without/header", ""},
	{"/another/one", "type,timeLogged,rcpt"},
};

static void fill_all(struct checkpoint *c)
{
	*c = (struct checkpoint){
		.saved_s = 1700000000,
		.seq = UINT64_MAX,
		.departures = 12345,
		.numbers = 4711,
		.process = {.room = "evicting", .window = 3, .rate = 12.345}};
	fill_ledger(&c->ledger);
	fill_gaps(&c->ledger);
	c->positions_count = NROF(sources);
	c->positions = mem_zero(NROF(sources), sizeof(*c->positions));
	for (size_t i = 0; i < NROF(sources); i++)
		fill_position(&c->positions[i], sources[i].path,
			      sources[i].header);
}

START_TEST(checkpoint_reads_back_everything)
{
	struct checkpoint in, out = {0};
	struct buf text;

	fill_all(&in);
	buf_init(&text, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(&in, &text), 0);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_OK);
	ck_assert_int_eq(out.saved_s, in.saved_s);
	ck_assert_uint_eq(out.seq, in.seq);
	ck_assert_uint_eq(out.departures, in.departures);
	ck_assert_uint_eq(out.numbers, in.numbers);
	ck_assert_str_eq(out.process.room, "evicting");
	ck_assert_uint_eq(out.process.window, 3);
	ck_assert_double_eq_tol(out.process.rate, 12.345, 0.0001);
	same_ledger(&out.ledger, &in.ledger);
	ck_assert_uint_eq(out.positions_count, in.positions_count);
	for (size_t i = 0; i < in.positions_count; i++)
		same_position(&out.positions[i], &in.positions[i]);
	checkpoint_release(&in);
	checkpoint_release(&out);
	ck_assert_ptr_null(out.positions);
	buf_release(&text);
}
END_TEST

/* As versions wrote it that did not know the window. */
START_TEST(checkpoint_without_a_window_is_read)
{
	struct checkpoint out = {0};

	ck_assert_int_eq(
		checkpoint_parse(SLICE("{\"version\":1,\"seq\":\"1\","
				       "\"departures\":\"0\",\"process\":"
				       "{\"since\":5,\"phase\":\"sending\","
				       "\"error\":\"\",\"next_try\":0,"
				       "\"room\":\"ok\",\"rate_milli\":-1},"
				       "\"ledger\":{},\"sources\":[],"
				       "\"headers\":[]}"),
				 &out),
		CHECKPOINT_OK);
	ck_assert_str_eq(out.process.phase, "sending");
	ck_assert_uint_eq(out.process.window, 0);
	checkpoint_release(&out);
}
END_TEST

START_TEST(checkpoint_reads_back_every_state)
{
	struct checkpoint in = {0}, out = {0};
	struct position p;
	struct buf text;

	buf_init(&text, CHECKPOINT_MAX);
	position_init(&p);
	p.path = mem_str("/x");
	p.state = (enum position_state)_i;
	in.positions = &p;
	in.positions_count = 1;
	ck_assert_int_eq(write_all(&in, &text), 0);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_OK);
	same_position(&out.positions[0], &p);
	checkpoint_release(&out);
	position_release(&p);
	buf_release(&text);
}
END_TEST

START_TEST(checkpoint_keeps_counts_under_names_that_are_no_text)
{
	struct checkpoint in = {0}, out = {0};
	struct tally *tally = &in.ledger.account.not_shipped;
	char bytes[TALLY_NAME + 1];
	struct buf text;

	/* Repaired, this is three times as long. */
	memset(bytes, 0xff, sizeof(bytes));
	buf_init(&text, CHECKPOINT_MAX);
	tally_add(tally, slice_of(bytes, TALLY_NAME), 7);
	tally_add(tally, SLICE(""), 5);
	ck_assert_int_eq(write_all(&in, &text), 0);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_OK);
	ck_assert_uint_eq(tally_sum(&out.ledger.account.not_shipped), 12);
	checkpoint_release(&in);
	checkpoint_release(&out);
	buf_release(&text);
}
END_TEST

START_TEST(checkpoint_cut_at_any_byte_is_damaged)
{
	struct checkpoint in, out = {0};
	struct buf text;

	fill_all(&in);
	buf_init(&text, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(&in, &text), 0);
	/* The last byte is the line end, which may be missing. */
	for (size_t len = 0; len < text.len - 1; len++) {
		/* A copy of that length: a sanitizer sees a byte too far. */
		char *cut = mem_str_of(slice_of(text.p, len));

		ck_assert_int_eq(checkpoint_parse(slice_of(cut, len), &out),
				 CHECKPOINT_DAMAGED);
		ck_assert_ptr_null(out.positions);
		mem_free(cut);
	}
	checkpoint_release(&in);
	buf_release(&text);
}
END_TEST

START_TEST(checkpoint_with_any_byte_zeroed_never_crashes)
{
	struct checkpoint in, out = {0};
	struct buf text;

	fill_all(&in);
	buf_init(&text, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(&in, &text), 0);
	for (size_t i = 0; i < text.len; i++) {
		char old = text.p[i];

		text.p[i] = '\0';
		ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
				 CHECKPOINT_DAMAGED);
		text.p[i] = old;
	}
	checkpoint_release(&in);
	buf_release(&text);
}
END_TEST

#define REST                                                                   \
	"\"seq\":\"1\",\"departures\":\"0\",\"ledger\":{},\"sources\":[],"     \
	"\"headers\":[]}"
#define WITH(sources, headers)                                                 \
	"{\"version\":1,\"seq\":\"1\",\"departures\":\"0\",\"ledger\":{},"     \
	"\"sources\":[" sources "],\"headers\":[" headers "]}"

static const struct {
	const char *text;
	enum checkpoint_status want;
} texts[] = {
	{"{\"version\":1," REST, CHECKPOINT_OK},
	{"", CHECKPOINT_DAMAGED},
	{"null", CHECKPOINT_DAMAGED},
	{"[]", CHECKPOINT_DAMAGED},
	{"{}", CHECKPOINT_DAMAGED},
	{"{" REST, CHECKPOINT_DAMAGED},
	{"{\"version\":1}", CHECKPOINT_DAMAGED},
	{"{\"version\":0," REST, CHECKPOINT_DAMAGED},
	{"{\"version\":-1," REST, CHECKPOINT_DAMAGED},
	{"{\"version\":1.5," REST, CHECKPOINT_DAMAGED},
	{"{\"version\":\"1\"," REST, CHECKPOINT_DAMAGED},
	{"{\"version\":1," REST "x", CHECKPOINT_DAMAGED},
	/* a later version, whatever else it holds and in what order */
	{"{\"version\":2," REST, CHECKPOINT_NEWER},
	{"{\"version\":2}", CHECKPOINT_NEWER},
	{"{\"sources\":7,\"seq\":[],\"version\":99}", CHECKPOINT_NEWER},
	{"{\"version\":2", CHECKPOINT_DAMAGED},
	/* members that a later release of this version may add */
	{"{\"version\":1,\"new\":{\"a\":[1,null,true,\"x\"]}," REST,
	 CHECKPOINT_OK},
	{WITH("{\"path\":\"/x\",\"new\":[{\"path\":1}]}", ""), CHECKPOINT_OK},
	{WITH("{\"path\":\"/x\",\"account\":{\"skipped\":{\"new\":1}}}", ""),
	 CHECKPOINT_OK},
	{WITH("{\"path\":\"/x\",\"header\":0}", "\"a,b\""), CHECKPOINT_OK},
	{WITH("{\"path\":\"/x\",\"header\":0}", "{\"hex\":\"ff\"}"),
	 CHECKPOINT_OK},
	/* what no writer of ours wrote */
	{WITH("{}", ""), CHECKPOINT_DAMAGED},
	{WITH("[]", ""), CHECKPOINT_DAMAGED},
	{WITH("1", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":1}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path_hex\":\"f\"}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path_hex\":\"fg\"}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"state\":\"lost\"}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"offset\":-1}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"offset\":\"1\"}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"offset\":9223372036854775808}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"size\":-1}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"ino\":\"18446744073709551616\"}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"ino\":-1}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"head_len\":1025}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"offset\":9,\"tail_len\":10}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"offset\":9999,\"tail_len\":1025}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"head\":\"xyz\"}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"head\":\"00000000000000000\"}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"header_offset\":-2}", ""),
	 CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"skipping\":1}", ""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"header\":1}", "\"a,b\""), CHECKPOINT_DAMAGED},
	{WITH("{\"path\":\"/x\",\"header\":-2}", "\"a,b\""),
	 CHECKPOINT_DAMAGED},
	{WITH("", "1"), CHECKPOINT_DAMAGED},
	{WITH("", "\"\""), CHECKPOINT_DAMAGED},
	{WITH("", "{\"hex\":\"0g\"}"), CHECKPOINT_DAMAGED},
	{"{\"version\":1,\"seq\":{},\"departures\":\"0\",\"ledger\":{},"
	 "\"sources\":[],\"headers\":[]}",
	 CHECKPOINT_DAMAGED},
	{"{\"version\":1,\"seq\":\"1\",\"departures\":\"0\",\"ledger\":[],"
	 "\"sources\":[],\"headers\":[]}",
	 CHECKPOINT_DAMAGED},
	{"{\"version\":1,\"seq\":\"1\",\"departures\":\"0\",\"ledger\":"
	 "{\"failures\":-1},\"sources\":[],\"headers\":[]}",
	 CHECKPOINT_DAMAGED},
	/* a name that looks like a path */
	{"{\"version\":1,\"sources[].path\":\"/x\"," REST, CHECKPOINT_OK},
};

START_TEST(checkpoint_parse_judges_a_text)
{
	struct checkpoint out = {0};

	ck_assert_int_eq(checkpoint_parse(slice_str(texts[_i].text), &out),
			 texts[_i].want);
	checkpoint_release(&out);
}
END_TEST

START_TEST(checkpoint_does_not_grow_beyond_its_maximum_in_memory)
{
	struct checkpoint out = {0};
	struct buf text;

	/* 300 sources of one header of 1 MiB: more than CHECKPOINT_MAX. */
	buf_init(&text, (size_t)4 << 20);
	buf_add_str(&text, "{\"version\":1,\"seq\":\"1\",\"departures\":\"0\","
			   "\"ledger\":{},\"sources\":[");
	for (int i = 0; i < 300; i++)
		buf_addf(&text, "%s{\"path\":\"/x\",\"header\":0}",
			 i ? "," : "");
	buf_add_str(&text, "],\"headers\":[\"");
	for (int i = 0; i < SHAPE_HEADER_MAX; i++)
		buf_add_char(&text, 'a');
	buf_add_str(&text, "\"]}");
	ck_assert(!text.overflow);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_DAMAGED);
	buf_release(&text);
}
END_TEST

static void many(struct checkpoint *c, size_t n)
{
	c->positions = mem_zero(n, sizeof(*c->positions));
	c->positions_count = n;
	for (size_t i = 0; i < n; i++) {
		struct position *p = &c->positions[i];
		char path[64];

		snprintf(path, sizeof(path),
			 "/var/log/pmta/acct-2026-01-31-%04zu.csv", i);
		position_init(p);
		p->path = mem_str(path);
		p->id = (struct position_id){2049, 1000 + i, 1024, i};
		p->state = POSITION_FINISHED;
		p->offset = p->size = 123456789;
		p->tail_len = 1024;
		p->tail = i;
		p->last_read_s = 1700000000;
		buf_add_str(&p->file.header, "type,timeLogged,rcpt,vmta");
		p->account.rows = 1100000;
		p->account.shipped = 1000000;
		p->account.skipped[SKIP_TQ] = 100000;
		for (int t = 0; t < EVENT_TYPES; t++)
			p->account.events[t] = 100000;
	}
}

START_TEST(checkpoint_that_does_not_fit_is_an_error)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct checkpoint in = {0};
	struct slice text;

	many(&in, 1);
	for (size_t extra = 2; extra-- > 0;) {
		checkpoint_begin(writer, &in);
		for (size_t i = 0; i < CHECKPOINT_SOURCES + extra; i++)
			checkpoint_position(writer, &in.positions[0], 1);
		errno = 0;
		ck_assert_int_eq(checkpoint_end(writer, &text), extra ? -1 : 0);
		ck_assert_int_eq(errno, extra ? EFBIG : 0);
		ck_assert_int_eq(text.len == 0, extra != 0);
	}
	checkpoint_writer_free(&writer);
	checkpoint_release(&in);
}
END_TEST

START_TEST(checkpoint_of_ten_thousand_sources_comes_back_whole)
{
	struct checkpoint in = {0}, out = {0};
	struct buf text;

	many(&in, 10000);
	buf_init(&text, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(&in, &text), 0);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_OK);
	ck_assert_uint_eq(out.positions_count, 10000);
	for (size_t i = 0; i < out.positions_count; i++)
		same_position(&out.positions[i], &in.positions[i]);
	checkpoint_release(&in);
	checkpoint_release(&out);
	buf_release(&text);
}
END_TEST

START_TEST(checkpoint_keeps_many_different_headers_apart)
{
	struct checkpoint in = {0}, out = {0};
	struct buf text;

	many(&in, 1000);
	for (size_t i = 0; i < in.positions_count; i++)
		buf_addf(&in.positions[i].file.header, ",x%zu", i / 2);
	buf_init(&text, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(&in, &text), 0);
	ck_assert_int_eq(checkpoint_parse(buf_slice(&text), &out),
			 CHECKPOINT_OK);
	for (size_t i = 0; i < out.positions_count; i++)
		same_position(&out.positions[i], &in.positions[i]);
	checkpoint_release(&in);
	checkpoint_release(&out);
	buf_release(&text);
}
END_TEST

/* --- What is remembered of the text before --- */

struct marked {
	struct checkpoint c;
	uint64_t marks[64];
	uint64_t next; /* mark, number, header */
};

static void marked_change(struct marked *m, size_t i, bool header)
{
	struct position *p = &m->c.positions[i];

	p->offset += 1 + (int64_t)(m->next % 1000) * (m->next % 7);
	p->size = p->offset;
	m->marks[i] = ++m->next;
	if (!header)
		return;
	buf_reset(&p->file.header);
	buf_addf(&p->file.header, "type,x%llu", (unsigned long long)m->next);
}

/* As sources does it: the last takes the place of one that goes. */
static void marked_drop(struct marked *m, size_t i)
{
	size_t last = --m->c.positions_count;

	position_release(&m->c.positions[i]);
	if (i != last) {
		m->c.positions[i] = m->c.positions[last];
		m->marks[i] = m->marks[last];
	}
}

static void marked_add(struct marked *m)
{
	size_t i = m->c.positions_count++;

	position_init(&m->c.positions[i]);
	fill_position(&m->c.positions[i], "/var/log/a.csv", "type,x");
	m->c.positions[i].number = ++m->next;
	m->c.positions[i].offset = 1 << 20;
	m->marks[i] = 1; /* as another one has: numbers tell them apart */
}

static void marked_check(struct marked *m, struct checkpoint_writer *writer)
{
	struct checkpoint out = {0};
	struct slice text;

	m->c.seq = m->next * m->next; /* what precedes the lines moves them */
	checkpoint_begin(writer, &m->c);
	for (size_t i = 0; i < m->c.positions_count; i++)
		checkpoint_position(writer, &m->c.positions[i], m->marks[i]);
	ck_assert_int_eq(checkpoint_end(writer, &text), 0);
	/* A few dozen lines, and not the headers of a thousand rounds. */
	ck_assert_uint_lt(text.len, 100000);
	ck_assert_int_eq(checkpoint_parse(text, &out), CHECKPOINT_OK);
	ck_assert_uint_eq(out.seq, m->c.seq);
	ck_assert_uint_eq(out.positions_count, m->c.positions_count);
	for (size_t i = 0; i < out.positions_count; i++)
		same_position(&out.positions[i], &m->c.positions[i]);
	checkpoint_release(&out);
}

START_TEST(checkpoint_lines_are_those_of_the_positions)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct marked m = {0};
	unsigned int random = 7;

	m.c.positions = mem_zero(NROF(m.marks), sizeof(*m.c.positions));
	for (int round = 0; round < 2000; round++) {
		random = random * 1103515245 + 12345;
		size_t count = m.c.positions_count, i = random >> 16;

		if (count < NROF(m.marks) && (!count || random >> 29 == 0))
			marked_add(&m);
		else if (random >> 29 == 1)
			marked_drop(&m, i % count);
		else
			for (size_t n = random >> 29; n > 2; n--)
				marked_change(&m, (i + n * n) % count, n == 7);
		marked_check(&m, writer);
	}
	checkpoint_writer_free(&writer);
	checkpoint_release(&m.c);
}
END_TEST

START_TEST(checkpoint_line_of_mark_zero_is_made_anew)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct marked m = {0};

	m.c.positions = mem_zero(NROF(m.marks), sizeof(*m.c.positions));
	marked_add(&m);
	marked_add(&m);
	for (int i = 0; i < 3; i++) {
		marked_change(&m, 0, false);
		m.marks[0] = 0;
		marked_check(&m, writer);
	}
	checkpoint_writer_free(&writer);
	checkpoint_release(&m.c);
}
END_TEST

/* Of all positions, as a writer that remembers nothing makes it. */
static void same_as_anew(struct checkpoint_writer *writer,
			 const struct checkpoint *in, const uint64_t *marks)
{
	struct slice text;
	struct buf anew;

	checkpoint_begin(writer, in);
	for (size_t i = 0; i < in->positions_count; i++)
		checkpoint_position(writer, &in->positions[i], marks[i]);
	ck_assert_int_eq(checkpoint_end(writer, &text), 0);
	buf_init(&anew, CHECKPOINT_MAX);
	ck_assert_int_eq(write_all(in, &anew), 0);
	ck_assert(slice_eq(text, buf_slice(&anew)));
	buf_release(&anew);
}

/* What precedes the lines grows too. */
static void add_gap(struct checkpoint *c, uint64_t n)
{
	struct gap gap = {.number = n, .from = 0, .to = 10, .seq = n};

	gap.before.header_offset = -1;
	gaps_add(&c->ledger.gaps, &gap);
}

START_TEST(checkpoint_made_in_place_is_as_one_made_anew)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct checkpoint in = {0};
	unsigned int random = 11;
	uint64_t marks[1500];
	char path[600];

	many(&in, NROF(marks));
	for (size_t i = 0; i < NROF(marks); i++)
		marks[i] = 1;
	for (unsigned int round = 0; round < 60; round++) {
		unsigned int one_of = 1U << round % 12;

		add_gap(&in, round + 1);
		for (size_t i = 0; i < in.positions_count; i++) {
			random = random * 1103515245 + 12345;
			if ((random >> 16) % one_of)
				continue;
			snprintf(path, sizeof(path), "/%0*u",
				 (int)(random >> 23), random);
			mem_free(in.positions[i].path);
			in.positions[i].path = mem_str(path);
			marks[i]++;
		}
		same_as_anew(writer, &in, marks);
	}
	/* Most go: so does the memory. */
	while (in.positions_count > 3)
		position_release(&in.positions[--in.positions_count]);
	same_as_anew(writer, &in, marks);
	same_as_anew(writer, &in, marks);
	checkpoint_writer_free(&writer);
	checkpoint_release(&in);
}
END_TEST

START_TEST(checkpoint_line_of_the_same_mark_is_kept)
{
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct checkpoint in;
	struct slice text[2];
	struct buf first;

	fill_all(&in);
	buf_init(&first, CHECKPOINT_MAX);
	for (int i = 0; i < 2; i++) {
		checkpoint_begin(writer, &in);
		for (size_t k = 0; k < in.positions_count; k++)
			checkpoint_position(writer, &in.positions[k], 5);
		ck_assert_int_eq(checkpoint_end(writer, &text[i]), 0);
		if (i == 0)
			buf_add_slice(&first, text[0]);
		/* Whoever forgets the mark gets the old line. */
		in.positions[0].offset--;
	}
	ck_assert(slice_eq(text[1], buf_slice(&first)));
	buf_release(&first);
	checkpoint_writer_free(&writer);
	checkpoint_release(&in);
}
END_TEST

Suite *checkpoint_suite(void)
{
	Suite *s = suite_create("checkpoint");
	TCase *tc = tcase_create("checkpoint");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, checkpoint_reads_back_everything);
	tcase_add_test(tc, checkpoint_without_a_window_is_read);
	tcase_add_loop_test(tc, checkpoint_reads_back_every_state, 0,
			    POSITION_SET_ASIDE + 1);
	tcase_add_test(tc,
		       checkpoint_keeps_counts_under_names_that_are_no_text);
	tcase_add_test(tc, checkpoint_cut_at_any_byte_is_damaged);
	tcase_add_test(tc, checkpoint_with_any_byte_zeroed_never_crashes);
	tcase_add_loop_test(tc, checkpoint_parse_judges_a_text, 0, NROF(texts));
	tcase_add_test(tc,
		       checkpoint_does_not_grow_beyond_its_maximum_in_memory);
	tcase_add_test(tc, checkpoint_that_does_not_fit_is_an_error);
	tcase_add_test(tc, checkpoint_of_ten_thousand_sources_comes_back_whole);
	tcase_add_test(tc, checkpoint_keeps_many_different_headers_apart);
	tcase_add_test(tc, checkpoint_lines_are_those_of_the_positions);
	tcase_add_test(tc, checkpoint_line_of_mark_zero_is_made_anew);
	tcase_add_test(tc, checkpoint_line_of_the_same_mark_is_kept);
	tcase_add_test(tc, checkpoint_made_in_place_is_as_one_made_anew);
	suite_add_tcase(s, tc);
	return s;
}
