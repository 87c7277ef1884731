/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/position.h"

#include "base/mem.h"
#include "unit/check_all.h"

static const struct {
	enum position_state state;
	const char *name;
} states[] = {{POSITION_FOLLOWING, "following"},
	      {POSITION_WAITING, "waiting"},
	      {POSITION_FINISHED, "finished"},
	      {POSITION_GONE, "gone"},
	      {POSITION_SET_ASIDE, "set-aside"}};

START_TEST(position_state_has_a_name_that_is_read_back)
{
	enum position_state state = POSITION_FOLLOWING;

	ck_assert_str_eq(position_state_name(states[_i].state),
			 states[_i].name);
	ck_assert_int_eq(
		position_state_parse(slice_str(states[_i].name), &state), 0);
	ck_assert_int_eq(state, states[_i].state);
}
END_TEST

START_TEST(position_state_of_an_unknown_name_is_refused)
{
	enum position_state state = POSITION_GONE;

	ck_assert_int_eq(position_state_parse(SLICE("lost"), &state), -1);
	ck_assert_int_eq(position_state_parse(SLICE(""), &state), -1);
	ck_assert_int_eq(position_state_parse(SLICE("gon"), &state), -1);
	ck_assert_int_eq(state, POSITION_GONE);
}
END_TEST

static void fill(struct position *p)
{
	position_init(p);
	p->path = mem_str("/var/log/pmta/acct.csv");
	p->id = (struct position_id){1, 2, 3, 4};
	p->offset = 100;
	p->tail_len = 10;
	p->tail = 77;
	p->state = POSITION_WAITING;
	p->size = 200;
	p->last_read_s = 1700000000;
	p->pmta_rows = 6;
	buf_add_str(&p->file.header, "type,rcpt");
	p->file.header_offset = 0;
	p->file.skipping = true;
	p->account.rows = 5;
	tally_add(&p->account.not_shipped, SLICE("vmta:x"), 5);
}

START_TEST(position_copy_shares_nothing_with_its_source)
{
	struct position a, b;

	fill(&a);
	position_init(&b);
	b.path = mem_str("old");
	tally_add(&b.account.not_shipped, SLICE("old"), 1);
	position_copy(&b, &a);
	position_copy(&b, &b);
	position_release(&a);
	ck_assert_ptr_null(a.path);
	ck_assert_int_eq(a.file.header_offset, -1);
	ck_assert_str_eq(b.path, "/var/log/pmta/acct.csv");
	ck_assert_uint_eq(b.id.dev, 1);
	ck_assert_uint_eq(b.id.head, 4);
	ck_assert_int_eq(b.offset, 100);
	ck_assert_uint_eq(b.tail_len, 10);
	ck_assert_uint_eq(b.tail, 77);
	ck_assert_int_eq(b.state, POSITION_WAITING);
	ck_assert_int_eq(b.size, 200);
	ck_assert_int_eq(b.last_read_s, 1700000000);
	ck_assert_int_eq(b.pmta_rows, 6);
	ck_slice(buf_slice(&b.file.header), "type,rcpt");
	ck_assert_int_eq(b.file.header_offset, 0);
	ck_assert(b.file.skipping);
	ck_assert_uint_eq(b.account.rows, 5);
	ck_assert_uint_eq(tally_sum(&b.account.not_shipped), 5);
	ck_assert_uint_eq(tally_get(&b.account.not_shipped, SLICE("vmta:x")),
			  5);
	position_release(&b);
}
END_TEST

Suite *position_suite(void)
{
	Suite *s = suite_create("position");
	TCase *tc = tcase_create("position");

	tcase_add_loop_test(tc, position_state_has_a_name_that_is_read_back, 0,
			    NROF(states));
	tcase_add_test(tc, position_state_of_an_unknown_name_is_refused);
	tcase_add_test(tc, position_copy_shares_nothing_with_its_source);
	suite_add_tcase(s, tc);
	return s;
}
