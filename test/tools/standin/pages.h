/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_PAGES_H
#define STANDIN_PAGES_H

/*
 * pages - everything but the POST of a batch
 *
 *	/api/v1/events/ingest			outcomes
 *	/api/v1/ingest/events/ID		a batch
 *	/api/v1/ingest/events/failures/ID	the lines of it that were bad
 *	/api/v1/ingest/events/documentation, .../samples
 *	/standin/stats				the counters, for scripts
 *	/standin/plan				POST: new rules, one a line
 */

#include "tools/standin/serve.h"

enum MHD_Result pages_handle(struct serve *serve,
			     struct MHD_Connection *connection,
			     const char *method, struct serve_request *request);

#endif /* STANDIN_PAGES_H */
