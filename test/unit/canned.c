/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/canned.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { CANNED_MAX = 64, CANNED_BODY = 32 << 20, CANNED_HEAD = 64 << 10 };

struct canned_line {
	struct canned *canned;
	pthread_t thread;
	int fd;
};

struct canned_request {
	struct buf head, body;
};

struct canned {
	const struct canned_reply *replies;
	size_t count;
	int listener;
	unsigned int port;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	struct canned_line lines[CANNED_MAX];
	unsigned int connections, open, most, begun, requests;
	struct canned_request seen[CANNED_MAX];
};

static const struct canned_reply *canned_next(struct canned *c)
{
	unsigned int n;

	pthread_mutex_lock(&c->mutex);
	n = c->begun++;
	pthread_mutex_unlock(&c->mutex);
	return &c->replies[n < c->count ? n : c->count - 1];
}

static void canned_note(struct canned *c, const struct buf *head,
			const struct buf *body)
{
	struct canned_request *seen;

	pthread_mutex_lock(&c->mutex);
	assert(c->requests < CANNED_MAX);
	seen = &c->seen[c->requests++];
	buf_add_slice(&seen->head, buf_slice(head));
	buf_add_slice(&seen->body, buf_slice(body));
	pthread_mutex_unlock(&c->mutex);
}

/* One more piece of what comes; 0 at the end. */
static int canned_more(int fd, struct buf *in)
{
	char block[65536];
	ssize_t n = recv(fd, block, sizeof(block), 0);

	return n > 0 && buf_add(in, block, (size_t)n) == 0;
}

static size_t canned_length(const struct buf *head)
{
	const char *hit = strcasestr(head->p, "\r\nContent-Length:");

	return hit ? strtoul(hit + 17, NULL, 10) : 0;
}

static void canned_say(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void canned_reply(int fd, const struct canned_reply *reply)
{
	char block[1000];

	canned_say(fd, reply->text, strlen(reply->text));
	memset(block, 'x', sizeof(block));
	for (size_t n = 0; n < reply->padding; n += sizeof(block))
		canned_say(fd, block, sizeof(block));
}

/* Closing with this sends a reset. */
static void canned_reset(int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Read the header into "head" and what has come of the body into "body". */
static int canned_read_head(int fd, struct buf *head, struct buf *body)
{
	char *end;

	buf_reset(head);
	buf_add_slice(head, buf_slice(body));
	buf_reset(body);
	while (!(end = strstr(buf_str(head), "\r\n\r\n"))) {
		if (!canned_more(fd, head))
			return -1;
	}
	end += 4;
	buf_add(body, end, head->len - (size_t)(end - head->p));
	buf_truncate(head, (size_t)(end - head->p));
	return 0;
}

static int canned_request(struct canned *c, int fd, struct buf *head,
			  struct buf *body)
{
	const struct canned_reply *reply;
	size_t length;

	if (canned_read_head(fd, head, body) < 0)
		return -1;
	reply = canned_next(c);
	buf_str(head);
	length = canned_length(head);
	if (reply->manner == CANNED_EARLY)
		canned_reply(fd, reply);
	while (body->len < length) {
		if (reply->manner == CANNED_TORN && body->len) {
			canned_reset(fd);
			return -1;
		}
		if (!canned_more(fd, body))
			return -1;
	}
	canned_note(c, head, body);
	buf_reset(body);
	if (reply->manner != CANNED_EARLY)
		canned_reply(fd, reply);
	if (reply->manner == CANNED_RESET)
		canned_reset(fd);
	while (reply->manner == CANNED_STALL && canned_more(fd, body))
		;
	return reply->manner == CANNED_PLAIN ? 0 : -1;
}

static void *canned_serve(void *arg)
{
	struct canned_line *line = arg;
	struct canned *c = line->canned;
	struct buf head, body;

	buf_init(&head, CANNED_HEAD);
	buf_init(&body, CANNED_BODY);
	while (canned_request(c, line->fd, &head, &body) == 0)
		;
	buf_release(&head);
	buf_release(&body);
	pthread_mutex_lock(&c->mutex);
	close(line->fd);
	line->fd = -1;
	c->open--;
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static void *canned_listen(void *arg)
{
	struct canned *c = arg;
	struct canned_line *line;
	int fd;

	while ((fd = accept(c->listener, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&c->mutex);
		assert(c->connections < CANNED_MAX);
		line = &c->lines[c->connections++];
		if (++c->open > c->most)
			c->most = c->open;
		line->canned = c;
		line->fd = fd;
		pthread_create(&line->thread, NULL, canned_serve, line);
		pthread_mutex_unlock(&c->mutex);
	}
	return NULL;
}

struct canned *canned_start(const struct canned_reply *replies, size_t count)
{
	struct canned *c = mem_zero(1, sizeof(*c));
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	c->replies = replies;
	c->count = count;
	pthread_mutex_init(&c->mutex, NULL);
	for (int i = 0; i < CANNED_MAX; i++) {
		buf_init(&c->seen[i].head, CANNED_HEAD);
		buf_init(&c->seen[i].body, CANNED_BODY);
	}
	c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->listener < 0 ||
	    bind(c->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(c->listener, CANNED_MAX) < 0 ||
	    getsockname(c->listener, (struct sockaddr *)&at, &len) < 0)
		abort();
	c->port = ntohs(at.sin_port);
	pthread_create(&c->thread, NULL, canned_listen, c);
	return c;
}

void canned_stop(struct canned **canned)
{
	struct canned *c = *canned;

	shutdown(c->listener, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->listener);
	for (unsigned int i = 0; i < c->connections; i++) {
		pthread_mutex_lock(&c->mutex);
		if (c->lines[i].fd >= 0)
			shutdown(c->lines[i].fd, SHUT_RDWR);
		pthread_mutex_unlock(&c->mutex);
		pthread_join(c->lines[i].thread, NULL);
	}
	for (int i = 0; i < CANNED_MAX; i++) {
		buf_release(&c->seen[i].head);
		buf_release(&c->seen[i].body);
	}
	pthread_mutex_destroy(&c->mutex);
	mem_free(c);
	*canned = NULL;
}

unsigned int canned_port(const struct canned *canned)
{
	return canned->port;
}

static unsigned int canned_number(struct canned *canned,
				  const unsigned int *number)
{
	unsigned int n;

	pthread_mutex_lock(&canned->mutex);
	n = *number;
	pthread_mutex_unlock(&canned->mutex);
	return n;
}

unsigned int canned_requests(struct canned *canned)
{
	return canned_number(canned, &canned->requests);
}

unsigned int canned_connections(struct canned *canned)
{
	return canned_number(canned, &canned->connections);
}

unsigned int canned_most(struct canned *canned)
{
	return canned_number(canned, &canned->most);
}

int canned_head(struct canned *canned, unsigned int n, struct buf *out)
{
	if (n >= canned_requests(canned))
		return -1;
	return buf_add_slice(out, buf_slice(&canned->seen[n].head));
}

int canned_body(struct canned *canned, unsigned int n, struct buf *out)
{
	if (n >= canned_requests(canned))
		return -1;
	return buf_add_slice(out, buf_slice(&canned->seen[n].body));
}
