/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_ROW_H
#define ACCT_ROW_H

/*
 * row - the fields of a row by the names of their columns
 *
 *	struct row_header header;
 *	row_header_init(&header, extra, extra_count);
 *	row_header_read(&header, fields, count);	for each header
 *	row = (struct row){&header, fields, count};	for each row
 *	value = row_get(&row, ROW_RCPT);
 *	value = row_get(&row, ROW_COLUMNS + i);		column extra[i]
 *	row_header_release(&header);
 *
 * Names are looked up once for each header.  They compare without regard to
 * ASCII case; where a name stands twice, the first field that is not empty
 * counts.  A column that there is not, or that a short row does not reach, is
 * empty.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hint.h"
#include "base/slice.h"

enum row_column {
	ROW_TIME_LOGGED = 0,
	ROW_TIME_QUEUED,
	ROW_ORIG,
	ROW_RCPT,
	ROW_DSN_STATUS,
	ROW_DSN_DIAG,
	ROW_DSN_MTA,
	ROW_BOUNCE_CAT,
	ROW_SRC_TYPE,
	ROW_DLV_TYPE,
	ROW_DLV_SOURCE_IP,
	ROW_DLV_DESTINATION_IP,
	ROW_DLV_SIZE,
	ROW_DLV_TLS_PROTOCOL,
	ROW_VMTA,
	ROW_VMTA_POOL,
	ROW_JOB_ID,
	ROW_ENV_ID,
	ROW_QUEUE,
	ROW_FEEDBACK_TYPE,
	ROW_USER_AGENT,
	ROW_REPORTING_MTA,
	ROW_FROM,
	ROW_SENDER,
	ROW_SUBJECT,
	ROW_X_JOB,
	ROW_MESSAGE_ID,
	ROW_SUBACCOUNT_ID,
	ROW_RCV_SOURCE_IP,
	ROW_RCV_DESTINATION_IP,
	ROW_COLUMNS
};

#define ROW_NONE UINT32_MAX

struct row_header {
	uint32_t *first; /* by column: the first field of that name */
	uint32_t *next;	 /* by field: the next one of the same name */
	size_t next_cap;
	char *const *extra; /* borrowed: more names, after ROW_COLUMNS */
	size_t extra_count;
};

void row_header_init(struct row_header *header, char *const *extra,
		     size_t extra_count);
void row_header_release(struct row_header *header);

/* Replace what was known by a header's fields. */
void row_header_read(struct row_header *header, const struct slice *names,
		     size_t count);

static inline bool row_header_has(const struct row_header *header,
				  size_t column)
{
	return header->first[column] != ROW_NONE;
}

/* "column timeLogged"; of one of ROW_COLUMNS. */
extern const char *const row_origins[ROW_COLUMNS];

static inline const char *row_origin(enum row_column column)
{
	return row_origins[column];
}

struct row {
	const struct row_header *header;
	const struct slice *fields;
	size_t count;
	bool clean; /* is known to be UTF-8, all of it */
};

static inline struct slice row_get(const struct row *row, size_t column)
{
	uint32_t at = row->header->first[column];

	while (at < row->count) {
		if (LIKELY(row->fields[at].len))
			return row->fields[at];
		at = row->header->next[at];
	}
	return slice_of(NULL, 0);
}

#endif /* ACCT_ROW_H */
