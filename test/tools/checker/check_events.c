/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "tools/checker/check.h"

enum { TOLD_MAX = 20 };

struct check_entry {
	uint64_t id;
	uint64_t offset; /* of the row, to be told */
	uint32_t wanted, arrived, file;
	uint8_t event;
	bool optional;
};

static const char *const names[CHECK_EVENTS] = {
	"reception", "delivery", "inband", "tempfail", "outofband", "feedback"};

static const char *const rows[CHECK_ROWS] = {
	"d", "b", "t", "r", "rb", "f", "tq", "rs", "other", "malformed"};

const char *check_event_name(enum check_event event)
{
	return names[event];
}

const char *check_row_name(size_t row)
{
	return rows[row];
}

enum check_event check_event_of(struct slice name)
{
	enum check_event e = 0;

	while (e < CHECK_EVENTS && !slice_eq(name, slice_str(names[e])))
		e++;
	return e;
}

uint64_t check_row_id(struct slice row, uint64_t offset, enum check_event e)
{
	return digest_63(
		digest_mix(digest_of(row), offset, slice_str(names[e])));
}

/* Injections live among the other ids, with the top bit set. */
static uint64_t injection_id(struct slice rcpt, int64_t time_s)
{
	struct digest d = digest_mix(digest_of(rcpt), (uint64_t)time_s,
				     SLICE("injection"));

	return d.lo | (uint64_t)1 << 63;
}

uint64_t check_injection_id(const struct check *check, struct slice rcpt,
			    int64_t time_s)
{
	char hash[DIGEST_SHA1_BASE64];

	if (!check->sha1)
		return injection_id(rcpt, time_s);
	digest_sha1_base64(rcpt, hash);
	return injection_id(slice_str(hash), time_s);
}

/* The least that the service takes, with the ids that are looked for. */
static void emit(const struct check *check, const struct check_wanted *wanted)
{
	struct json *j;
	struct buf out;
	char number[24];

	if (!check->emit)
		return;
	buf_init(&out, 1 << 16);
	j = json_new(&out);
	json_begin(j);
	json_begin_in(j, "msys");
	json_begin_in(j, "message_event");
	json_str(j, "type", slice_str(names[wanted->event]));
	snprintf(number, sizeof(number), "%llu",
		 (unsigned long long)(wanted->id & INT64_MAX));
	json_str(j, "event_id", slice_str(number));
	json_str(j, "message_id", slice_str(number));
	snprintf(number, sizeof(number), "%lld", (long long)wanted->time_s);
	json_str(j, "timestamp", slice_str(number));
	json_str(j, "rcpt_to", wanted->rcpt);
	json_str(j, "recv_method", SLICE("esmtp"));
	json_str(j, "delv_method", SLICE("esmtp"));
	if (wanted->event == CHECK_FEEDBACK)
		json_str(j, "fbtype", SLICE("abuse"));
	json_end(j);
	json_end(j);
	json_end(j);
	json_line(j);
	json_free(&j);
	fwrite(out.p, 1, out.len, stdout);
	buf_release(&out);
}

static struct check_entry *new_entry(struct check *check)
{
	if (check->count == check->room) {
		check->room = check->room ? check->room * 2 : 1024;
		check->entries = mem_resize_array(check->entries, check->room,
						  sizeof(*check->entries));
	}
	return &check->entries[check->count++];
}

/* The same row of another copy of a file is the same event. */
void check_expect(struct check *check, const struct check_wanted *wanted)
{
	struct check_entry *entry;
	uint32_t *place;
	bool is_new;

	place = idmap_put(&check->expected, wanted->id, &is_new);
	if (!is_new && wanted->event != CHECK_RECEPTION)
		return;
	if (is_new) {
		*place = (uint32_t)check->count;
		entry = new_entry(check);
		*entry = (struct check_entry){
			.id = wanted->id,
			.offset = wanted->offset,
			.event = (uint8_t)wanted->event,
			.file = check->file,
			.optional = wanted->time_s < check->optional_before_s};
	} else {
		entry = &check->entries[*place];
	}
	entry->wanted++;
	check->wanted[wanted->event] += !entry->optional;
	emit(check, wanted);
}

struct arrival {
	struct slice line;
	enum check_event event;
	uint64_t id; /* UINT64_MAX: none */
	int64_t time_s;
	bool has_rcpt;
	char rcpt[512];
	size_t rcpt_len;
};

static int visit(void *ctx, struct slice path, enum json_event kind,
		 struct slice text)
{
	struct slice name = slice_skip(path, slice_find_last(path, '.') + 1);
	struct arrival *a = ctx;
	unsigned long long n;

	if (kind != JSON_STRING)
		return 0;
	if (slice_eq(name, SLICE("type"))) {
		a->event = check_event_of(text);
	} else if (slice_eq(name, SLICE("event_id"))) {
		if (slice_number(text, INT64_MAX, &n) == 0)
			a->id = n;
	} else if (slice_eq(name, SLICE("timestamp"))) {
		if (slice_number(text, INT64_MAX, &n) == 0)
			a->time_s = (int64_t)n;
	} else if ((slice_eq(name, SLICE("rcpt_to")) ||
		    slice_eq(name, SLICE("rcpt_hash"))) &&
		   text.len <= sizeof(a->rcpt)) {
		memcpy(a->rcpt, text.p, text.len);
		a->rcpt_len = text.len;
	}
	return 0;
}

static void tell(struct check *check, const char *what, struct slice line)
{
	if (check->told++ < TOLD_MAX)
		fprintf(stderr, "checker: %s: %.*s\n", what, SLICE_ARGS(line));
}

/* The row of a file that arrived last, and with which request. */
struct check_last {
	uint64_t offset;
	size_t request;
};

static void check_order(struct check *check, const struct check_entry *entry,
			size_t request, struct slice line)
{
	struct check_last *last;

	if (!check->last)
		check->last =
			mem_zero((size_t)check->file + 1, sizeof(*check->last));
	last = &check->last[entry->file];
	if (last->request == request && entry->offset < last->offset) {
		check->disorder++;
		tell(check, "before an earlier row of its file", line);
	}
	*last = (struct check_last){entry->offset, request};
}

static void arrive(struct check *check, struct slice line, size_t request)
{
	struct arrival a = {.event = CHECK_EVENTS, .id = UINT64_MAX};
	struct check_entry *entry;
	uint32_t *place, *seen;
	bool is_new;

	if (json_read(line, visit, &a) < 0 || a.event == CHECK_EVENTS ||
	    a.id == UINT64_MAX) {
		check->unexplained++;
		tell(check, "not an event", line);
		return;
	}
	seen = idmap_put(&check->arrived_ids, a.id, &is_new);
	if ((*seen)++) {
		check->twice[a.event]++;
		tell(check, "arrived twice", line);
		return;
	}
	if (a.event == CHECK_RECEPTION)
		a.id = injection_id(slice_of(a.rcpt, a.rcpt_len), a.time_s);
	place = idmap_get(&check->expected, a.id);
	entry = place ? &check->entries[*place] : NULL;
	if (!entry || entry->event != a.event ||
	    entry->arrived == entry->wanted) {
		check->unexplained++;
		tell(check, "no row explains", line);
		return;
	}
	entry->arrived++;
	check->arrived[a.event]++;
	/* An injection is made up from any row of its message, in any file. */
	if ((check->in_order || check->requests) && a.event != CHECK_RECEPTION)
		check_order(check, entry, request, line);
}

void check_arrivals(struct check *check, struct slice lines)
{
	size_t request = 0;
	uint32_t left = 0;

	while (lines.len) {
		struct slice line = slice_cut(lines, '\n', &lines);

		while (!left && request < check->requests_count)
			left = check->requests[request++];
		if (!left && check->requests)
			request++; /* the log does not know it: on its own */
		else if (check->requests)
			left--;
		if (line.len)
			arrive(check, line, request);
	}
}

void check_finish(struct check *check)
{
	for (size_t i = 0; i < check->count; i++) {
		const struct check_entry *entry = &check->entries[i];
		uint32_t missing = entry->wanted - entry->arrived;
		char text[64];

		if (!missing || entry->optional)
			continue;
		check->lost[entry->event] += missing;
		snprintf(text, sizeof(text), "%s of the row at offset %llu",
			 names[entry->event],
			 (unsigned long long)entry->offset);
		tell(check, "lost", slice_str(text));
	}
}
