// SPDX-License-Identifier: MIT
/* HUP in a whole agent with a source of ours: what is taken over, what is refused, and what the pages say. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/stubs/http_server.h"
#include "tests/unit/daemon/agent_fixture.h"

#define BASE(listen)                                                                               \
	"seccomp: false\nspool_dir: ''\nshutdown_timeout: 5s\nstatus: {listen: '" listen "'}\n"
#define OFF   "metadata: {imds: {enabled: off}}\n"
#define FLOWS "flows: {idle_timeout: 10s, active_timeout: 60s, nodata: false}\n"
#define SINK(name)                                                                                 \
	"  - {name: " name ", type: file, format: json, path: '%D/" name                           \
	"', sync: none, batch: {age: 50ms}}\n"
#define SINKS "sinks:\n" SINK("out")
#define ALL   BASE("") OFF FLOWS SINKS

static bool send_one(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 1, 0);
	scene_turn(x, S);
	return true;
}

RELOAD(change_times,
       BASE("") OFF "flows: {idle_timeout: 2s, active_timeout: 30s, nodata: true}\n" SINKS)
AWAIT(times_are_changed, "flows.nodata: the new value is in use")

static bool three_seconds(struct scene *x)
{
	scene_turn(x, 3 * S);
	return true;
}

static bool has_left(struct scene *x)
{
	return strstr(scene_read(x, "out"), "\"end_reason\":\"idle\"") != NULL;
}

static void test_times(void **state)
{
	static const scene_step steps[] = {change_times,  times_are_changed, send_one,
					   three_seconds, has_left,	     NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "info  reload: flows.idle_timeout: the new value is in use\n", 1);
	scene_expect_log(x, "info  reload: flows.active_timeout: the new value is in use\n", 1);
	scene_expect_log(x, "needs a restart", 0);
	scene_expect_log(x, "not taken over", 0);
	assert_int_equal(x->window_ns, 30 * S);
	assert_int_equal(x->changes, 0);
}

RELOAD(change_capture,
       ALL "capture: {drain_interval: 200ms, filter: tcp}\nuser: ''\nlog: {level: debug}\n")
AWAIT(capture_is_changed, "capture.filter: the new value is in use")
RELOAD(change_user, ALL "user: nobody\nlog: {core_dumps: on}\n")
AWAIT(user_is_not_changed, "user: the new value needs a restart; the old one stays in use")

static void test_capture(void **state)
{
	static const scene_step steps[] = {change_capture, capture_is_changed,	send_one,
					   change_user,	   user_is_not_changed, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	assert_int_equal(x->changes, 2); /* also when the filter goes again */
	scene_expect_log(x, "filtered_packets=1 ", 1);
	scene_expect_log(x, "warn  reload: user: ", 1);
	assert_int_equal(x->window_ns, 60 * S);
}

RELOAD(break_the_file, ALL "x: 1\n")
AWAIT(it_is_not_taken, "fffa.yaml: not taken over; the agent keeps its configuration")

static void test_a_wrong_file(void **state)
{
	static const scene_step steps[] = {break_the_file, it_is_not_taken, send_one, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "error reload: ", 2);
	scene_expect_log(x, ": x: unknown key", 1);
	assert_non_null(strstr(scene_read(x, "out"), "\"log_status\":\"OK\""));
}

RELOAD(add_sinks, ALL SINK("more") SINK("third"))
AWAIT(third_is_added, "info  reload: sinks[third]: is added")
RELOAD(change_sinks,
       BASE("") OFF FLOWS "sinks:\n" SINK("third") "  - {name: out, type: file, format: vpc, path: "
						   "'%D/out2', sync: none, batch: {age: 60ms}}\n")
AWAIT(out_is_changed, "info  reload: sinks[out].format: the new value is in use")
RELOAD(add_a_bad_sink,
       ALL SINK("third") "  - {name: bad, type: file, format: json, path: '%D/absent/x'}\n")
AWAIT(bad_is_refused, "not taken over")

static void test_sinks(void **state)
{
	static const scene_step steps[] = {add_sinks,	   third_is_added, send_one,
					   change_sinks,   out_is_changed, send_one,
					   add_a_bad_sink, bad_is_refused, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "sinks[more]: is added", 1);
	scene_expect_log(x, "sinks[out]: is added", 0);
	scene_expect_log(x, "sinks[more]: is removed; it delivers what it has", 1);
	scene_expect_log(x, "sinks[third]: is removed", 0);
	scene_expect_log(x, "sinks[out].path: the new value is in use", 1);
	scene_expect_log(x, "sinks[third].", 0);
	scene_expect_log(x, "error reload: sinks[bad].path: ", 1);
	scene_expect_log(x, "ledger: sink=third ", 1);
	scene_expect_log(x, "ledger: sink=bad ", 0);
	assert_non_null(strstr(scene_read(x, "third"), "\"packets\":2,"));
	assert_non_null(strstr(scene_read(x, "out2"), "version account-id"));
}

RELOAD(begin_with_a_bad_sink, BASE("") OFF FLOWS
       "sinks:\n  - {name: bad, type: file, format: json, path: '%D/absent/x'}\n" SINK("out"))
AWAIT(the_first_is_refused, "error reload: sinks[bad].path: ")

/* While a file is read, another HUP is kept: it is read again. */
static bool say_hup_twice(struct scene *x)
{
	scene_write(x, ALL "x: 1\n");
	for (int i = 0; i < 2; i++)
		assert_int_equal(raise(SIGHUP), 0);
	return true;
}

static bool both_are_read(struct scene *x)
{
	return scene_logged(x, "not taken over") == 3;
}

static void test_the_first_sink_and_two_signals(void **state)
{
	static const scene_step steps[] = {begin_with_a_bad_sink, the_first_is_refused,
					   say_hup_twice, both_are_read, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "reopening files", 3);
	scene_expect_log(x, "sinks[bad]: is added", 0);
}

RELOAD(name_an_interface,
       BASE("") FLOWS SINKS "metadata: {imds: {enabled: off}, static: {interface_id: eni-9}}\n")
AWAIT(id_is_in_use, "metadata.static: the new value is in use")
AWAIT(id_is_refused,
      "error reload: metadata.static.interface_id names one interface, but 2 are captured on")
RELOAD(name_another,
       BASE("") "flows: {idle_timeout: 9s, active_timeout: 60s, nodata: false}\n" SINKS
		"metadata: {imds: {enabled: off}, static: {interface_id: eni-9, account_id: "
		"'123456789012'}}\n")
AWAIT(idle_is_in_use, "flows.idle_timeout: the new value is in use")

RELOAD(name_no_host, BASE("") FLOWS SINKS
       "metadata: {imds: {enabled: on, endpoint: 'http://[::'}, static: {interface_id: eni-9}}\n")
AWAIT(host_is_refused, "/fffa.yaml: not taken over; the agent keeps its configuration")

static void test_metadata(void **state)
{
	static const scene_step one[] = {name_an_interface, id_is_in_use, name_no_host,
					 host_is_refused,   send_one,	  NULL};
	static const scene_step two[] = {name_another, idle_is_in_use, id_is_refused, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, ALL, one), FFFA_EXIT_OK);
	assert_non_null(strstr(scene_read(x, "out"), "\"interface_id\":\"eni-9\""));
	scene_expect_log(x, "error reload: metadata.imds.endpoint: not a URL of the form ", 1);
	scene_expect_log(x, "metadata.imds.endpoint: the new value", 0);
	(void)unlink(x->out);
	x->device_count = 2;
	assert_int_equal(scene_run(x, ALL, two), FFFA_EXIT_OK);
	scene_expect_log(x, "metadata.static: the new value needs a restart", 1);
}

/* The status pages, on sockets in the scene's folder. */

static bool ask_status(struct scene *x)
{
	return scene_ask(x, "one", "/status");
}

static bool status_is_right(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "{\"version\":\"");
	assert_null(strstr(x->text, "{\"version\":\"\""));
	assert_null(strstr(x->text, "\"commit\":\"\""));
	assert_null(strstr(x->text, "\"start_ms\":0,"));
	scene_expect_text(x, "\"stage\":\"running\"");
	scene_expect_text(x, "\"capacity\":");
	scene_expect_text(x, "\"active\":1");
	scene_expect_text(x, "\"name\":\"out\"");
	scene_expect_text(x, "\"interface\":\"eth0\"");
	scene_expect_text(x, "\"held_kernel\":{\"packets\":4,\"bytes\":400}");
	scene_expect_text(x, "\"held_flows\":{\"packets\":1,\"bytes\":100}");
	scene_expect_text(x, "\"balance\":\"ok\"");
	scene_expect_text(x, "\"agent_id\":");
	return true;
}

static bool hold_some(struct scene *x)
{
	x->held = (struct fffa_amount){4, 400};
	fffa_amount_add(&x->ledger->seen[0], 4, 400);
	return true;
}

static bool let_go(struct scene *x)
{
	x->held = (struct fffa_amount){0, 0};
	fffa_amount_add(&x->ledger->filtered, 4, 400);
	return true;
}

static bool ask_ready(struct scene *x)
{
	return scene_ask(x, "one", "/readyz");
}

static bool is_ready(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "HTTP/1.1 200 ");
	x->not_ready = "a hook is gone";
	return true;
}

static bool is_not_ready(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "HTTP/1.1 503 ");
	scene_expect_text(x, "\r\na hook is gone\n");
	x->hooks_up = false;
	return true;
}

static bool has_no_interface(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "no interface is captured: none of capture.interfaces exists");
	return true;
}

static bool ask_flows(struct scene *x)
{
	return scene_ask(x, "one", "/flows");
}

static bool flows_are_shown(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "\"srcaddr\":\"10.0.0.1\"");
	return true;
}

static void test_the_pages(void **state)
{
	static const scene_step steps[] = {
		send_one,	  hold_some, ask_status, status_is_right, let_go,	ask_flows,
		flows_are_shown,  ask_ready, is_ready,	 ask_ready,	  is_not_ready, ask_ready,
		has_no_interface, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, BASE("unix:%D/one") OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "listening address=unix:", 1);
}

/* A secret in a file, which nobody says HUP for. */

static void write_token(const struct scene *x, const char *token)
{
	char path[96];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/token", x->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(token, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

AWAIT(is_unauthorized, "HTTP 401")

static bool says_which_sink(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(x, "HTTP/1.1 503 ");
	scene_expect_text(x, "\r\nsink h: ");
	scene_expect_text(x, "401");
	return true;
}

static bool renew_token(struct scene *x)
{
	write_token(x, "new");
	return true;
}

AWAIT(is_renewed, "sinks[h].auth.bearer: the new value is in use")

/* A post with the old token may still be on its way: none is taken before one with the new token has come. */
static bool is_sent(struct scene *x)
{
	size_t n;
	struct http_server_post *posts = http_server_posts(x->server, &n);
	bool renewed = n && strstr(posts[n - 1].head, "Bearer new\r\n");

	http_server_free(posts, n);
	if (renewed)
		http_server_answer(x->server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	return renewed;
}

AWAIT(is_delivered, "delivers again")

static void test_a_secret_is_read_again(void **state)
{
	static const scene_step steps[] = {
		send_one,    three_seconds, is_unauthorized, ask_ready,	   says_which_sink,
		renew_token, is_renewed,    is_sent,	     is_delivered, NULL};
	struct scene *x = *state;

	x->server = http_server_open();
	x->port = http_server_port(x->server);
	http_server_answer(x->server, "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n");
	write_token(x, "old");
	assert_int_equal(scene_run(x,
				   BASE("unix:%D/one") OFF
				   "flows: {idle_timeout: 2s, active_timeout: 60s, nodata: "
				   "false}\nsinks:\n" SINK(
					   "out") "  - {name: h, type: http, format: json, url: "
						  "'http://127.0.0.1:%P/', auth: {bearer_file: "
						  "'%D/token'}, batch: {age: 20ms}, retry: "
						  "{min: 10ms, max: 100ms}}\n",
				   steps),
			 FFFA_EXIT_OK);
	http_server_close(x->server);
	scene_expect_log(x, "info  reload: sinks[h].auth.bearer: the new value is in use\n", 1);
	scene_expect_log(x, "sinks[out]", 0);
	scene_expect_log(x, "reopening files", 0);
}

/* What the service manager is told. */

static bool is_said(struct scene *x, const char *text)
{
	ssize_t n = recv(x->client, x->text, sizeof(x->text) - 1, MSG_DONTWAIT);

	x->text[n > 0 ? n : 0] = '\0';
	return strstr(x->text, text) != NULL;
}

static bool says_ready(struct scene *x)
{
	return is_said(x,
		       "READY=1\nSTATUS=1 interfaces, 0 flows, 0 of 1 sinks up, 0 packets lost\n");
}

static bool lose_some(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 1, 0);
	fffa_amount_add(&x->ledger->seen[0], 3, 300);
	fffa_amount_add(&x->ledger->lost[0], 3, 300);
	x->not_ready = "a hook is gone";
	return scene_reload(x, ALL);
}

static bool says_reloading(struct scene *x)
{
	return is_said(x, "RELOADING=1\n");
}

static bool says_why_not(struct scene *x)
{
	return is_said(x,
		       "READY=1\nSTATUS=not ready: a hook is gone; 1 interfaces, 1 flows, 0 of 1 "
		       "sinks up, 3 packets lost\n");
}

static void test_what_the_service_manager_hears(void **state)
{
	static const scene_step steps[] = {says_ready, lose_some, says_reloading, says_why_not,
					   NULL};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct scene *x = *state;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify", x->dir);
	x->client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(x->client, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", un.sun_path, 1), 0);
	assert_int_equal(scene_run(x, ALL, steps), FFFA_EXIT_OK);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_true(is_said(x, "STOPPING=1\nEXTEND_TIMEOUT_USEC="));
	(void)close(x->client);
}

RELOAD(listen_elsewhere, BASE("unix:%D/two") OFF FLOWS SINKS)
AWAIT(listens_elsewhere, "/two\n")
RELOAD(listen_nowhere, BASE("unix:%D/absent/x") OFF FLOWS SINKS)
AWAIT(stays, "status.listen: the old address stays in use")
RELOAD(listen_no_more, BASE("") OFF FLOWS SINKS)
static bool ask_two(struct scene *x)
{
	return scene_ask(x, "two", "/status");
}

static bool counts_reloads(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	scene_expect_text(
		x, "\"config_reloads\":{\"success\":2,\"failure\":0,\"last_successful\":true,"
		   "\"pending_restart\":1}");
	return true;
}

static bool is_gone(struct scene *x)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/two", x->dir);
	return access(path, F_OK) != 0;
}

static void test_the_listener_moves(void **state)
{
	static const scene_step steps[] = {
		listen_elsewhere, listens_elsewhere, listen_nowhere, stays, ask_two,
		counts_reloads,	  listen_no_more,    is_gone,	     NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, BASE("unix:%D/one") OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "status.listen: the new value is in use", 2);
	scene_expect_log(x, "error reload: ", 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		T(test_times),
		T(test_capture),
		T(test_a_wrong_file),
		T(test_sinks),
		T(test_the_first_sink_and_two_signals),
		T(test_metadata),
		T(test_the_pages),
		T(test_the_listener_moves),
		T(test_what_the_service_manager_hears),
		T(test_a_secret_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
