/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/row.h"

#include "base/mem.h"

/* An origin is the word for explain and a name in one. */
#define ROW_WORD "column "

const char *const row_origins[ROW_COLUMNS] = {
	[ROW_TIME_LOGGED] = ROW_WORD "timeLogged",
	[ROW_TIME_QUEUED] = ROW_WORD "timeQueued",
	[ROW_ORIG] = ROW_WORD "orig",
	[ROW_RCPT] = ROW_WORD "rcpt",
	[ROW_DSN_STATUS] = ROW_WORD "dsnStatus",
	[ROW_DSN_DIAG] = ROW_WORD "dsnDiag",
	[ROW_DSN_MTA] = ROW_WORD "dsnMta",
	[ROW_BOUNCE_CAT] = ROW_WORD "bounceCat",
	[ROW_SRC_TYPE] = ROW_WORD "srcType",
	[ROW_DLV_TYPE] = ROW_WORD "dlvType",
	[ROW_DLV_SOURCE_IP] = ROW_WORD "dlvSourceIp",
	[ROW_DLV_DESTINATION_IP] = ROW_WORD "dlvDestinationIp",
	[ROW_DLV_SIZE] = ROW_WORD "dlvSize",
	[ROW_DLV_TLS_PROTOCOL] = ROW_WORD "dlvTlsProtocol",
	[ROW_VMTA] = ROW_WORD "vmta",
	[ROW_VMTA_POOL] = ROW_WORD "vmtaPool",
	[ROW_JOB_ID] = ROW_WORD "jobId",
	[ROW_ENV_ID] = ROW_WORD "envId",
	[ROW_QUEUE] = ROW_WORD "queue",
	[ROW_FEEDBACK_TYPE] = ROW_WORD "feedbackType",
	[ROW_USER_AGENT] = ROW_WORD "userAgent",
	[ROW_REPORTING_MTA] = ROW_WORD "reportingMta",
	[ROW_FROM] = ROW_WORD "header_From",
	[ROW_SENDER] = ROW_WORD "header_Sender",
	[ROW_SUBJECT] = ROW_WORD "header_Subject",
	[ROW_X_JOB] = ROW_WORD "header_X-job",
	[ROW_MESSAGE_ID] = ROW_WORD "header_Message-Id",
	[ROW_SUBACCOUNT_ID] = ROW_WORD "header_x-sp-subaccount-id",
	[ROW_RCV_SOURCE_IP] = ROW_WORD "rcvSourceIp",
	[ROW_RCV_DESTINATION_IP] = ROW_WORD "rcvDestinationIp",
};

void row_header_init(struct row_header *header, char *const *extra,
		     size_t extra_count)
{
	*header =
		(struct row_header){.extra = extra, .extra_count = extra_count};
	header->first =
		mem_zero(ROW_COLUMNS + extra_count, sizeof(*header->first));
	row_header_read(header, NULL, 0);
}

void row_header_release(struct row_header *header)
{
	mem_free(header->first);
	mem_free(header->next);
	*header = (struct row_header){0};
}

static struct slice row_name(const struct row_header *header, size_t column)
{
	if (column >= ROW_COLUMNS)
		return slice_str(header->extra[column - ROW_COLUMNS]);
	return slice_str(row_origins[column] + sizeof(ROW_WORD) - 1);
}

/* Fields come last to first, so that each chain is built from its end. */
static void row_header_field(struct row_header *header, struct slice name,
			     uint32_t at)
{
	header->next[at] = ROW_NONE;
	for (size_t i = 0; i < ROW_COLUMNS + header->extra_count; i++) {
		if (!slice_eq_nocase(name, row_name(header, i)))
			continue;
		header->next[at] = header->first[i];
		header->first[i] = at;
	}
}

void row_header_read(struct row_header *header, const struct slice *names,
		     size_t count)
{
	for (size_t i = 0; i < ROW_COLUMNS + header->extra_count; i++)
		header->first[i] = ROW_NONE;
	if (count > header->next_cap) {
		header->next = mem_resize_array(header->next, count,
						sizeof(*header->next));
		header->next_cap = count;
	}
	if (!names)
		return;
	for (size_t i = count; i-- > 0;)
		row_header_field(header, slice_trim(names[i]), (uint32_t)i);
}
