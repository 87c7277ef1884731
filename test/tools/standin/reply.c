/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

enum { REPLY_MAX = 1 << 20 };

/* ingest.md 1.3; the codes are SparkPost's extended ones. */
static const struct {
	unsigned int status;
	const char *message, *description, *code;
} words[] = {
	{400, "Bad Request", "Problem with the request", "1200"},
	{401, "Unauthorized.", NULL, NULL},
	{403, "Forbidden.", "API key lacks the permission", "1100"},
	{404, "Not Found", "No such resource", "1600"},
	{405, "Method Not Allowed", NULL, "1102"},
	{413, "Request Entity Too Large", "Over the size limit", NULL},
	{414, "URI Too Long", "The limit is 4096 characters", NULL},
	{415, "Unsupported Media Type", NULL, "1700"},
	{422, "Unprocessable Entity", "Semantic error", "1300"},
	{429, "Too Many Requests", NULL, NULL},
	{500, "Internal Server Error", NULL, "1500"},
	{503, "Service Unavailable", NULL, "1900"},
};

void reply_sleep(unsigned int ms)
{
	struct timespec left = {.tv_sec = ms / 1000,
				.tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static struct MHD_Response *reply_make(struct slice body, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body.len, (void *)(uintptr_t)(body.len ? body.p : ""),
		MHD_RESPMEM_MUST_COPY);

	if (response)
		MHD_add_response_header(response, "Content-Type", type);
	return response;
}

static enum MHD_Result reply_queue(struct MHD_Connection *connection,
				   unsigned int status,
				   struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result reply_body(struct MHD_Connection *connection,
			   unsigned int status, const char *type,
			   struct slice body)
{
	return reply_queue(connection, status, reply_make(body, type));
}

static void reply_retry(struct MHD_Response *response, const char *after)
{
	char date[64];
	struct tm tm;
	time_t at;

	if (strncmp(after, "date+", 5) == 0) {
		at = time(NULL) + strtol(after + 5, NULL, 10);
		gmtime_r(&at, &tm);
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		after = date;
	}
	MHD_add_response_header(response, "Retry-After", after);
}

static void reply_words(struct json *j, unsigned int status, const char *why)
{
	size_t i = 0;

	while (i < NROF(words) && words[i].status != status)
		i++;
	if (i == NROF(words)) {
		json_str(j, "message", SLICE("Error"));
		return;
	}
	json_str(j, "message", slice_str(words[i].message));
	if (!why)
		why = words[i].description;
	if (why)
		json_str(j, "description", slice_str(why));
	if (words[i].code)
		json_str(j, "code", slice_str(words[i].code));
}

enum MHD_Result reply_error(struct MHD_Connection *connection,
			    unsigned int status, const char *why,
			    const char *retry_after)
{
	struct MHD_Response *response;
	struct buf body;
	struct json *j;

	buf_init(&body, REPLY_MAX);
	j = json_new(&body);
	json_begin(j);
	json_array_in(j, "errors");
	json_begin(j);
	reply_words(j, status, why);
	json_end(j);
	json_array_end(j);
	json_end(j);
	json_free(&j);
	if (status == 204 || status == 304)
		buf_reset(&body);
	response = reply_make(buf_slice(&body), REPLY_JSON);
	buf_release(&body);
	if (response && retry_after && retry_after[0])
		reply_retry(response, retry_after);
	return reply_queue(connection, status, response);
}

/* A body that is handed out a byte at a time, and perhaps not to its end. */
struct trickle {
	struct slice body;
	unsigned int ms_each;
	size_t end; /* fail there */
};

static ssize_t reply_piece(void *ctx, uint64_t pos, char *out, size_t max)
{
	struct trickle *t = ctx;

	if (pos >= t->end || max == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	reply_sleep(t->ms_each);
	out[0] = t->body.p[pos];
	return 1;
}

static void reply_done(void *ctx)
{
	struct trickle *t = ctx;

	mem_free((char *)(uintptr_t)t->body.p);
	mem_free(t);
}

static enum MHD_Result reply_pieces(struct MHD_Connection *connection,
				    struct slice body, size_t end,
				    unsigned int ms)
{
	struct trickle *t = mem_zero(1, sizeof(*t));
	struct MHD_Response *response;

	t->body = slice_of(mem_str_of(body), body.len);
	t->end = end;
	t->ms_each = ms / (unsigned int)(body.len ? body.len : 1);
	response = MHD_create_response_from_callback(body.len, 1, reply_piece,
						     t, reply_done);
	if (response)
		MHD_add_response_header(response, "Content-Type", REPLY_JSON);
	return reply_queue(connection, 200, response);
}

enum MHD_Result reply_trickle(struct MHD_Connection *connection,
			      struct slice body, unsigned int ms)
{
	reply_sleep(ms / 2);
	return reply_pieces(connection, body, body.len, ms - ms / 2);
}

enum MHD_Result reply_short(struct MHD_Connection *connection,
			    struct slice body)
{
	return reply_pieces(connection, body, body.len / 2, 0);
}

/*
 * Refusing to answer makes the library close the connection, with a FIN; to
 * dissolve the association first sends a RST.
 */
enum MHD_Result reply_reset(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (info)
		(void)connect(info->connect_fd, &none, sizeof(none));
	return MHD_NO;
}

/* --- Answers that no service gives --- */

static ssize_t reply_nothing(void *ctx, uint64_t pos, char *out, size_t max)
{
	(void)pos, (void)out, (void)max;
	reply_sleep(*(unsigned int *)ctx);
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

enum MHD_Result reply_head(struct MHD_Connection *connection, size_t len,
			   unsigned int ms)
{
	unsigned int *wait = mem_zero(1, sizeof(*wait));
	struct MHD_Response *response;

	*wait = ms;
	response = MHD_create_response_from_callback(len, 64, reply_nothing,
						     wait, mem_free);
	if (response)
		MHD_add_response_header(response, "Content-Type", REPLY_JSON);
	return reply_queue(connection, 200, response);
}

static ssize_t reply_blank(void *ctx, uint64_t pos, char *out, size_t max)
{
	(void)ctx, (void)pos;
	memset(out, ' ', max);
	return (ssize_t)max;
}

enum MHD_Result reply_huge(struct MHD_Connection *connection, size_t bytes)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		bytes, 64 << 10, reply_blank, NULL, NULL);

	if (response)
		MHD_add_response_header(response, "Content-Type", REPLY_JSON);
	return reply_queue(connection, 200, response);
}

enum MHD_Result reply_redirect(struct MHD_Connection *connection,
			       const char *url)
{
	struct MHD_Response *response = reply_make(SLICE("{}"), REPLY_JSON);

	if (response)
		MHD_add_response_header(response, "Location", url);
	return reply_queue(connection, 307, response);
}

enum MHD_Result reply_garbage(struct MHD_Connection *connection)
{
	static const char bytes[] =
		"220 mail.example.net ESMTP\r\n\0\377\r\n\n";
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		(void)!send(info->connect_fd, bytes, sizeof(bytes), 0);
	return MHD_NO;
}
