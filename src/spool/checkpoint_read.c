/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint_private.h"

#include "base/mem.h"

/*
 * Members are known by their path and set through tables.  A fault does not
 * end the reading: a later version may have changed what looks wrong here, and
 * then its number is the answer, wherever it stands in the text.
 *
 * Headers follow the sources that refer to them, so the references are kept
 * apart and resolved at the end.
 */

struct reader {
	struct checkpoint *out;
	size_t cap;
	int64_t *references;   /* header number of each position, -1: none */
	struct slice *headers; /* owned */
	size_t headers_count, headers_cap;
	int64_t version;
	bool has_seq, has_departures, has_ledger, has_sources, has_headers;
	bool in_source;
	struct gap gap; /* the one that is being read */
	bool bad;
};

static const struct checkpoint_field top_fields[] = {
	{"saved", CHECKPOINT_INT, offsetof(struct checkpoint, saved_s)},
	{"seq", CHECKPOINT_UINT, offsetof(struct checkpoint, seq)},
	{"group", CHECKPOINT_UINT, offsetof(struct checkpoint, group)},
	{"departures", CHECKPOINT_UINT,
	 offsetof(struct checkpoint, departures)},
	{"numbers", CHECKPOINT_UINT, offsetof(struct checkpoint, numbers)},
};

static const struct checkpoint_field ledger_fields[] = {
	{"sent_batches", CHECKPOINT_UINT,
	 offsetof(struct ledger, sent_batches)},
	{"sent_events", CHECKPOINT_UINT, offsetof(struct ledger, sent_events)},
	{"sent_bytes", CHECKPOINT_UINT, offsetof(struct ledger, sent_bytes)},
	{"refused_batches", CHECKPOINT_UINT,
	 offsetof(struct ledger, refused_batches)},
	{"refused_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, refused_events)},
	{"evicted_batches", CHECKPOINT_UINT,
	 offsetof(struct ledger, evicted_batches)},
	{"evicted_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, evicted_events)},
	{"expired_batches", CHECKPOINT_UINT,
	 offsetof(struct ledger, expired_batches)},
	{"expired_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, expired_events)},
	{"healed_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, healed_events)},
	{"repeated_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, repeated_events)},
	{"lapsed_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, lapsed_events)},
	{"unreadable_events", CHECKPOINT_UINT,
	 offsetof(struct ledger, unreadable_events)},
	{"failures", CHECKPOINT_UINT, offsetof(struct ledger, failures)},
	{"last_success", CHECKPOINT_INT,
	 offsetof(struct ledger, last_success_s)},
};

static const struct checkpoint_field gap_fields[] = {
	{"number", CHECKPOINT_UINT, offsetof(struct gap, number)},
	{"dev", CHECKPOINT_UINT, offsetof(struct gap, source.dev)},
	{"ino", CHECKPOINT_UINT, offsetof(struct gap, source.ino)},
	{"head_len", CHECKPOINT_UINT32, offsetof(struct gap, source.head_len)},
	{"head", CHECKPOINT_HEX, offsetof(struct gap, source.head)},
	{"from", CHECKPOINT_INT, offsetof(struct gap, from)},
	{"to", CHECKPOINT_INT, offsetof(struct gap, to)},
	{"header_offset", CHECKPOINT_INT,
	 offsetof(struct gap, before.header_offset)},
	{"skipping", CHECKPOINT_BOOL, offsetof(struct gap, before.skipping)},
	{"seq", CHECKPOINT_UINT, offsetof(struct gap, seq)},
	{"events", CHECKPOINT_UINT, offsetof(struct gap, events)},
	{"repeats", CHECKPOINT_UINT, offsetof(struct gap, repeats)},
	{"bytes", CHECKPOINT_UINT, offsetof(struct gap, bytes)},
	{"oldest", CHECKPOINT_INT, offsetof(struct gap, oldest_s)},
	{"newest", CHECKPOINT_INT, offsetof(struct gap, newest_s)},
};

static const struct checkpoint_field source_fields[] = {
	{"number", CHECKPOINT_UINT, offsetof(struct position, number)},
	{"anew", CHECKPOINT_UINT, offsetof(struct position, anew_seq)},
	{"sent", CHECKPOINT_UINT, offsetof(struct position, fate.sent)},
	{"refused", CHECKPOINT_UINT, offsetof(struct position, fate.refused)},
	{"evicted", CHECKPOINT_UINT, offsetof(struct position, fate.evicted)},
	{"expired", CHECKPOINT_UINT, offsetof(struct position, fate.expired)},
	{"healed", CHECKPOINT_UINT, offsetof(struct position, fate.healed)},
	{"dev", CHECKPOINT_UINT, offsetof(struct position, id.dev)},
	{"ino", CHECKPOINT_UINT, offsetof(struct position, id.ino)},
	{"head_len", CHECKPOINT_UINT32, offsetof(struct position, id.head_len)},
	{"head", CHECKPOINT_HEX, offsetof(struct position, id.head)},
	{"offset", CHECKPOINT_INT, offsetof(struct position, offset)},
	{"tail_len", CHECKPOINT_UINT32, offsetof(struct position, tail_len)},
	{"tail", CHECKPOINT_HEX, offsetof(struct position, tail)},
	{"header_offset", CHECKPOINT_INT,
	 offsetof(struct position, file.header_offset)},
	{"skipping", CHECKPOINT_BOOL, offsetof(struct position, file.skipping)},
	{"said_no_from", CHECKPOINT_BOOL,
	 offsetof(struct position, file.said_no_from)},
	{"said_expired", CHECKPOINT_BOOL,
	 offsetof(struct position, file.said_expired)},
	{"size", CHECKPOINT_INT, offsetof(struct position, size)},
	{"last_read", CHECKPOINT_INT, offsetof(struct position, last_read_s)},
	{"pmta_rows", CHECKPOINT_INT, offsetof(struct position, pmta_rows)},
};

/* --- A source --- */

static void source_begin(struct reader *r)
{
	struct checkpoint *out = r->out;

	if (out->positions_count == CHECKPOINT_SOURCES) {
		r->bad = true;
		return;
	}
	if (out->positions_count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		out->positions = mem_resize_array(out->positions, r->cap,
						  sizeof(*out->positions));
		r->references = mem_resize_array(r->references, r->cap,
						 sizeof(*r->references));
	}
	position_init(&out->positions[out->positions_count]);
	r->references[out->positions_count] = -1;
	out->positions_count++;
	r->in_source = true;
}

static void source_end(struct reader *r)
{
	const struct position *p;

	if (!r->in_source)
		return;
	r->in_source = false;
	p = &r->out->positions[r->out->positions_count - 1];
	if (!p->path || p->offset < 0 || p->size < 0 ||
	    p->id.head_len > POSITION_HEAD || p->tail_len > POSITION_TAIL ||
	    p->tail_len > p->offset || p->file.header_offset < -1 ||
	    p->pmta_rows < POSITION_PMTA_NEVER)
		r->bad = true;
}

static int set_path(struct position *p, char *path)
{
	mem_free(p->path);
	p->path = path;
	return path ? 0 : -1;
}

static int set_source(struct reader *r, struct slice name,
		      const struct checkpoint_value *v)
{
	struct position *p = &r->out->positions[r->out->positions_count - 1];

	if (checkpoint_cut(&name, SLICE("account.")))
		return checkpoint_set_account(&p->account, name, v);
	if (slice_eq(name, SLICE("path")))
		return set_path(p, v->event == JSON_STRING ? mem_str_of(v->text)
							   : NULL);
	if (slice_eq(name, SLICE("path_hex")))
		return set_path(p, checkpoint_bytes(v));
	if (slice_eq(name, SLICE("state")))
		return v->event == JSON_STRING
			       ? position_state_parse(v->text, &p->state)
			       : -1;
	if (slice_eq(name, SLICE("header")))
		return checkpoint_int(
			v, &r->references[r->out->positions_count - 1]);
	return checkpoint_set(source_fields, NROF(source_fields), p, name, v);
}

/* --- A gap --- */

static int gap_end(struct reader *r)
{
	struct ledger *ledger = &r->out->ledger;
	const struct gap *gap = &r->gap;

	if (!gap->number || gap->from < 0 || gap->to <= gap->from ||
	    gap->before.header_offset < -1 ||
	    gap->source.head_len > POSITION_HEAD)
		return -1;
	ledger->unreadable_events += gaps_add(&ledger->gaps, gap);
	return 0;
}

static int set_gap(struct reader *r, struct slice name,
		   const struct checkpoint_value *v)
{
	if (checkpoint_cut(&name, SLICE("[].")))
		return checkpoint_set(gap_fields, NROF(gap_fields), &r->gap,
				      name, v);
	if (!slice_eq(name, SLICE("[]")))
		return 0;
	if (v->event == JSON_BEGIN)
		r->gap = (struct gap){.before = {.header_offset = -1}};
	else
		return v->event == JSON_END ? gap_end(r) : -1;
	return 0;
}

/* --- Headers --- */

static int add_header(struct reader *r, char *text, size_t len)
{
	if (text && len && len <= SHAPE_HEADER_MAX &&
	    r->headers_count < CHECKPOINT_SOURCES) {
		if (r->headers_count == r->headers_cap) {
			r->headers_cap =
				r->headers_cap ? r->headers_cap * 2 : 4;
			r->headers =
				mem_resize_array(r->headers, r->headers_cap,
						 sizeof(*r->headers));
		}
		r->headers[r->headers_count++] = slice_of(text, len);
		return 0;
	}
	mem_free(text);
	return -1;
}

/*
 * All copies together stay within CHECKPOINT_MAX: a small text must not
 * become gigabytes by naming one large header many times.
 */
static int resolve_headers(struct reader *r)
{
	size_t room = CHECKPOINT_MAX;

	for (size_t i = 0; i < r->out->positions_count; i++) {
		int64_t number = r->references[i];
		struct slice header;

		if (number == -1)
			continue;
		if (number < 0 || (uint64_t)number >= r->headers_count)
			return -1;
		header = r->headers[number];
		if (header.len > room)
			return -1;
		room -= header.len;
		buf_add_slice(&r->out->positions[i].file.header, header);
	}
	return 0;
}

/* --- The whole --- */

static int set_top(struct reader *r, struct slice name,
		   const struct checkpoint_value *v)
{
	if (slice_eq(name, SLICE("version")))
		return checkpoint_int(v, &r->version);
	if (slice_eq(name, SLICE("seq")))
		r->has_seq = true;
	if (slice_eq(name, SLICE("departures")))
		r->has_departures = true;
	if (slice_eq(name, SLICE("ledger")))
		r->has_ledger = v->event == JSON_BEGIN || r->has_ledger;
	if (slice_eq(name, SLICE("sources")))
		r->has_sources = v->event == JSON_BEGIN_ARRAY || r->has_sources;
	if (slice_eq(name, SLICE("headers")))
		r->has_headers = v->event == JSON_BEGIN_ARRAY || r->has_headers;
	return checkpoint_set(top_fields, NROF(top_fields), r->out, name, v);
}

static int set_header(struct reader *r, const struct checkpoint_value *v)
{
	if (v->event == JSON_STRING)
		return add_header(r, mem_str_of(v->text), v->text.len);
	return v->event == JSON_BEGIN || v->event == JSON_END ? 0 : -1;
}

static int set_any(struct reader *r, struct slice name,
		   const struct checkpoint_value *v)
{
	struct ledger *ledger = &r->out->ledger;

	if (checkpoint_cut(&name, SLICE("sources[]."))) {
		return r->in_source ? set_source(r, name, v) : 0;
	}
	if (slice_eq(name, SLICE("sources[]"))) {
		if (v->event == JSON_BEGIN)
			source_begin(r);
		else if (v->event == JSON_END)
			source_end(r);
		else
			return -1;
		return 0;
	}
	if (checkpoint_cut(&name, SLICE("gaps")))
		return set_gap(r, name, v);
	if (checkpoint_cut(&name, SLICE("ledger.account.")))
		return checkpoint_set_account(&ledger->account, name, v);
	if (checkpoint_cut(&name, SLICE("process.")))
		return checkpoint_set_process(&r->out->process, name, v);
	if (checkpoint_cut(&name, SLICE("ledger.expired.")))
		return checkpoint_set_events(ledger->expired, name, v);
	if (checkpoint_cut(&name, SLICE("ledger.")))
		return checkpoint_set(ledger_fields, NROF(ledger_fields),
				      ledger, name, v);
	if (slice_eq(name, SLICE("headers[]")))
		return set_header(r, v);
	if (slice_eq(name, SLICE("headers[].hex")))
		return add_header(r, checkpoint_bytes(v), v->text.len / 2);
	return set_top(r, name, v);
}

static int on_value(void *ctx, struct slice path, enum json_event event,
		    struct slice text)
{
	struct reader *r = ctx;
	struct checkpoint_value v = {event, text};

	if (r->bad && !slice_eq(path, SLICE("version")))
		return 0;
	if (set_any(r, path, &v) < 0)
		r->bad = true;
	return 0;
}

static enum checkpoint_status judge(struct reader *r, int status)
{
	if (status < 0)
		return CHECKPOINT_DAMAGED;
	if (r->version > CHECKPOINT_VERSION)
		return CHECKPOINT_NEWER;
	if (r->bad || r->version != CHECKPOINT_VERSION || !r->has_seq ||
	    !r->has_departures || !r->has_ledger || !r->has_sources ||
	    !r->has_headers || resolve_headers(r) < 0)
		return CHECKPOINT_DAMAGED;
	return CHECKPOINT_OK;
}

enum checkpoint_status checkpoint_parse(struct slice text,
					struct checkpoint *out)
{
	struct reader r = {.out = out};
	enum checkpoint_status status;

	status = judge(&r, json_read(text, on_value, &r));
	for (size_t i = 0; i < r.headers_count; i++)
		mem_free((char *)r.headers[i].p);
	mem_free(r.headers);
	mem_free(r.references);
	if (status != CHECKPOINT_OK)
		checkpoint_release(out);
	return status;
}

void checkpoint_release(struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->positions_count; i++)
		position_release(&checkpoint->positions[i]);
	mem_free(checkpoint->positions);
	ledger_release(&checkpoint->ledger);
	*checkpoint = (struct checkpoint){0};
}
