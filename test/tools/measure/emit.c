/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/measure/measure.h"

void emit_events(const struct events *events, struct buf *out)
{
	for (size_t i = 0; i < events->count; i++)
		event_line(&events->event[i], out);
}
