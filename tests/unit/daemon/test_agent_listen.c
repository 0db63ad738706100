// SPDX-License-Identifier: MIT
/* The pages of a whole agent get another address: who opens it, and what is left when that fails. */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "agent/daemon/status_view.h"
#include "agent/status/listen/listener.h"
#include "tests/unit/daemon/agent_fixture.h"

#define BASE(listen)                                                                               \
	"seccomp: false\nspool_dir: ''\nstatus: {listen: '" listen                                 \
	"'}\nmetadata: {imds: {enabled: off}}\n"                                                   \
	"sinks:\n  - {name: out, type: file, format: json, path: '%D/out', sync: none}\n"

static struct {
	atomic_size_t sockets[2]; /* opened on the loop, and off it */
	size_t listens;		  /* how many of the next calls fail */
	size_t listened;	  /* how often it was asked for */
} fault;

int __real_fffa_listener_open(struct fffa_listener *out, const char *listen, struct fffa_err *err);
int __wrap_fffa_listener_open(struct fffa_listener *out, const char *listen, struct fffa_err *err);
int __real_fffa_status_view_listen(struct fffa_agent *a, struct fffa_listener *l,
				   struct fffa_err *err);
int __wrap_fffa_status_view_listen(struct fffa_agent *a, struct fffa_listener *l,
				   struct fffa_err *err);

int __wrap_fffa_listener_open(struct fffa_listener *out, const char *listen, struct fffa_err *err)
{
	fault.sockets[gettid() != getpid()]++;
	return __real_fffa_listener_open(out, listen, err);
}

int __wrap_fffa_status_view_listen(struct fffa_agent *a, struct fffa_listener *l,
				   struct fffa_err *err)
{
	fault.listened++;
	if (!fault.listens)
		return __real_fffa_status_view_listen(a, l, err);
	fault.listens--;
	return fffa_fail(err, EADDRINUSE, "no port");
}

/* Ports: the old one is free only once it is closed. Here there was none, which cannot be lost. */
RELOAD(listen_on_a_port, BASE("127.0.0.1:1"))

static bool one_listen_failed(struct scene *x)
{
	(void)x;
	return fault.listened == 2;
}

static bool two_listens_failed(struct scene *x)
{
	(void)x;
	return fault.listened == 4;
}

static bool both_fail(struct scene *x)
{
	(void)x;
	fault.listens = 2;
	return true;
}

static void test_ports_that_cannot_be_had(void **state)
{
	static const scene_step steps[] = {listen_on_a_port, one_listen_failed,	 both_fail,
					   listen_on_a_port, two_listens_failed, NULL};
	struct scene *x = *state;

	fault.listens = 1;
	assert_int_equal(scene_run(x, BASE(""), steps), FFFA_EXIT_OK);
	scene_expect_log(x, "error reload: no port\n", 3);
	scene_expect_log(x, "status.listen: the old address stays in use", 2);
	scene_expect_log(x, "status.listen: the new value is in use", 0);
}

/* A unix socket is a file: its disk may stand still, so the loop only takes what is open. */
RELOAD(listen_on_a_file, BASE("unix:%D/new"))
RELOAD(listen_on_another, BASE("unix:%D/other"))
AWAIT(listens_on_a_file, "/new\n")
AWAIT(listens_on_another, "/other\n")

/* Whether the port can be had or not. */
static bool three_were_opened(struct scene *x)
{
	return fault.sockets[true] == 3 && scene_logged(x, "reload: status.listen: ") >= 3;
}

static void test_sockets_in_folders(void **state)
{
	static const scene_step steps[] = {listen_on_a_file,
					   listens_on_a_file,
					   listen_on_another,
					   listens_on_another,
					   listen_on_a_port,
					   three_were_opened,
					   NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, BASE(""), steps), FFFA_EXIT_OK);
	assert_int_equal(fault.sockets[false], 0);
}

RELOAD(listen_as_before, BASE("unix:%D/old"))
AWAIT(pages_are_lost,
      "the old address cannot be had again, so there are no status pages until the next HUP\n")
AWAIT(pages_are_back, "reload: status.listen: the new value is in use\n")

/* HUP with the file as it was brings the pages back. */
static void test_pages_that_were_lost_come_back(void **state)
{
	static const scene_step steps[] = {both_fail,	     listen_on_a_file, pages_are_lost,
					   listen_as_before, pages_are_back,   NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, BASE("unix:%D/old"), steps), FFFA_EXIT_OK);
	assert_int_equal(fault.sockets[false], 1); /* the one that was lost */
}

static int setup(void **state)
{
	memset(&fault, 0, sizeof(fault));
	return scene_setup(state);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		T(test_ports_that_cannot_be_had),
		T(test_sockets_in_folders),
		T(test_pages_that_were_lost_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
