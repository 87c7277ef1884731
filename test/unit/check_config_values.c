/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/config.h"

#include <unistd.h>

#include "unit/check_all.h"

/* What arrives in struct config, and what is there without a word. */

static struct config *parse(const char *text)
{
	struct config *config;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	config =
		config_parse("f", slice_str(text), CONFIG_FOR_READING, &errors);
	ck_slice(buf_slice(&errors), "");
	ck_assert_ptr_nonnull(config);
	buf_release(&errors);
	return config;
}

static void ck_defaults(const struct config *c)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	ck_assert_str_eq(c->http.url,
			 "https://api.sparkpost.com/api/v1/ingest/events");
	ck_assert_ptr_null(c->http.api_key);
	ck_assert_str_eq(c->api_key_file, SYSCONFDIR "/sparktail/api.key");
	ck_assert_ptr_null(c->api_key_env);
	ck_assert_int_eq(c->confirm, CONFIRM_AUTO);
	ck_assert_uint_eq(c->http.connections, 2);
	ck_assert_int_eq(c->http.timeout_ms, 60000);
	ck_assert_int_eq(c->http.connect_timeout_ms, 10000);
	ck_assert_int_eq(c->retry_min_ms, 1000);
	ck_assert_int_eq(c->retry_max_ms, 300000);
	ck_assert_ptr_null(c->http.ca_file);
	ck_assert_ptr_null(c->http.proxy);
	ck_assert_ptr_null(c->http.interface);
	ck_assert_uint_eq(c->sources_count, 0);
	ck_assert_int_eq(c->events.injection, INJECTION_AUTO);
	ck_assert(c->events.delay);
	ck_assert_int_eq(c->events.max_age_s, 86400);
	ck_assert(!c->events.engagement_tracking);
	ck_assert(!c->events.privacy_sha1);
	ck_assert_uint_eq(c->events.message_id_columns_count, 1);
	ck_assert_str_eq(c->events.message_id_columns[0],
			 "header_x-sp-message-id");
	ck_assert_uint_eq(c->events.inbound_domains_count, 0);
	ck_assert_uint_eq(c->events.bounce_classes_count, 0);
	ck_assert_uint_eq(c->events.max_events, 10000);
	ck_assert_uint_eq(c->batch_max_bytes, 4 << 20);
	ck_assert_uint_eq(c->events.max_raw_bytes, 16 << 20);
	ck_assert_int_eq(c->batch_max_delay_ms, 5000);
	ck_assert_int_eq(c->batch_compression, 1);
	ck_assert_str_eq(c->spool.directory, "/var/spool/sparktail");
	ck_assert_uint_eq(c->spool.min_free_bytes, 20 << 20);
	ck_assert_uint_eq(c->spool.max_bytes, 0);
	ck_assert_int_eq(c->spool.keep_sent_s, 0);
	ck_assert_int_eq(c->spool.max_age_s, 86400);
	ck_assert_ptr_nonnull(c->events.mapping);
	ck_assert_str_eq(c->events.node_name, host);
	ck_assert_uint_eq(c->threads, 1);
	ck_assert(!c->verbose);
	ck_assert_uint_eq(c->events.max_event_bytes,
			  (4 << 20) - (64 << 10) - 1024);
}

START_TEST(defaults_are_those_of_the_manual)
{
	struct config *config = config_default();

	ck_defaults(config);
	ck_assert_ptr_null(config->path);
	config_free(&config);
	ck_assert_ptr_null(config);
	config_free(&config);
}
END_TEST

START_TEST(empty_file_and_empty_sections_are_all_defaults)
{
	struct config *config = parse("");

	ck_defaults(config);
	ck_assert_str_eq(config->path, "f");
	config_free(&config);
	config = parse("ingest:\nsources:\nevents:\nbatch:\nspool: {}\n"
		       "mapping: ~\nlog:\n");
	ck_defaults(config);
	config_free(&config);
}
END_TEST

START_TEST(every_key_arrives)
{
	struct config *c = parse(
		"ingest:\n"
		"  url: https://api.eu.sparkpost.com/api/v1/ingest/events\n"
		"  api_key_file: /run/k\n"
		"  api_key_env: SPARK_KEY1\n"
		"  confirm: off\n"
		"  connections: 16\n"
		"  timeout: 90s\n"
		"  connect_timeout: 1500ms\n"
		"  retry_min: 250ms\n"
		"  retry_max: 1h\n"
		"  ca_file: /etc/ca.pem\n"
		"  proxy: http://u:p@proxy:3128\n"
		"  interface: eth1\n"
		"sources:\n"
		"  - path: /var/log/pmta/acct-*.csv\n"
		"  - {path: /b, start: end, columns: [type, timeLogged]}\n"
		"  - {path: /c, start: Beginning, columns: \" orig , rcpt\"}\n"
		"events:\n"
		"  injection: synthesize\n"
		"  delay: no\n"
		"  max_age: 0\n"
		"  engagement_tracking: On\n"
		"  privacy: sha1\n"
		"  message_id_columns: [header_a, header_b]\n"
		"  inbound_domains: fbl.example, bounce.example\n"
		"  bounce_classes: {my-cat: 1, other: 999}\n"
		"batch:\n"
		"  max_events: 1\n"
		"  max_bytes: 64K\n"
		"  max_raw_bytes: 256MiB\n"
		"  max_delay: 1h\n"
		"  compression: 9\n"
		"spool:\n"
		"  directory: /srv/spool\n"
		"  min_free_space: 0\n"
		"  max_size: 1T\n"
		"  on_full: evict\n"
		"  keep_sent: 7d\n"
		"node_name: mta7\n"
		"threads: 64\n"
		"log: {verbose: TRUE}\n");

	ck_assert_str_eq(c->http.url,
			 "https://api.eu.sparkpost.com/api/v1/ingest/events");
	ck_assert_str_eq(c->api_key_file, "/run/k");
	ck_assert_str_eq(c->api_key_env, "SPARK_KEY1");
	ck_assert_int_eq(c->confirm, CONFIRM_OFF);
	ck_assert_uint_eq(c->http.connections, 16);
	ck_assert_int_eq(c->http.timeout_ms, 90000);
	ck_assert_int_eq(c->http.connect_timeout_ms, 1500);
	ck_assert_int_eq(c->retry_min_ms, 250);
	ck_assert_int_eq(c->retry_max_ms, 3600000);
	ck_assert_str_eq(c->http.ca_file, "/etc/ca.pem");
	ck_assert_str_eq(c->http.proxy, "http://u:p@proxy:3128");
	ck_assert_str_eq(c->http.interface, "eth1");
	ck_assert_uint_eq(c->sources_count, 3);
	ck_assert_str_eq(c->sources[0].path, "/var/log/pmta/acct-*.csv");
	ck_assert(!c->sources[0].start_end);
	ck_assert_ptr_null(c->sources[0].columns);
	ck_assert(c->sources[1].start_end);
	ck_assert_str_eq(c->sources[1].columns, "type,timeLogged");
	ck_assert(!c->sources[2].start_end);
	ck_assert_str_eq(c->sources[2].columns, "orig,rcpt");
	ck_assert_int_eq(c->events.injection, INJECTION_SYNTHESIZE);
	ck_assert(!c->events.delay);
	ck_assert_int_eq(c->events.max_age_s, 0);
	ck_assert(c->events.engagement_tracking);
	ck_assert(c->events.privacy_sha1);
	ck_assert_uint_eq(c->events.message_id_columns_count, 2);
	ck_assert_str_eq(c->events.message_id_columns[0], "header_a");
	ck_assert_str_eq(c->events.message_id_columns[1], "header_b");
	ck_assert_uint_eq(c->events.inbound_domains_count, 2);
	ck_assert_str_eq(c->events.inbound_domains[0], "fbl.example");
	ck_assert_str_eq(c->events.inbound_domains[1], "bounce.example");
	ck_assert_uint_eq(c->events.bounce_classes_count, 2);
	ck_assert_str_eq(c->events.bounce_classes[0].category, "my-cat");
	ck_assert_uint_eq(c->events.bounce_classes[0].bounce_class, 1);
	ck_assert_str_eq(c->events.bounce_classes[1].category, "other");
	ck_assert_uint_eq(c->events.bounce_classes[1].bounce_class, 999);
	ck_assert_uint_eq(c->events.max_events, 1);
	ck_assert_uint_eq(c->batch_max_bytes, 64 << 10);
	ck_assert_uint_eq(c->events.max_raw_bytes, 256 << 20);
	ck_assert_int_eq(c->batch_max_delay_ms, 3600000);
	ck_assert_int_eq(c->batch_compression, 9);
	ck_assert_uint_eq(c->threads, 64);
	ck_assert_str_eq(c->spool.directory, "/srv/spool");
	ck_assert_uint_eq(c->spool.min_free_bytes, 0);
	ck_assert_uint_eq(c->spool.max_bytes, UINT64_C(1) << 40);
	ck_assert_int_eq(c->spool.keep_sent_s, 7 * 86400);
	ck_assert_int_eq(c->spool.max_age_s, 0);
	ck_assert_str_eq(c->events.node_name, "mta7");
	ck_assert(c->verbose);
	config_free(&c);
}
END_TEST

static const struct {
	const char *word;
	bool value;
} bools[] = {
	{"true", true},	  {"True", true},   {"TRUE", true}, {"yes", true},
	{"YES", true},	  {"on", true},	    {"On", true},   {"'true'", true},
	{"false", false}, {"FALSE", false}, {"no", false},  {"No", false},
	{"off", false},	  {"OFF", false},
};

START_TEST(bool_is_any_of_yaml_1_1)
{
	struct config *config;
	struct buf text;

	buf_init(&text, 100);
	buf_addf(&text, "events: {delay: %s, engagement_tracking: %s}",
		 bools[_i].word, bools[_i].word);
	config = parse(buf_str(&text));
	ck_assert_int_eq(config->events.delay, bools[_i].value);
	ck_assert_int_eq(config->events.engagement_tracking, bools[_i].value);
	config_free(&config);
	buf_release(&text);
}
END_TEST

static const struct {
	const char *word;
	enum settings_injection value;
} injections[] = {{"auto", INJECTION_AUTO},
		  {"records", INJECTION_RECORDS},
		  {"synthesize", INJECTION_SYNTHESIZE},
		  {"off", INJECTION_OFF},
		  {"Off", INJECTION_OFF}};

START_TEST(injection_off_is_a_word_not_a_bool)
{
	struct config *config;
	struct buf text;

	buf_init(&text, 100);
	buf_addf(&text, "events: {injection: %s}", injections[_i].word);
	config = parse(buf_str(&text));
	ck_assert_int_eq(config->events.injection, injections[_i].value);
	config_free(&config);
	buf_release(&text);
}
END_TEST

static const struct {
	const char *text;
	size_t bytes;
} event_bytes[] = {
	{"batch: {max_bytes: 64K}", 65536 - 1024 - 1024},
	{"batch: {max_bytes: 5000000}", 5000000 - 78125 - 1024},
	{"batch: {max_bytes: 4M, max_raw_bytes: 64K}", 65536},
};

START_TEST(one_event_always_fits_a_batch)
{
	struct config *config = parse(event_bytes[_i].text);

	ck_assert_uint_eq(config->events.max_event_bytes,
			  event_bytes[_i].bytes);
	config_free(&config);
}
END_TEST

START_TEST(lists_may_be_empty)
{
	struct config *config = parse(
		"events: {message_id_columns: [], inbound_domains: []}\n");

	ck_assert_uint_eq(config->events.message_id_columns_count, 0);
	ck_assert_uint_eq(config->events.inbound_domains_count, 0);
	config_free(&config);
}
END_TEST

/* The interface: what is there keeps its name. */
static const struct {
	const char *name, *preset;
} keys[] = {
	{"ingest.url", "https://api.sparkpost.com/api/v1/ingest/events"},
	{"ingest.api_key_file", SYSCONFDIR "/sparktail/api.key"},
	{"ingest.api_key_env", ""},
	{"ingest.status_key_file", ""},
	{"ingest.confirm", "auto"},
	{"ingest.connections", "2"},
	{"ingest.timeout", "60s"},
	{"ingest.connect_timeout", "10s"},
	{"ingest.retry_min", "1s"},
	{"ingest.retry_max", "5m"},
	{"ingest.ca_file", ""},
	{"ingest.proxy", ""},
	{"ingest.interface", ""},
	{"sources[].path", ""},
	{"sources[].start", "beginning"},
	{"sources[].columns", ""},
	{"sources[].pmta_log", ""},
	{"events.injection", "auto"},
	{"events.delay", "true"},
	{"events.max_age", "24h"},
	{"events.engagement_tracking", "false"},
	{"events.privacy", "retain"},
	{"events.message_id_columns", "[header_x-sp-message-id]"},
	{"events.inbound_domains", "[]"},
	{"events.bounce_classes", "{}"},
	{"batch.max_events", "10000"},
	{"batch.max_bytes", "4M"},
	{"batch.max_raw_bytes", "16M"},
	{"batch.max_delay", "5s"},
	{"batch.compression", "1"},
	{"spool.directory", "/var/spool/sparktail"},
	{"spool.min_free_space", "20M"},
	{"spool.max_size", "0"},
	{"spool.on_full", "evict"},
	{"spool.keep_sent", "0"},
	{"mapping", "{default: {ship: true}}"},
	{"status.listen", ""},
	{"node_name", ""},
	{"threads", "1"},
	{"log.verbose", "false"},
};

START_TEST(keys_and_their_defaults_are_listed)
{
	const char *preset;

	for (size_t i = 0; i < NROF(keys); i++) {
		ck_assert_pstr_eq(config_key(i, &preset), keys[i].name);
		ck_assert_pstr_eq(preset, keys[i].preset);
	}
	ck_assert_ptr_null(config_key(NROF(keys), &preset));
}
END_TEST

Suite *config_values_suite(void)
{
	Suite *s = suite_create("config_values");
	TCase *tc = tcase_create("config_values");

	tcase_add_test(tc, defaults_are_those_of_the_manual);
	tcase_add_test(tc, empty_file_and_empty_sections_are_all_defaults);
	tcase_add_test(tc, every_key_arrives);
	tcase_add_loop_test(tc, bool_is_any_of_yaml_1_1, 0, NROF(bools));
	tcase_add_loop_test(tc, injection_off_is_a_word_not_a_bool, 0,
			    NROF(injections));
	tcase_add_loop_test(tc, one_event_always_fits_a_batch, 0,
			    NROF(event_bytes));
	tcase_add_test(tc, lists_may_be_empty);
	tcase_add_test(tc, keys_and_their_defaults_are_listed);
	suite_add_tcase(s, tc);
	return s;
}
