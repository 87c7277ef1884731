/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/outcomes.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "base/when.h"

enum { OUTCOMES_PAGE = 1000, OUTCOMES_PAGE_MAX = 10000 };
enum { OUTCOMES_KEPT_S = 10 * 86400 };

struct query {
	const char *batch_ids, *events, *error_types, *retryable;
	int64_t from_s, to_s; /* 0: not asked */
	uint64_t per_page, cursor;
	int64_t shown_ms; /* batches taken later are not shown yet */
};

static const char *outcomes_arg(struct MHD_Connection *connection,
				const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND,
					   name);
}

static int outcomes_number(const char *text, uint64_t fallback,
			   unsigned long long max, uint64_t *out)
{
	unsigned long long n;

	*out = fallback;
	if (!text || strcmp(text, "initial") == 0)
		return 0;
	if (slice_number(slice_str(text), max, &n) < 0)
		return -1;
	*out = n;
	return 0;
}

static int outcomes_time(const char *text, int64_t *out)
{
	*out = 0;
	return text ? when_parse(slice_str(text), out) : 0;
}

static int outcomes_query(struct serve *serve,
			  struct MHD_Connection *connection, struct query *q)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	q->shown_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
		      serve->verdict_delay_ms;
	q->batch_ids = outcomes_arg(connection, "batch_ids");
	q->events = outcomes_arg(connection, "events");
	q->error_types = outcomes_arg(connection, "error_types");
	q->retryable = outcomes_arg(connection, "retryable");
	if (outcomes_time(outcomes_arg(connection, "from"), &q->from_s) < 0 ||
	    outcomes_time(outcomes_arg(connection, "to"), &q->to_s) < 0)
		return -1;
	if (outcomes_number(outcomes_arg(connection, "cursor"), 0, UINT64_MAX,
			    &q->cursor) < 0 ||
	    outcomes_number(outcomes_arg(connection, "per_page"), OUTCOMES_PAGE,
			    OUTCOMES_PAGE_MAX, &q->per_page) < 0)
		return -1;
	return q->per_page ? 0 : -1;
}

/* Is the word in the comma list?  No list: all words are. */
static bool outcomes_listed(const char *list, const char *word)
{
	struct slice rest = slice_str(list);

	if (!list)
		return true;
	while (rest.len)
		if (slice_eq(slice_trim(slice_cut(rest, ',', &rest)),
			     slice_str(word)))
			return true;
	return false;
}

static bool outcomes_error(const struct shelf_batch *batch)
{
	return batch->verdict != VERDICT_SUCCESS;
}

static bool outcomes_retryable(const struct shelf_batch *batch)
{
	return batch->verdict == VERDICT_SYSTEM;
}

static bool outcomes_match(const struct query *q,
			   const struct shelf_batch *batch)
{
	int64_t taken_s = batch->taken_ms / 1000;

	if (batch->taken_ms > q->shown_ms ||
	    (q->from_s && taken_s < q->from_s) ||
	    (q->to_s && taken_s >= q->to_s))
		return false;
	if (q->error_types &&
	    (!outcomes_error(batch) ||
	     !outcomes_listed(q->error_types, books_verdict(batch->verdict))))
		return false;
	if (q->retryable &&
	    outcomes_retryable(batch) != (strcmp(q->retryable, "true") == 0))
		return false;
	return outcomes_listed(q->events,
			       outcomes_error(batch) ? "error" : "success") &&
	       outcomes_listed(q->batch_ids, batch->id);
}

static void outcomes_stamp(struct json *j, const char *key, int64_t ms)
{
	char text[WHEN_TEXT + 8];

	when_format(ms / 1000, text);
	snprintf(text + strlen(text) - 1, 8, ".%03dZ", (int)(ms % 1000));
	json_str(j, key, slice_str(text));
}

static void outcomes_one(struct json *j, const struct shelf_batch *batch)
{
	char text[128];

	json_begin(j);
	json_str(j, "type",
		 outcomes_error(batch) ? SLICE("error") : SLICE("success"));
	json_str(j, "batch_id", slice_str(batch->id));
	/* An id of its own: the batch's, with another version digit. */
	snprintf(text, sizeof(text), "%s", batch->id);
	text[14] = '5';
	json_str(j, "event_id", slice_str(text));
	outcomes_stamp(j, "timestamp", batch->taken_ms);
	outcomes_stamp(j, "expiration_timestamp",
		       batch->taken_ms + OUTCOMES_KEPT_S * INT64_C(1000));
	json_uint(j, "number_succeeded", batch->succeeded);
	json_uint(j, "number_duplicates", batch->duplicates);
	if (outcomes_error(batch)) {
		json_uint(j, "number_failed", batch->failed);
		json_str(j, "error_type",
			 slice_str(books_verdict(batch->verdict)));
		json_bool(j, "retryable", outcomes_retryable(batch));
		snprintf(text, sizeof(text),
			 "/api/v1/ingest/events/failures/%s", batch->id);
		json_str(j, "href", slice_str(text));
	}
	json_int(j, "customer_id", 1);
	json_end(j);
}

/* The rest of the list: the same question, from where this page ends. */
static void outcomes_next(struct json *j, const struct query *q, uint64_t at)
{
	struct buf link;

	buf_init(&link, SERVE_URI_MAX * 2);
	buf_addf(&link, "/api/v1/events/ingest?cursor=%llu&per_page=%llu",
		 (unsigned long long)at, (unsigned long long)q->per_page);
	if (q->batch_ids)
		buf_addf(&link, "&batch_ids=%s", q->batch_ids);
	if (q->events)
		buf_addf(&link, "&events=%s", q->events);
	if (q->error_types)
		buf_addf(&link, "&error_types=%s", q->error_types);
	json_str(j, "next", buf_slice(&link));
	buf_release(&link);
}

int outcomes_write(struct serve *serve, struct MHD_Connection *connection,
		   struct buf *out)
{
	uint64_t matches = 0, shown = 0;
	struct query q;
	struct json *j;

	if (outcomes_query(serve, connection, &q) < 0)
		return -1;
	j = json_new(out);
	json_begin(j);
	json_array_in(j, "results");
	for (size_t i = 0; i < serve->shelf.count; i++) {
		if (!outcomes_match(&q, serve->shelf.batches[i]))
			continue;
		if (matches++ < q.cursor || shown == q.per_page)
			continue;
		outcomes_one(j, serve->shelf.batches[i]);
		shown++;
	}
	json_array_end(j);
	json_uint(j, "total_count", matches);
	json_begin_in(j, "links");
	if (q.cursor + shown < matches)
		outcomes_next(j, &q, q.cursor + shown);
	json_end(j);
	json_end(j);
	json_free(&j);
	return 0;
}
