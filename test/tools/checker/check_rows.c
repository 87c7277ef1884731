/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/digest.h"
#include "base/when.h"
#include "tools/checker/check.h"

#define NROF(a) (sizeof(a) / sizeof((a)[0]))

enum column {
	TYPE = 0,
	LOGGED,
	QUEUED,
	ORIG,
	RCPT,
	DLV_TYPE,
	JOB,
	ENVID,
	QUEUE,
	FEEDBACK,
	OUR_ID,
	MESSAGE_ID,
	RCV_SOURCE,
	RCV_DEST,
	COLUMNS
};

static const char *const columns[COLUMNS] = {"type",
					     "timeLogged",
					     "timeQueued",
					     "orig",
					     "rcpt",
					     "dlvType",
					     "jobId",
					     "envId",
					     "queue",
					     "feedbackType",
					     "header_x-sp-message-id",
					     "header_Message-Id",
					     "rcvSourceIp",
					     "rcvDestinationIp"};

/* In the order of check_row_name(). */
enum row_type { D = 0, B, T, R, RB, F, TQ, RS, OTHER };

static const struct {
	const char *code;
	enum row_type type;
} codes[] = {
	{"d", D},
	{"b", B},
	{"t", T},
	{"r", R},
	{"rb", RB},
	{"f", F},
	{"tq", TQ},
	{"rs", RS},
	{"delivery", D},
	{"bounce", B},
	{"transient", T},
	{"receipt", R},
	{"received", R},
	{"remote-bounce", RB},
	{"feedback-loop", F},
};

static const enum check_event events[] = {
	[D] = CHECK_DELIVERY,  [B] = CHECK_INBAND,     [T] = CHECK_TEMPFAIL,
	[R] = CHECK_RECEPTION, [RB] = CHECK_OUTOFBAND, [F] = CHECK_FEEDBACK,
};

struct file {
	struct check *check;
	const char *start;
	bool named;    /* a header was seen */
	bool receipts; /* it has a column that only r rows carry */
	int column[CSV_FIELDS];
	struct slice value[COLUMNS];
	struct slice rcpt; /* as it is on the wire */
	char lower[512];
	int64_t logged_s, queued_s; /* 0: none */
};

static void take_header(struct file *f, const struct check_csv *csv)
{
	f->named = true;
	f->receipts = false;
	for (size_t i = 0; i < csv->count; i++) {
		enum column c = 0;

		while (c < COLUMNS &&
		       !slice_eq_nocase(csv->field[i], slice_str(columns[c])))
			c++;
		f->column[i] = (int)c;
		f->receipts |= c == RCV_SOURCE || c == RCV_DEST;
	}
	for (size_t i = csv->count; i < CSV_FIELDS; i++)
		f->column[i] = COLUMNS;
}

static void take_values(struct file *f, const struct check_csv *csv)
{
	for (enum column c = 0; c < COLUMNS; c++)
		f->value[c] = slice_of(NULL, 0);
	for (size_t i = 0; i < csv->count; i++)
		if (f->column[i] < COLUMNS && !f->value[f->column[i]].len)
			f->value[f->column[i]] = csv->field[i];
}

static void take_rcpt(struct file *f)
{
	struct slice s = slice_trim(f->value[RCPT]);

	if (slice_starts(s, SLICE("<")) && s.p[s.len - 1] == '>')
		s = slice_of(s.p + 1, s.len - 2);
	if (s.len > sizeof(f->lower))
		s.len = sizeof(f->lower);
	for (size_t i = 0; i < s.len; i++)
		f->lower[i] = slice_lower(s.p[i]);
	f->rcpt = slice_of(f->lower, s.len);
}

static enum row_type type_of(struct slice code)
{
	for (size_t i = 0; i < NROF(codes); i++)
		if (slice_eq(code, slice_str(codes[i].code)))
			return codes[i].type;
	return OTHER;
}

static bool filtered(const struct file *f, enum row_type type)
{
	struct slice dlv = f->value[DLV_TYPE];

	if (type == F)
		return slice_eq_nocase(f->value[FEEDBACK], SLICE("not-spam"));
	if (type > T)
		return false;
	if (dlv.len && !slice_eq(dlv, SLICE("smtp")) &&
	    !slice_eq(dlv, SLICE("http-delivery")))
		return true;
	return slice_starts(f->value[QUEUE], SLICE("{")) ||
	       (type == T && f->check->no_delay);
}

/* One number for each message: what its injection is the only one of. */
static uint64_t message_of(const struct file *f, enum row_type type)
{
	struct slice time = f->value[type == R ? LOGGED : QUEUED];
	struct slice parts[5] = {f->rcpt, f->value[OUR_ID]};

	if (parts[1].len)
		return digest_list(parts + 1, 1).lo;
	parts[1] = f->value[MESSAGE_ID];
	if (!parts[1].len)
		parts[1] = f->value[ENVID];
	if (parts[1].len)
		return digest_list(parts, 2).lo;
	parts[2] = f->value[ORIG];
	parts[3] = f->value[JOB];
	parts[4] = time;
	return digest_list(parts, 5).lo;
}

static bool wants_injection(const struct file *f, enum row_type type)
{
	switch (f->check->injection) {
	case INJECT_OFF:
		return false;
	case INJECT_RECORDS:
		return type == R;
	case INJECT_SYNTHESIZE:
		return type <= R;
	default:
		return type == R || (type <= T && !f->receipts);
	}
}

static void expect_injection(struct file *f, enum row_type type,
			     uint64_t offset)
{
	int64_t time_s = f->logged_s;
	bool is_new;

	if (type != R && f->queued_s &&
	    (!f->logged_s || f->queued_s <= f->logged_s))
		time_s = f->queued_s;
	idmap_put(&f->check->messages, message_of(f, type), &is_new);
	if (is_new)
		check_expect(
			f->check,
			&(struct check_wanted){
				CHECK_RECEPTION,
				check_injection_id(f->check, f->rcpt, time_s),
				time_s, offset, f->rcpt});
}

static void take_row(struct file *f, struct slice row)
{
	enum row_type type = type_of(f->value[TYPE]);
	uint64_t offset = (uint64_t)(row.p - f->start);
	struct check *check = f->check;
	int64_t time_s;

	f->logged_s = f->queued_s = 0;
	when_parse(f->value[LOGGED], &f->logged_s);
	when_parse(f->value[QUEUED], &f->queued_s);
	time_s = f->logged_s ? f->logged_s : f->queued_s;
	take_rcpt(f);
	if (type >= TQ) {
		check->rows[type]++;
		return;
	}
	if (!filtered(f, type) && (!f->rcpt.len || !time_s)) {
		check->rows[CHECK_MALFORMED]++;
		return;
	}
	check->rows[type]++;
	if (filtered(f, type))
		return;
	if (type != R)
		check_expect(check,
			     &(struct check_wanted){
				     events[type],
				     check_row_id(row, offset, events[type]),
				     time_s, offset, f->rcpt});
	if (wants_injection(f, type))
		expect_injection(f, type, offset);
}

void check_rows(struct check *check, struct slice bytes)
{
	struct file f = {.check = check, .start = bytes.p};
	struct check_csv csv;

	if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
		bytes = slice_skip(bytes, 3);
	check_csv_init(&csv);
	while (check_csv_next(&csv, &bytes)) {
		if (csv.count && !csv.broken &&
		    slice_eq(csv.field[0], SLICE("type"))) {
			take_header(&f, &csv);
		} else if (csv.row.len == 0) {
			continue;
		} else if (csv.broken || !f.named) {
			check->rows[CHECK_MALFORMED]++;
		} else {
			take_values(&f, &csv);
			take_row(&f, csv.row);
		}
	}
	check_csv_release(&csv);
}
