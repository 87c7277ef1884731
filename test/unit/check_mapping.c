/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/mapping.h"

#include "acct/names.h"
#include "unit/check_all.h"

#define ENTRY(ships, account, pool, ip)                                        \
	((struct mapping_entry){.ship = (ships),                               \
				.subaccount = (account),                       \
				.ip_pool = (pool),                             \
				.sending_ip = (ip)})
#define YES(account) ENTRY(MAPPING_SHIP_TRUE, account, NULL, NULL)
#define SET(account) ENTRY(MAPPING_SHIP_UNSET, account, NULL, NULL)
#define NO	     ENTRY(MAPPING_SHIP_FALSE, -1, NULL, NULL)
#define ASK(name)                                                              \
	((struct mapping_entry){.ship = MAPPING_SHIP_FILTER,                   \
				.filter = (name),                              \
				.subaccount = -1})

static struct mapping *map;

static void start(void)
{
	map = mapping_new();
}

static void stop(void)
{
	mapping_free(&map);
	ck_assert_ptr_null(map);
}

static void add(enum mapping_scope scope, const char *name,
		struct mapping_entry entry)
{
	mapping_add(map, scope, name, &entry);
}

static void line(const char *filter, const char *domain,
		 struct mapping_entry entry)
{
	mapping_add_line(map, filter, domain, &entry);
}

static void finish(void)
{
	struct buf why;

	buf_init(&why, 1000);
	ck_assert_msg(mapping_finish(map, &why) == 0, "%s", buf_str(&why));
	buf_release(&why);
}

static struct mapping_answer ask(const char *vmta, const char *pool,
				 const char *domain)
{
	struct mapping_query query = {.vmta = slice_str(vmta),
				      .vmta_pool = slice_str(pool),
				      .from_domain = slice_str(domain)};
	struct mapping_answer answer;

	mapping_lookup(map, &query, &answer);
	return answer;
}

static struct mapping_answer ask_report(const char *domain)
{
	struct mapping_query query = {.from_domain = slice_str(domain),
				      .report = true};
	struct mapping_answer answer;

	mapping_lookup(map, &query, &answer);
	return answer;
}

#define ck_ships(answer, rule)                                                 \
	do {                                                                   \
		struct mapping_answer ck_a = (answer);                         \
		ck_assert_str_eq(ck_a.ship_rule, rule);                        \
		ck_assert(ck_a.ship);                                          \
	} while (0)
#define ck_holds(answer, rule)                                                 \
	do {                                                                   \
		struct mapping_answer ck_a = (answer);                         \
		ck_assert_str_eq(ck_a.ship_rule, rule);                        \
		ck_assert(!ck_a.ship);                                         \
	} while (0)
#define ck_account(answer, number) ck_assert_int_eq((answer).subaccount, number)

START_TEST(mapping_without_entries_ships_everything)
{
	ck_ships(ask("m", "p", "d"), "default");
	finish();
	ck_ships(ask("m", "p", "d"), "default");
	ck_ships(ask("", "", ""), "default");
	ck_ships(ask_report("d"), "default");
	ck_account(ask("m", "p", "d"), -1);
	ck_assert_ptr_null(ask("m", "p", "d").ip_pool_rule);
	ck_assert_uint_eq(ask("m", "p", "d").ip_pool.len, 0);
}
END_TEST

START_TEST(usecase_off)
{
	add(MAPPING_DEFAULT, NULL, NO);
	finish();
	ck_holds(ask("m", "p", "d"), "default");
	ck_holds(ask_report("d"), "default");
}
END_TEST

START_TEST(usecase_everything)
{
	add(MAPPING_DEFAULT, NULL, YES(7));
	finish();
	ck_ships(ask("m", "p", "d"), "default");
	ck_account(ask("m", "p", "d"), 7);
	ck_account(ask_report("d"), 7);
	ck_assert_str_eq(ask("m", "p", "d").subaccount_rule, "default");
}
END_TEST

START_TEST(usecase_one_vmta)
{
	add(MAPPING_DEFAULT, NULL, NO);
	add(MAPPING_VMTA, "mta1", YES(-1));
	finish();
	ck_ships(ask("mta1", "", "d"), "vmta:mta1");
	ck_ships(ask("MTA1", "p", "d"), "vmta:mta1");
	ck_holds(ask("mta2", "", "d"), "default");
	ck_holds(ask("mta12", "", "d"), "default");
	ck_holds(ask("", "", "d"), "default");
	ck_holds(ask_report("d"), "default");
}
END_TEST

START_TEST(usecase_vmtas_with_subaccounts)
{
	add(MAPPING_DEFAULT, NULL, NO);
	add(MAPPING_VMTA, "mta1", YES(101));
	add(MAPPING_VMTA, "mta2", YES(102));
	finish();
	ck_account(ask("mta1", "", "d"), 101);
	ck_account(ask("mta2", "", "d"), 102);
	ck_assert_str_eq(ask("mta2", "", "d").subaccount_rule, "vmta:mta2");
	ck_holds(ask("mta3", "", "d"), "default");
	ck_account(ask("mta3", "", "d"), -1);
}
END_TEST

START_TEST(usecase_pool)
{
	struct mapping_query receipt = {.vmta = SLICE("Pond"),
					.injection = true};
	struct mapping_answer answer;

	add(MAPPING_DEFAULT, NULL, NO);
	add(MAPPING_VMTA_POOL, "pond",
	    ENTRY(MAPPING_SHIP_TRUE, 999, "P", NULL));
	finish();
	ck_ships(ask("mta1", "pond", "d"), "vmta_pool:pond");
	ck_account(ask("mta1", "pond", "d"), 999);
	ck_slice(ask("mta1", "pond", "d").ip_pool, "P");
	ck_holds(ask("mta1", "", "d"), "default");
	/* Only on an r row may the vmta be a pool's name. */
	ck_holds(ask("pond", "", "d"), "default");
	mapping_lookup(map, &receipt, &answer);
	ck_ships(answer, "vmta_pool:pond");
}
END_TEST

START_TEST(usecase_filter_on_a_shared_vmta)
{
	add(MAPPING_DEFAULT, NULL, NO);
	add(MAPPING_VMTA, "shared", ASK("list"));
	line("list", "customer1.com", SET(1));
	line("list", "customer2.com", SET(2));
	finish();
	ck_ships(ask("shared", "", "customer1.com"),
		 "filter:list:customer1.com");
	ck_account(ask("shared", "", "Customer2.COM"), 2);
	ck_assert(ask("shared", "", "customer2.com").filtered);
	ck_holds(ask("shared", "", "customer3.com"), "filter:list");
	ck_holds(ask("shared", "", ""), "filter:list");
	ck_holds(ask("other", "", "customer1.com"), "default");
	ck_assert(!ask("other", "", "customer1.com").filtered);
	/* A report is booked to whom its sender's domain belongs. */
	ck_ships(ask_report("customer2.com"), "filter:list:customer2.com");
	ck_account(ask_report("customer2.com"), 2);
	ck_holds(ask_report("customer3.com"), "default");
}
END_TEST

START_TEST(usecase_filter_with_wildcard_and_exception)
{
	add(MAPPING_DEFAULT, NULL, NO);
	add(MAPPING_VMTA, "shared", ASK("list"));
	line("list", "*.customer1.com", SET(100));
	line("list", "transact.customer1.com", NO);
	finish();
	ck_account(ask("shared", "", "news.customer1.com"), 100);
	ck_ships(ask("shared", "", "a.b.customer1.com"),
		 "filter:list:*.customer1.com");
	ck_holds(ask("shared", "", "transact.customer1.com"),
		 "filter:list:transact.customer1.com");
	ck_holds(ask("shared", "", "customer1.com"), "filter:list");
	ck_holds(ask_report("transact.customer1.com"),
		 "filter:list:transact.customer1.com");
}
END_TEST

START_TEST(usecase_global_filter)
{
	add(MAPPING_DEFAULT, NULL, ASK("all"));
	line("all", "*.a.com", SET(1));
	line("all", "b.com", YES(-1));
	finish();
	ck_account(ask("m", "p", "x.a.com"), 1);
	ck_ships(ask("m", "p", "b.com"), "filter:all:b.com");
	ck_holds(ask("m", "p", "c.com"), "filter:all");
	ck_account(ask_report("x.a.com"), 1);
	ck_holds(ask_report("c.com"), "filter:all");
}
END_TEST

START_TEST(usecase_global_filter_ending_in_no_with_vmtas_off)
{
	add(MAPPING_DEFAULT, NULL, ASK("all"));
	add(MAPPING_VMTA, "internal", NO);
	add(MAPPING_VMTA, "test-*", NO);
	line("all", "*.a.com", SET(1));
	line("all", "*", NO);
	finish();
	ck_ships(ask("m", "", "x.a.com"), "filter:all:*.a.com");
	ck_holds(ask("m", "", "b.com"), "filter:all:*");
	ck_holds(ask("m", "", ""), "filter:all:*");
	ck_holds(ask("internal", "", "x.a.com"), "vmta:internal");
	ck_holds(ask("test-7", "", "x.a.com"), "vmta:test-*");
	ck_ships(ask_report("x.a.com"), "filter:all:*.a.com");
	ck_holds(ask_report("b.com"), "filter:all:*");
}
END_TEST

START_TEST(each_setting_is_inherited_by_itself)
{
	struct mapping_answer answer;

	add(MAPPING_DEFAULT, NULL,
	    ENTRY(MAPPING_SHIP_TRUE, 1, "d", "192.0.2.1"));
	add(MAPPING_VMTA_POOL, "pond", ENTRY(MAPPING_SHIP_UNSET, 2, "p", NULL));
	add(MAPPING_VMTA, "mta1", SET(0));
	add(MAPPING_VMTA, "mta*", NO);
	finish();
	answer = ask("mta1", "pond", "d");
	ck_ships(answer, "default");
	ck_account(answer, 0);
	ck_assert_str_eq(answer.subaccount_rule, "vmta:mta1");
	ck_slice(answer.ip_pool, "p");
	ck_assert_str_eq(answer.ip_pool_rule, "vmta_pool:pond");
	ck_slice(answer.sending_ip, "192.0.2.1");
	ck_assert_str_eq(answer.sending_ip_rule, "default");
	/* One entry of a scope is asked: the exact one, then no pattern. */
	ck_holds(ask("mta2", "pond", "d"), "vmta:mta*");
	ck_account(ask("mta2", "pond", "d"), 2);
}
END_TEST

START_TEST(a_line_of_a_filter_wins_over_what_is_inherited)
{
	add(MAPPING_DEFAULT, NULL, YES(1));
	add(MAPPING_VMTA, "m", ASK("list"));
	line("list", "a.com", SET(0));
	line("list", "b.com", YES(-1));
	finish();
	ck_account(ask("m", "", "a.com"), 0);
	ck_account(ask("m", "", "b.com"), 1);
}
END_TEST

START_TEST(an_r_row_tries_its_vmta_as_a_pool)
{
	struct mapping_query query = {.injection = true};
	struct mapping_answer answer;

	add(MAPPING_VMTA, "both", SET(1));
	add(MAPPING_VMTA_POOL, "both", SET(2));
	add(MAPPING_VMTA_POOL, "pond", SET(3));
	add(MAPPING_VMTA_POOL, "lake", ENTRY(MAPPING_SHIP_UNSET, 4, "l", NULL));
	finish();
	query.vmta = SLICE("both");
	mapping_lookup(map, &query, &answer);
	ck_account(answer, 1);
	query.vmta = SLICE("pond");
	query.vmta_pool = SLICE("lake");
	mapping_lookup(map, &query, &answer);
	ck_account(answer, 3);
	ck_slice(answer.ip_pool, "l");
}
END_TEST

START_TEST(a_report_asks_the_best_line_of_all_filters)
{
	add(MAPPING_DEFAULT, NULL, NO);
	line("one", "*", YES(-1));
	line("one", "*.com", SET(1));
	line("two", "*.a.com", SET(2));
	line("three", "*.a.com", SET(3));
	line("three", "x.a.com", SET(4));
	finish();
	ck_account(ask_report("y.com"), 1);
	ck_account(ask_report("y.a.com"), 2);
	ck_account(ask_report("x.a.com"), 4);
	/* A bare "*" is somebody's catch-all and names no domain. */
	ck_holds(ask_report("y.org"), "default");
}
END_TEST

START_TEST(mapping_finish_names_the_entry_without_a_filter)
{
	struct buf why;

	buf_init(&why, 1000);
	add(MAPPING_VMTA_POOL, "pond", ASK("nolist"));
	mapping_add_filter(map, "list");
	ck_assert_int_eq(mapping_finish(map, &why), -1);
	ck_slice(buf_slice(&why),
		 "vmta_pool:pond: there is no filter \"nolist\"");
	buf_release(&why);
}
END_TEST

START_TEST(a_filter_without_lines_ships_nothing)
{
	add(MAPPING_DEFAULT, NULL, ASK("empty"));
	mapping_add_filter(map, "empty");
	mapping_add_filter(map, "empty");
	finish();
	ck_holds(ask("m", "p", "d"), "filter:empty");
}
END_TEST

static const struct {
	const char *pattern, *name;
	bool want;
} globs[] = {
	{"*", "", true},	   {"*", "x", true},
	{"?", "", false},	   {"?", "x", true},
	{"?", "xy", false},	   {"a*", "A", true},
	{"a*", "ba", false},	   {"*a", "bA", true},
	{"*a", "ab", false},	   {"a*b*c", "aXbYc", true},
	{"a*b*c", "acb", false},   {"*.x", "a.x.x", true},
	{"*.x", ".x", true},	   {"*.x", "x", false},
	{"**", "abc", true},	   {"a?c", "abc", true},
	{"*ab*ab", "abxab", true}, {"*ab*ab", "abxa", false},
	{"a", "a\0b", true},	   {"", "", true},
	{"", "x", false},
};

START_TEST(names_match_is_a_shell_pattern)
{
	ck_assert_int_eq(
		names_match(globs[_i].pattern, slice_str(globs[_i].name)),
		globs[_i].want);
}
END_TEST

START_TEST(names_find_prefers_names_then_the_longest_pattern)
{
	static const char *const all[] = {"a*",	 "abc", "ab*", "*b*", "ABC",
					  "x?z", "x*",	"*x*", "b",   "a"};
	static const struct {
		const char *name, *want;
	} find[] = {{"abc", "abc"}, {"ABD", "ab*"}, {"a", "a"},	  {"ax", "a*"},
		    {"zb", "*b*"},  {"xyz", "x?z"}, {"xx", "x*"}, {"zx", "*x*"},
		    {"b", "b"},	    {"z", NULL},    {"", NULL}};
	struct names names = {0};
	static char values[NROF(all)];

	for (size_t i = 0; i < NROF(all); i++)
		names_add(&names, all[i], &values[i]);
	names_finish(&names);
	for (size_t i = 0; i < NROF(find); i++) {
		const struct names_entry *entry =
			names_find(&names, slice_str(find[i].name));

		ck_assert_int_eq(!entry, !find[i].want);
		if (entry)
			ck_assert_str_eq(entry->name, find[i].want);
	}
	/* "abc" and "ABC" are one name: the first counts. */
	ck_assert_ptr_eq(names_find(&names, SLICE("Abc"))->value, &values[1]);
	ck_assert_str_eq(names_find(&names, SLICE("abc\0"))->name, "ab*");
	names_release(&names);
}
END_TEST

Suite *mapping_suite(void)
{
	Suite *s = suite_create("mapping");
	TCase *tc = tcase_create("mapping");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, mapping_without_entries_ships_everything);
	tcase_add_test(tc, usecase_off);
	tcase_add_test(tc, usecase_everything);
	tcase_add_test(tc, usecase_one_vmta);
	tcase_add_test(tc, usecase_vmtas_with_subaccounts);
	tcase_add_test(tc, usecase_pool);
	tcase_add_test(tc, usecase_filter_on_a_shared_vmta);
	tcase_add_test(tc, usecase_filter_with_wildcard_and_exception);
	tcase_add_test(tc, usecase_global_filter);
	tcase_add_test(tc, usecase_global_filter_ending_in_no_with_vmtas_off);
	tcase_add_test(tc, each_setting_is_inherited_by_itself);
	tcase_add_test(tc, a_line_of_a_filter_wins_over_what_is_inherited);
	tcase_add_test(tc, an_r_row_tries_its_vmta_as_a_pool);
	tcase_add_test(tc, a_report_asks_the_best_line_of_all_filters);
	tcase_add_test(tc, mapping_finish_names_the_entry_without_a_filter);
	tcase_add_test(tc, a_filter_without_lines_ships_nothing);
	tcase_add_loop_test(tc, names_match_is_a_shell_pattern, 0, NROF(globs));
	tcase_add_test(tc, names_find_prefers_names_then_the_longest_pattern);
	suite_add_tcase(s, tc);
	return s;
}
