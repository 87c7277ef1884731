/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/http.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/canned.h"
#include "unit/check_all.h"

#define KEY "0123456789abcdef0123456789abcdef01234567"
#define OK_BODY                                                                \
	"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n"                        \
	"{\"results\":{\"id\":\"abc\"}}\n"

enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct canned *server;
static struct http *http;
static struct http_settings settings;
static struct buf why, text;
static char url[128];

static void setup(void)
{
	settings = (struct http_settings){
		.url = url,
		.api_key = (char *)(uintptr_t)KEY,
		.connections = 2,
		.timeout_ms = 20000,
		.connect_timeout_ms = 10000,
	};
	buf_init(&why, 1000);
	buf_init(&text, 32 << 20);
	/* The environment is not asked: this would break every test. */
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("https_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
}

static void teardown(void)
{
	http_free(&http);
	if (server)
		canned_stop(&server);
	buf_release(&why);
	buf_release(&text);
}

static void begin(const struct canned_reply *replies, size_t count)
{
	server = canned_start(replies, count);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/v1/ingest/events",
		 canned_port(server));
	http = http_new(&settings, &why);
	ck_assert_msg(http, "%s", buf_str(&why));
}

static int memory(const char *p, size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, p, n), 0);
	return fd;
}

static void post(uint64_t token, const char *body)
{
	size_t n = strlen(body);

	ck_assert_int_eq(http_post(http, token, memory(body, n), 0, (off_t)n),
			 0);
}

static void reap(struct http_reply *reply)
{
	time_t end = time(NULL) + 30;

	while (!http_reap(http, reply, NOW)) {
		ck_assert_int_lt(time(NULL), end);
		http_wait(http, 100);
	}
}

/* What each reply, or lack of one, comes back as. */
static const struct {
	struct canned_reply reply;
	int status;
	int64_t retry_after_s;
	const char *body;
} replies[] = {
	{{CANNED_PLAIN, OK_BODY, 0},
	 200,
	 -1,
	 "{\"results\":{\"id\":\"abc\"}}\n"},
	{{CANNED_PLAIN,
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n0\r\n\r\n",
	  0},
	 200,
	 -1,
	 "abc"},
	{{CANNED_CLOSE, "HTTP/1.1 200 OK\r\n\r\nabc", 0}, 200, -1, "abc"},
	{{CANNED_PLAIN, "HTTP/1.1 204 None\r\n\r\n", 0}, 204, -1, ""},
	{{CANNED_PLAIN, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno", 0},
	 400,
	 -1,
	 "no"},
	{{CANNED_EARLY,
	  "HTTP/1.1 413 Large\r\nContent-Length: 2\r\n"
	  "Connection: close\r\n\r\nno",
	  0},
	 413,
	 -1,
	 "no"},
	{{CANNED_PLAIN,
	  "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nRetry-After: 17\r\n\r\n",
	  0},
	 429,
	 17,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n"
	  "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n\r\n",
	  0},
	 503,
	 60,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n"
	  "Retry-After: Sun, 06 Nov 1994 08:48:37 GMT\r\n\r\n",
	  0},
	 429,
	 0,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n"
	  "Retry-After: tomorrow\r\n\r\n",
	  0},
	 429,
	 -1,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 100 Continue\r\n\r\n"
	  "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
	  0},
	 500,
	 -1,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 302 There\r\nContent-Length: 0\r\n"
	  "Location: /elsewhere\r\n\r\n",
	  0},
	 302,
	 -1,
	 ""},
	{{CANNED_PLAIN,
	  "HTTP/1.1 400 No\r\nContent-Length: 42\r\n\r\n>" KEY "<", 0},
	 400,
	 -1,
	 ">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx<"},
	/* All of the reply came before the connection broke. */
	{{CANNED_RESET, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno", 0},
	 400,
	 -1,
	 "no"},
	/* No complete answer. */
	{{CANNED_RESET, "", 0}, 0, -1, ""},
	{{CANNED_CLOSE, "", 0}, 0, -1, ""},
	{{CANNED_TORN, "", 0}, 0, -1, ""},
	{{CANNED_CLOSE, "HTTP/1.1 200 OK\r\nContent-Le", 0}, 0, -1, ""},
	{{CANNED_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{", 0},
	 0,
	 -1,
	 ""},
	{{CANNED_CLOSE,
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 0},
	 0,
	 -1,
	 ""},
	{{CANNED_CLOSE, "SSH-2.0-OpenSSH\r\n", 0}, 0, -1, ""},
};

START_TEST(http_brings_each_reply_back)
{
	struct http_reply reply;

	begin(&replies[_i].reply, 1);
	post(7, "body");
	ck_assert_uint_eq(http_busy(http), 1);
	reap(&reply);
	ck_assert_uint_eq(http_busy(http), 0);
	ck_assert_uint_eq(reply.token, 7);
	ck_assert_int_eq(reply.status, replies[_i].status);
	ck_assert_int_eq(reply.retry_after_s, replies[_i].retry_after_s);
	ck_slice(reply.body, replies[_i].body);
	ck_assert_int_eq(reply.error.len > 0, reply.status == 0);
	ck_assert(!reply.tls);
	ck_assert(!http_reap(http, &reply, NOW));
	/* A dead connection is tried once more by curl, nothing else is. */
	ck_assert_uint_le(canned_requests(server), 1);
}
END_TEST

START_TEST(http_reply_counts_though_the_body_was_not_taken)
{
	static const struct canned_reply early[] = {
		{CANNED_EARLY,
		 "HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno", 0}};
	struct http_reply reply;
	size_t n = 8 << 20;

	begin(early, 1);
	buf_reserve(&text, n);
	memset(text.p, 'b', n);
	ck_assert_int_eq(http_post(http, 1, memory(text.p, n), 0, (off_t)n), 0);
	reap(&reply);
	ck_assert_int_eq(reply.status, 413);
	ck_slice(reply.body, "no");
}
END_TEST

START_TEST(http_sends_the_key_and_what_the_service_wants_to_read)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	static const char *const wanted[] = {
		"POST /api/v1/ingest/events HTTP/1.1\r\n",
		"\r\nAuthorization: " KEY "\r\n",
		"\r\nContent-Type: application/x-ndjson\r\n",
		"\r\nContent-Encoding: gzip\r\n",
		"\r\nAccept: application/json\r\n",
		"\r\nContent-Length: 4\r\n",
		"\r\nUser-Agent: sparktail/" VERSION "\r\n",
		"\r\nHost: 127.0.0.1:",
	};
	struct http_reply reply;

	begin(ok, 1);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(canned_head(server, 0, &text), 0);
	for (size_t i = 0; i < NROF(wanted); i++)
		ck_assert_msg(strstr(buf_str(&text), wanted[i]), "no %s in %s",
			      wanted[i], buf_str(&text));
	ck_assert_ptr_null(strcasestr(buf_str(&text), "\r\nExpect:"));
	ck_assert_ptr_null(strcasestr(buf_str(&text), "chunked"));
}
END_TEST

START_TEST(http_follows_no_redirect_with_the_key)
{
	static const struct canned_reply other[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct canned *elsewhere = canned_start(other, 1);
	static char redirect[200];
	static struct canned_reply there[] = {{CANNED_PLAIN, redirect, 0}};
	struct http_reply reply;

	snprintf(redirect, sizeof(redirect),
		 "HTTP/1.1 307 There\r\nContent-Length: 0\r\n"
		 "Location: http://127.0.0.1:%u/\r\n\r\n",
		 canned_port(elsewhere));

	begin(there, 1);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 307);
	ck_assert_uint_eq(canned_connections(elsewhere), 0);
	canned_stop(&elsewhere);
}
END_TEST

START_TEST(http_sends_exactly_the_bytes_asked_for)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;
	size_t n = 3000001;
	char *bytes = malloc(n);
	int fd;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	begin(ok, 1);
	fd = memory(bytes, n);
	ck_assert_int_eq(http_post(http, 1, fd, 5, (off_t)n - 12), 0);
	reap(&reply);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(canned_body(server, 0, &text), 0);
	ck_assert_uint_eq(text.len, n - 12);
	ck_assert_int_eq(memcmp(text.p, bytes + 5, n - 12), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* it was closed */
	free(bytes);
}
END_TEST

START_TEST(http_gives_up_on_a_file_that_is_shorter_than_it_was)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;

	begin(ok, 1);
	ck_assert_int_eq(http_post(http, 1, memory("short", 5), 0, 6), 0);
	reap(&reply);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_uint_gt(reply.error.len, 0);
	ck_assert_uint_eq(canned_requests(server), 0);
}
END_TEST

START_TEST(http_stops_waiting_for_a_server_that_stalls)
{
	static const struct canned_reply stall[] = {
		{CANNED_STALL, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
		 0}};
	struct http_reply reply;

	settings.timeout_ms = 300;
	begin(stall, 1);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_ptr_nonnull(
		memmem(reply.error.p, reply.error.len, "timed out", 9));
}
END_TEST

START_TEST(http_caps_a_reply_without_end)
{
	static const struct canned_reply large[] = {
		{CANNED_PLAIN,
		 "HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n", 1000000},
		{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;

	begin(large, 2);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 500);
	ck_assert_uint_eq(reply.body.len, HTTP_REPLY);
	post(2, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_uint_eq(reply.body.len, 25);
	ck_assert_uint_eq(canned_connections(server), 1);
}
END_TEST

START_TEST(http_keeps_its_connection)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;

	begin(ok, 1);
	for (uint64_t i = 0; i < 20; i++) {
		post(i, "body");
		reap(&reply);
		ck_assert_uint_eq(reply.token, i);
		ck_assert_int_eq(reply.status, 200);
	}
	ck_assert_uint_eq(canned_requests(server), 20);
	ck_assert_uint_eq(canned_connections(server), 1);
}
END_TEST

START_TEST(http_repeats_the_body_when_a_kept_connection_was_dead)
{
	/* The server closes after a reply that promised to keep it open. */
	static const struct canned_reply liar[] = {{CANNED_CLOSE, OK_BODY, 0}};
	struct http_reply reply;
	unsigned int accepted = 0;

	begin(liar, 1);
	/* curl repeats what was lost before a reply, but not a failed send:
	 * that one comes back, and is the caller's to send again. */
	for (uint64_t i = 0; i < 40 && accepted < 10; i++) {
		post(i, "body");
		reap(&reply);
		ck_assert(reply.status == 200 || reply.status == 0);
		accepted += reply.status == 200;
	}
	ck_assert_uint_eq(accepted, 10);
	for (unsigned int i = 0; i < accepted; i++) {
		buf_reset(&text);
		ck_assert_int_eq(canned_body(server, i, &text), 0);
		ck_slice(buf_slice(&text), "body");
	}
}
END_TEST

START_TEST(http_sends_several_at_once_and_no_more_than_it_may)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;
	uint64_t seen = 0;
	int fd;

	settings.connections = HTTP_CONNECTIONS_MAX;
	begin(ok, 1);
	for (uint64_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		post(i, "body");
	fd = memory("x", 1);
	ck_assert_int_eq(http_post(http, 99, fd, 0, 1), -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_uint_eq(http_busy(http), HTTP_CONNECTIONS_MAX);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		reap(&reply);
		ck_assert_int_eq(reply.status, 200);
		seen |= (uint64_t)1 << reply.token;
	}
	ck_assert_uint_eq(seen, (1u << HTTP_CONNECTIONS_MAX) - 1);
	ck_assert_uint_gt(canned_most(server), 1);
}
END_TEST

START_TEST(http_reply_is_good_while_its_slot_works_again)
{
	static const struct canned_reply two[] = {
		{CANNED_PLAIN,
		 "HTTP/1.1 400 A\r\nContent-Length: 5\r\n\r\nfirst", 0},
		{CANNED_PLAIN,
		 "HTTP/1.1 400 B\r\nContent-Length: 6\r\n\r\nsecond", 0}};
	struct http_reply first, second;

	settings.connections = 1;
	begin(two, 2);
	post(1, "body");
	reap(&first);
	post(2, "body");
	while (canned_requests(server) < 2)
		http_wait(http, 10);
	http_wait(http, 10);
	ck_slice(first.body, "first");
	reap(&second);
	ck_slice(second.body, "second");
}
END_TEST

START_TEST(http_free_cancels_what_is_in_flight)
{
	static const struct canned_reply stall[] = {{CANNED_STALL, "", 0}};
	int fd;

	begin(stall, 1);
	fd = memory("body", 4);
	ck_assert_int_eq(http_post(http, 1, fd, 0, 4), 0);
	while (!canned_requests(server))
		http_wait(http, 10);
	http_free(&http);
	ck_assert_ptr_null(http);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static void *wake(void *arg)
{
	http_wake(arg);
	return NULL;
}

START_TEST(http_wake_ends_a_wait)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	time_t start = time(NULL);
	pthread_t thread;

	begin(ok, 1);
	pthread_create(&thread, NULL, wake, http);
	http_wait(http, 60000);
	ck_assert_int_lt(time(NULL) - start, 30);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(http_goes_through_the_proxy_it_is_given)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;
	char proxy[64];

	server = canned_start(ok, 1);
	setenv("no_proxy", "*", 1);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u",
		 canned_port(server));
	snprintf(url, sizeof(url), "http://127.0.0.1:1/events");
	settings.proxy = proxy;
	http = http_new(&settings, &why);
	ck_assert_ptr_nonnull(http);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 200);
	canned_head(server, 0, &text);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&text), "POST http://127.0.0.1:1/events HTTP"));
}
END_TEST

START_TEST(http_keeps_the_key_from_a_proxy_that_tunnels)
{
	static const struct canned_reply no[] = {
		{CANNED_CLOSE,
		 "HTTP/1.1 407 No\r\nRetry-After: 5\r\n"
		 "Content-Length: 0\r\n\r\n",
		 0}};
	struct http_reply reply;
	char proxy[64];

	server = canned_start(no, 1);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u",
		 canned_port(server));
	snprintf(url, sizeof(url), "https://service.test/events");
	settings.proxy = proxy;
	http = http_new(&settings, &why);
	ck_assert_ptr_nonnull(http);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 0);
	canned_head(server, 0, &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "CONNECT service.test"));
	ck_assert_ptr_null(strstr(buf_str(&text), KEY));
}
END_TEST

START_TEST(http_says_that_nobody_listens)
{
	static const struct canned_reply ok[] = {{CANNED_PLAIN, OK_BODY, 0}};
	struct http_reply reply;

	begin(ok, 1);
	canned_stop(&server);
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 0);
	ck_assert_uint_gt(reply.error.len, 0);
	ck_assert(!reply.tls);
}
END_TEST

START_TEST(http_speaks_http_only)
{
	struct http_reply reply;

	snprintf(url, sizeof(url), "file:///etc/hostname");
	http = http_new(&settings, &why);
	if (!http)
		return; /* refused at once: as good */
	post(1, "body");
	reap(&reply);
	ck_assert_int_eq(reply.status, 0);
}
END_TEST

static const struct {
	const char *url, *key, *ca_file, *proxy, *why;
} wrong[] = {
	{"", "k", NULL, NULL, "url"},
	{"http://[", "k", NULL, NULL, "url"},
	{"http://127.0.0.1/", "k", "/nowhere/ca.pem", NULL, "/nowhere/ca.pem"},
	{"http://127.0.0.1/", "k", NULL, "http://[", "proxy"},
	{"http://127.0.0.1/", "se\r\ncret", NULL, NULL, "API key"},
	{"http://127.0.0.1/", "se cret", NULL, NULL, "API key"},
};

START_TEST(http_new_says_which_setting_is_wrong)
{
	settings.url = (char *)(uintptr_t)wrong[_i].url;
	settings.api_key = (char *)(uintptr_t)wrong[_i].key;
	settings.ca_file = (char *)(uintptr_t)wrong[_i].ca_file;
	settings.proxy = (char *)(uintptr_t)wrong[_i].proxy;
	http = http_new(&settings, &why);
	ck_assert_ptr_null(http);
	ck_assert_ptr_nonnull(strstr(buf_str(&why), wrong[_i].why));
	ck_assert_ptr_null(strstr(buf_str(&why), "cret"));
}
END_TEST

Suite *http_suite(void)
{
	Suite *s = suite_create("http");
	TCase *tc = tcase_create("http");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, http_brings_each_reply_back, 0, NROF(replies));
	tcase_add_test(tc, http_reply_counts_though_the_body_was_not_taken);
	tcase_add_test(tc,
		       http_sends_the_key_and_what_the_service_wants_to_read);
	tcase_add_test(tc, http_follows_no_redirect_with_the_key);
	tcase_add_test(tc, http_sends_exactly_the_bytes_asked_for);
	tcase_add_test(tc, http_gives_up_on_a_file_that_is_shorter_than_it_was);
	tcase_add_test(tc, http_stops_waiting_for_a_server_that_stalls);
	tcase_add_test(tc, http_caps_a_reply_without_end);
	tcase_add_test(tc, http_keeps_its_connection);
	tcase_add_test(tc,
		       http_repeats_the_body_when_a_kept_connection_was_dead);
	tcase_add_test(tc, http_sends_several_at_once_and_no_more_than_it_may);
	tcase_add_test(tc, http_reply_is_good_while_its_slot_works_again);
	tcase_add_test(tc, http_free_cancels_what_is_in_flight);
	tcase_add_test(tc, http_wake_ends_a_wait);
	tcase_add_test(tc, http_goes_through_the_proxy_it_is_given);
	tcase_add_test(tc, http_keeps_the_key_from_a_proxy_that_tunnels);
	tcase_add_test(tc, http_says_that_nobody_listens);
	tcase_add_test(tc, http_speaks_http_only);
	tcase_add_loop_test(tc, http_new_says_which_setting_is_wrong, 0,
			    NROF(wrong));
	suite_add_tcase(s, tc);
	return s;
}
