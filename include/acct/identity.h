/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_IDENTITY_H
#define ACCT_IDENTITY_H

/*
 * identity - message_id and event_id (mapping.md 3)
 *
 * The same row gives the same ids, whenever and wherever it is read: ids are
 * digests of a row's own bytes and place, or values of its columns.  A change
 * of what goes into a digest makes every message a new one; check_identity
 * holds literal values against it.
 */

#include <stdint.h>

#include "acct/kind.h"
#include "acct/mask.h"
#include "acct/row.h"
#include "acct/settings.h"
#include "base/digest.h"

/* As much as PowerMTA takes for a custom id. */
enum { IDENTITY_MAX = 512 };

struct identity {
	struct slice message_id;
	struct slice custom; /* custom_message_id; empty: none */
	const char *origin;  /* which rule gave message_id, for explain */
	int column;	     /* index in message_id_columns, or -1 */
	char text[DIGEST_HEX80];
};

/*
 * By rules 3.1.1 to 3.1.5.  "recipient" is normalised already.  With a mask an
 * id that holds the recipient's address is replaced by its digest.
 */
void identity_read(struct identity *identity, const struct row *row,
		   enum kind kind, struct slice recipient,
		   const struct settings *settings, const struct mask *mask);

/* 3.2: of an event made from a row, and of an injection. */
uint64_t identity_event(struct digest row, int64_t offset,
			struct slice event_name);
uint64_t identity_reception(struct slice message_id);

#endif /* ACCT_IDENTITY_H */
