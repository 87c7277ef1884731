/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/config.h"
#include "unit/check_all.h"

/* The section "mapping": its mistakes, and what arrives in struct mapping. */

#define NO_SHIP "; write true, false or a name from mapping.filters\n"

static const struct {
	const char *text, *errors;
} faults[] = {
	{"mapping:\n  filtres: {}\n", "f:2:3: unknown key \"filtres\" in "
				      "mapping; did you mean \"filters\"?\n"},
	{"mapping: {vmtas: {}}\n", "f:1:11: unknown key \"vmtas\" in mapping; "
				   "did you mean \"vmta\"?\n"},
	{"mapping: {pool: {}}\n", "f:1:11: unknown key \"pool\" in mapping; "
				  "valid keys: default, vmta, vmta_pool, "
				  "filters\n"},
	{"mapping: []\n", "f:1:10: mapping: must hold keys and values; write "
			  "each as \"key: value\" on a line of its own, "
			  "indented\n"},
	{"mapping: {vmta: mta1}\n",
	 "f:1:17: mapping.vmta: must hold keys and values; write each as "
	 "\"key: value\" on a line of its own, indented\n"},
	{"mapping: {vmta: {mta1: true}}\n",
	 "f:1:24: mapping.vmta.mta1: must hold keys and values; write each as "
	 "\"key: value\" on a line of its own, indented\n"},
	{"mapping: {default: {subacount: 1}}\n",
	 "f:1:21: unknown key \"subacount\" in mapping.default; did you mean "
	 "\"subaccount\"?\n"},
	{"mapping: {vmta: {m: {zzz: 1}}}\n",
	 "f:1:22: unknown key \"zzz\" in mapping.vmta.m; valid keys: ship, "
	 "subaccount, ip_pool, sending_ip\n"},
	{"mapping:\n  vmta:\n    mta1: {ship: ListOn}\n  filters:\n"
	 "    ListOne: {}\n",
	 "f:3:18: mapping.vmta.mta1.ship: no filter is called \"ListOn\"; did "
	 "you mean \"ListOne\"?\n"},
	{"mapping: {vmta: {mta1: {ship: Unheard}}}\n",
	 "f:1:31: mapping.vmta.mta1.ship: no filter is called "
	 "\"Unheard\"" NO_SHIP},
	{"mapping: {vmta: {mta1: {ship: ture}}}\n",
	 "f:1:31: mapping.vmta.mta1.ship: no filter is called \"ture\"; did "
	 "you mean \"true\"?\n"},
	{"mapping: {vmta_pool: {p: {ship: }}}\n",
	 "f:1:27: mapping.vmta_pool.p.ship: has no value; write one, or remove "
	 "the key\n"},
	{"mapping: {default: {ship: X}}\n",
	 "f:1:27: mapping.default.ship: no filter is called \"X\"" NO_SHIP},
	/* Filters that cannot be read are one mistake, not two. */
	{"mapping: {default: {ship: X}, filters: [X]}\n",
	 "f:1:40: mapping.filters: must hold keys and values; write each as "
	 "\"key: value\" on a line of its own, indented\n"},
	{"mapping: {default: {subaccount: -1}}\n",
	 "f:1:33: mapping.default.subaccount: \"-1\" is not a subaccount; "
	 "write a number from 0 to 2147483647\n"},
	{"mapping: {default: {subaccount: 2147483648}}\n",
	 "f:1:33: mapping.default.subaccount: \"2147483648\" is not a "
	 "subaccount; write a number from 0 to 2147483647\n"},
	{"mapping: {default: {sending_ip: 1.2.3}}\n",
	 "f:1:33: mapping.default.sending_ip: \"1.2.3\" is not an IP address; "
	 "write one such as 192.0.2.10 or 2001:db8::10\n"},
	{"mapping: {default: {ip_pool: [a]}}\n",
	 "f:1:30: mapping.default.ip_pool: must be a single value, not a "
	 "list\n"},
	{"mapping: {filters: {L: {a.example: {ip_pool: x}}}}\n",
	 "f:1:37: unknown key \"ip_pool\" in mapping.filters.L.a.example; "
	 "valid keys: ship, subaccount\n"},
	{"mapping: {filters: {L: {a.example: {ship: L}}}}\n",
	 "f:1:43: mapping.filters.L.a.example.ship: \"L\" is neither true nor "
	 "false; a line of a filter can name no other filter\n"},
	{"mapping: {filters: {L: {a.example: false}}}\n",
	 "f:1:36: mapping.filters.L.a.example: must hold keys and values; "
	 "write each as \"key: value\" on a line of its own, indented\n"},
	{"mapping: {filters: {on: {}}}\n",
	 "f:1:21: mapping.filters: a filter cannot be called \"on\", which is "
	 "true; rename it\n"},
	{"mapping:\n  vmta:\n    mta1: {}\n    MTA1: {}\n",
	 "f:4:5: \"MTA1\" is the same name as the one on line 3 but for letter "
	 "case; keep one\n"},
	{"mapping:\n  vmta:\n    mta1: {}\n    mta1: {}\n",
	 "f:4:5: key \"mta1\" stands on line 3 already; keep one\n"},
	{"mapping:\n  filters:\n    a: {x: {}, X: {}}\n    A: {}\n",
	 "f:3:16: \"X\" is the same name as the one on line 3 but for letter "
	 "case; keep one\n"
	 "f:4:5: \"A\" is the same name as the one on line 3 but for letter "
	 "case; keep one\n"},
	{"mapping: {vmta: {'': {}}}\n",
	 "f:1:18: mapping.vmta: a name is empty; write it before the colon\n"},
	{"mapping: {vmta: {\"a\\0b\": {}}}\n",
	 "f:1:18: mapping.vmta: a name holds a control character; remove it\n"},
	{"mapping:\n  filters:\n    x:\n      *.example.com: {}\n",
	 "f:4:8: a name that begins with * must stand in quotes: "
	 "\"*.example.com\"\n"},
};

START_TEST(mapping_mistake_is_named_with_its_place)
{
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config = config_parse("f", slice_str(faults[_i].text),
			      CONFIG_FOR_READING, &errors);
	ck_slice(buf_slice(&errors), faults[_i].errors);
	ck_assert_ptr_null(config);
	config_free(&config);
	buf_release(&errors);
}
END_TEST

static const char example[] =
	"mapping:\n"
	"  vmta_pool:\n"
	"    pond:     { subaccount: 999, ip_pool: Pond }\n"
	"  vmta:\n"
	"    mta1:     { ip_pool: transactional, subaccount: 12,\n"
	"                sending_ip: 192.0.2.10 }\n"
	"    \"promo-*\": { ship: listone }\n"
	"    quiet:    { ship: off }\n"
	"    plain:\n"
	"    six:      { sending_ip: \"2001:db8::10\" }\n"
	"    none:     { ship: Nothing }\n"
	"  default:    { ship: yes, subaccount: 0 }\n"
	"  filters:\n"
	"    ListOne:\n"
	"      \"*.customer1.example\":      { subaccount: 100 }\n"
	"      transact.customer1.example: { ship: false }\n"
	"      bare.example:\n"
	"    Nothing:\n"
	"    Empty: {}\n";

static const struct {
	const char *vmta, *pool, *domain;
	bool ship;
	int64_t subaccount;
	const char *ip_pool, *sending_ip;
} answers[] = {
	{"mta1", "", "", true, 12, "transactional", "192.0.2.10"},
	{"MTA1", "pond", "", true, 12, "transactional", "192.0.2.10"},
	{"other", "pond", "", true, 999, "Pond", ""},
	{"other", "", "", true, 0, "", ""},
	{"plain", "", "", true, 0, "", ""},
	{"quiet", "pond", "", false, 999, "Pond", ""},
	{"six", "", "", true, 0, "", "2001:db8::10"},
	{"none", "", "a.customer1.example", false, 0, "", ""},
	{"promo-7", "", "a.customer1.example", true, 100, "", ""},
	{"promo-7", "", "transact.customer1.example", false, 0, "", ""},
	{"promo-7", "", "bare.example", true, 0, "", ""},
	{"promo-7", "", "elsewhere.example", false, 0, "", ""},
};

START_TEST(mapping_arrives)
{
	struct mapping_query query = {.vmta = slice_str(answers[_i].vmta),
				      .vmta_pool = slice_str(answers[_i].pool),
				      .from_domain =
					      slice_str(answers[_i].domain)};
	struct mapping_answer answer;
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config = config_parse("f", slice_str(example), CONFIG_FOR_READING,
			      &errors);
	ck_slice(buf_slice(&errors), "");
	mapping_lookup(config->events.mapping, &query, &answer);
	ck_assert_int_eq(answer.ship, answers[_i].ship);
	ck_assert_int_eq(answer.subaccount, answers[_i].subaccount);
	ck_slice(answer.ip_pool, answers[_i].ip_pool);
	ck_slice(answer.sending_ip, answers[_i].sending_ip);
	config_free(&config);
	buf_release(&errors);
}
END_TEST

START_TEST(without_a_mapping_everything_is_shipped)
{
	struct mapping_query query = {.vmta = SLICE("any")};
	struct mapping_answer answer;
	struct config *config = config_default();

	mapping_lookup(config->events.mapping, &query, &answer);
	ck_assert(answer.ship);
	ck_assert_int_eq(answer.subaccount, -1);
	config_free(&config);
}
END_TEST

Suite *config_mapping_suite(void)
{
	Suite *s = suite_create("config_mapping");
	TCase *tc = tcase_create("config_mapping");

	tcase_add_loop_test(tc, mapping_mistake_is_named_with_its_place, 0,
			    NROF(faults));
	tcase_add_loop_test(tc, mapping_arrives, 0, NROF(answers));
	tcase_add_test(tc, without_a_mapping_everything_is_shipped);
	suite_add_tcase(s, tc);
	return s;
}
