/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/serve.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "tools/standin/pages.h"
#include "tools/standin/reply.h"

enum { SERVE_RAW_MAX = 1 << 28, SERVE_ANSWER_MAX = 256 };

#define SERVE_INGEST "/api/v1/ingest/events"

static const char *serve_header(struct MHD_Connection *connection,
				const char *name)
{
	const char *value =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

static bool serve_knows(const struct serve_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(key, keys->key[i]) == 0)
			return true;
	return keys->count == 0;
}

unsigned int serve_auth(struct serve *serve, struct MHD_Connection *connection,
			bool outcome)
{
	const char *key = serve_header(connection, "Authorization");

	if (!key[0])
		return 401;
	if (!outcome || serve->outcome_keys.count == 0)
		return serve_knows(&serve->keys, key) ? 0 : 401;
	if (serve_knows(&serve->outcome_keys, key))
		return 0;
	return serve_knows(&serve->keys, key) ? 403 : 401;
}

void serve_log(struct serve *serve, const struct serve_request *request,
	       const struct books_line *line)
{
	struct books_line full = *line;

	full.path = request->path;
	full.bytes = request->bytes;
	pthread_mutex_lock(&serve->lock);
	books_log(&serve->books, &full);
	pthread_mutex_unlock(&serve->lock);
}

/* What the service checks before it answers 200: 0, or the error's status. */
static unsigned int serve_refusal(struct serve *serve,
				  struct MHD_Connection *connection,
				  const struct serve_request *request,
				  const char **why_out)
{
	struct slice type = slice_str(serve_header(connection, "Content-Type"));
	unsigned int status = serve_auth(serve, connection, false);

	*why_out = NULL;
	if (status)
		return status;
	type = slice_trim(slice_cut(type, ';', &(struct slice){0}));
	if (!slice_eq_nocase(type, SLICE("application/x-ndjson"))) {
		*why_out = "Content-Type must be application/x-ndjson";
		return 415;
	}
	type = slice_str(serve_header(connection, "Content-Encoding"));
	if (!slice_eq_nocase(type, SLICE("gzip"))) {
		*why_out = "Content-Encoding must be gzip";
		return 415;
	}
	return request->bytes > serve->max_bytes ? 413 : 0;
}

static bool serve_takes(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_STATUS:
	case FAULT_STALL:
	case FAULT_RESET_BEFORE:
	case FAULT_HTML:
	case FAULT_NOID:
	case FAULT_HUGE:
	case FAULT_GARBAGE:
	case FAULT_REDIRECT:
	case FAULT_REFUSE_IF:
		return false;
	default:
		return true;
	}
}

static enum MHD_Result serve_answer_oddly(struct serve *serve,
					  struct MHD_Connection *connection,
					  const struct fault *fault,
					  struct slice ok)
{
	switch (fault->kind) {
	case FAULT_STALL_HEAD:
		return reply_head(connection, ok.len,
				  fault->number ? fault->number
						: serve->stall_ms);
	case FAULT_HUGE:
		return reply_huge(connection, fault->number);
	case FAULT_GARBAGE:
		return reply_garbage(connection);
	case FAULT_REDIRECT:
		return reply_redirect(connection, fault->text);
	default:
		return reply_body(connection, 200, REPLY_JSON, ok);
	}
}

static enum MHD_Result serve_answer(struct serve *serve,
				    struct MHD_Connection *connection,
				    const struct fault *fault, struct slice ok)
{
	switch (fault->kind) {
	case FAULT_STATUS:
		return reply_error(connection, fault->number, NULL,
				   fault->text);
	case FAULT_REFUSE_IF:
		return reply_error(connection, fault->number, NULL, NULL);
	case FAULT_SLOW:
		return reply_trickle(connection, ok, fault->number);
	case FAULT_STALL:
		reply_sleep(fault->number ? fault->number : serve->stall_ms);
		return reply_reset(connection);
	case FAULT_RESET_BEFORE:
	case FAULT_RESET_AFTER:
		return reply_reset(connection);
	case FAULT_TRUNCATED:
		return reply_body(connection, 200, REPLY_JSON,
				  slice_of(ok.p, ok.len / 2));
	case FAULT_SHORT:
		return reply_short(connection, ok);
	case FAULT_HTML:
		return reply_body(connection, 200, "text/html",
				  SLICE("<!DOCTYPE html><html><body>"
					"<h1>Welcome to our guest network</h1>"
					"</body></html>\n"));
	case FAULT_NOID:
		return reply_body(connection, 200, REPLY_JSON,
				  SLICE("{\"results\":{}}"));
	default:
		return serve_answer_oddly(serve, connection, fault, ok);
	}
}

static unsigned int serve_status(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_STATUS:
	case FAULT_REFUSE_IF:
		return fault->number;
	case FAULT_STALL:
	case FAULT_RESET_BEFORE:
	case FAULT_RESET_AFTER:
	case FAULT_GARBAGE:
		return 0;
	case FAULT_REDIRECT:
		return 307;
	default:
		return 200;
	}
}

static const char *const serve_faults[] = {
	[FAULT_NONE] = NULL,
	[FAULT_STATUS] = "status",
	[FAULT_SLOW] = "slow",
	[FAULT_STALL] = "stall",
	[FAULT_RESET_BEFORE] = "reset-before",
	[FAULT_RESET_AFTER] = "reset-after",
	[FAULT_TRUNCATED] = "truncated",
	[FAULT_SHORT] = "short",
	[FAULT_HTML] = "html",
	[FAULT_NOID] = "noid",
	[FAULT_STALL_HEAD] = "stall-head",
	[FAULT_HUGE] = "huge",
	[FAULT_GARBAGE] = "garbage",
	[FAULT_REDIRECT] = "redirect",
	[FAULT_REFUSE_IF] = "refuse-if",
	[FAULT_REJECT_IF] = "reject-if",
	[FAULT_VERDICT] = "verdict",
};

/* Under one hold of the lock: pick the fault, take the batch, write it down. */
static struct fault serve_take(struct serve *serve,
			       const struct serve_request *request,
			       const struct judge_batch *in, char id[SHELF_ID])
{
	struct books_line line = {.method = "POST",
				  .path = request->path,
				  .bytes = request->bytes};
	const struct shelf_batch *batch;
	uint64_t received;
	struct fault fault;

	id[0] = '\0';
	pthread_mutex_lock(&serve->lock);
	received = serve->books.received;
	fault = plan_pick(serve->plan, serve->books.posts, in->raw);
	if (fault.kind != FAULT_NONE)
		serve->books.faults++;
	if (serve_takes(&fault)) {
		batch = judge_take(&serve->judge, in, &fault);
		memcpy(id, batch->id, SHELF_ID);
		line.batch_id = id;
		line.accepted = batch->succeeded;
	}
	line.events = serve->books.received - received;
	line.status = serve_status(&fault);
	line.error = serve_faults[fault.kind];
	books_log(&serve->books, &line);
	pthread_mutex_unlock(&serve->lock);
	return fault;
}

static int64_t serve_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum MHD_Result serve_post(struct serve *serve,
				  struct MHD_Connection *connection,
				  struct serve_request *request)
{
	struct judge_batch in = {.body = buf_slice(&request->body),
				 .came_us = serve_clock_us()};
	char id[SHELF_ID], ok[SERVE_ANSWER_MAX];
	struct fault fault;
	struct buf raw;

	buf_init(&raw, SERVE_RAW_MAX);
	in.unread = !judge_samples(&serve->judge);
	in.damaged = !in.unread && judge_unpack(in.body, &raw) < 0;
	in.raw = buf_slice(&raw);
	fault = serve_take(serve, request, &in, id);
	buf_release(&raw);
	snprintf(ok, sizeof(ok), "{\"results\":{\"id\":\"%s\"}}", id);
	return serve_answer(serve, connection, &fault, slice_str(ok));
}

static enum MHD_Result serve_ingest(struct serve *serve,
				    struct MHD_Connection *connection,
				    const char *method,
				    struct serve_request *request)
{
	struct books_line line = {.method = method};
	const char *why = NULL;

	if (strcmp(method, "POST") != 0) {
		line.status = 405;
	} else {
		pthread_mutex_lock(&serve->lock);
		serve->books.posts++;
		serve->books.bytes += request->bytes;
		pthread_mutex_unlock(&serve->lock);
		line.status = serve_refusal(serve, connection, request, &why);
		if (!line.status)
			return serve_post(serve, connection, request);
	}
	line.error = why ? why : "refused";
	serve_log(serve, request, &line);
	return reply_error(connection, line.status, why, NULL);
}

void *serve_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct serve_request *request = mem_zero(1, sizeof(*request));
	struct serve *serve = cls;

	(void)connection;
	buf_init(&request->body, serve->max_bytes);
	request->uri_too_long = strlen(uri) > SERVE_URI_MAX;
	request->path =
		mem_str_of(slice_cut(slice_str(uri), '?', &(struct slice){0}));
	return request;
}

void serve_completed(void *cls, struct MHD_Connection *connection,
		     void **request, enum MHD_RequestTerminationCode code)
{
	struct serve_request *r = *request;

	(void)cls, (void)connection, (void)code;
	if (!r)
		return;
	buf_release(&r->body);
	mem_free(r->path);
	mem_free(r);
	*request = NULL;
}

enum MHD_Result serve_handle(void *cls, struct MHD_Connection *connection,
			     const char *url, const char *method,
			     const char *version, const char *data,
			     size_t *data_size, void **request)
{
	struct serve_request *r = *request;
	struct serve *serve = cls;

	(void)version;
	if (!r->begun) {
		r->begun = true;
		return MHD_YES;
	}
	if (*data_size) {
		r->bytes += *data_size;
		if (r->bytes <= serve->max_bytes)
			buf_add(&r->body, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, SERVE_INGEST) == 0)
		return serve_ingest(serve, connection, method, r);
	return pages_handle(serve, connection, method, r);
}
