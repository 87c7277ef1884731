/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <strings.h>

#include "base/json_read.h"
#include "unit/check_all.h"
#include "unit/shaping.h"

/* events.privacy: sha1 as a whole; check_address has parts. */

#define HEAD "type,timeLogged,timeQueued,orig,rcpt\n"

static struct shaping run;

static void start(void)
{
	shaping_init(&run);
}

static void stop(void)
{
	shaping_release(&run);
}

/* Does "text" hold the address with any separator, in any letter case? */
static bool shows(struct slice text, const char *local, const char *domain)
{
	static const char *const between[] = {"@", "=", "%40"};

	for (size_t i = 0; i < NROF(between); i++) {
		char address[200];
		size_t n = (size_t)snprintf(address, sizeof(address), "%s%s%s",
					    local, between[i], domain);

		for (size_t at = 0; at + n <= text.len; at++) {
			if (strncasecmp(text.p + at, address, n) == 0)
				return true;
		}
	}
	return false;
}

static struct recipient {
	const char *local, *domain;
} recipients[] = {
	{"john.doe", "dest.example"},
	{"j", "d.e"},
	{"..", "d.e"},
	{"a+b", "x.y"},
	{"o'neil", "x.y"},
	{"a=b", "x.y"},
	{"x/y", "z"},
	{"...", "d.e"},
	{"550", "smtp.example"},
};

static int next(unsigned int *seed, int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (int)(*seed >> 16) % n;
}

/* A text that is likely to give the recipient away. */
static void leaky(unsigned int *seed, const struct recipient *r,
		  struct buf *out)
{
	static const char *const glue[] = {
		"",	" ",   "<",	    ">",    "-",    "+",  ".",
		"@x.y", "=",   "smtp;550 ", "''",   "\"\"", "\n", "=?utf-8?q?",
		"?=",	"%40", "@",	    "\xff", "(",    "[",  ":"};
	int pieces = next(seed, 6);

	for (int i = 0; i < pieces; i++) {
		char address[200];

		snprintf(address, sizeof(address), "%s%s%s", r->local,
			 glue[14 + next(seed, 3)], r->domain);
		for (char *p = address; *p && next(seed, 3) == 0; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
		buf_add_str(out, glue[next(seed, NROF(glue))]);
		if (next(seed, 4))
			buf_add_str(out, next(seed, 3) ? address : r->local);
		buf_add_str(out, glue[next(seed, NROF(glue))]);
	}
}

static void leaky_row(unsigned int *seed, const struct recipient *r,
		      struct buf *out)
{
	static const char *const types[] = {"d",  "b", "t", "r",
					    "rb", "f", "x", "tq"};

	buf_add_str(out, types[next(seed, NROF(types))]);
	buf_addf(out, ",%s,,\"%s@%s\"", next(seed, 8) ? "1714557600" : "",
		 r->local, r->domain);
	for (int i = 0; i < 14; i++) {
		buf_add_str(out, ",\"");
		leaky(seed, r, out);
		buf_add_str(out, next(seed, 30) ? "\"" : "\"x");
	}
	buf_add_str(out, "\n");
}

/* Strings as the service will read them: escapes undone. */
static int see(void *ctx, struct slice path, enum json_event event,
	       struct slice text)
{
	(void)path;
	if (event == JSON_STRING) {
		buf_add_slice(ctx, text);
		buf_add_char(ctx, '\n');
	}
	return 0;
}

START_TEST(with_privacy_a_recipient_is_nowhere)
{
	const struct recipient *r = &recipients[_i % (int)NROF(recipients)];
	unsigned int seed = (unsigned int)_i * 7919 + 1;
	struct buf text, seen;
	struct slice json;

	buf_init(&text, 1 << 20);
	buf_init(&seen, 1 << 22);
	buf_add_str(&text,
		    "type,timeLogged,timeQueued,rcpt,orig,dsnDiag,dsnStatus,"
		    "jobId,header_From,header_Sender,header_Subject,vmta,"
		    "vmtaPool,header_x-sp-message-id,userAgent,reportingMta,"
		    "feedbackType,dlvSourceIp\n");
	for (int i = 0; i < 40; i++)
		leaky_row(&seed, r, &text);
	run.settings.privacy_sha1 = true;
	shaping_run(&run, buf_slice(&text), 0);
	json = buf_slice(&run.json);
	while (json.len) {
		size_t end = slice_find(json, '\n');

		ck_assert_int_eq(json_read(slice_of(json.p, end), see, &seen),
				 0);
		json = slice_skip(json, end + 1);
	}
	ck_assert_uint_gt(seen.len, 1000);
	ck_assert(!shows(buf_slice(&seen), r->local, r->domain));
	/* A local part of dots is what the mask itself is made of. */
	if (r->local[0] != '.')
		ck_assert(
			!shows(buf_slice(&run.malformed), r->local, r->domain));
	ck_assert(!shows(buf_slice(&run.notes), r->local, r->domain));
	buf_release(&text);
	buf_release(&seen);
}
END_TEST

START_TEST(a_hash_is_that_of_the_lower_cased_address)
{
	run.settings.privacy_sha1 = true;
	shaping_text(&run, HEAD "d,1,,o@x,<U@Y.Z>\n");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_hash"),
			 "EXjcvjj/tHlvp508xIwxoo3gBlk=");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_domain"), "y.z");
	ck_assert_str_eq(shaping_value(&run, 0, "rcpt_to"), "(none)");
	ck_assert_str_eq(shaping_value(&run, 0, "raw_rcpt_to"), "(none)");
	ck_assert_str_eq(shaping_value(&run, 0, "routing_domain"), "y.z");
}
END_TEST

START_TEST(an_id_with_the_address_becomes_a_digest)
{
	run.settings.privacy_sha1 = true;
	shaping_text(&run, "type,timeLogged,rcpt,header_x-sp-message-id\n"
			   "d,1,u@y.z,x-U@y.z\nt,2,u@y.z,x-U@y.z\n");
	ck_assert_uint_eq(strlen(shaping_value(&run, 0, "message_id")), 20);
	ck_assert_str_eq(shaping_value(&run, 0, "custom_message_id"), "(none)");
	ck_assert_uint_eq(run.account.events[EVENT_RECEPTION], 1);
}
END_TEST

Suite *privacy_suite(void)
{
	Suite *s = suite_create("privacy");
	TCase *tc = tcase_create("privacy");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_loop_test(tc, with_privacy_a_recipient_is_nowhere, 0, 90);
	tcase_add_test(tc, a_hash_is_that_of_the_lower_cased_address);
	tcase_add_test(tc, an_id_with_the_address_becomes_a_digest);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
