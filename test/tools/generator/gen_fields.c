/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/generator/gen.h"

static const char *const names[GEN_COLS] = {
	[COL_TYPE] = "type",
	[COL_LOGGED] = "timeLogged",
	[COL_QUEUED] = "timeQueued",
	[COL_ORIG] = "orig",
	[COL_RCPT] = "rcpt",
	[COL_ORCPT] = "orcpt",
	[COL_ACTION] = "dsnAction",
	[COL_STATUS] = "dsnStatus",
	[COL_DIAG] = "dsnDiag",
	[COL_MTA] = "dsnMta",
	[COL_CAT] = "bounceCat",
	[COL_SRC_TYPE] = "srcType",
	[COL_SRC_MTA] = "srcMta",
	[COL_DLV_TYPE] = "dlvType",
	[COL_DLV_SOURCE] = "dlvSourceIp",
	[COL_DLV_DEST] = "dlvDestinationIp",
	[COL_ESMTP] = "dlvEsmtpAvailable",
	[COL_SIZE] = "dlvSize",
	[COL_VMTA] = "vmta",
	[COL_JOB] = "jobId",
	[COL_ENVID] = "envId",
	[COL_QUEUE] = "queue",
	[COL_POOL] = "vmtaPool",
	[COL_MESSAGE_ID] = "header_Message-Id",
	[COL_SUBACCOUNT] = "header_x-sp-subaccount-id",
	[COL_REP_SOURCE] = "repSourceIp",
	[COL_FEEDBACK] = "feedbackType",
	[COL_FORMAT] = "format",
	[COL_AGENT] = "userAgent",
	[COL_REPORTING_MTA] = "reportingMta",
	[COL_REPORTED_DOMAIN] = "reportedDomain",
	[COL_FROM] = "header_From",
	[COL_RETURN_PATH] = "header_Return-Path",
	[COL_X_JOB] = "header_X-job",
	[COL_SUBJECT] = "header_Subject",
	[COL_RCV_SOURCE] = "rcvSourceIp",
	[COL_RCV_DEST] = "rcvDestinationIp",
	[COL_DSN_REPORTING] = "dsnReportingMta",
};

/* PowerMTA's union: d and b, their headers, then f, r and rb. */
static bool wanted(enum gen_column column, const struct gen_options *o)
{
	bool signals = o->columns == GEN_SIGNALS;

	if (column == COL_CAT)
		return o->columns != GEN_D_ONLY;
	if (column <= COL_POOL)
		return true;
	if (column == COL_MESSAGE_ID || column == COL_SUBACCOUNT)
		return signals;
	if (column == COL_FROM || column == COL_SUBJECT)
		return signals || o->weights[GEN_F];
	if (column >= COL_REP_SOURCE && column <= COL_X_JOB)
		return o->weights[GEN_F];
	if (column == COL_RCV_SOURCE || column == COL_RCV_DEST)
		return o->weights[GEN_R];
	return o->weights[GEN_RB] || o->weights[GEN_RS];
}

void gen_layout(struct gen_layout *layout, const struct gen_options *o)
{
	layout->count = 0;
	layout->line_end = o->crlf ? "\r\n" : "\n";
	for (enum gen_column c = 0; c < GEN_COLS; c++)
		if (wanted(c, o))
			layout->column[layout->count++] = c;
}

void gen_header(const struct gen_layout *layout, struct buf *out)
{
	for (size_t i = 0; i < layout->count; i++)
		buf_addf(out, "%s%s", i ? "," : "", names[layout->column[i]]);
	buf_add_str(out, layout->line_end);
}

/* Straight into the buffer: this is what makes a million rows a second. */
void gen_write(const struct gen_layout *layout, const struct gen_row *row,
	       struct buf *out)
{
	char *at;

	if (buf_reserve(out, sizeof(row->text) * 4) < 0)
		return;
	at = out->p + out->len;
	for (size_t i = 0; i < layout->count; i++) {
		struct slice value = row->value[layout->column[i]];

		if (i)
			*at++ = ',';
		if (value.len)
			memcpy(at, value.p, value.len);
		at += value.len;
		if ((int)layout->column[i] == row->cut_after)
			break;
	}
	out->len = (size_t)(at - out->p);
	buf_add_str(out, layout->line_end);
}
