/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/address.h"

#include "acct/mask.h"
#include "unit/check_all.h"

static const struct {
	const char *text, *want;
} bare[] = {
	{"a@b", "a@b"},	    {"<a@b>", "a@b"}, {" < a@b > ", "a@b"},
	{"<<a@b>>", "a@b"}, {"<>", ""},	      {"", ""},
	{"<a@b", "a@b"},    {"A@B", "A@B"},
};

START_TEST(address_bare_strips_blanks_and_brackets)
{
	ck_slice(address_bare(slice_str(bare[_i].text)), bare[_i].want);
}
END_TEST

START_TEST(address_parts_are_cut_at_the_last_at)
{
	ck_slice(address_domain(SLICE("\"a@b\"@c.d")), "c.d");
	ck_slice(address_local(SLICE("\"a@b\"@c.d")), "\"a@b\"");
	ck_slice(address_domain(SLICE("a")), "");
	ck_slice(address_local(SLICE("a")), "a");
	ck_slice(address_domain(SLICE("a@")), "");
}
END_TEST

static const struct {
	const char *text, *want;
} headers[] = {
	{"a@b.c", "a@b.c"},
	{"  a@b.c  ", "a@b.c"},
	{"Name <a@b.c>", "a@b.c"},
	{"Name<a@b.c>", "a@b.c"},
	{"<a@b.c>", "a@b.c"},
	{"\"Name, Sur\" <a@b.c>", "a@b.c"},
	{"\"x@y, <u@v>\" <a@b.c>", "a@b.c"},
	{"\"say \\\"hi\\\" <u@v>\" <a@b.c>", "a@b.c"},
	{"(u@v) a@b.c", "a@b.c"},
	{"a@b.c (Name (u@v))", "a@b.c"},
	{"Name (u@v) <a@b.c> (w@x)", "a@b.c"},
	{"a@b.c, d@e.f", "a@b.c"},
	{"Name <a@b.c>, Other <d@e.f>", "a@b.c"},
	{"Friends: a@b.c, d@e.f;", "a@b.c"},
	{"Friends: Joe <a@b.c>;", "a@b.c"},
	{"nobody:;, a@b.c", "a@b.c"},
	{"u@v <a@b.c>", "a@b.c"},
	{"=?utf-8?q?J=C3=B6rg?= <a@b.c>", "a@b.c"},
	{"<@r.x,@s.y:a@b.c>", "a@b.c"},
	{"< a@b.c >", "a@b.c"},
	{"a@[192.0.2.1]", "a@[192.0.2.1]"},
	{"a@[IPv6:::1], x@y", "a@[IPv6:::1]"},
	{"\"a b\"@b.c", "\"a b\"@b.c"},
	{"Name\r\n <a@b.c>", "a@b.c"},
	{"a@b\xc3\xbc"
	 "cher.de",
	 "a@b\xc3\xbc"
	 "cher.de"},
	/* broken, and still readable */
	{"\"Name <a@b.c>", "a@b.c"},
	{"(Name <a@b.c>", "a@b.c"},
	{"\"Name a@b.c", "a@b.c"},
	{"<a b@c.d>, x@y", "x@y"},
	{"Name <a@b.c", "a@b.c"},
	{"Name <nobody>, a@b.c", "a@b.c"},
	{"a@b.c>", "a@b.c"},
	/* nothing */
	{"", ""},
	{"Name", ""},
	{"<>", ""},
	{"@b.c", ""},
	{"a@", ""},
	{"[[[[", ""},
	{"\"", ""},
	{"(\\", ""},
};

START_TEST(address_of_header_finds_the_first)
{
	ck_slice(address_of_header(slice_str(headers[_i].text)),
		 headers[_i].want);
}
END_TEST

static const struct {
	const char *text, *want;
} ips[] = {
	{"192.0.2.1", "192.0.2.1"},
	{" 192.0.2.1 ", "192.0.2.1"},
	{"[192.0.2.1]", "192.0.2.1"},
	{"192.0.2.1 (x)", "192.0.2.1"},
	{"192.0.2.1,x", "192.0.2.1"},
	{"host (192.0.2.1)", "192.0.2.1"},
	{"feed (192.0.2.1)", "192.0.2.1"},
	{"de.ad (192.0.2.1)", "192.0.2.1"},
	{"[x] (192.0.2.1)", "192.0.2.1"},
	{"2001:db8::1", "2001:db8::1"},
	{"[IPv6:2001:db8::1]", "2001:db8::1"},
	{"::ffff:192.0.2.1 x", "::ffff:192.0.2.1"},
	{"host", "host"},
	{"", ""},
};

START_TEST(address_ip_reduces_to_the_address)
{
	ck_slice(address_ip(slice_str(ips[_i].text)), ips[_i].want);
}
END_TEST

static const struct {
	const char *text, *whole, *keep;
} masks[] = {
	{"", "", ""},
	{"no address", "no address", "no address"},
	{"x <a@b.c>: y", "x <...@...>: y", "x <...@b.c>: y"},
	{"a@b.c", "...@...", "...@b.c"},
	{"to a@b.c. Or d@e", "to ...@.... Or ...@...", "to ...@b.c. Or ...@e"},
	{"a@b.c,d@e.f", "...@...,...@...", "...@b.c,...@e.f"},
	{"'a@b.c'", "'...@...'", "'...@b.c'"},
	{"u-a=b.c@d.e", "...@...", "...@d.e"},
	{"a+b.c/d@e", "...@...", "...@e"},
	{"\"a b\"@c.d", "...@...", "...@c.d"},
	{"x \"\"a b\"\"@c.d", "x \"...@...", "x \"...@c.d"},
	{"a@[192.0.2.1]", "...@...", "...@[192.0.2.1]"},
	{"\xc3\xbc@b\xc3\xbc.de", "...@...", "...@b\xc3\xbc.de"},
	{"@ a@ @b", "@ a@ @b", "@ a@ @b"},
	{"@a@b", "@...@...", "@...@b"},
	{"a@b@c", "...@...", "...@c"},
	{"a@.b", "...@...", "...@.b"},
	{"a@-.", "a@-.", "a@-."},
	{"...@...", "...@...", "...@..."},
	{"=?@ x", "=?@ x", "=?@ x"},
};

START_TEST(mask_addresses_takes_each_address)
{
	struct buf out;

	buf_init(&out, 1000);
	mask_addresses(slice_str(masks[_i].text), false, &out);
	ck_slice(buf_slice(&out), masks[_i].whole);
	buf_reset(&out);
	mask_addresses(slice_str(masks[_i].text), true, &out);
	ck_slice(buf_slice(&out), masks[_i].keep);
	buf_release(&out);
}
END_TEST

static const struct {
	const char *text;
	const char *as_text, *as_reply, *as_sender;
} recipients[] = {
	/* of john.doe@dest.example */
	{"", "", "", ""},
	{"hello", "hello", "hello", "hello"},
	{"for john.doe@dest.example!", "for ...@dest.example!",
	 "for ...@dest.example!", "...@dest.example!"},
	{"JOHN.DOE@Dest.Example", "...@Dest.Example", "...@Dest.Example",
	 "...@Dest.Example"},
	{"x-john.doe=dest.example@b.c", "x-...=dest.example@b.c", "...@b.c",
	 "...@b.c"},
	{"john.doe=dest.example", "...=dest.example", "...=dest.example",
	 "..."},
	{"john.doe%40dest.example", "...%40dest.example", "...%40dest.example",
	 "..."},
	{"xjohn.doe@dest.examples", "x...@dest.examples", "...@dest.examples",
	 "...@dest.examples"},
	{"User John.Doe unknown", "User John.Doe unknown", "User ... unknown",
	 "..."},
	{"(john.doe)", "(john.doe)", "(...)", "..."},
	{"john.doe2 johnjohn.doe", "john.doe2 johnjohn.doe",
	 "john.doe2 johnjohn.doe", "..."},
	{"mary@dest.example", "mary@dest.example", "...@dest.example",
	 "mary@dest.example"},
	{"a=b@c", "a=b@c", "...@c", "...@c"},
	{"b-john.doe@c", "b-john.doe@c", "...@c", "...@c"},
	{"x@john.doe=dest.example", "x@...=dest.example",
	 "...@...=dest.example", "x@...=dest.example"},
};

START_TEST(mask_hides_a_recipient)
{
	struct buf out, spare;
	struct mask mask = {SLICE("john.doe"), SLICE("dest.example"), &spare};
	struct slice text = slice_str(recipients[_i].text);

	buf_init(&out, 1000);
	buf_init(&spare, 1000);
	buf_add_str(&out, ">");
	mask_text(&mask, text, &out);
	ck_slice(slice_skip(buf_slice(&out), 1), recipients[_i].as_text);
	buf_truncate(&out, 1);
	mask_reply(&mask, text, &out);
	ck_slice(slice_skip(buf_slice(&out), 1), recipients[_i].as_reply);
	buf_truncate(&out, 1);
	mask_sender(&mask, text, &out);
	ck_slice(slice_skip(buf_slice(&out), 1), recipients[_i].as_sender);
	buf_release(&out);
	buf_release(&spare);
}
END_TEST

/* "." is a local part that the mask itself brings back. */
START_TEST(mask_text_gives_up_the_text_rather_than_the_address)
{
	struct buf out, spare;
	struct mask mask = {SLICE("."), SLICE("d"), &spare};

	buf_init(&out, 1000);
	buf_init(&spare, 1000);
	mask_text(&mask, SLICE("x .@d y"), &out);
	ck_slice(buf_slice(&out), "...");
	buf_release(&out);
	buf_release(&spare);
}
END_TEST

static const struct {
	const char *text, *want;
} rows[] = {
	{"d,a@b.c,x", "d,...@b.c,x"},
	{"d,u=b.c,=y", "d,...=b.c,=y"},
	{"d,u%40b.c,x=y", "d,...%40b.c,...=y"},
	{"d,\"a\"\"b@c.d", "d,\"a\"\"...@c.d"},
	{"d,v-u=b.c@d.e,z", "d,...@d.e,z"},
	{"a=b=c.d", "......=c.d"},
};

START_TEST(mask_row_hides_everybody)
{
	struct buf out, spare;

	buf_init(&out, 1000);
	buf_init(&spare, 1000);
	mask_row(slice_str(rows[_i].text), &spare, &out);
	ck_slice(buf_slice(&out), rows[_i].want);
	buf_release(&out);
	buf_release(&spare);
}
END_TEST

static const char *const hostile[] = {
	"@",   "a@", "a@.", "\"@",   "a=", "[",	 "<",  "(",	"\"",
	"a@b", "=",  "a@[", "x=y.z", "'",  "<@", "@a", "a@b,c;"};

START_TEST(addresses_stay_linear_on_hostile_text)
{
	enum { SIZE = 1 << 20 };
	struct slice unit = slice_str(hostile[_i]);
	struct buf text, out, spare;
	struct mask mask = {SLICE("aaaa"), SLICE("dest.example"), &spare};

	buf_init(&text, SIZE + 16);
	buf_init(&out, 8 * SIZE);
	buf_init(&spare, 8 * SIZE);
	while (text.len < SIZE)
		buf_add_slice(&text, unit);
	address_of_header(buf_slice(&text));
	address_ip(buf_slice(&text));
	mask_addresses(buf_slice(&text), false, &out);
	buf_reset(&out);
	mask_reply(&mask, buf_slice(&text), &out);
	buf_reset(&out);
	text.len = 64 << 10;
	mask_row(buf_slice(&text), &spare, &out);
	buf_release(&text);
	buf_release(&out);
	buf_release(&spare);
}
END_TEST

Suite *address_suite(void)
{
	Suite *s = suite_create("address");
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(tc, address_bare_strips_blanks_and_brackets, 0,
			    NROF(bare));
	tcase_add_test(tc, address_parts_are_cut_at_the_last_at);
	tcase_add_loop_test(tc, address_of_header_finds_the_first, 0,
			    NROF(headers));
	tcase_add_loop_test(tc, address_ip_reduces_to_the_address, 0,
			    NROF(ips));
	tcase_add_loop_test(tc, mask_addresses_takes_each_address, 0,
			    NROF(masks));
	tcase_add_loop_test(tc, mask_hides_a_recipient, 0, NROF(recipients));
	tcase_add_test(tc, mask_text_gives_up_the_text_rather_than_the_address);
	tcase_add_loop_test(tc, mask_row_hides_everybody, 0, NROF(rows));
	tcase_add_loop_test(tc, addresses_stay_linear_on_hostile_text, 0,
			    NROF(hostile));
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
