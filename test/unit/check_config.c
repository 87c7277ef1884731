/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/config.h"

#include "unit/check_all.h"

/* What the configuration says about each mistake, and where. */

#define SHIPPING "sources: [{path: /x}]\n"

static const struct {
	const char *text, *errors; /* "" = none */
} mistakes[] = {
	/* Nothing to do, and nothing wrong. */
	{"", ""},
	{"ingest:\nevents:\nbatch:\nspool:\nmapping:\nsources:\nlog:\n", ""},

	/* Keys. */
	{"ingest:\n  conections: 3\n",
	 "f:2:3: unknown key \"conections\" in ingest; did you mean "
	 "\"connections\"?\n"},
	{"ingst:\n  connections: 3\n",
	 "f:1:1: unknown key \"ingst\"; did you mean \"ingest\"?\n"},
	{"node: x\n", "f:1:1: unknown key \"node\"; valid keys: ingest, "
		      "sources, events, batch, spool, mapping, status, "
		      "node_name, threads, log\n"},
	{"Threads: 1\n",
	 "f:1:1: unknown key \"Threads\"; did you mean \"threads\"?\n"},
	{"connections: 3\n", "f:1:1: unknown key \"connections\"; write "
			     "\"connections:\" below \"ingest:\"\n"},
	{"ingest.url: x\n", "f:1:1: unknown key \"ingest.url\"; write "
			    "\"url:\" below \"ingest:\"\n"},
	{"log: {threads: 1}\n", "f:1:7: unknown key \"threads\" in log; write "
				"\"threads:\" at the beginning of a line\n"},
	{"log: {q: 1}\n",
	 "f:1:7: unknown key \"q\" in log; valid keys: verbose\n"},
	{"source: [{path: /x}]\n",
	 "f:1:1: unknown key \"source\"; did you mean \"sources\"?\n"},
	{"threads: 1\nthreads: 1\n",
	 "f:2:1: key \"threads\" stands on line 1 already; keep one\n"},
	{"? [a]\n: 1\n\"x\\0y\": 1\n\"\": 2\n",
	 "f:1:3: a key must be a word; put quotes around it if it begins with "
	 "*, &, !, { or [\n"
	 "f:3:1: unknown key \"x\"; valid keys: ingest, sources, events, "
	 "batch, spool, mapping, status, node_name, threads, log\n"
	 "f:4:1: unknown key \"\"; valid keys: ingest, sources, events, batch, "
	 "spool, mapping, status, node_name, threads, log\n"},

	/* The shape of the whole. */
	{"just words\n", "f:1:1: this is no configuration; write it as \"key: "
			 "value\" lines\n"},
	{"- a\n", "f:1:1: this is no configuration; write it as \"key: "
		  "value\" lines\n"},
	{"ingest: on\n", "f:1:9: ingest: must hold keys and values; write each "
			 "as \"key: value\" on a line of its own, indented\n"},
	{"batch: [1]\n", "f:1:8: batch: must hold keys and values; write each "
			 "as \"key: value\" on a line of its own, indented\n"},
	{"threads: [1]\n",
	 "f:1:10: threads: must be a single value, not a list\n"},
	{"threads: {a: 1}\n",
	 "f:1:10: threads: must be a single value, not a map\n"},
	{"threads:\n",
	 "f:1:1: threads: has no value; write one, or remove the key\n"},
	{"spool:\n  directory: ~\n", "f:2:3: spool.directory: has no value; "
				     "write one, or remove the key\n"},
	{"spool: {directory: ''}\n",
	 "f:1:20: spool.directory: is empty; write a value, or remove the "
	 "key\n"},
	{"node_name: \"a\\tb\"\n",
	 "f:1:12: node_name: holds a control character; remove it\n"},
	{"node_name: \"a\\0b\"\n",
	 "f:1:12: node_name: holds a control character; remove it\n"},

	/* Numbers, sizes, times, words. */
	{"ingest: {connections: 0}\n",
	 "f:1:23: ingest.connections: 0 is too small: at least 1\n"},
	{"ingest: {connections: 17}\n",
	 "f:1:23: ingest.connections: 17 is too large: at most 16\n"},
	{"ingest: {connections: two}\n",
	 "f:1:23: ingest.connections: \"two\" is not a whole number; write "
	 "digits alone\n"},
	{"ingest: {connections: -1}\n",
	 "f:1:23: ingest.connections: \"-1\" is not a whole number; write "
	 "digits alone\n"},
	{"batch: {max_events: 99999999999999999999999}\n",
	 "f:1:21: batch.max_events: 99999999999999999999999 is too large: at "
	 "most 1,000,000\n"},
	{"batch: {max_events: 0}\n",
	 "f:1:21: batch.max_events: 0 is too small: at least 1\n"},
	{"batch:\n  max_bytes: 9M\n",
	 "f:2:14: batch.max_bytes: 9M is too large: at most 5,000,000 (the "
	 "service's limit)\n"},
	{"batch: {max_bytes: 5000001}\n",
	 "f:1:20: batch.max_bytes: 5000001 is too large: at most 5,000,000 "
	 "(the service's limit)\n"},
	{"batch: {max_bytes: 63K}\n",
	 "f:1:20: batch.max_bytes: 63K is too small: at least 64K\n"},
	{"batch: {max_raw_bytes: 20MB}\n",
	 "f:1:24: batch.max_raw_bytes: \"20MB\" is not a size; write a whole "
	 "number with K, M, G or T (of 1024), KiB, MiB, GiB or TiB, or of "
	 "bytes\n"},
	{"batch: {max_raw_bytes: 257M}\n",
	 "f:1:24: batch.max_raw_bytes: 257M is too large: at most 256M\n"},
	{"batch: {max_delay: 10}\n",
	 "f:1:20: batch.max_delay: \"10\" has no unit; write it with ms, s, m, "
	 "h or d\n"},
	{"batch: {max_delay: 99ms}\n",
	 "f:1:20: batch.max_delay: 99ms is too small: at least 100ms\n"},
	{"batch: {max_delay: 2h}\n",
	 "f:1:20: batch.max_delay: 2h is too large: at most 1h\n"},
	{"batch: {max_delay: soon}\n",
	 "f:1:20: batch.max_delay: \"soon\" is not a time; write it as 100ms, "
	 "10s, 5m, 24h or 7d\n"},
	{"batch: {compression: 10}\n",
	 "f:1:22: batch.compression: 10 is too large: at most 9\n"},
	{"events: {max_age: 1500ms}\n",
	 "f:1:19: events.max_age: \"1500ms\" is not a time in whole seconds; "
	 "write it as 10s, 5m, 24h or 7d\n"},
	{"ingest: {timeout: 0}\n",
	 "f:1:19: ingest.timeout: 0 is too small: at least 100ms\n"},
	{"events: {delay: maybe}\n",
	 "f:1:17: events.delay: \"maybe\" is neither true nor false; write one "
	 "of them\n"},
	{"events: {injection: sythesize}\n",
	 "f:1:21: events.injection: \"sythesize\" is not one of auto, records, "
	 "synthesize, off; did you mean \"synthesize\"?\n"},
	{"events: {privacy: md5}\n", "f:1:19: events.privacy: \"md5\" is not "
				     "one of retain, sha1; write one\n"},

	/* Between keys. */
	{"ingest: {retry_min: 10m}\n",
	 "f:1:21: ingest.retry_min: 10m is longer than ingest.retry_max (5m); "
	 "make it shorter\n"},
	{"ingest: {retry_max: 500ms}\n",
	 "f:1:21: ingest.retry_min: 1s is longer than ingest.retry_max "
	 "(500ms); make it shorter\n"},
	/* A wrong value is one mistake, not two. */
	{"ingest: {retry_min: 5, retry_max: 500ms}\n",
	 "f:1:21: ingest.retry_min: \"5\" has no unit; write it with ms, s, m, "
	 "h or d\n"},
	{"spool: {max_size: 1M}\n",
	 "f:1:19: spool.max_size: 1M does not hold one batch (batch.max_bytes: "
	 "4M); make it larger\n"},
	{"ingest: {url: 'http://[::1]/', proxy: 'http://p:1'}\n",
	 "f:1:39: ingest.proxy: plain http to this machine cannot go through a "
	 "proxy; remove it\n"},

	/* Not yet. */
	{"ingest: {status_key_file: /k}\n",
	 "f:1:27: ingest.status_key_file: not yet in this version; remove "
	 "it\n"},
	{"ingest: {confirm: on}\n",
	 "f:1:19: ingest.confirm: on is not yet in this version; remove it, or "
	 "write auto\n"},
	{"status: {listen: '127.0.0.1:9925'}\n",
	 "f:1:18: status.listen: not yet in this version; remove it\n"},
	{"threads: 65\n", "f:1:10: threads: 65 is too large: at most 64\n"},

	/* Sources. */
	{"sources: /x\n", "f:1:10: sources: must be a list; begin each entry "
			  "with \"- path:\"\n"},
	{"sources:\n  - /x\n", "f:2:5: sources: an entry needs a path; write "
			       "\"- path: /var/log/pmta/acct-*.csv\"\n"},
	{"sources:\n  -\n", "f:2:4: sources: an entry needs a path; write "
			    "\"- path: /var/log/pmta/acct-*.csv\"\n"},
	{"sources:\n  - start: end\n", "f:2:5: sources[].path: is missing; add "
				       "\"path: /var/log/pmta/acct-*.csv\"\n"},
	{"sources:\n  - path: acct.csv\n",
	 "f:2:11: sources[].path: must be an absolute path; begin it with "
	 "/\n"},
	{"sources:\n  - path: /x\n  - path: /y\n  - path: /x\n",
	 "f:4:11: sources[].path: the same path as in entry 1; keep one\n"},
	{"sources: [{path: /x, pmta_log: log}]\n",
	 "f:1:32: sources[].pmta_log: must be an absolute path; begin it with "
	 "/\n"},
	{"sources: [{path: /x, strt: end}]\n",
	 "f:1:22: unknown key \"strt\" in sources[]; did you mean "
	 "\"start\"?\n"},
	{"sources: [{path: /x, start: middle}]\n",
	 "f:1:29: sources[].start: \"middle\" is not one of beginning, end; "
	 "write one\n"},
	{"sources: [{path: /x, columns: []}]\n",
	 "f:1:31: sources[].columns: is empty; name the columns, or remove the "
	 "key\n"},
	{"sources: [{path: /x, columns: 'type,,rcpt'}]\n",
	 "f:1:31: sources[].columns: an entry is empty; remove it\n"},
	{"sources: [{path: /x, columns: ['a,b']}]\n",
	 "f:1:32: sources[].columns: a column's name holds no comma and no "
	 "quote; make it an entry of its own\n"},
	{"sources: [{path: /x, columns: [[a]]}]\n",
	 "f:1:32: sources[].columns: must be a single value, not a list\n"},
	{"sources: [{path: /x, columns: {a: b}}]\n",
	 "f:1:31: sources[].columns: must be a single value, not a map\n"},

	/* Lists and the map of classes. */
	{"events: {inbound_domains: ['a@b.example', 'c d', ~]}\n",
	 "f:1:28: events.inbound_domains: must be a domain; write what follows "
	 "the @\n"
	 "f:1:43: events.inbound_domains: a domain holds no blank; make each "
	 "an entry of its own\n"
	 "f:1:50: events.inbound_domains: has no value; write one, or remove "
	 "the key\n"},
	{"events:\n  message_id_columns:\n",
	 "f:2:3: events.message_id_columns: has no value; write one, or remove "
	 "the key\n"},
	{"events: {message_id_columns: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]}\n",
	 "f:1:63: events.message_id_columns: too many entries: at most 16\n"},
	{"events: {bounce_classes: {a: 0, b: 1000, c: x, '': 1, d: [1]}}\n",
	 "f:1:30: events.bounce_classes: \"0\" is not a class; write a number "
	 "from 1 to 999\n"
	 "f:1:36: events.bounce_classes: \"1000\" is not a class; write a "
	 "number from 1 to 999\n"
	 "f:1:45: events.bounce_classes: \"x\" is not a class; write a number "
	 "from 1 to 999\n"
	 "f:1:48: events.bounce_classes: a name is empty; write it before the "
	 "colon\n"
	 "f:1:58: events.bounce_classes: must be a single value, not a list\n"},
	{"events: {bounce_classes: {a: 1, A: 2}}\n",
	 "f:1:33: \"A\" is the same name as the one on line 1 but for letter "
	 "case; keep one\n"},
	{"events: {bounce_classes: [1]}\n",
	 "f:1:26: events.bounce_classes: must hold keys and values; write each "
	 "as \"key: value\" on a line of its own, indented\n"},

	/* Many at once, in the order of the lines. */
	{"threads: x\nspool: {min_free_space: x}\nbatch:\n  max_bytes: 1\n"
	 "ingest:\n  zzz: 1\n  url: ftp://x/\n",
	 "f:1:10: threads: \"x\" is not a whole number; write digits alone\n"
	 "f:2:25: spool.min_free_space: \"x\" is not a size; write a whole "
	 "number with K, M, G or T (of 1024), KiB, MiB, GiB or TiB, or of "
	 "bytes\n"
	 "f:4:14: batch.max_bytes: 1 is too small: at least 64K\n"
	 "f:6:3: unknown key \"zzz\" in ingest; valid keys: url, api_key_file, "
	 "api_key_env, status_key_file, confirm, connections, timeout, "
	 "connect_timeout, retry_min, retry_max, ca_file, proxy, interface\n"
	 "f:7:8: ingest.url: must begin with https://\n"},
	/* After a syntax error what is missing is not held against it. */
	{"threads: x\nspool: {\n",
	 "f:1:10: threads: \"x\" is not a whole number; write digits alone\n"
	 "f:3:1: not YAML: did not find expected node content while parsing a "
	 "flow node; look at indentation, colons and quotes here and just "
	 "above\n"},
	{"threads:\n\tx\n", "f:2:1: a tab where YAML wants blanks; indent "
			    "with blanks\n"},
	{"sources:\n  - start: end\n\tpath: /x\n",
	 "f:3:1: a tab where YAML wants blanks; indent with blanks\n"},
	{"\"threads\": 1: 2\n",
	 "f:1:13: not YAML: mapping values are not allowed in this context; "
	 "look at indentation, colons and quotes here and just above\n"},
	{"threads: *x\nspool: &y {}\n",
	 "f:1:10: aliases (*) are not used here; put quotes around a name or "
	 "pattern that begins with *\n"
	 "f:2:8: anchors (&) and tags (!) are not used here; remove it\n"},
};

START_TEST(mistake_is_named_with_its_place_and_remedy)
{
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config = config_parse("f", slice_str(mistakes[_i].text),
			      CONFIG_FOR_READING, &errors);
	ck_slice(buf_slice(&errors), mistakes[_i].errors);
	ck_assert_int_eq(config == NULL, *mistakes[_i].errors != '\0');
	config_free(&config);
	buf_release(&errors);
}
END_TEST

static const struct {
	const char *text, *errors;
} shipping[] = {
	{SHIPPING, ""},
	{"", "f:1:1: sources: nothing to read is named; add \"sources:\" and "
	     "below it \"  - path: /var/log/pmta/acct-*.csv\"\n"},
	{"threads: 1\nsources:\n",
	 "f:2:1: sources: nothing to read is named; add \"sources:\" and below "
	 "it \"  - path: /var/log/pmta/acct-*.csv\"\n"},
	{"sources: []\n",
	 "f:1:10: sources: nothing to read is named; add \"sources:\" and "
	 "below it \"  - path: /var/log/pmta/acct-*.csv\"\n"},
	{"sources: x\n", "f:1:10: sources: must be a list; begin each entry "
			 "with \"- path:\"\n"},
};

START_TEST(shipping_needs_sources)
{
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config = config_parse("f", slice_str(shipping[_i].text),
			      CONFIG_FOR_SHIPPING, &errors);
	ck_slice(buf_slice(&errors), shipping[_i].errors);
	config_free(&config);
	buf_release(&errors);
}
END_TEST

/* Somebody will put the key into the wrong place. */
static const char *const misplaced[] = {
	"ingest: {url: 'https://x:SECRETSECRETSECRETSECRETSECRETSECRET@h/'}\n",
	"ingest: {url: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {api_key_file: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {api_key_env: SECRET-SECRETSECRETSECRETSECRET}\n",
	"ingest: {status_key_file: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {connections: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {timeout: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {confirm: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {api_key: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
	"ingest: {proxy: [SECRETSECRETSECRETSECRETSECRETSECRET]}\n",
	"ingest: SECRETSECRETSECRETSECRETSECRETSECRET\n",
	"events: {delay: SECRETSECRETSECRETSECRETSECRETSECRET}\n",
};

START_TEST(secret_in_a_wrong_place_is_not_repeated)
{
	struct buf errors;

	buf_init(&errors, 1 << 20);
	ck_assert_ptr_null(config_parse("f", slice_str(misplaced[_i]),
					CONFIG_FOR_READING, &errors));
	ck_assert_uint_gt(errors.len, 0);
	ck_assert_ptr_null(strstr(buf_str(&errors), "SECRET"));
	buf_release(&errors);
}
END_TEST

static const struct {
	const char *url;
	const char *wrong; /* the beginning of what is said, NULL: fine */
} urls[] = {
	{"https://api.sparkpost.com/api/v1/ingest/events", NULL},
	{"https://api.eu.sparkpost.com/api/v1/ingest/events", NULL},
	{"HTTPS://API.SPARKPOST.COM/", NULL},
	{"https://host:8443/x?y=z", NULL},
	{"https://[2001:db8::1]:443/x", NULL},
	{"https://192.0.2.1/", NULL},
	{"http://127.0.0.1:8080/api/v1/ingest/events", NULL},
	{"http://127.255.0.9/", NULL},
	{"http://localhost/", NULL},
	{"HTTP://LocalHost:1/", NULL},
	{"http://[::1]:80/", NULL},
	{"http://[0:0:0:0:0:0:0:1]/", NULL},
	{"http://api.sparkpost.com/", "plain http"},
	{"http://10.0.0.1/", "plain http"},
	{"http://127.0.0.1.evil.example/", "plain http"},
	{"http://localhost.evil.example/", "plain http"},
	{"http://localhost./", "plain http"},
	{"http://127.1/", "plain http"},
	{"http://0177.0.0.1/", "plain http"},
	{"http://2130706433/", "plain http"},
	{"http://0x7f000001/", "plain http"},
	{"http://0.0.0.0/", "plain http"},
	{"http://[::]/", "plain http"},
	{"http://[::ffff:127.0.0.1]/", "plain http"},
	{"http://[2001:db8::1]/", "plain http"},
	{"http://127.0.0.1@evil.example/", "must hold no user"},
	{"http://127.0.0.1:80@evil.example/", "must hold no user"},
	{"http://localhost/@evil.example/", "must hold no user"},
	{"https://user:pass@api.sparkpost.com/", "must hold no user"},
	{"https://key@api.sparkpost.com/", "must hold no user"},
	{"http://127.0.0.1\\\\.evil.example/", "holds a character"},
	{"http://127.0.0.1 .evil.example/", "holds a character"},
	{"https://api.sparkpost.com/ x", "holds a character"},
	{"https://\xc3\xa9.example/", "holds a character"},
	{"http://127.0.0.1#.evil.example/", "must hold no #"},
	{"https://host/x#y", "must hold no #"},
	{"http://127.0.0.1?.evil.example/", "the host"},
	{"http://127.0.0.1%2eevil.example/", "the host"},
	{"http://[::1].evil.example/", "the port"},
	{"http://[::1%25lo]/", "no IPv6 address"},
	{"http://[::1/", "no IPv6 address"},
	{"http://[/", "no IPv6 address"},
	{"http://[", "no IPv6 address"},
	{"http://[]/", "no IPv6 address"},
	{"http://[127.0.0.1]/", "no IPv6 address"},
	{"https:///x", "the host"},
	{"https://", "the host"},
	{"https://:443/x", "the host"},
	{"https://host:/x", "the port"},
	{"https://host:0/x", "the port"},
	{"https://host:65536/x", "the port"},
	{"https://host:80:80/x", "the port"},
	{"https://host:x/", "the port"},
	{"https://host", "the path is missing"},
	{"http://localhost:80", "the path is missing"},
	{"https:/host/x", "must begin with https://"},
	{"ftp://host/x", "must begin with https://"},
	{"host/x", "must begin with https://"},
	{"//host/x", "must begin with https://"},
	{" https://host/x", "must begin with https://"},
};

START_TEST(key_goes_to_https_or_to_this_machine)
{
	struct config *config;
	struct buf text, errors, want;

	buf_init(&text, 1000);
	buf_init(&errors, 10000);
	buf_init(&want, 1000);
	buf_addf(&text, "ingest: {url: \"%s\"}\n", urls[_i].url);
	config = config_parse("f", buf_slice(&text), CONFIG_FOR_READING,
			      &errors);
	if (urls[_i].wrong) {
		buf_addf(&want, "f:1:15: ingest.url: %s", urls[_i].wrong);
		ck_assert_msg(
			slice_starts(buf_slice(&errors), buf_slice(&want)),
			"%s: %s", urls[_i].url, buf_str(&errors));
	} else {
		ck_slice(buf_slice(&errors), "");
		ck_assert_pstr_eq(config->http.url, urls[_i].url);
	}
	config_free(&config);
	buf_release(&text);
	buf_release(&errors);
	buf_release(&want);
}
END_TEST

Suite *config_suite(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_loop_test(tc, mistake_is_named_with_its_place_and_remedy, 0,
			    NROF(mistakes));
	tcase_add_loop_test(tc, shipping_needs_sources, 0, NROF(shipping));
	tcase_add_loop_test(tc, secret_in_a_wrong_place_is_not_repeated, 0,
			    NROF(misplaced));
	tcase_add_loop_test(tc, key_goes_to_https_or_to_this_machine, 0,
			    NROF(urls));
	suite_add_tcase(s, tc);
	return s;
}
