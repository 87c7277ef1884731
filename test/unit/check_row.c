/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/row.h"

#include "acct/kind.h"
#include "unit/check_all.h"

/* "a|b|c" as fields. */
static size_t cut(const char *text, struct slice *fields, size_t max)
{
	struct slice rest = slice_str(text);
	size_t n = 0;

	do {
		bool last = slice_find(rest, '|') == rest.len;

		ck_assert_uint_lt(n, max);
		fields[n++] = slice_cut(rest, '|', &rest);
		if (last)
			return n;
	} while (true);
}

static char extra_id[] = "header_x-id", extra_vmta[] = "vmta";
static char *extra[] = {extra_id, extra_vmta};

static const struct {
	const char *header, *row;
	size_t column;
	const char *want;
} cases[] = {
	{"type|rcpt|vmta", "d|a@b|m1", ROW_RCPT, "a@b"},
	{"type|rcpt|vmta", "d|a@b|m1", ROW_VMTA, "m1"},
	{"type|rcpt|vmta", "d|a@b|m1", ROW_COLUMNS + 1, "m1"},
	{"type|rcpt|vmta", "d|a@b|m1", ROW_ORIG, ""},
	/* in any order and case, blanks around a name do not count */
	{"vmta|type|RCPT", "m1|d|a@b", ROW_RCPT, "a@b"},
	{"type|HEADER_from", "d|x", ROW_FROM, "x"},
	{"type|Header_X-ID", "d|x", ROW_COLUMNS, "x"},
	{"type| rcpt ", "d|a@b", ROW_RCPT, "a@b"},
	/* of a name that stands twice the first that is not empty */
	{"type|rcpt|rcpt", "d|a|b", ROW_RCPT, "a"},
	{"type|rcpt|rcpt", "d||b", ROW_RCPT, "b"},
	{"type|rcpt|x|Rcpt|RCPT", "d||y||c", ROW_RCPT, "c"},
	{"type|rcpt|rcpt", "d||", ROW_RCPT, ""},
	{"type|header_Subject|header_subject", "d||s", ROW_SUBJECT, "s"},
	/* short and long rows */
	{"type|orig|rcpt", "d|o", ROW_RCPT, ""},
	{"type|rcpt|rcpt", "d|", ROW_RCPT, ""},
	{"type|rcpt", "d|a|b|c", ROW_RCPT, "a"},
};

START_TEST(row_get_finds_the_column)
{
	struct slice names[16], fields[16];
	struct row_header header;
	struct row row = {.header = &header, .fields = fields};

	row_header_init(&header, extra, NROF(extra));
	ck_assert(!row_header_has(&header, ROW_RCPT));
	row_header_read(&header, names, cut("type|rcpt|orig|x", names, 16));
	row_header_read(&header, names, cut(cases[_i].header, names, 16));
	row.count = cut(cases[_i].row, fields, 16);
	ck_slice(row_get(&row, cases[_i].column), cases[_i].want);
	row_header_release(&header);
}
END_TEST

START_TEST(row_header_has_what_stands_in_it)
{
	struct slice names[16];
	struct row_header header;

	row_header_init(&header, NULL, 0);
	row_header_read(&header, names, cut("type|RCVSOURCEIP", names, 16));
	ck_assert(row_header_has(&header, ROW_RCV_SOURCE_IP));
	ck_assert(!row_header_has(&header, ROW_RCV_DESTINATION_IP));
	ck_assert_str_eq(row_origin(ROW_MESSAGE_ID),
			 "column header_Message-Id");
	for (int i = 0; i < ROW_COLUMNS; i++)
		ck_assert_ptr_nonnull(row_origin(i));
	row_header_release(&header);
}
END_TEST

static const struct {
	const char *code;
	enum kind want;
} codes[] = {
	{"d", KIND_DELIVERY},
	{"D", KIND_DELIVERY},
	{"delivery", KIND_DELIVERY},
	{"b", KIND_BOUNCE},
	{"bounce", KIND_BOUNCE},
	{"t", KIND_TRANSIENT},
	{"transient", KIND_TRANSIENT},
	{"r", KIND_RECEIPT},
	{"receipt", KIND_RECEIPT},
	{"received", KIND_RECEIPT},
	{"rb", KIND_REMOTE_BOUNCE},
	{"Remote-Bounce", KIND_REMOTE_BOUNCE},
	{"rs", KIND_REMOTE_STATUS},
	{"remote-status", KIND_REMOTE_STATUS},
	{"tq", KIND_TRANSIENT_QUEUE},
	{"transient-queue", KIND_TRANSIENT_QUEUE},
	{"f", KIND_FEEDBACK},
	{"feedback-loop", KIND_FEEDBACK},
	{"type", KIND_HEADER},
	{"Type", KIND_UNKNOWN},
	{"", KIND_UNKNOWN},
	{"x", KIND_UNKNOWN},
	{"dd", KIND_UNKNOWN},
	{"d ", KIND_UNKNOWN},
	{"feedback", KIND_UNKNOWN},
};

START_TEST(kind_of_knows_codes_and_long_forms)
{
	ck_assert_int_eq(kind_of(slice_str(codes[_i].code)), codes[_i].want);
}
END_TEST

START_TEST(kind_begins_wants_a_code_and_a_comma)
{
	ck_assert(kind_begins(SLICE("d,")));
	ck_assert(kind_begins(SLICE("transient-queue,x")));
	ck_assert(kind_begins(SLICE("type,timeLogged")));
	ck_assert(!kind_begins(SLICE("d")));
	ck_assert(!kind_begins(SLICE("d\n,")));
	ck_assert(!kind_begins(SLICE("\"d\",")));
	ck_assert(!kind_begins(SLICE("")));
	ck_assert(!kind_begins(SLICE("x,")));
}
END_TEST

Suite *row_suite(void)
{
	Suite *s = suite_create("row");
	TCase *tc = tcase_create("row");

	tcase_add_loop_test(tc, row_get_finds_the_column, 0, NROF(cases));
	tcase_add_test(tc, row_header_has_what_stands_in_it);
	tcase_add_loop_test(tc, kind_of_knows_codes_and_long_forms, 0,
			    NROF(codes));
	tcase_add_test(tc, kind_begins_wants_a_code_and_a_comma);
	suite_add_tcase(s, tc);
	return s;
}
