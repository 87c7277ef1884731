/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/shaping.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "judge.h"
#include "unit/check_all.h"

/* ck_assert() writes a message for each pass: too much for each attribute. */
#define must(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			ck_abort_msg("%s", #condition);                        \
	} while (0)

/* What each type must have; rcpt_to or its two replacements come on top. */
static const struct {
	const char *type;
	const char *required[14];
} schema[] = {
	{"reception", {"recv_method"}},
	{"delivery", {"recv_method", "delv_method"}},
	{"inband",
	 {"recv_method", "delv_method", "bounce_class", "error_code", "reason",
	  "raw_reason"}},
	{"outofband",
	 {"recv_method", "delv_method", "bounce_class", "error_code", "reason",
	  "raw_reason"}},
	{"tempfail",
	 {"recv_method", "delv_method", "bounce_class", "error_code", "reason",
	  "raw_reason"}},
	{"feedback", {"delv_method", "fbtype"}},
};

static const char *const required_of_all[] = {"type", "event_id", "message_id",
					      "timestamp", "subaccount_id"};

enum { PREFIX = sizeof("msys.message_event.") - 1 };

struct line {
	char names[64][32];
	char values[64][128];
	size_t count;
	const char *want; /* an attribute, and */
	char *found;	  /* its value */
};

static int visit(void *ctx, struct slice path, enum json_event event,
		 struct slice text)
{
	struct line *line = ctx;
	struct slice name = slice_skip(path, PREFIX);

	if (event == JSON_BEGIN || event == JSON_END)
		return 0;
	must(slice_starts(path, SLICE("msys.message_event.")));
	must(event == JSON_STRING || event == JSON_NUMBER ||
	     event == JSON_BOOL);
	must(line->count < NROF(line->names));
	snprintf(line->names[line->count], sizeof(line->names[0]), "%.*s",
		 SLICE_ARGS(name));
	snprintf(line->values[line->count], sizeof(line->values[0]), "%.*s",
		 SLICE_ARGS(text));
	for (size_t i = 0; i < line->count; i++)
		must(strcmp(line->names[i], line->names[line->count]) != 0);
	line->count++;
	if (line->want && slice_eq(name, slice_str(line->want))) {
		free(line->found);
		line->found = strndup(text.len ? text.p : "", text.len);
	}
	return 0;
}

static const char *value_of(const struct line *line, const char *name)
{
	for (size_t i = 0; i < line->count; i++) {
		if (strcmp(line->names[i], name) == 0)
			return line->values[i];
	}
	return NULL;
}

static void must_have(const struct line *line, const char *name)
{
	if (!value_of(line, name))
		ck_abort_msg("no %s on %s", name, value_of(line, "type"));
}

static void must_be_number(const char *text, size_t most)
{
	must(strlen(text) > 0);
	must(strlen(text) <= most);
	must(strspn(text, "0123456789") == strlen(text));
}

static void check_line(const struct line *line)
{
	size_t type = 0;

	for (size_t i = 0; i < NROF(required_of_all); i++)
		must_have(line, required_of_all[i]);
	while (strcmp(schema[type].type, value_of(line, "type")) != 0) {
		type++;
		must(type < NROF(schema));
	}
	for (size_t i = 0; schema[type].required[i]; i++)
		must_have(line, schema[type].required[i]);
	must(value_of(line, "rcpt_to") || value_of(line, "rcpt_hash"));
	must(!value_of(line, "rcpt_hash") == !value_of(line, "rcpt_domain"));
	must_be_number(value_of(line, "event_id"), 19);
	must_be_number(value_of(line, "timestamp"), 11);
	must_be_number(value_of(line, "subaccount_id"), 10);
	must(strlen(value_of(line, "message_id")) > 0);
}

/* Cut a line off the front of "rest". */
static struct slice next_line(struct slice *rest)
{
	size_t end = slice_find(*rest, '\n');
	struct slice line = slice_of(rest->p, end);

	must(end < rest->len);
	*rest = slice_skip(*rest, end + 1);
	return line;
}

static void check_lines(struct slice json, uint64_t want)
{
	uint64_t lines = 0;

	while (json.len) {
		static struct line line;
		struct slice text = next_line(&json);

		line = (struct line){0};
		if (json_read(text, visit, &line) < 0)
			ck_abort_msg("%.*s", SLICE_ARGS(text));
		check_line(&line);
		lines++;
	}
	ck_assert_uint_eq(lines, want);
}

void shaping_init(struct shaping *run)
{
	*run = (struct shaping){.sealed_s = 1714600000};
	settings_init(&run->settings);
	free(run->settings.node_name);
	run->settings.node_name = strdup("mta.example");
	run->settings.max_age_s = 0;
	buf_init(&run->json, 256 << 20);
	buf_init(&run->malformed, 256 << 20);
	buf_init(&run->notes, 1 << 20);
	shape_file_init(&run->file);
}

void shaping_release(struct shaping *run)
{
	settings_release(&run->settings);
	buf_release(&run->json);
	buf_release(&run->malformed);
	buf_release(&run->notes);
	account_release(&run->account);
	shape_file_release(&run->file);
}

static void keep(struct shaping *run, const struct shape_batch *batch)
{
	ck_assert(account_agrees(&batch->account));
	check_lines(batch->json, account_events(&batch->account));
	ck_assert_int_eq(batch->from, run->consumed);
	ck_assert(!batch->json.len == !batch->oldest_s);
	run->consumed = batch->to;
	run->oldest_s = batch->oldest_s;
	buf_add_slice(&run->json, batch->json);
	buf_add_slice(&run->malformed, buf_slice(&batch->malformed));
	run->left_out += batch->malformed_left_out;
	for (size_t i = 0; i < batch->notes_count; i++)
		buf_addf(&run->notes, "%d@%lld:%s\n", (int)batch->notes[i].kind,
			 (long long)batch->notes[i].offset,
			 batch->notes[i].text);
	account_merge(&run->account, &batch->account);
	shape_file_copy(&run->file, &batch->file);
	run->blocks++;
}

/* One block from run->consumed on, with "cut" bytes more at each call. */
static void block(struct shaping *run, struct shape *shape, struct slice bytes,
		  size_t cut)
{
	size_t at = (size_t)run->consumed, end = at, consumed;
	bool final;

	shape_begin(shape, &run->file, run->sealed_s);
	do {
		end = cut && bytes.len - end > cut ? end + cut : bytes.len;
		final = end == bytes.len;
		run->status =
			shape_feed(shape, slice_of(bytes.p + at, end - at),
				   (int64_t)at, final, &consumed);
		if (end - at >= run->settings.max_row &&
		    run->status == SHAPE_MORE)
			ck_assert_uint_gt(consumed, 0);
		at += consumed;
	} while (run->status == SHAPE_MORE && !final);
	if (run->status == SHAPE_MORE)
		ck_assert_uint_eq(at, bytes.len);
	keep(run, shape_end(shape));
	ck_assert_int_eq(run->consumed, at);
}

void shaping_run(struct shaping *run, struct slice bytes, size_t cut)
{
	struct shape *shape = shape_new(&run->settings);
	struct judge judge;

	judge_init(&judge, 256 << 20);
	shape_set_trace(shape, judge_row, &judge);
	if (run->columns)
		shape_file_columns(&run->file, run->columns);
	shape_limit(shape, run->limit);
	do {
		int64_t before = run->consumed;

		block(run, shape, bytes, cut);
		must(judge_agrees(&judge, shape_end(shape)->json));
		if (run->status == SHAPE_NO_HEADER)
			break;
		ck_assert(run->consumed > before || !bytes.len);
	} while ((size_t)run->consumed < bytes.len);
	ck_assert(account_agrees(&run->account));
	shape_free(&shape);
	judge_release(&judge);
	ck_assert_ptr_null(shape);
}

void shaping_text(struct shaping *run, const char *text)
{
	shaping_run(run, slice_str(text), 0);
}

size_t shaping_events(const struct shaping *run)
{
	return (size_t)account_events(&run->account);
}

const char *shaping_value(const struct shaping *run, size_t n,
			  const char *attribute)
{
	static char *last;
	static struct line line;
	struct slice rest = buf_slice(&run->json), text = {0};

	if (n >= shaping_events(run))
		return "(no event)";
	for (size_t i = 0; i <= n; i++)
		text = next_line(&rest);
	free(last);
	line = (struct line){.want = attribute};
	ck_assert_int_eq(json_read(text, visit, &line), 0);
	last = line.found;
	return last ? last : "(none)";
}
