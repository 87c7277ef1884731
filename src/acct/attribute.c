/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/attribute.h"

#define KEY(name)                                                              \
	{                                                                      \
		name, sizeof(",\"" name "\":") - 1, ",\"" name "\":\""         \
	}

const struct attribute_key attribute_keys[ATTRIBUTES] = {
	[ATTRIBUTE_TYPE] = KEY("type"),
	[ATTRIBUTE_EVENT_ID] = KEY("event_id"),
	[ATTRIBUTE_MESSAGE_ID] = KEY("message_id"),
	[ATTRIBUTE_CUSTOM_MESSAGE_ID] = KEY("custom_message_id"),
	[ATTRIBUTE_TIMESTAMP] = KEY("timestamp"),
	[ATTRIBUTE_RCPT_HASH] = KEY("rcpt_hash"),
	[ATTRIBUTE_RCPT_DOMAIN] = KEY("rcpt_domain"),
	[ATTRIBUTE_RCPT_TO] = KEY("rcpt_to"),
	[ATTRIBUTE_RAW_RCPT_TO] = KEY("raw_rcpt_to"),
	[ATTRIBUTE_MSG_FROM] = KEY("msg_from"),
	[ATTRIBUTE_FRIENDLY_FROM] = KEY("friendly_from"),
	[ATTRIBUTE_SUBJECT] = KEY("subject"),
	[ATTRIBUTE_CAMPAIGN_ID] = KEY("campaign_id"),
	[ATTRIBUTE_SENDING_IP] = KEY("sending_ip"),
	[ATTRIBUTE_BINDING] = KEY("binding"),
	[ATTRIBUTE_BINDING_GROUP] = KEY("binding_group"),
	[ATTRIBUTE_IP_POOL] = KEY("ip_pool"),
	[ATTRIBUTE_IP_ADDRESS] = KEY("ip_address"),
	[ATTRIBUTE_ROUTING_DOMAIN] = KEY("routing_domain"),
	[ATTRIBUTE_SUBACCOUNT_ID] = KEY("subaccount_id"),
	[ATTRIBUTE_RECV_METHOD] = KEY("recv_method"),
	[ATTRIBUTE_DELV_METHOD] = KEY("delv_method"),
	[ATTRIBUTE_MSG_SIZE] = KEY("msg_size"),
	[ATTRIBUTE_NUM_RETRIES] = KEY("num_retries"),
	[ATTRIBUTE_QUEUE_TIME] = KEY("queue_time"),
	[ATTRIBUTE_OUTBOUND_TLS] = KEY("outbound_tls"),
	[ATTRIBUTE_OPEN_TRACKING] = KEY("open_tracking"),
	[ATTRIBUTE_CLICK_TRACKING] = KEY("click_tracking"),
	[ATTRIBUTE_NODE_NAME] = KEY("node_name"),
	[ATTRIBUTE_RAW_REASON] = KEY("raw_reason"),
	[ATTRIBUTE_REASON] = KEY("reason"),
	[ATTRIBUTE_BOUNCE_CLASS] = KEY("bounce_class"),
	[ATTRIBUTE_ERROR_CODE] = KEY("error_code"),
	[ATTRIBUTE_FBTYPE] = KEY("fbtype"),
	[ATTRIBUTE_REPORT_BY] = KEY("report_by"),
	[ATTRIBUTE_USER_AGENT] = KEY("user_agent"),
};
