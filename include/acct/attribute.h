/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_ATTRIBUTE_H
#define ACCT_ATTRIBUTE_H

/*
 * attribute - the names of an event's attributes, and as JSON (mapping.md 4)
 *
 *	attribute_keys[ATTRIBUTE_RCPT_TO].name		rcpt_to
 *	attribute_keys[ATTRIBUTE_RCPT_TO].json		,"rcpt_to":"
 *
 * The JSON has a comma for the attribute before; the first one of an object
 * leaves it out.  It ends with the quote that begins a string, which "len" does
 * not count.  It may be copied as ATTRIBUTE_KEY bytes, whatever its length.
 */

#include <stddef.h>

enum attribute {
	ATTRIBUTE_TYPE = 0,
	ATTRIBUTE_EVENT_ID,
	ATTRIBUTE_MESSAGE_ID,
	ATTRIBUTE_CUSTOM_MESSAGE_ID,
	ATTRIBUTE_TIMESTAMP,
	ATTRIBUTE_RCPT_HASH,
	ATTRIBUTE_RCPT_DOMAIN,
	ATTRIBUTE_RCPT_TO,
	ATTRIBUTE_RAW_RCPT_TO,
	ATTRIBUTE_MSG_FROM,
	ATTRIBUTE_FRIENDLY_FROM,
	ATTRIBUTE_SUBJECT,
	ATTRIBUTE_CAMPAIGN_ID,
	ATTRIBUTE_SENDING_IP,
	ATTRIBUTE_BINDING,
	ATTRIBUTE_BINDING_GROUP,
	ATTRIBUTE_IP_POOL,
	ATTRIBUTE_IP_ADDRESS,
	ATTRIBUTE_ROUTING_DOMAIN,
	ATTRIBUTE_SUBACCOUNT_ID,
	ATTRIBUTE_RECV_METHOD,
	ATTRIBUTE_DELV_METHOD,
	ATTRIBUTE_MSG_SIZE,
	ATTRIBUTE_NUM_RETRIES,
	ATTRIBUTE_QUEUE_TIME,
	ATTRIBUTE_OUTBOUND_TLS,
	ATTRIBUTE_OPEN_TRACKING,
	ATTRIBUTE_CLICK_TRACKING,
	ATTRIBUTE_NODE_NAME,
	ATTRIBUTE_RAW_REASON,
	ATTRIBUTE_REASON,
	ATTRIBUTE_BOUNCE_CLASS,
	ATTRIBUTE_ERROR_CODE,
	ATTRIBUTE_FBTYPE,
	ATTRIBUTE_REPORT_BY,
	ATTRIBUTE_USER_AGENT,
	ATTRIBUTES
};

enum { ATTRIBUTE_KEY = 24 };

struct attribute_key {
	const char *name;
	size_t len; /* of json up to the colon */
	char json[ATTRIBUTE_KEY];
};

extern const struct attribute_key attribute_keys[ATTRIBUTES];

#endif /* ACCT_ATTRIBUTE_H */
