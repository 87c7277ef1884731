/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/commands.h"

#include "unit/check_all.h"

/* The interface: what is there keeps its name. */
static const char *const names[] = {
	"run",	       "once",	   "check",	  "status",  "convert",
	"explain",     "backfill", "pipe",	  "batches", "refused",
	"import-pmta", "doctor",   "safe-job-id", "help",    "version"};

START_TEST(command_has_its_name_and_a_line_of_help)
{
	const struct command *command = commands_find(names[_i]);

	ck_assert_ptr_nonnull(command);
	ck_assert_str_eq(command->name, names[_i]);
	ck_assert_ptr_eq(command, commands_get((size_t)_i));
	ck_assert_uint_gt(strlen(command->help), 0);
	/* "  name         help (not yet in this version)" fits a terminal. */
	ck_assert_uint_lt(strlen(command->help), 80 - 15 - 26);
}
END_TEST

START_TEST(there_are_no_other_commands)
{
	ck_assert_ptr_null(commands_get(NROF(names)));
	ck_assert_ptr_null(commands_find(""));
	ck_assert_ptr_null(commands_find("Run"));
	ck_assert_ptr_null(commands_find("chec"));
}
END_TEST

static const struct {
	const char *word, *name;
} slips[] = {
	{"chek", "check"},
	{"stauts", "status"},
	{"cnovert", "convert"},
	{"CHECK", "check"},
	{"onec", "once"},
	{"import_pmta", "import-pmta"},
	{"start", NULL},
	{"", NULL},
	{"x", NULL},
};

START_TEST(slip_of_the_finger_is_recognised)
{
	const char *near = commands_nearest(slips[_i].word);

	if (slips[_i].name)
		ck_assert_pstr_eq(near, slips[_i].name);
	else
		ck_assert_ptr_null(near);
}
END_TEST

Suite *commands_suite(void)
{
	Suite *s = suite_create("commands");
	TCase *tc = tcase_create("commands");

	tcase_add_loop_test(tc, command_has_its_name_and_a_line_of_help, 0,
			    NROF(names));
	tcase_add_test(tc, there_are_no_other_commands);
	tcase_add_loop_test(tc, slip_of_the_finger_is_recognised, 0,
			    NROF(slips));
	suite_add_tcase(s, tc);
	return s;
}
