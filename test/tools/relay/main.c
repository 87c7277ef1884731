/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * relay - a wire between two, which can be bad
 *
 *	relay --to 127.0.0.1:8025 --port-file FILE [options]
 *
 * Takes connections on 127.0.0.1 and carries bytes both ways.
 *
 *	--port N		0: any; written to --port-file
 *	--connect		be a proxy: take one CONNECT (whatever it names)
 *	--delay-ms N		each piece takes that long (and up to as much
 *				again with --jitter)
 *	--cut-after BYTES	of what the caller sends; then both sides are
 *				reset
 *	--stall			take connections, carry nothing
 *	--refuse		reset each connection at once
 *	--trickle		hand answers on byte by byte, a byte each ms
 *	--reset-rate X		each piece resets its connection with that
 *				probability, by --seed N
 *	--log FILE		a line for each connection: milliseconds
 *	--capture FILE		the first bytes of what callers send
 *
 * For silence in the middle stop the process (SIGSTOP); to end a fault start
 * another on the same port.  Without root and without chance: the same seed
 * and the same pieces give the same resets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tools/relay/relay.h"

enum { PAIRS = 64, PIECE = 32768, HEAD = 4096 };

/* One way: a piece is read, waits until it is due, and is written. */
struct way {
	size_t len, at;
	int64_t due_ms;
	uint64_t carried;
	bool ended; /* its reader has no more */
	char p[PIECE];
};

struct pair {
	int fd[2]; /* caller, called; -1: free */
	bool head; /* a proxy's request is still to come */
	struct way way[2];
};

static struct pair pairs[PAIRS];

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* xorshift64*, as the stand-in's dice. */
static double dice(void)
{
	uint64_t x = relay.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	relay.random = x;
	return (double)((x * 0x2545f4914f6cdd1du) >> 32) / 4294967296.0;
}

static void put(int fd, const char *p, size_t n)
{
	if (fd >= 0 && write(fd, p, n) < 0)
		relay_die("write");
}

/* --- Connections --- */

static void reset_fd(int *fd)
{
	struct linger now = {.l_onoff = 1};

	if (*fd >= 0) {
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(*fd);
	}
	*fd = -1;
}

static void reset(struct pair *pair)
{
	reset_fd(&pair->fd[0]);
	reset_fd(&pair->fd[1]);
}

/* The other side may be away: then so are we. */
static int call(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		relay_die("socket");
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&relay.to, sizeof(relay.to)) < 0)
		reset_fd(&fd);
	return fd;
}

static void take(int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct pair *pair = pairs;
	char line[32];
	int n;

	if (fd < 0)
		return;
	n = snprintf(line, sizeof(line), "%lld\n", (long long)now_ms());
	put(relay.log, line, (size_t)n);
	while (pair < pairs + PAIRS && pair->fd[0] >= 0)
		pair++;
	if (relay.refuse || pair == pairs + PAIRS) {
		reset_fd(&fd);
		return;
	}
	memset(pair, 0, sizeof(*pair));
	pair->fd[0] = fd;
	pair->fd[1] = -1;
	pair->head = relay.connect;
	if (relay.stall || relay.connect)
		return;
	pair->fd[1] = call();
	if (pair->fd[1] < 0)
		reset(pair);
}

/* --- Pieces --- */

static void proxy_head(struct pair *pair)
{
	static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	static const char no[] = "HTTP/1.1 502 Bad gateway\r\n"
				 "Content-Length: 0\r\n\r\n";
	struct way *way = &pair->way[0];
	const char *end = memmem(way->p, way->len, "\r\n\r\n", 4);

	if (!end)
		return;
	put(relay.capture, way->p, way->len);
	way->len = 0;
	pair->head = false;
	pair->fd[1] = call();
	if (pair->fd[1] < 0) {
		put(pair->fd[0], no, sizeof(no) - 1);
		reset(pair);
		return;
	}
	put(pair->fd[0], yes, sizeof(yes) - 1);
}

/* Is this the end of the pair?  What the caller sends counts. */
static bool worn(const struct pair *pair)
{
	return (relay.cut_after && pair->way[0].carried >= relay.cut_after) ||
	       (relay.reset_rate > 0 && dice() < relay.reset_rate);
}

static int64_t due_ms(int side)
{
	int64_t ms = relay.delay_ms;

	if (relay.jitter)
		ms += (int64_t)(dice() * (double)relay.delay_ms);
	if (relay.trickle && side == 1)
		ms++;
	return now_ms() + ms;
}

static size_t room(const struct way *way, int side)
{
	if (relay.trickle && side == 1)
		return 1;
	if (relay.cut_after && side == 0 && PIECE - way->len > relay.cut_after)
		return relay.cut_after;
	return PIECE - way->len;
}

static void pull(struct pair *pair, int side)
{
	struct way *way = &pair->way[side];
	ssize_t n = read(pair->fd[side], way->p + way->len, room(way, side));

	if (n < 0 || (n == 0 && pair->head)) {
		reset(pair);
		return;
	}
	way->ended = n == 0;
	if (side == 0 && !pair->head && way->carried < HEAD)
		put(relay.capture, way->p, (size_t)n);
	way->len += (size_t)n;
	way->carried += (size_t)n;
	way->due_ms = due_ms(side);
	if (pair->head)
		proxy_head(pair);
	else if (n && worn(pair))
		reset(pair);
}

static void push(struct pair *pair, int side)
{
	struct way *way = &pair->way[side];
	ssize_t n = send(pair->fd[!side], way->p + way->at, way->len - way->at,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN)
			reset(pair);
		return;
	}
	way->at += (size_t)n;
	if (way->at == way->len)
		way->at = way->len = 0;
}

/* A side that ended ends the other, when all it said was handed on. */
static void finish(struct pair *pair)
{
	for (int side = 0; side < 2; side++) {
		if (pair->fd[0] < 0 || !pair->way[side].ended ||
		    pair->way[side].len)
			continue;
		for (int i = 0; i < 2; i++) {
			close(pair->fd[i]);
			pair->fd[i] = -1;
		}
	}
}

/* --- The loop --- */

static short wants(const struct pair *pair, int side)
{
	const struct way *in = &pair->way[side], *out = &pair->way[!side];
	short events = 0;

	if (relay.stall || pair->fd[side] < 0)
		return 0;
	if (!in->ended && (pair->head || !in->len) && in->len < PIECE)
		events |= POLLIN;
	if (out->len && out->due_ms <= now_ms())
		events |= POLLOUT;
	return events;
}

static int64_t soonest(int64_t now)
{
	int64_t wait = 60000;

	for (int i = 0; i < PAIRS * 2; i++) {
		const struct way *way = &pairs[i / 2].way[i % 2];

		if (pairs[i / 2].fd[0] >= 0 && way->len &&
		    way->due_ms - now < wait)
			wait = way->due_ms > now ? way->due_ms - now : 0;
	}
	return wait;
}

static void serve(struct pair *pair, const struct pollfd *pfd)
{
	for (int side = 0; side < 2; side++) {
		if (pair->fd[side] == pfd[side].fd && pair->fd[side] >= 0 &&
		    (pfd[side].revents & (POLLIN | POLLHUP | POLLERR)) &&
		    (wants(pair, side) & POLLIN))
			pull(pair, side);
		if (pair->fd[side] == pfd[side].fd && pair->fd[side] >= 0 &&
		    (pfd[side].revents & POLLOUT))
			push(pair, !side);
	}
	finish(pair);
}

static void round_of(int listener)
{
	struct pollfd pfd[PAIRS * 2 + 1];

	for (int i = 0; i < PAIRS * 2; i++) {
		short events = wants(&pairs[i / 2], i % 2);

		/* Without a wish a broken one would spin. */
		pfd[i] = (struct pollfd){.fd = events ? pairs[i / 2].fd[i % 2]
						      : -1,
					 .events = events};
	}
	pfd[PAIRS * 2] = (struct pollfd){.fd = listener, .events = POLLIN};
	if (poll(pfd, PAIRS * 2 + 1, (int)soonest(now_ms())) < 0)
		relay_die("poll");
	for (int i = 0; i < PAIRS; i++) {
		if (pairs[i].fd[0] >= 0)
			serve(&pairs[i], &pfd[i * 2]);
	}
	if (pfd[PAIRS * 2].revents)
		take(listener);
}

static void tell_port(int listener)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	char tmp[4096];
	FILE *file;

	if (getsockname(listener, (struct sockaddr *)&at, &len) < 0)
		relay_die("getsockname");
	snprintf(tmp, sizeof(tmp), "%s.tmp", relay.port_file);
	file = fopen(tmp, "we");
	if (!file || fprintf(file, "%d\n", ntohs(at.sin_port)) < 0 ||
	    fclose(file) != 0 || rename(tmp, relay.port_file) < 0)
		relay_die(relay.port_file);
}

static int open_listener(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(relay.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 64) < 0)
		relay_die("listen");
	return fd;
}

int main(int argc, char **argv)
{
	int listener;

	if (relay_options(argc, argv) < 0)
		return 64;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < PAIRS; i++)
		pairs[i].fd[0] = pairs[i].fd[1] = -1;
	listener = open_listener();
	tell_port(listener);
	for (;;)
		round_of(listener);
}
