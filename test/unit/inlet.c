/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/inlet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/status.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"

struct inlet inlet;

static void inlet_note(int priority, const char *line)
{
	size_t len = strlen(inlet.said);

	(void)priority;
	snprintf(inlet.said + len, sizeof(inlet.said) - len, "%s\n", line);
}

const char *inlet_path(const char *name)
{
	static char path[4][512];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", inlet.root, name);
	return path[turn];
}

void inlet_add(const char *name, const char *text)
{
	int fd = open(inlet_path(name), O_WRONLY | O_CREAT | O_APPEND, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

void inlet_start(int64_t now_ms)
{
	struct spool_found found = {0};
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_msg(spool_open(&inlet.config->spool, &inlet.spool, &found,
				 &why) == SPOOL_OPEN_OK,
		      "%s", buf_str(&why));
	buf_release(&why);
	inlet.intake = intake_new(inlet.config, inlet.spool, &found, now_ms,
				  inlet.now_s);
	spool_found_release(&found);
}

void inlet_stop(void)
{
	intake_free(&inlet.intake);
	spool_close(&inlet.spool);
}

void inlet_setup(void)
{
	snprintf(inlet.root, sizeof(inlet.root), "%s/inlet.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(inlet.root));
	inlet.said[0] = '\0';
	inlet.now_s = INLET_NOW_S;
	log_set_sink(inlet_note);
	inlet.config = config_default();
	inlet.config->sources = mem_zero(1, sizeof(*inlet.config->sources));
	inlet.config->sources_count = 1;
	inlet.config->sources[0].path = mem_str(inlet_path("*.csv"));
	mem_free(inlet.config->spool.directory);
	inlet.config->spool.directory = mem_str(inlet_path("spool"));
	inlet.config->spool.min_free_bytes = 0;
	inlet.config->batch_max_delay_ms = INLET_DELAY_MS;
	inlet.config->events.injection = INJECTION_RECORDS;
}

void inlet_teardown(void)
{
	char command[300];

	fault_disarm();
	inlet_stop();
	config_free(&inlet.config);
	log_set_sink(NULL);
	snprintf(command, sizeof(command), "rm -rf %s", inlet.root);
	ck_assert_int_eq(system(command), 0);
}

struct spool_totals inlet_totals(void)
{
	struct spool_totals t;

	spool_totals(inlet.spool, &t);
	return t;
}

/* Until nothing is due. */
void inlet_settle(int64_t now_ms)
{
	for (int i = 0; i < 100 && !intake_done(inlet.intake, now_ms); i++)
		intake_step(inlet.intake, now_ms, inlet.now_s);
	intake_step(inlet.intake, now_ms, inlet.now_s);
}

struct spool_view inlet_view(void)
{
	struct spool_view view = {0};
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_int_eq(spool_view(inlet.config->spool.directory, &view, &why),
			 0);
	ck_assert_msg(status_agrees(&view, &why), "%s", buf_str(&why));
	buf_release(&why);
	return view;
}

void inlet_agrees(uint64_t rows, uint64_t events)
{
	struct spool_view view;

	ck_assert_int_eq(intake_save(inlet.intake, inlet.now_s), 0);
	view = inlet_view();
	ck_assert_uint_eq(view.checkpoint.ledger.account.rows, rows);
	ck_assert_uint_eq(account_events(&view.checkpoint.ledger.account),
			  events);
	spool_view_release(&view);
}

void inlet_said(const char *part)
{
	ck_assert_msg(strstr(inlet.said, part), "not said: %s\nbut:\n%s", part,
		      inlet.said);
}
