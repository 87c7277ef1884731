/* SPDX-License-Identifier: GPL-2.0-only */
/* The stand-in of SparkPost's ingest service; contrib/STAND-IN is its manual.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "tools/standin/serve.h"

enum { FILE_MAX = 1 << 30, KEEP_BODIES = 100, STALL_MS = 60000 };

struct options {
	uint16_t port;
	const char *listen, *port_file, *tls_cert, *tls_key;
	const char *log, *accepted, *times, *summary, *plan;
	const char *faults[64];
	size_t faults_count;
	uint64_t seed;
};

static const char usage[] =
	"usage: standin [--port N] [--listen ADDRESS] [--port-file FILE]\n"
	"  [--key KEY ...] [--outcome-key KEY ...] [--outcome-status CODE]\n"
	"  [--tls-cert FILE --tls-key FILE] [--max-age S] [--max-bytes N]\n"
	"  [--log FILE] [--accepted FILE] [--summary FILE] [--keep-bodies N]\n"
	"  [--fault WHICH:WHAT ...] [--plan FILE] [--seed N] [--stall-ms MS]\n"
	"  [--verdict-delay-ms MS] [--fast] [--sample N]\n"
	"  [--times FILE]\n";

static void die(const char *what, const char *name)
{
	fprintf(stderr, "standin: %s: %s\n", what, name);
	exit(EXIT_FAILURE);
}

static uint64_t number(const char *text, uint64_t max)
{
	unsigned long long n;

	if (slice_number(slice_str(text), max, &n) < 0)
		die("not a number in range", text);
	return n;
}

static void add_key(struct serve_keys *keys, const char *key)
{
	if (keys->count == SERVE_KEYS)
		die("too many keys", key);
	keys->key[keys->count++] = key;
}

static void add_fault(struct options *o, const char *spec)
{
	if (o->faults_count == sizeof(o->faults) / sizeof(o->faults[0]))
		die("too many faults, use --plan", spec);
	o->faults[o->faults_count++] = spec;
}

static const struct option names[] = {{"port", 1, NULL, 'p'},
				      {"listen", 1, NULL, 'l'},
				      {"port-file", 1, NULL, 'P'},
				      {"key", 1, NULL, 'k'},
				      {"outcome-key", 1, NULL, 'K'},
				      {"outcome-status", 1, NULL, 'o'},
				      {"tls-cert", 1, NULL, 'c'},
				      {"tls-key", 1, NULL, 'C'},
				      {"max-age", 1, NULL, 'a'},
				      {"max-bytes", 1, NULL, 'b'},
				      {"log", 1, NULL, 'L'},
				      {"accepted", 1, NULL, 'A'},
				      {"times", 1, NULL, 'T'},
				      {"summary", 1, NULL, 'S'},
				      {"keep-bodies", 1, NULL, 'B'},
				      {"fault", 1, NULL, 'f'},
				      {"plan", 1, NULL, 'F'},
				      {"seed", 1, NULL, 's'},
				      {"stall-ms", 1, NULL, 't'},
				      {"verdict-delay-ms", 1, NULL, 'd'},
				      {"sample", 1, NULL, 'Q'},
				      {"fast", 0, NULL, 'q'},
				      {NULL, 0, NULL, 0}};

static const char **file_option(struct options *o, int c)
{
	switch (c) {
	case 'l':
		return &o->listen;
	case 'P':
		return &o->port_file;
	case 'c':
		return &o->tls_cert;
	case 'C':
		return &o->tls_key;
	case 'L':
		return &o->log;
	case 'A':
		return &o->accepted;
	case 'T':
		return &o->times;
	case 'S':
		return &o->summary;
	default:
		return &o->plan;
	}
}

static void take_option(struct options *o, struct serve *s, int c)
{
	switch (c) {
	case 'p':
		o->port = (uint16_t)number(optarg, 65535);
		break;
	case 'k':
		add_key(&s->keys, optarg);
		break;
	case 'K':
		add_key(&s->outcome_keys, optarg);
		break;
	case 'o':
		s->outcome_status = (unsigned int)number(optarg, 599);
		break;
	case 'a':
		s->judge.max_age_s = (int64_t)number(optarg, INT64_MAX);
		break;
	case 'b':
		s->max_bytes = number(optarg, 1 << 30);
		break;
	case 'B':
		s->shelf.keep_bodies = number(optarg, SIZE_MAX);
		break;
	case 'f':
		add_fault(o, optarg);
		break;
	case 's':
		o->seed = number(optarg, UINT64_MAX);
		break;
	case 't':
		s->stall_ms = (unsigned int)number(optarg, 86400000);
		break;
	case 'd':
		s->verdict_delay_ms = (unsigned int)number(optarg, 86400000);
		break;
	case 'q':
		s->judge.fast = true;
		break;
	case 'Q':
		s->judge.sample = (unsigned int)number(optarg, 1 << 30);
		if (!s->judge.sample)
			die("not a number above 0", optarg);
		break;
	default:
		*file_option(o, c) = optarg;
		break;
	}
}

static void read_file(const char *name, struct buf *out)
{
	buf_init(out, FILE_MAX);
	if (fs_read_file(AT_FDCWD, name, out) < 0)
		die(strerror(errno), name);
}

static void set_up(struct serve *s, const struct options *o)
{
	struct buf text;

	s->plan = plan_new(o->seed);
	for (size_t i = 0; i < o->faults_count; i++)
		if (plan_add(s->plan, slice_str(o->faults[i])) < 0)
			die("no such fault", o->faults[i]);
	if (o->plan) {
		read_file(o->plan, &text);
		if (plan_add_lines(s->plan, buf_slice(&text)) < 0)
			die("not a plan", o->plan);
		buf_release(&text);
	}
	s->shelf.salt =
		o->seed ? o->seed
			: (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	if (books_open(&s->books, o->log, o->accepted, o->times) < 0)
		exit(EXIT_FAILURE);
	if (o->accepted) {
		read_file(o->accepted, &text);
		judge_remember(&s->judge, buf_slice(&text));
		buf_release(&text);
	}
}

static struct MHD_Daemon *start(struct serve *s, const struct options *o)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(o->port)};
	unsigned int flags =
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
	struct MHD_OptionItem tls[3] = {{MHD_OPTION_END, 0, NULL}};
	struct buf cert, key;

	if (inet_pton(AF_INET, o->listen, &at.sin_addr) != 1)
		die("not an IPv4 address", o->listen);
	if (o->tls_cert && o->tls_key) {
		flags |= MHD_USE_TLS;
		read_file(o->tls_cert, &cert);
		read_file(o->tls_key, &key);
		tls[0] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_CERT, 0,
			(void *)(uintptr_t)buf_str(&cert)};
		tls[1] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_KEY, 0,
			(void *)(uintptr_t)buf_str(&key)};
		tls[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	}
	return MHD_start_daemon(
		flags, 0, NULL, NULL, serve_handle, s, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&at, MHD_OPTION_URI_LOG_CALLBACK, serve_uri,
		s, MHD_OPTION_NOTIFY_COMPLETED, serve_completed, s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 18,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
}

/* Whoever sees the file sees a whole number: it is renamed into place. */
static void tell_port(struct MHD_Daemon *daemon, const char *file)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	char text[16], tmp[4096];
	int n;

	n = snprintf(text, sizeof(text), "%u\n", info ? info->port : 0u);
	if (!file) {
		fputs(text, stdout);
		fflush(stdout);
		return;
	}
	snprintf(tmp, sizeof(tmp), "%s.tmp", file);
	if (fs_store(AT_FDCWD, tmp, text, (size_t)n) < 0 ||
	    rename(tmp, file) < 0)
		die(strerror(errno), file);
}

static void summarize(struct serve *s, const char *file)
{
	struct buf text;

	buf_init(&text, FILE_MAX);
	books_summary(&s->books, &text);
	if (file && fs_store(AT_FDCWD, file, text.p, text.len) < 0)
		die(strerror(errno), file);
	buf_release(&text);
}

int main(int argc, char **argv)
{
	struct options o = {.listen = "127.0.0.1"};
	struct serve s = {.lock = PTHREAD_MUTEX_INITIALIZER,
			  .max_bytes = 5000000,
			  .stall_ms = STALL_MS,
			  .shelf.keep_bodies = KEEP_BODIES};
	struct MHD_Daemon *daemon;
	sigset_t stop;
	int c, caught;

	judge_init(&s.judge, &s.books, &s.shelf);
	s.judge.max_age_s = 86400;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?') {
			fputs(usage, stderr);
			return 64;
		}
		take_option(&o, &s, c);
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	set_up(&s, &o);
	daemon = start(&s, &o);
	if (!daemon)
		die("cannot listen", o.listen);
	tell_port(daemon, o.port_file);
	sigwait(&stop, &caught);
	/* Threads may be stalling: end without them, between two requests. */
	pthread_mutex_lock(&s.lock);
	summarize(&s, o.summary);
	_exit(EXIT_SUCCESS);
}
