/* SPDX-License-Identifier: MIT */
/*
 * A whole agent in this process, as `fffa run` starts it, with a source that does what the test says in
 * place of the kernel. Link with -Wl,--wrap=fffa_source_live_new,--wrap=fffa_config_load.
 */
#ifndef FFFA_TESTS_UNIT_DAEMON_AGENT_FIXTURE_H
#define FFFA_TESTS_UNIT_DAEMON_AGENT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/capture/devices/devices.h"
#include "agent/daemon/agent.h"
#include "agent/daemon/source/source.h"
#include "agent/status/view.h"
#include "config/config.h"
#include "tests/stubs/cmocka_all.h"

#define MS FFFA_NS_PER_MS
#define S  FFFA_NS_PER_S

struct scene;
/* Called on the loop again and again, until it is true; then the next one is. Behind the last one comes TERM. */
typedef bool (*scene_step)(struct scene *x);

struct scene {
	struct fffa_config conf; /* that the agent runs with */
	char dir[32], path[64], out[64];
	/* What the source answers. */
	int prepare_error, start_error;
	struct fffa_netdev devices[2];
	size_t device_count;
	size_t watched;
	struct fffa_amount held;
	bool hooks_up; /* the view has a hook */
	const char *not_ready;
	uint32_t sampled;
	scene_step last; /* after TERM, until it is true: then the source ends; may be NULL */
	bool no_file;	 /* the agent has the built-in defaults */
	/* Of the next deltas. */
	uint32_t dst;	 /* network byte order; 0: 10.0.0.2 */
	uint16_t tunnel; /* 5 is one */
	/* What it was asked. */
	int devices_rc;
	size_t changes, checkpoints, stops;
	uint64_t window_ns;
	/* While the agent runs. */
	uint64_t now_ns, begin_ms;
	uv_loop_t *loop;
	struct fffa_ledger *ledger;
	struct fffa_source_events ev;
	uv_timer_t timer;
	bool started;
	const scene_step *steps;
	size_t at;
	int log, saved;
	int client; /* of the status pages */
	void *server;
	int port;
	size_t text_bytes;
	char text[1 << 18]; /* what was read last */
};

int scene_setup(void **state);
int scene_teardown(void **state);
/* Writes the configuration; each %D in it is the scene's folder, each %P the port. */
void scene_write(struct scene *x, const char *yaml);
/* The same, and says HUP. True. */
bool scene_reload(struct scene *x, const char *yaml);
/* Runs an agent until it ends. Returns its status. */
enum fffa_exit scene_run(struct scene *x, const char *yaml, const scene_step *steps);

/* One delta of one flow; dport tells flows apart. Even dports are ingress. */
void scene_send(struct scene *x, uint8_t proto, uint16_t dport, uint32_t packets, uint16_t flags);
/* The source's clock goes on, and a turn ends. */
void scene_turn(struct scene *x, uint64_t ns);
/* The text of a file below the scene's folder; "" when there is none. */
const char *scene_read(struct scene *x, const char *name);
/* How often the text is in the log. */
size_t scene_logged(struct scene *x, const char *text);
void scene_expect_log(struct scene *x, const char *text, size_t times);
/* How often the text is in the output of the sink "out". */
size_t scene_records(struct scene *x, const char *text);

/* While true, who reads the configuration file stands still. */
void scene_hold_load(bool hold);
/* How often it was read since the start. */
size_t scene_loads(void);

/* Asks for a page on the socket in the scene's folder. True. */
bool scene_ask(struct scene *x, const char *socket_name, const char *page);
/* True once the whole answer is in x->text: the connection is closed behind it. */
bool scene_is_answered(struct scene *x);
void scene_expect_text(const struct scene *x, const char *text);

/* A step that writes another configuration and says HUP, and one that waits for a text in the log. */
#define RELOAD(name, yaml)                                                                         \
	static bool name(struct scene *x)                                                          \
	{                                                                                          \
		return scene_reload(x, yaml);                                                      \
	}
#define AWAIT(name, text)                                                                          \
	static bool name(struct scene *x)                                                          \
	{                                                                                          \
		return scene_logged(x, text) > 0;                                                  \
	}

#endif
