/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint_private.h"

#include "base/mem.h"

static const struct checkpoint_field account_fields[] = {
	{"rows", CHECKPOINT_UINT, offsetof(struct account, rows)},
	{"shipped", CHECKPOINT_UINT, offsetof(struct account, shipped)},
	{"malformed", CHECKPOINT_UINT, offsetof(struct account, malformed)},
	{"expired_rows", CHECKPOINT_UINT,
	 offsetof(struct account, expired_rows)},
};

/* --- Values --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_uint(const struct checkpoint_value *v, uint64_t max,
		     uint64_t *out)
{
	unsigned long long number;

	if ((v->event != JSON_NUMBER && v->event != JSON_STRING) ||
	    slice_number(v->text, max, &number) < 0)
		return -1;
	*out = number;
	return 0;
}

int checkpoint_int(const struct checkpoint_value *v, int64_t *out)
{
	return v->event == JSON_NUMBER ? json_read_int(v->text, out) : -1;
}

static int read_hex(const struct checkpoint_value *v, uint64_t *out)
{
	uint64_t value = 0;

	if (v->event != JSON_STRING || !v->text.len || v->text.len > 16)
		return -1;
	for (size_t i = 0; i < v->text.len; i++) {
		int digit = hex_digit(v->text.p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | (unsigned int)digit;
	}
	*out = value;
	return 0;
}

static int read_bool(const struct checkpoint_value *v, bool *out)
{
	*out = slice_eq(v->text, SLICE("true"));
	return v->event == JSON_BOOL ? 0 : -1;
}

char *checkpoint_bytes(const struct checkpoint_value *v)
{
	char *bytes;

	if (v->event != JSON_STRING || v->text.len % 2)
		return NULL;
	bytes = mem_alloc(v->text.len / 2 + 1);
	for (size_t i = 0; i < v->text.len; i += 2) {
		int high = hex_digit(v->text.p[i]);
		int low = hex_digit(v->text.p[i + 1]);

		if (high < 0 || low < 0) {
			mem_free(bytes);
			return NULL;
		}
		bytes[i / 2] = (char)(high << 4 | low);
	}
	bytes[v->text.len / 2] = '\0';
	return bytes;
}

static int set_one(const struct checkpoint_field *field, char *at,
		   const struct checkpoint_value *v)
{
	uint64_t number;

	switch (field->kind) {
	case CHECKPOINT_UINT:
		return read_uint(v, UINT64_MAX, (uint64_t *)(void *)at);
	case CHECKPOINT_UINT32:
		if (read_uint(v, UINT32_MAX, &number) < 0)
			return -1;
		*(uint32_t *)(void *)at = (uint32_t)number;
		return 0;
	case CHECKPOINT_INT:
		return checkpoint_int(v, (int64_t *)(void *)at);
	case CHECKPOINT_HEX:
		return read_hex(v, (uint64_t *)(void *)at);
	case CHECKPOINT_BOOL:
		return read_bool(v, (bool *)(void *)at);
	}
	return -1;
}

int checkpoint_set(const struct checkpoint_field *fields, size_t n, void *base,
		   struct slice name, const struct checkpoint_value *v)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(name, slice_str(fields[i].name)))
			return set_one(&fields[i], (char *)base + fields[i].at,
				       v);
	}
	return 0;
}

/* --- An account --- */

/* Counts by name; 0 also for a name of a later version. */
static int set_named(uint64_t *counts, int n, const char *(*name_of)(int),
		     struct slice name, const struct checkpoint_value *v)
{
	for (int i = 0; i < n; i++) {
		if (slice_eq(name, slice_str(name_of(i))))
			return read_uint(v, UINT64_MAX, &counts[i]);
	}
	return 0;
}

static const char *skip_name(int i)
{
	return account_skip_name((enum skip_reason)i);
}

static const char *event_name(int i)
{
	return account_event_name((enum event_type)i);
}

bool checkpoint_cut(struct slice *name, struct slice prefix)
{
	if (!slice_starts(*name, prefix))
		return false;
	*name = slice_skip(*name, prefix.len);
	return true;
}

int checkpoint_set_events(uint64_t events[EVENT_TYPES], struct slice name,
			  const struct checkpoint_value *v)
{
	return set_named(events, EVENT_TYPES, event_name, name, v);
}

int checkpoint_set_account(struct account *account, struct slice name,
			   const struct checkpoint_value *v)
{
	uint64_t n;

	if (checkpoint_cut(&name, SLICE("skipped.")))
		return set_named(account->skipped, SKIP_REASONS, skip_name,
				 name, v);
	if (checkpoint_cut(&name, SLICE("events.")))
		return checkpoint_set_events(account->events, name, v);
	if (checkpoint_cut(&name, SLICE("expired.")))
		return checkpoint_set_events(account->expired, name, v);
	if (checkpoint_cut(&name, SLICE("not_shipped."))) {
		if (read_uint(v, UINT64_MAX, &n) < 0)
			return -1;
		tally_add(&account->not_shipped, name, n);
		return 0;
	}
	return checkpoint_set(account_fields, NROF(account_fields), account,
			      name, v);
}

/* --- The process --- */

static const struct checkpoint_field process_fields[] = {
	{"since", CHECKPOINT_INT, offsetof(struct checkpoint_process, since_s)},
	{"next_try", CHECKPOINT_INT,
	 offsetof(struct checkpoint_process, next_try_s)},
	{"window", CHECKPOINT_UINT32,
	 offsetof(struct checkpoint_process, window)},
};

/* Cut to what there is room for: it is only shown. */
static void set_text(char *to, size_t size, struct slice text)
{
	if (text.len >= size)
		text.len = size - 1;
	if (text.len)
		memcpy(to, text.p, text.len);
	to[text.len] = '\0';
}

static int set_rate(struct checkpoint_process *process,
		    const struct checkpoint_value *v)
{
	int64_t milli;

	if (checkpoint_int(v, &milli) < 0)
		return -1;
	process->rate = milli < 0 ? -1 : (double)milli / 1000;
	return 0;
}

int checkpoint_set_process(struct checkpoint_process *process,
			   struct slice name, const struct checkpoint_value *v)
{
	if (v->event == JSON_STRING && slice_eq(name, SLICE("phase")))
		set_text(process->phase, sizeof(process->phase), v->text);
	else if (v->event == JSON_STRING && slice_eq(name, SLICE("error")))
		set_text(process->error, sizeof(process->error), v->text);
	else if (v->event == JSON_STRING && slice_eq(name, SLICE("room")))
		set_text(process->room, sizeof(process->room), v->text);
	else if (slice_eq(name, SLICE("rate_milli")))
		return set_rate(process, v);
	else
		return checkpoint_set(process_fields, NROF(process_fields),
				      process, name, v);
	return 0;
}
