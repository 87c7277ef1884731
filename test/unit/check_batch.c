/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/batch.h"

#include "unit/check_all.h"

#define ALL_EVENTS(n)                                                          \
	{                                                                      \
		(n), (n), (n), (n), (n), (n)                                   \
	}

static const struct {
	struct batch batch;
	const char *name;
} names[] = {
	{{.seq = 42,
	  .source = {0x801, 0x1a2b, 0x3ff, 0x0123456789abcdef},
	  .number = 7,
	  .from = 0,
	  .to = 0x8d3f,
	  .before = {-1, false},
	  .after = {0, false},
	  .events = {12, 980, 3, 5, 0, 0},
	  .oldest_s = 0x6553f100,
	  .newest_s = 0x6553f11e,
	  .sealed_s = 0x6553f160,
	  .bytes = 0x1f400},
	 "000000000000002a_801.1a2b.3ff.123456789abcdef.7_0-8d3f_h-.0"
	 "_e12.980.3.5.0.0_t6553f100.1e_s6553f160_b1f400.ndjson.gz"},
	{{.seq = 1, .before = {-1, false}, .after = {-1, false}},
	 "0000000000000001_0.0.0.0.0_0-0_h-.-_e0.0.0.0.0.0_t0.0_s0_b0"
	 ".ndjson.gz"},
	{{.seq = 1,
	  .before = {-1, true},
	  .after = {-1, true},
	  .oldest_s = -5,
	  .newest_s = 5},
	 "0000000000000001_0.0.0.0.0_0-0_h-x.-x_e0.0.0.0.0.0_t-5.a_s0_b0"
	 ".ndjson.gz"},
	{{.seq = 2,
	  .before = {7, true},
	  .after = {12, false},
	  .events = {1, 0, 0, 0, 0, 2},
	  .departure = BATCH_SENT,
	  .departed = 0x1f,
	  .refused = 3},
	 "0000000000000002_0.0.0.0.0_0-0_h7x.c_e1.0.0.0.0.2_t0.0_s0_b0_d1fs3"
	 ".ndjson.gz"},
	{{.seq = 2, .departure = BATCH_REFUSED, .departed = 1},
	 "0000000000000002_0.0.0.0.0_0-0_h0.0_e0.0.0.0.0.0_t0.0_s0_b0_d1r0"
	 ".ndjson.gz"},
	{{.seq = 2, .departure = BATCH_EVICTED, .departed = 1},
	 "0000000000000002_0.0.0.0.0_0-0_h0.0_e0.0.0.0.0.0_t0.0_s0_b0_d1v0"
	 ".ndjson.gz"},
	/* The longest there is. */
	{{.seq = UINT64_MAX,
	  .source = {BATCH_DEV_MAX, UINT64_MAX, POSITION_HEAD, UINT64_MAX},
	  .number = BATCH_NUMBER_MAX,
	  .from = BATCH_OFFSET_MAX,
	  .to = BATCH_OFFSET_MAX,
	  .before = {BATCH_OFFSET_MAX, true},
	  .after = {BATCH_OFFSET_MAX, true},
	  .events = ALL_EVENTS(BATCH_COUNT_MAX),
	  .oldest_s = -BATCH_TIME_MAX,
	  .newest_s = -BATCH_TIME_MAX + BATCH_SPAN_MAX,
	  .sealed_s = -BATCH_TIME_MAX,
	  .bytes = BATCH_BYTES_MAX,
	  .departure = BATCH_EXPIRED,
	  .departed = BATCH_DEPARTED_MAX,
	  .refused = BATCH_COUNT_MAX},
	 "ffffffffffffffff_ffffffffffff.ffffffffffffffff.400"
	 ".ffffffffffffffff.fffffffff_ffffffffffff-ffffffffffff"
	 "_hffffffffffffx.ffffffffffffx"
	 "_e9999999.9999999.9999999.9999999.9999999.9999999"
	 "_t-fffffffff.ffffffff_s-fffffffff_bffffffff"
	 "_dffffffffffffx98967f.ndjson.gz"},
};

static void assert_same(const struct batch *a, const struct batch *b)
{
	ck_assert_uint_eq(a->seq, b->seq);
	ck_assert_uint_eq(a->source.dev, b->source.dev);
	ck_assert_uint_eq(a->source.ino, b->source.ino);
	ck_assert_uint_eq(a->source.head_len, b->source.head_len);
	ck_assert_uint_eq(a->source.head, b->source.head);
	ck_assert_int_eq(a->from, b->from);
	ck_assert_int_eq(a->to, b->to);
	ck_assert_uint_eq(a->number, b->number);
	ck_assert_int_eq(a->before.header_offset, b->before.header_offset);
	ck_assert_int_eq(a->before.skipping, b->before.skipping);
	ck_assert_int_eq(a->after.header_offset, b->after.header_offset);
	ck_assert_int_eq(a->after.skipping, b->after.skipping);
	ck_assert_mem_eq(a->events, b->events, sizeof(a->events));
	ck_assert_int_eq(a->oldest_s, b->oldest_s);
	ck_assert_int_eq(a->newest_s, b->newest_s);
	ck_assert_int_eq(a->sealed_s, b->sealed_s);
	ck_assert_uint_eq(a->bytes, b->bytes);
	ck_assert_int_eq(a->departure, b->departure);
	ck_assert_uint_eq(a->departed, b->departed);
	ck_assert_uint_eq(a->refused, b->refused);
}

START_TEST(batch_name_says_what_it_holds)
{
	char name[BATCH_NAME];

	batch_name(&names[_i].batch, name);
	ck_assert_str_eq(name, names[_i].name);
	ck_assert_uint_le(strlen(name), 255);
}
END_TEST

START_TEST(batch_parse_reads_what_was_written)
{
	struct batch batch;

	ck_assert_int_eq(batch_parse(slice_str(names[_i].name), &batch), 0);
	assert_same(&batch, &names[_i].batch);
}
END_TEST

START_TEST(batch_name_cuts_what_no_batch_can_have)
{
	struct batch batch = {.seq = 1,
			      .source = {.head_len = UINT32_MAX},
			      .after = {-1, false},
			      .events = ALL_EVENTS(UINT32_MAX),
			      .oldest_s = INT64_MIN,
			      .newest_s = INT64_MAX,
			      .sealed_s = INT64_MAX,
			      .bytes = UINT64_MAX};
	char name[BATCH_NAME];

	batch_name(&batch, name);
	ck_assert_int_eq(batch_parse(slice_str(name), &batch), 0);
	ck_assert_uint_eq(batch.source.head_len, POSITION_HEAD);
	ck_assert_uint_eq(batch.events[EVENT_FEEDBACK], BATCH_COUNT_MAX);
	ck_assert_uint_eq(batch_events(&batch), UINT64_C(6) * BATCH_COUNT_MAX);
	ck_assert_int_eq(batch.oldest_s, -BATCH_TIME_MAX);
	ck_assert_int_eq(batch.newest_s, -BATCH_TIME_MAX + BATCH_SPAN_MAX);
	ck_assert_int_eq(batch.sealed_s, BATCH_TIME_MAX);
	ck_assert_uint_eq(batch.bytes, BATCH_BYTES_MAX);
}
END_TEST

START_TEST(batch_names_sort_in_order_of_sealing)
{
	struct batch early = {.seq = 0xff, .to = BATCH_OFFSET_MAX};
	struct batch late = {.seq = 0x100};
	char a[BATCH_NAME], b[BATCH_NAME];

	batch_name(&early, a);
	batch_name(&late, b);
	ck_assert_int_lt(strcmp(a, b), 0);
}
END_TEST

#define GOOD "0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3"

static const char *const strangers[] = {
	"",
	".",
	"accepted.ndjson",
	"rows.csv",
	".ndjson.gz",
	GOOD,
	GOOD ".ndjson",
	GOOD ".ndjson.gz~",
	GOOD ".ndjson.gz.gz",
	" " GOOD ".ndjson.gz",
	GOOD "_d0s0.ndjson.gz",
	GOOD "_d1q0.ndjson.gz",
	GOOD "_d1s.ndjson.gz",
	GOOD "_ds1.ndjson.gz",
	GOOD "_d1s7.ndjson.gz",
	GOOD "_d01s1.ndjson.gz",
	GOOD "_d1s1_d2s1.ndjson.gz",
	GOOD "_d1s10000000.ndjson.gz",
	/* no number, zero, too short, upper case */
	"_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"0000000000000000_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"000000000000000A_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	/* more than one way to write a number */
	"0000000000000002_01.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.01_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t-0.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t+1.0_s2_b3.ndjson."
	"gz",
	/* out of range */
	"0000000000000002_1.2.401.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_6-5_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-1000000000000_h0.0_e1.1.1.1.1.1_t1.0_s2_"
	"b3"
	".ndjson.gz",
	"0000000000000002_1.10000000000000000.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1.0_"
	"s2_b3"
	".ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e10000000.1.1.1.1.1_t1.0_s2_b3"
	".ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1_t1000000000.0_s2_b3"
	".ndjson.gz",
	/* parts missing or too many */
	"0000000000000002_1.2.3.4_5-6_h0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"0000000000000002_1.2.3.4_5-6_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.a_t1.0_s2_b3.ndjson.gz",
	"0000000000000002_1.2.3.4.5_5-6_h0.0_e1.1.1.1.1.1.1_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h0xx.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h-0.0_e1.1.1.1.1.1_t1.0_s2_b3.ndjson."
	"gz",
	"0000000000000002_1.2.3.4.5_5-6_h_e1.1.1.1.1.1_t1.0_s2_b3.ndjson.gz",
};

START_TEST(batch_parse_rejects_a_strangers_name)
{
	struct batch batch = {.seq = 77};

	ck_assert_int_eq(batch_parse(slice_str(strangers[_i]), &batch), -1);
	ck_assert_uint_eq(batch.seq, 77);
}
END_TEST

START_TEST(batch_parse_rejects_every_name_that_is_cut)
{
	struct slice name = slice_str(names[3].name);
	struct batch batch;

	for (size_t len = 0; len < name.len; len++)
		ck_assert_int_eq(batch_parse(slice_of(name.p, len), &batch),
				 -1);
}
END_TEST

Suite *batch_suite(void)
{
	Suite *s = suite_create("batch");
	TCase *tc = tcase_create("batch");

	tcase_add_loop_test(tc, batch_name_says_what_it_holds, 0, NROF(names));
	tcase_add_loop_test(tc, batch_parse_reads_what_was_written, 0,
			    NROF(names));
	tcase_add_test(tc, batch_name_cuts_what_no_batch_can_have);
	tcase_add_test(tc, batch_names_sort_in_order_of_sealing);
	tcase_add_loop_test(tc, batch_parse_rejects_a_strangers_name, 0,
			    NROF(strangers));
	tcase_add_test(tc, batch_parse_rejects_every_name_that_is_cut);
	suite_add_tcase(s, tc);
	return s;
}
