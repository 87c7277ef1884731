/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/input.h"
#include "base/fs.h"
#include "base/log.h"

/*
 * The same shaping as everywhere else, watched row by row: what is shown is
 * what would be sent, and each value's origin is noted where it is chosen.
 */

struct explain {
	struct buf out;
	const char *path;
	bool failed;
};

static void explain_flush(struct explain *explain)
{
	if (!explain->failed &&
	    fs_write_all(STDOUT_FILENO, explain->out.p, explain->out.len) < 0) {
		log_error("explain: cannot write");
		explain->failed = true;
	}
	buf_reset(&explain->out);
}

/* U+0080 to U+009F, which a terminal may obey. */
static bool explain_is_c1(struct slice text)
{
	return text.len > 1 && (unsigned char)text.p[0] == 0xc2 &&
	       (unsigned char)text.p[1] < 0xa0;
}

/* A value on one line; control characters would disturb the table. */
static void explain_value(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '\n')
			buf_add_str(out, "\\n");
		else if (c == '\r')
			buf_add_str(out, "\\r");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(out, "\\x%02x", c);
		else if (explain_is_c1(slice_skip(value, i)))
			buf_addf(out, "\\x%02x", (unsigned char)value.p[++i]);
		else
			buf_add_char(out, value.p[i]);
	}
}

static void explain_event(struct buf *out, const struct shape_event *event)
{
	buf_addf(out, "  event %s%s%s\n", account_event_name(event->type),
		 event->expired ? ", too old: would not be sent" : "",
		 event->duplicate ? ", made by an earlier row already" : "");
	for (size_t i = 0; i < event->attributes_count; i++) {
		const struct shape_attribute *a = &event->attributes[i];
		size_t start = out->len;

		buf_addf(out, "    %-17s ", a->name);
		explain_value(out, a->value);
		while (out->len - start < 62 && !out->overflow)
			buf_add_char(out, ' ');
		buf_addf(out, "  %s\n", a->origin ? a->origin : "");
	}
}

static const char *explain_verdict(const struct shape_trace *trace)
{
	switch (trace->verdict) {
	case SHAPE_ROW_SHIPPED:
		return "shipped";
	case SHAPE_ROW_SKIPPED:
		return "skipped";
	case SHAPE_ROW_NOT_SHIPPED:
		return "not shipped";
	case SHAPE_ROW_MALFORMED:
		return "malformed";
	case SHAPE_ROW_EXPIRED:
		return "expired";
	case SHAPE_ROW_HEADER:
		return "header";
	}
	return "?";
}

/* The row's code.  Anything but a word is none, and may be an address. */
static struct slice explain_code(const struct shape_trace *trace)
{
	struct slice rest, code = slice_cut(trace->row, ',', &rest);

	if (code.len > 16 || trace->verdict == SHAPE_ROW_MALFORMED)
		return SLICE("row");
	for (size_t i = 0; i < code.len; i++) {
		if (!isalnum((unsigned char)code.p[i]) && code.p[i] != '-')
			return SLICE("row");
	}
	return code;
}

static void explain_row(void *ctx, const struct shape_trace *trace)
{
	struct explain *explain = ctx;

	buf_addf(&explain->out, "%s: offset %lld: ", explain->path,
		 (long long)trace->offset);
	explain_value(&explain->out, explain_code(trace));
	buf_addf(&explain->out, ": %s%s%s\n", explain_verdict(trace),
		 trace->reason ? ": " : "", trace->reason ? trace->reason : "");
	for (size_t i = 0; i < trace->events_count; i++)
		explain_event(&explain->out, &trace->events[i]);
	explain_flush(explain);
}

static void explain_file(void *ctx, const char *path)
{
	struct explain *explain = ctx;

	explain->path = path;
}

int cmd_explain(const struct options *options)
{
	struct explain explain = {0};
	struct input_hooks hooks = {
		.row = explain_row, .file = explain_file, .ctx = &explain};
	struct account total = {0};
	struct config *config;
	int status;

	status = cmd_only_files(options, "explain");
	if (status != EX_OK)
		return status;
	config = cmd_config(options, CONFIG_FOR_READING);
	if (!config)
		return EX_CONFIG;
	buf_init(&explain.out, 64 << 20);
	status = input_shape(options, config, &hooks, &total);
	if (explain.failed && status == EX_OK)
		status = EX_IOERR;
	buf_release(&explain.out);
	account_release(&total);
	config_free(&config);
	return status;
}
