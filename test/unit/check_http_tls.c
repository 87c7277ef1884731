/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/check_all.h"

/*
 * Certificates are made by certtool (gnutls-bin) in a directory of their own;
 * where it is missing the tests pass without having looked.
 */

#define CA "cn = \"Test CA\"\nca\ncert_signing_key\nexpiration_days = 2\n"
#define LEAF(name)                                                             \
	"cn = \"leaf\"\n" name "\ntls_www_server\nsigning_key\n"               \
	"expiration_days = 2\n"

extern char **environ;

static char directory[4096];
static char previous[4096];
static bool able;
static struct MHD_Daemon *server;
static atomic_uint requests;
static struct buf cert, key, why;
static struct http *http;

static int run(const char *const *argv)
{
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &quiet, NULL, (char **)(uintptr_t)argv,
			 environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&quiet);
	return status;
}

static int make_key(const char *name)
{
	const char *const argv[] = {"certtool",	  "--generate-privkey",
				    "--key-type", "ecdsa",
				    "--outfile",  name,
				    NULL};

	return run(argv);
}

static int make_ca(const char *name, const char *key_name)
{
	const char *const argv[] = {"certtool",
				    "--generate-self-signed",
				    "--load-privkey",
				    key_name,
				    "--template",
				    "template",
				    "--outfile",
				    name,
				    NULL};

	if (make_key(key_name) != 0)
		return -1;
	ck_assert_int_eq(fs_store(AT_FDCWD, "template", CA, strlen(CA)), 0);
	return run(argv);
}

static int make_leaf(const char *name, const char *template)
{
	const char *const argv[] = {"certtool",
				    "--generate-certificate",
				    "--load-privkey",
				    "leaf.key",
				    "--load-ca-certificate",
				    "ca.pem",
				    "--load-ca-privkey",
				    "ca.key",
				    "--template",
				    "template",
				    "--outfile",
				    name,
				    NULL};

	ck_assert_int_eq(
		fs_store(AT_FDCWD, "template", template, strlen(template)), 0);
	return run(argv);
}

static void setup(void)
{
	buf_init(&cert, 1 << 20);
	buf_init(&key, 1 << 20);
	buf_init(&why, 1000);
	ck_assert_ptr_nonnull(getcwd(previous, sizeof(previous)));
	atomic_store(&requests, 0);
	snprintf(directory, sizeof(directory), "%s/check_http_tls.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	able = make_ca("ca.pem", "ca.key") == 0 &&
	       make_ca("other.pem", "other.key") == 0 &&
	       make_key("leaf.key") == 0 &&
	       make_leaf("here.pem", LEAF("ip_address = \"127.0.0.1\"")) == 0 &&
	       make_leaf("there.pem", LEAF("dns_name = \"there.test\"")) == 0;
}

static void teardown(void)
{
	static const char *const files[] = {
		"ca.pem",   "ca.key",	"other.pem", "other.key",
		"leaf.key", "here.pem", "there.pem", "template"};

	http_free(&http);
	if (server)
		MHD_stop_daemon(server);
	server = NULL;
	for (size_t i = 0; i < NROF(files); i++)
		unlink(files[i]);
	ck_assert_int_eq(chdir(previous), 0);
	rmdir(directory);
	buf_release(&cert);
	buf_release(&key);
	buf_release(&why);
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *size, void **state)
{
	static char body[] = "{\"results\":{\"id\":\"tls\"}}";
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)ctx;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	if (!*state || *size) {
		*state = &requests;
		*size = 0;
		return MHD_YES;
	}
	atomic_fetch_add(&requests, 1);
	response = MHD_create_response_from_buffer(sizeof(body) - 1, body,
						   MHD_RESPMEM_PERSISTENT);
	result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

static unsigned int serve(const char *cert_name)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const union MHD_DaemonInfo *info;

	ck_assert_int_eq(fs_read_file(AT_FDCWD, cert_name, &cert), 0);
	ck_assert_int_eq(fs_read_file(AT_FDCWD, "leaf.key", &key), 0);
	server = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
		answer, NULL, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_HTTPS_MEM_CERT, buf_str(&cert),
		MHD_OPTION_HTTPS_MEM_KEY, buf_str(&key), MHD_OPTION_END);
	ck_assert_ptr_nonnull(server);
	info = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT);
	ck_assert_ptr_nonnull(info);
	return info->port;
}

static const struct {
	const char *cert, *ca;
	bool good;
} peers[] = {
	{"here.pem", "ca.pem", true},
	{"here.pem", "other.pem", false}, /* somebody else signed it */
	{"here.pem", NULL, false},	  /* nor does the system know it */
	{"there.pem", "ca.pem", false},	  /* another host's */
};

START_TEST(http_talks_to_nobody_whose_certificate_does_not_hold)
{
	struct http_settings settings = {
		.api_key = (char *)(uintptr_t) "key",
		.ca_file = (char *)(uintptr_t)peers[_i].ca,
		.connections = 1,
		.timeout_ms = 20000,
		.connect_timeout_ms = 20000};
	time_t end = time(NULL) + 30;
	struct http_reply reply;
	char url[64];
	int fd;

	if (!able)
		return;
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/",
		 serve(peers[_i].cert));
	settings.url = url;
	http = http_new(&settings, &why);
	ck_assert_msg(http, "%s", buf_str(&why));
	fd = memfd_create("body", MFD_CLOEXEC);
	ck_assert_int_eq(fs_write_all(fd, "body", 4), 0);
	ck_assert_int_eq(http_post(http, 1, fd, 0, 4), 0);
	while (!http_reap(http, &reply, 0)) {
		ck_assert_int_lt(time(NULL), end);
		http_wait(http, 100);
	}
	ck_assert_int_eq(reply.status, peers[_i].good ? 200 : 0);
	ck_assert_int_eq(reply.tls, !peers[_i].good);
	ck_assert_uint_eq(atomic_load(&requests), peers[_i].good);
}
END_TEST

Suite *http_tls_suite(void)
{
	Suite *s = suite_create("http_tls");
	TCase *tc = tcase_create("http_tls");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
		tc, http_talks_to_nobody_whose_certificate_does_not_hold, 0,
		NROF(peers));
	suite_add_tcase(s, tc);
	return s;
}
