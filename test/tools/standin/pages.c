/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/pages.h"

#include "base/gzip.h"
#include "tools/standin/outcomes.h"
#include "tools/standin/reply.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

enum { PAGES_MAX = 1 << 28, PAGES_LEVEL = 6 };

/* What a page came to: a status, and a body when it is 200. */
struct page {
	unsigned int status;
	const char *type;
	struct buf body;
};

static void page_stats(struct serve *serve, struct MHD_Connection *connection,
		       struct slice rest, struct page *page)
{
	(void)connection, (void)rest;
	pthread_mutex_lock(&serve->lock);
	books_summary(&serve->books, &page->body);
	pthread_mutex_unlock(&serve->lock);
}

static void page_outcomes(struct serve *serve,
			  struct MHD_Connection *connection, struct slice rest,
			  struct page *page)
{
	(void)rest;
	page->status = serve_auth(serve, connection, true);
	if (serve->outcome_status && !page->status)
		page->status = serve->outcome_status;
	if (page->status)
		return;
	page->status = 200;
	pthread_mutex_lock(&serve->lock);
	if (outcomes_write(serve, connection, &page->body) < 0)
		page->status = 400;
	pthread_mutex_unlock(&serve->lock);
}

static void page_documentation(struct serve *serve,
			       struct MHD_Connection *connection,
			       struct slice rest, struct page *page)
{
	(void)serve, (void)connection, (void)rest;
	schema_documentation(&page->body);
}

static void page_samples(struct serve *serve, struct MHD_Connection *connection,
			 struct slice rest, struct page *page)
{
	(void)serve, (void)rest;
	schema_samples(&page->body,
		       MHD_lookup_connection_value(
			       connection, MHD_GET_ARGUMENT_KIND, "events"));
}

static void page_batch(struct serve *serve, struct MHD_Connection *connection,
		       struct slice rest, struct page *page)
{
	const struct shelf_batch *batch;

	page->type = REPLY_GZIP;
	page->status = serve_auth(serve, connection, true);
	if (page->status)
		return;
	pthread_mutex_lock(&serve->lock);
	batch = shelf_find(&serve->shelf, rest);
	page->status = batch && batch->body.len ? 200 : 404;
	if (page->status == 200)
		buf_add_slice(&page->body, buf_slice(&batch->body));
	pthread_mutex_unlock(&serve->lock);
}

static void page_failures(struct serve *serve,
			  struct MHD_Connection *connection, struct slice rest,
			  struct page *page)
{
	struct gzip_packer *packer = gzip_packer_new(PAGES_LEVEL);
	const struct shelf_batch *batch;

	page->type = REPLY_GZIP;
	page->status = serve_auth(serve, connection, true);
	if (!page->status) {
		pthread_mutex_lock(&serve->lock);
		batch = shelf_find(&serve->shelf, rest);
		page->status = batch && batch->failures.len ? 200 : 404;
		if (page->status == 200)
			gzip_pack(packer, buf_slice(&batch->failures),
				  &page->body);
		pthread_mutex_unlock(&serve->lock);
	}
	gzip_packer_free(&packer);
}

static void page_plan(struct serve *serve, const struct serve_request *request,
		      struct page *page)
{
	pthread_mutex_lock(&serve->lock);
	plan_clear(serve->plan);
	if (plan_add_lines(serve->plan, buf_slice(&request->body)) < 0)
		page->status = 400;
	pthread_mutex_unlock(&serve->lock);
	buf_add_str(&page->body, "{}\n");
}

/* A path that ends in "/" is the beginning of one. */
static const struct {
	const char *path;
	void (*make)(struct serve *serve, struct MHD_Connection *connection,
		     struct slice rest, struct page *page);
} pages[] = {
	{"/standin/stats", page_stats},
	{"/api/v1/events/ingest", page_outcomes},
	{"/api/v1/ingest/events/documentation", page_documentation},
	{"/api/v1/ingest/events/samples", page_samples},
	{"/api/v1/ingest/events/failures/", page_failures},
	{"/api/v1/ingest/events/", page_batch},
};

static void pages_make(struct serve *serve, struct MHD_Connection *connection,
		       struct slice path, struct page *page)
{
	for (size_t i = 0; i < NROF(pages); i++) {
		struct slice begin = slice_str(pages[i].path);

		if (!slice_starts(path, begin) ||
		    (path.len > begin.len && begin.p[begin.len - 1] != '/'))
			continue;
		pages[i].make(serve, connection, slice_skip(path, begin.len),
			      page);
		return;
	}
	page->status = 404;
}

enum MHD_Result pages_handle(struct serve *serve,
			     struct MHD_Connection *connection,
			     const char *method, struct serve_request *request)
{
	struct page page = {.status = 200, .type = REPLY_JSON};
	struct slice path = slice_str(request->path);
	enum MHD_Result result;

	buf_init(&page.body, PAGES_MAX);
	if (request->uri_too_long)
		page.status = 414;
	else if (strcmp(method, "POST") == 0 &&
		 slice_eq(path, SLICE("/standin/plan")))
		page_plan(serve, request, &page);
	else if (strcmp(method, "GET") != 0)
		page.status = 405;
	else
		pages_make(serve, connection, path, &page);
	serve_log(
		serve, request,
		&(struct books_line){.method = method, .status = page.status});
	if (page.status == 200)
		result = reply_body(connection, 200, page.type,
				    buf_slice(&page.body));
	else
		result = reply_error(connection, page.status, NULL, NULL);
	buf_release(&page.body);
	return result;
}
