/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/identity.h"

#include "acct/address.h"

/*
 * Each rule's digest begins with a word of its own, so that an envId can never
 * be taken for a Message-Id.  The words are here as their digests, which is
 * what goes into that of the list; "ids are what they have always been" holds
 * them to the words.
 */
static const struct digest word_custom = {0xf9d1a86345e14295,
					  0xb26c68c627b47801};
static const struct digest word_message_id = {0xd5e4f6c55fdb9bca,
					      0xf14edd63643c21b3};
static const struct digest word_envid = {0x05dee3cece217a6c,
					 0xf7b0aef8060f2300};
static const struct digest word_row = {0xb95419994944a4b5, 0xda0e947a60ca106d};
static const struct digest word_report = {0x611039a6eb05e70d,
					  0x3079aeafd7558954};

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

static void identity_digest(struct identity *identity, struct digest word,
			    const struct slice *parts, size_t count,
			    const char *origin)
{
	struct digest digests[DIGEST_PARTS];

	digests[0] = word;
	for (size_t i = 0; i < count; i++)
		digests[i + 1] = digest_of(parts[i]);
	digest_hex80(digest_join(digests, count + 1), identity->text);
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
			identity_digest(identity, word_custom, &id, 1,
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
		struct slice parts[] = {orig, recipient};

		identity_digest(identity, word_report, parts, 2, "rule 3.1.5");
	} else {
		struct slice parts[] = {orig, recipient,
					row_get(row, ROW_JOB_ID),
					identity_time(row, kind)};

		identity_digest(identity, word_row, parts, 4, "rule 3.1.4");
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
		struct slice parts[] = {id, recipient};

		identity_digest(identity, word_message_id, parts, 2,
				"rule 3.1.2");
	} else if (envelope.len) {
		struct slice parts[] = {envelope, recipient};

		identity_digest(identity, word_envid, parts, 2, "rule 3.1.3");
	} else {
		identity_of_row(identity, row, kind, recipient);
	}
}

uint64_t identity_event(struct digest row, int64_t offset,
			struct slice event_name)
{
	return digest_63(digest_mix(row, (uint64_t)offset, event_name));
}

uint64_t identity_reception(struct slice message_id)
{
	return digest_63(
		digest_mix(digest_of(message_id), 0, SLICE("reception")));
}
