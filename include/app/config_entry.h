/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CONFIG_ENTRY_H
#define APP_CONFIG_ENTRY_H

/*
 * config_entry - one entry of the section "mapping": ship, ip_pool, ...
 *
 *	struct config_entry e;
 *	config_entry_read(reader, &filters, "mapping.vmta.mta1", node, &e);
 *	mapping_add(mapping, MAPPING_VMTA, "mta1", &e.entry);
 *	config_entry_release(&e);
 *
 * What a "ship:" names is looked up in the filters of the file itself, so that
 * a wrong name is reported where it stands.  Wrong settings are left unset.
 */

#include "app/config_parts.h"

struct config_filters {
	const struct yaml_node **list; /* sorted by yaml_tree_order() */
	size_t count;
	bool broken; /* incomplete: no use in looking names up */
};

struct config_entry {
	struct mapping_entry entry;
	char *ip_pool, *sending_ip; /* what the entry points to */
};

/* filters NULL: a line of a filter, which holds ship and subaccount alone. */
void config_entry_read(struct config_reader *reader,
		       const struct config_filters *filters, const char *path,
		       const struct yaml_node *node,
		       struct config_entry *entry_out);
void config_entry_release(struct config_entry *entry);

#endif /* APP_CONFIG_ENTRY_H */
