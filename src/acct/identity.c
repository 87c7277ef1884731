/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/identity.h"

#include "acct/address.h"

/*
 * Each rule's digest begins with a word of its own, so that an envId can never
 * be taken for a Message-Id.
 */

static bool identity_fits(struct slice id)
{
	if (!id.len || id.len > IDENTITY_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		if (id.p[i] < ' ' || id.p[i] > '~')
			return false;
	}
	return true;
}

static void identity_digest(struct identity *identity,
			    const struct slice *parts, size_t count,
			    const char *origin)
{
	digest_hex80(digest_list(parts, count), identity->text);
	identity->message_id = slice_of(identity->text, DIGEST_HEX80 - 1);
	identity->origin = origin;
}

static bool identity_custom(struct identity *identity, const struct row *row,
			    const struct settings *settings,
			    const struct mask *mask)
{
	for (size_t i = 0; i < settings->message_id_columns_count; i++) {
		struct slice id = address_bare(row_get(row, ROW_COLUMNS + i));

		if (!identity_fits(id))
			continue;
		identity->column = (int)i;
		if (mask && mask_holds(mask, id)) {
			struct slice parts[] = {SLICE("custom"), id};

			identity_digest(identity, parts, 2,
					"rule 3.1.1 digest, for privacy");
		} else {
			identity->message_id = identity->custom = id;
			identity->origin = "rule 3.1.1";
		}
		return true;
	}
	return false;
}

/*
 * The time that tells two messages of one job to one recipient apart.  In a
 * file that does not log timeQueued, timeLogged has to do: without it, all mail
 * that somebody ever gets would be one message.
 */
static struct slice identity_time(const struct row *row, enum kind kind)
{
	struct slice queued = row_get(row, ROW_TIME_QUEUED);

	if (kind == KIND_RECEIPT || !queued.len)
		return row_get(row, ROW_TIME_LOGGED);
	return queued;
}

static void identity_of_row(struct identity *identity, const struct row *row,
			    enum kind kind, struct slice recipient)
{
	struct slice orig = row_get(row, ROW_ORIG);

	if (kind_is_report(kind)) {
		struct slice parts[] = {SLICE("report"), orig, recipient};

		identity_digest(identity, parts, 3, "rule 3.1.5");
	} else {
		struct slice parts[] = {SLICE("row"), orig, recipient,
					row_get(row, ROW_JOB_ID),
					identity_time(row, kind)};

		identity_digest(identity, parts, 5, "rule 3.1.4");
	}
}

void identity_read(struct identity *identity, const struct row *row,
		   enum kind kind, struct slice recipient,
		   const struct settings *settings, const struct mask *mask)
{
	struct slice id = address_bare(row_get(row, ROW_MESSAGE_ID));
	struct slice envelope = slice_trim(row_get(row, ROW_ENV_ID));

	identity->custom = slice_of(NULL, 0);
	identity->column = -1;
	if (identity_custom(identity, row, settings, mask))
		return;
	if (id.len) {
		struct slice parts[] = {SLICE("message-id"), id, recipient};

		identity_digest(identity, parts, 3, "rule 3.1.2");
	} else if (envelope.len) {
		struct slice parts[] = {SLICE("envid"), envelope, recipient};

		identity_digest(identity, parts, 3, "rule 3.1.3");
	} else {
		identity_of_row(identity, row, kind, recipient);
	}
}

uint64_t identity_event(struct digest row, int64_t offset,
			const char *event_name)
{
	return digest_63(
		digest_mix(row, (uint64_t)offset, slice_str(event_name)));
}

uint64_t identity_reception(struct slice message_id)
{
	return digest_63(
		digest_mix(digest_of(message_id), 0, SLICE("reception")));
}
