/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t signals_got_stop, signals_got_hup,
	signals_got_usr1;
static void (*signals_wake)(void);

static void signals_handle(int signum)
{
	if (signum == SIGHUP)
		signals_got_hup = 1;
	else if (signum == SIGUSR1)
		signals_got_usr1 = 1;
	else
		signals_got_stop = 1;
	signals_wake();
}

static void signals_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

void signals_open(void (*wake)(void))
{
	struct sigaction action = {.sa_handler = signals_handle,
				   .sa_flags = SA_RESTART};

	signals_wake = wake;
	signals_set(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

bool signals_stop(void)
{
	return signals_got_stop;
}

bool signals_reload(void)
{
	bool got = signals_got_hup;

	signals_got_hup = 0;
	return got;
}

bool signals_report(void)
{
	bool got = signals_got_usr1;

	signals_got_usr1 = 0;
	return got;
}

void signals_block(void)
{
	sigset_t set;

	signals_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_unblock(void)
{
	sigset_t set;

	signals_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
