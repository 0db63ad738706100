// SPDX-License-Identifier: MIT
/* A whole agent with a source of ours: what records and pages say, before the identity is known and at the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/flow/record.h"
#include "tests/stubs/http_server.h"
#include "tests/stubs/text_count.h"
#include "tests/unit/daemon/agent_fixture.h"

#define HEAD  "seccomp: false\nspool_dir: ''\nshutdown_timeout: 5s\n"
#define PAGES HEAD "status: {listen: 'unix:%D/one'}\n"
#define NONE  HEAD "status: {listen: ''}\n"
#define OFF   "metadata: {imds: {enabled: off}}\n"
#define FLOWS "flows: {idle_timeout: 10s, active_timeout: 60s, nodata: false, max_flows: 4096}\n"
#define SINK(name)                                                                                 \
	"  - {name: " name ", type: file, format: json, path: '%D/" name                           \
	"', sync: none, batch: {age: 50ms}}\n"
#define SINKS "sinks:\n" SINK("out")

static bool send_two(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 2, 0);
	scene_send(x, IPPROTO_UDP, 11, 3, 0);
	scene_turn(x, S);
	return true;
}

static bool let_them_end(struct scene *x)
{
	scene_turn(x, 11 * S);
	return true;
}

static bool two_have_left(struct scene *x)
{
	return scene_records(x, "\"log_status\":\"OK\"") == 2;
}

static bool ask_status(struct scene *x)
{
	return scene_ask(x, "one", "/status");
}

/* Asks until it is so. */
static bool both_are_up(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	if (text_count(x->text, "\"up\":true,\"records\":2,\"delivered\":2,") < 2) {
		(void)ask_status(x);
		return false;
	}
	scene_expect_text(x, "\"name\":\"out\",\"type\":\"file\"");
	scene_expect_text(x, "\"name\":\"more\",\"type\":\"file\"");
	scene_expect_text(x, "\"not_ready\":\"\"");
	scene_expect_text(x, "\"capacity\":4096");
	scene_expect_text(x, "{\"interface\":\"eth0\",\"ingress\":{\"packets\":2,\"bytes\":200},"
			     "\"egress\":{\"packets\":3,\"bytes\":300}}");
	scene_expect_text(x, "{\"interface\":\"eth1\",\"ingress\":{\"packets\":0,");
	scene_expect_text(x, "\"account_id\":\"123456789012\"");
	scene_expect_text(x, "\"instance_id\":\"i-0123456789abcdef0\"");
	scene_expect_text(x, "\"az\":\"eu-central-1b\"");
	scene_expect_text(x, "\"region\":\"eu-central-1\"");
	assert_int_equal(x->ev.counted(x->ev.arg, "eth0", 1).packets, 3);
	assert_int_equal(x->ev.counted(x->ev.arg, "eth0", 0).bytes, 200);
	assert_int_equal(raise(SIGHUP), 0);
	return true;
}

static int notified;

static bool says_both(struct scene *x)
{
	ssize_t n = recv(notified, x->text, sizeof(x->text) - 1, MSG_DONTWAIT);

	x->text[n > 0 ? n : 0] = '\0';
	return strstr(x->text, "STATUS=2 interfaces, 0 flows, 2 of 2 sinks up, 0 packets lost\n");
}

static void open_notified(struct scene *x)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify", x->dir);
	notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notified, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", un.sun_path, 1), 0);
}

static void close_notified(void)
{
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	(void)close(notified);
}

static void test_two_sinks(void **state)
{
	static const scene_step steps[] = {send_two,	let_them_end, two_have_left, ask_status,
					   both_are_up, says_both,    NULL};
	struct scene *x = *state;

	x->device_count = 2;
	open_notified(x);
	assert_int_equal(
		scene_run(x,
			  PAGES FLOWS SINKS SINK(
				  "more") "metadata: {imds: {enabled: off}, static: {account_id: "
					  "'123456789012', instance_id: "
					  "i-0123456789abcdef0, region: eu-central-1, az: "
					  "eu-central-1b}}\n",
			  steps),
		FFFA_EXIT_OK);
	close_notified();
	scene_expect_log(x, "ledger: sink=more records=2 ", 1);
}

/* Without a file HUP reads nothing. */

static bool say_hup(struct scene *x)
{
	(void)x;
	return raise(SIGHUP) == 0;
}

static bool says_ready_again(struct scene *x)
{
	ssize_t n = recv(notified, x->text, sizeof(x->text) - 1, MSG_DONTWAIT);
	static size_t times;

	x->text[n > 0 ? n : 0] = '\0';
	times += strstr(x->text, "READY=1\n") != NULL;
	return times == 2;
}

static void test_no_file(void **state)
{
	static const scene_step steps[] = {say_hup, says_ready_again, NULL};
	struct scene *x = *state;

	x->no_file = true;
	open_notified(x);
	assert_int_equal(scene_run(x, NONE OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	close_notified();
	scene_expect_log(x, "agent: reopening files\n", 1);
	scene_expect_log(x, "reload", 0);
}

/* As after a file was moved away: HUP makes it again, also at the end. */

static bool move_and_hup(struct scene *x)
{
	char old[96];

	(void)snprintf(old, sizeof(old), "%s/old", x->dir);
	assert_int_equal(rename(x->out, old), 0);
	return say_hup(x);
}

static bool is_there_again(struct scene *x)
{
	return access(x->out, F_OK) == 0;
}

static bool is_moved_at_the_end;

static bool is_made_at_the_end(struct scene *x)
{
	if (!is_moved_at_the_end)
		is_moved_at_the_end = move_and_hup(x);
	return is_there_again(x);
}

static void test_files_are_opened_again(void **state)
{
	static const scene_step steps[] = {move_and_hup, is_there_again, send_two, NULL};
	struct scene *x = *state;

	is_moved_at_the_end = false;
	x->last = is_made_at_the_end;
	assert_int_equal(scene_run(x, NONE OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	assert_int_equal(scene_records(x, "\"log_status\":\"OK\""), 2);
}

/* What a record says of the capture. */

static bool send_in_a_tunnel(struct scene *x)
{
	assert_false(x->ev.tunnel_used(x->ev.arg, 5));
	x->tunnel = 5;
	scene_send(x, IPPROTO_UDP, 10, 2, 0);
	assert_true(x->ev.tunnel_used(x->ev.arg, 5));
	assert_false(x->ev.tunnel_used(x->ev.arg, 6));
	scene_turn(x, S);
	return true;
}

/* On the loop's first turns the identity may not be known: then any tunnel is in use. */
static bool knows_the_identity(struct scene *x)
{
	return !x->ev.tunnel_used(x->ev.arg, 5);
}

static void test_sampling_and_tunnels(void **state)
{
	static const scene_step steps[] = {knows_the_identity, send_in_a_tunnel, NULL};
	struct scene *x = *state;

	x->sampled = 4;
	assert_int_equal(scene_run(x,
				   NONE OFF FLOWS
				   "sinks:\n  - {name: out, type: file, format: json, path: "
				   "'%D/out', fields: 'all'}\n",
				   steps),
			 FFFA_EXIT_OK);
	assert_int_equal(scene_records(x, "\"sampled\":4}"), 1);
	assert_int_equal(scene_records(x, "\"vni\":77,"), 1);
}

/* As AWS does. */

static bool send_to_the_resolver(struct scene *x)
{
	x->dst = inet_addr("169.254.169.253");
	scene_send(x, IPPROTO_UDP, 12, 4, 0);
	x->dst = 0;
	return send_two(x);
}

static void test_parity(void **state)
{
	static const scene_step steps[] = {send_to_the_resolver, NULL};
	struct scene *x = *state;

	assert_int_equal(
		scene_run(x, NONE OFF FLOWS SINKS "capture: {parity_filter: true}\n", steps),
		FFFA_EXIT_OK);
	scene_expect_log(x, "filtered_packets=4 filtered_bytes=400", 1);
	assert_int_equal(scene_records(x, "\"log_status\":\"OK\""), 2);
	(void)unlink(x->out);
	assert_int_equal(scene_run(x, NONE OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	scene_expect_log(x, "filtered_packets=", 0);
	assert_int_equal(scene_records(x, "\"log_status\":\"OK\""), 3);
}

/* What was lost was lost on the one device, and on an unknown one of several. */

static bool lose_some(struct scene *x)
{
	fffa_amount_add(&x->ledger->seen[0], 7, 700);
	fffa_amount_add(&x->ledger->lost[0], 7, 700);
	scene_turn(x, S);
	return true;
}

static void test_whose_loss(void **state)
{
	static const scene_step steps[] = {knows_the_identity, lose_some, NULL};
	struct scene *x = *state;

	for (x->device_count = 1; x->device_count <= 2; x->device_count++) {
		(void)unlink(x->out);
		assert_int_equal(scene_run(x, NONE OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
		assert_int_equal(scene_records(x, "\"log_status\":\"SKIPDATA\""), 1);
		assert_int_equal(scene_records(x, "\"ifname\":\"eth0\""), x->device_count == 1);
		assert_int_equal(scene_records(x, "\"start\":1700000000"), 1); /* of ev.since */
	}
}

/* Records do not leave before the identity is known. */

static bool send_too_many(struct scene *x)
{
	assert_true(x->ev.tunnel_used(x->ev.arg, 6));
	for (uint16_t port = 1; port <= 5000; port++)
		scene_send(x, IPPROTO_UDP, port, 1, 0);
	scene_turn(x, 20 * S); /* all are idle */
	return true;
}

static bool none_has_left(struct scene *x)
{
	assert_true(x->ledger->records >= 5000 - 4096); /* the table was full */
	assert_int_equal(x->ledger->records_by_end[FFFA_END_IDLE], 0);
	return raise(SIGUSR1) == 0;
}

static bool none_is_in_a_sink(struct scene *x)
{
	return scene_logged(x, "ledger: sink=out records=0 ") == 1;
}

static void test_before_the_identity(void **state)
{
	static const scene_step steps[] = {send_too_many, none_has_left, none_is_in_a_sink, NULL};
	struct scene *x = *state;

	x->server = http_server_open();
	x->port = http_server_port(x->server);
	http_server_set(x->server, HTTP_SERVER_DEAF);
	assert_int_equal(scene_run(x,
				   NONE FLOWS SINKS "metadata: {imds: {enabled: on, endpoint: "
						    "'http://127.0.0.1:%P/'}}\n",
				   steps),
			 FFFA_EXIT_OK);
	http_server_close(x->server);
	scene_expect_log(x, "seen_packets=5000 seen_bytes=500000 recorded_packets=5000 ", 1);
	scene_expect_log(x, "ledger: sink=out records=5000 delivered=5000 ", 1);
}

/* What the metadata service answers. */

/* Asks until the first question to the service has ended. */
static bool shows_the_error(struct scene *x)
{
	if (!scene_is_answered(x))
		return false;
	if (strstr(x->text, "\"imds\":\"asking\"")) {
		(void)ask_status(x);
		return false;
	}
	scene_expect_text(x, "\"imds\":\"failing\"");
	scene_expect_text(x, "\"endpoint\":\"http://127.0.0.1:");
	assert_null(strstr(x->text, "\"endpoint\":\"http://127.0.0.1:1\",\"last_error\":\"\""));
	return true;
}

static void test_a_metadata_service_that_fails(void **state)
{
	static const scene_step steps[] = {ask_status, shows_the_error, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x,
				   PAGES FLOWS SINKS "metadata: {imds: {enabled: on, endpoint: "
						     "'http://127.0.0.1:1'}}\n",
				   steps),
			 FFFA_EXIT_OK);
}

/* Who follows the records gets those that are made from then on. */

static bool follow_records(struct scene *x)
{
	return scene_ask(x, "one", "/records");
}

static bool a_record_is_shown(struct scene *x)
{
	scene_send(x, IPPROTO_UDP, 10, 2, 0);
	scene_turn(x, 11 * S);
	(void)scene_is_answered(x);
	if (!strstr(x->text, "\"srcaddr\":\"10.0.0.1\""))
		return false;
	(void)close(x->client);
	return true;
}

static void test_records_are_followed(void **state)
{
	static const scene_step steps[] = {follow_records, a_record_is_shown, NULL};
	struct scene *x = *state;

	assert_int_equal(scene_run(x, PAGES OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
}

/* While the source ends. */

static size_t turns_of_the_end, checkpoints_before;

static bool ends(struct scene *x)
{
	switch (turns_of_the_end) {
	case 0:
		checkpoints_before = x->checkpoints;
		scene_turn(x, 30 * S);
		assert_int_equal(x->checkpoints, checkpoints_before);
		(void)scene_ask(x, "one", "/readyz");
		break;
	case 1:
		if (!scene_is_answered(x))
			return false;
		scene_expect_text(x, "HTTP/1.1 503 ");
		scene_expect_text(x, "\r\nthe agent is stopping\n");
		(void)ask_status(x);
		break;
	case 2:
		if (!scene_is_answered(x))
			return false;
		scene_expect_text(x, "\"stage\":\"stopping\"");
		scene_expect_text(x, "\"active\":2"); /* a turn does not end flows any more */
		assert_int_equal(raise(SIGHUP), 0);
		assert_int_equal(raise(SIGUSR1), 0);
		break;
	default:
		return scene_logged(x, "ledger: sink=out records=0 ") == 1;
	}
	turns_of_the_end++;
	return false;
}

static void test_the_end(void **state)
{
	static const scene_step steps[] = {send_two, NULL};
	struct scene *x = *state;
	ssize_t n;

	turns_of_the_end = 0;
	x->last = ends;
	open_notified(x);
	assert_int_equal(scene_run(x, PAGES OFF FLOWS SINKS, steps), FFFA_EXIT_OK);
	while ((n = recv(notified, x->text, sizeof(x->text) - 1, MSG_DONTWAIT)) > 0) {
		x->text[n] = '\0';
		assert_null(strstr(x->text, "RELOADING=1"));
	}
	close_notified();
	assert_int_equal(scene_records(x, "\"end_reason\":\"forced\""), 2);
	scene_expect_log(x, "agent: reopening files\n", 1);
	scene_expect_log(x, "reload: ", 0);
	assert_int_equal(scene_loads(), 0);
	assert_int_equal(x->checkpoints, checkpoints_before + 1);
}

/* What is held at the end is delivered by a slow sink, too, and lost by one that takes nothing. */

#define HTTP                                                                                       \
	"sinks:\n  - {name: h, type: http, format: json, url: 'http://127.0.0.1:%P/', batch: "     \
	"{age: 10s}}\n"

static void test_the_last_delivery(void **state)
{
	static const scene_step steps[] = {send_two, NULL};
	struct scene *x = *state;
	struct http_server_post *posts;
	size_t n;

	x->server = http_server_open();
	x->port = http_server_port(x->server);
	assert_int_equal(scene_run(x, NONE OFF FLOWS HTTP, steps), FFFA_EXIT_OK);
	posts = http_server_posts(x->server, &n);
	assert_int_equal(n, 1);
	http_server_free(posts, n);
	scene_expect_log(x, "records lost", 0);
	http_server_set(x->server, HTTP_SERVER_DEAF);
	assert_int_equal(scene_run(x,
				   "seccomp: false\nspool_dir: ''\nshutdown_timeout: 1s\nstatus: "
				   "{listen: ''}\n" OFF FLOWS HTTP,
				   steps),
			 FFFA_EXIT_OK);
	http_server_close(x->server);
	scene_expect_log(x,
			 "warn  ledger: sink h: 2 records lost: shutdown=2; set queue.spool: then "
			 "they wait on disk\n",
			 1);
	scene_expect_log(x, "balance=ok", 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		T(test_two_sinks),
		T(test_no_file),
		T(test_files_are_opened_again),
		T(test_sampling_and_tunnels),
		T(test_parity),
		T(test_whose_loss),
		T(test_before_the_identity),
		T(test_a_metadata_service_that_fails),
		T(test_records_are_followed),
		T(test_the_end),
		T(test_the_last_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
