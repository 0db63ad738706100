// SPDX-License-Identifier: MIT
/* The page of `fffa top`, line by line. */
#include "agent/cli/top/top_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

/* The page of these answers; the caller frees. NULL: it is refused, and nothing was written. */
static char *make_view(const char *status, const char *flows, const struct fffa_top_view *view,
		       struct fffa_top_last *last)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc;

	assert_non_null(out);
	rc = fffa_top_page(out, status, flows, view, last);
	assert_int_equal(fclose(out), 0);
	if (!rc)
		return text;
	assert_int_equal(rc, -EINVAL);
	assert_int_equal(len, 0);
	free(text);
	return NULL;
}

static char *make_page(const char *status, const char *flows, unsigned int rows,
		       unsigned int columns, struct fffa_top_last *last)
{
	const struct fffa_top_view view = {.rows = rows, .columns = columns, .expr = ""};
	char *text = make_view(status, flows, &view, last);

	fffa_top_page_forget(last);
	return text;
}

/* Asserts that line number n of the page, from 0, is this one. */
static void expect_line(const char *page, unsigned int n, const char *want)
{
	const char *end;

	while (n--)
		page = strchr(page, '\n') + 1;
	end = strchr(page, '\n');
	assert_non_null(end);
	if (strlen(want) != (size_t)(end - page) || strncmp(page, want, strlen(want)) != 0)
		fail_msg("\"%.*s\" is not \"%s\"", (int)(end - page), page, want);
}

static unsigned int count_lines(const char *page)
{
	unsigned int n = 0;

	for (; *page; page++)
		n += *page == '\n';
	return n;
}

#define LEDGER(packets, bytes, records)                                                            \
	"\"ledger\":{\"packets\":{\"seen\":" packets "},\"bytes\":{\"seen\":" bytes                \
	"},\"records\":" records "}"
#define NO_FLOWS "{\"flows\":[]}"

static void what_is_not_an_agents_is_refused(void **state)
{
	static const char *const good = "{\"ledger\":{}}";
	struct fffa_top_last last = {.counts = {.uptime_ms = 7}};

	(void)state;
	assert_null(make_page("", NO_FLOWS, 0, 0, &last));
	assert_null(make_page("{}", NO_FLOWS, 0, 0, &last));
	assert_null(make_page("{\"ledger\":[]}", NO_FLOWS, 0, 0, &last));
	assert_null(make_page(good, "{}", 0, 0, &last));
	assert_null(make_page(good, "{\"flows\":{}}", 0, 0, &last));
	assert_null(make_page(good, "[", 0, 0, &last));
	assert_int_equal(last.counts.uptime_ms, 7);
}

static void the_head_says_who_it_is(void **state)
{
	struct fffa_top_last last = {0};
	char *page;

	(void)state;
	page = make_page("{\"version\":\"1.2\",\"agent_id\":\"i-1\",\"stage\":\"running\","
			 "\"uptime_ms\":12999,\"ledger\":{}}",
			 NO_FLOWS, 0, 0, &last);
	expect_line(page, 0, "fffa 1.2  i-1  running  up 12 s");
	expect_line(page, 1, "seen 0 packets/s  0 bit/s  made 0 records/s  flows 0 of 0");
	expect_line(page, 2, "");
	expect_line(page, 4, "");
	assert_int_equal(count_lines(page), 6);
	free(page);
	page = make_page("{\"not_ready\":\"no \\u0007identity\",\"ledger\":{}}", NO_FLOWS, 0, 0,
			 &last);
	expect_line(page, 0, "fffa       up 0 s  NOT READY: no ?identity");
	free(page);
}

static void rates_are_of_the_time_between_two_pages(void **state)
{
	static const char first[] = "{\"uptime_ms\":2000," LEDGER("1000", "4000", "30") "}";
	static const char second[] =
		"{\"uptime_ms\":6000,\"flows\":{\"active\":5,\"capacity\":9}," LEDGER(
			"81000", "4000000", "70") "}";
	static const char fewer[] = "{\"uptime_ms\":8000," LEDGER("80000", "4000000", "0") "}";
	static const char again[] = "{\"uptime_ms\":1000," LEDGER("20", "10", "30") "}";
	struct fffa_top_last last = {0};
	const char *const pages[] = {first, second, second, fewer, again};
	static const char *const want[] = {
		"seen 500 packets/s  16k bit/s  made 15 records/s  flows 0 of 0",
		"seen 20k packets/s  7992k bit/s  made 10 records/s  flows 5 of 9",
		"seen 0 packets/s  0 bit/s  made 0 records/s  flows 5 of 9",
		"seen 0 packets/s  0 bit/s  made 0 records/s  flows 0 of 0",
		/* after a restart: since then */
		"seen 20 packets/s  80 bit/s  made 30 records/s  flows 0 of 0",
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char *page = make_page(pages[i], NO_FLOWS, 0, 0, &last);

		expect_line(page, 1, want[i]);
		free(page);
	}
	assert_int_equal(last.counts.uptime_ms, 1000);
	assert_int_equal(last.counts.packets, 20);
	assert_int_equal(last.counts.bytes, 10);
	assert_int_equal(last.counts.records, 30);
}

static void sinks_have_their_state_and_their_losses(void **state)
{
	static const char text[] =
		"{\"ledger\":{\"packets\":{\"lost\":{\"ring\":0,\"map_full\":12}}},\"sinks\":["
		"{\"name\":\"a\",\"type\":\"file\",\"up\":true,\"delivered\":1,\"rejected\":2,"
		"\"in_flight\":3,\"retries\":4,\"lost\":{\"gave_up\":5,\"x\":0,\"shutdown\":6}},"
		"{\"name\":\"b\",\"type\":\"http\",\"up\":false,\"delivered\":0},"
		"{\"name\":\"c\",\"type\":\"http\",\"up\":false,\"delivered\":9},"
		"{\"name\":\"d\",\"type\":\"kafka\",\"up\":false,\"last_error\":\"refused\",\"last_"
		"error_ms\":1700000000999}]}";
	struct fffa_top_last last = {0};
	char *page = make_page(text, NO_FLOWS, 0, 0, &last);

	(void)state;
	expect_line(page, 2, "  lost 12 packets: map_full");
	expect_line(page, 3, "");
	expect_line(
		page, 4,
		"SINK             TYPE     STATE DELIVERED REJECTED     LOST IN FLIGHT  RETRIES");
	expect_line(
		page, 5,
		"a                file     up            1        2       11         3        4");
	expect_line(page, 6, "  lost 5 records: gave_up");
	expect_line(page, 7, "  lost 6 records: shutdown");
	expect_line(
		page, 8,
		"b                http     idle          0        0        0         0        0");
	expect_line(
		page, 9,
		"c                http     DOWN          9        0        0         0        0");
	expect_line(
		page, 10,
		"d                kafka    DOWN          0        0        0         0        0");
	expect_line(page, 11, "  last error 2023-11-14T22:13:20Z: refused");
	free(page);
}

static void flows_have_their_ends(void **state)
{
	static const char text[] =
		"{\"flows\":["
		"{\"interface\":\"eth0\",\"direction\":\"egress\",\"protocol\":6,\"srcaddr\":\"10."
		"0.0.1\","
		"\"srcport\":443,\"dstaddr\":\"10.0.0.2\",\"dstport\":0,\"packets\":9999,\"bytes\":"
		"10000},"
		"{\"interface\":\"eth1\",\"direction\":\"ingress\",\"protocol\":17,\"srcaddr\":\"::"
		"1\","
		"\"srcport\":1,\"dstaddr\":\"fe80::2\",\"dstport\":2,\"packets\":12345678,"
		"\"bytes\":123456789012345678},"
		"{\"protocol\":1,\"srcaddr\":\"10.0.0.1\",\"dstaddr\":\"::1\"},"
		"{\"protocol\":58},{\"protocol\":47}]}";
	struct fffa_top_last last = {0};
	char *page = make_page("{\"ledger\":{}}", text, 0, 0, &last);

	(void)state;
	expect_line(
		page, 5,
		"INTERFACE DIR PROTO SOURCE                DESTINATION           PACKETS   BYTES");
	expect_line(
		page, 6,
		"eth0      out tcp   10.0.0.1:https        10.0.0.2:0               9999     10k");
	expect_line(
		page, 7,
		"eth1      in  udp   [::1]:1               [fe80::2]:2               12M    123P");
	expect_line(
		page, 8,
		"          in  icmp  10.0.0.1              ::1                         0       0");
	expect_line(
		page, 9,
		"          in  icmp6                                                   0       0");
	expect_line(
		page, 10,
		"          in  47                                                      0       0");
	free(page);
}

static void a_terminal_is_never_exceeded(void **state)
{
	struct fffa_top_last last = {0};
	char *page;

	(void)state;
	for (unsigned int rows = 1; rows < 8; rows++) {
		page = make_page("{\"ledger\":{}}", NO_FLOWS, rows, 11, &last);
		assert_int_equal(count_lines(page), rows < 6 ? rows : 6);
		for (const char *at = page; *at; at = strchr(at, '\n') + 1)
			assert_uint_in_range(strcspn(at, "\n"), 0, 11);
		free(page);
	}
	page = make_page("{\"ledger\":{}}", NO_FLOWS, 0, 11, &last);
	expect_line(page, 1, "seen 0 pack");
	free(page);
}

#define STATUS                                                                                     \
	"{\"version\":\"1\",\"ledger\":{\"packets\":{\"lost\":{\"table_full\":3}}},"               \
	"\"sinks\":[{\"name\":\"out\",\"type\":\"file\",\"last_error\":\"full\","                  \
	"\"lost\":{\"gave_up\":4}}],"                                                              \
	"\"interfaces\":[{\"interface\":\"eth0\",\"ingress\":{\"packets\":1,\"bytes\":2},"         \
	"\"egress\":{\"packets\":3,\"bytes\":4}}],"                                                \
	"\"hooks\":[{\"interface\":\"eth0\",\"direction\":\"egress\",\"hook\":\"tcx\","            \
	"\"up\":false,\"problem\":\"taken off\"}]}"

/* Line n of a screen of 24 by 80; the first character is its style. */
static void expect_on_screen(enum fffa_top_pane pane, unsigned int n, const char *want)
{
	const struct fffa_top_view view = {
		.rows = 24, .columns = 80, .screen = true, .pane = pane, .expr = ""};
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_view(STATUS, NO_FLOWS, &view, &last);

	expect_line(page, n, want);
	fffa_top_page_forget(&last);
	free(page);
}

static void a_screen_has_panes(void **state)
{
	(void)state;
	expect_on_screen(FFFA_TOP_SINKS, 2, "!sinks 1, up 0, down 1   lost 3 packets, 4 records");
	expect_on_screen(FFFA_TOP_SINKS, 3,
			 "=1 flows  2 sinks  3 interfaces  4 losses  / filter  b p r a sort  "
			 "? help  q quit");
	expect_on_screen(FFFA_TOP_SINKS, 4, " sinks   sorted by bytes");
	expect_on_screen(FFFA_TOP_SINKS, 7, "!  last error: full");
	expect_on_screen(FFFA_TOP_INTERFACES, 6,
			 " eth0                    1         2         3         4");
	expect_on_screen(FFFA_TOP_INTERFACES, 9,
			 "!eth0            egress    tcx     OFF   taken off");
	expect_on_screen(FFFA_TOP_LOSSES, 6,
			 "!packets                          table_full                         3");
	expect_on_screen(FFFA_TOP_LOSSES, 7,
			 "!out                              gave_up                            4");
	expect_on_screen(FFFA_TOP_HELP, 5, "=KEYS");
}

/* The name of a service stands in place of its port where it has room, and not with numeric. */
static void flows_have_names_of_services(void **state)
{
#define SERVICE_FLOW(src, dst, port)                                                               \
	"{\"direction\":\"ingress\",\"protocol\":6,\"tcp_flags_raw\":2,\"srcaddr\":\"" src         \
	"\",\"srcport\":40000,\"dstaddr\":\"" dst "\",\"dstport\":" port "}"
	static const char *const text =
		"{\"flows\":[" SERVICE_FLOW("10.0.0.1", "10.0.0.2", "22") "," SERVICE_FLOW(
			"::1", "fe80::2", "443") "," SERVICE_FLOW("192.168.100.101",
								  "192.168.100.102", "5432") "]}";
	struct fffa_top_view view = {.expr = ""};
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_view("{\"ledger\":{}}", text, &view, &last);

	(void)state;
	assert_non_null(strstr(page, " 10.0.0.1:40000        10.0.0.2:ssh  "));
	assert_non_null(strstr(page, " [::1]:40000           [fe80::2]:https  "));
	assert_non_null(strstr(page, " 192.168.100.102:5432 ")); /* the name has no room */
	free(page);
	view.numeric = true;
	page = make_view("{\"ledger\":{}}", text, &view, &last);
	assert_non_null(strstr(page, " 10.0.0.1:40000        10.0.0.2:22  "));
	assert_non_null(strstr(page, " [::1]:40000           [fe80::2]:443  "));
	free(page);
	fffa_top_page_forget(&last);
}

#define FLOW(port, bytes, packets, start)                                                          \
	"{\"interface\":\"eth0\",\"direction\":\"egress\",\"protocol\":6,\"srcaddr\":\"10.0.0."    \
	"1\","                                                                                     \
	"\"srcport\":" port ",\"dstaddr\":\"10.0.0.2\",\"dstport\":443,\"packets\":" packets       \
	",\"bytes\":" bytes ",\"start_ms\":" start "}"

/* The sort key, and the rates since the page before. */
static void a_screen_sorts_flows(void **state)
{
	static const char *const first = "{\"time_ms\":10000,\"flows\":[" FLOW(
		"1", "9000", "1", "2000") "," FLOW("2", "100", "50", "1000") "]}";
	static const char *const second =
		"{\"time_ms\":12000,\"flows\":[" FLOW("1", "9000", "1", "2000") "," FLOW(
			"2", "1100", "51", "1000") "," FLOW("3", "600", "5", "11500") "]}";
	static const char *const top[] = {
		[FFFA_TOP_BY_BYTES] = "0      1   9000",
		[FFFA_TOP_BY_PACKETS] = "4000     51   1100",
		[FFFA_TOP_BY_RATE] = "4800      5    600",
		[FFFA_TOP_BY_AGE] = "4000     51   1100",
	};

	(void)state;
	for (int sort = FFFA_TOP_BY_BYTES; sort <= FFFA_TOP_BY_AGE; sort++) {
		struct fffa_top_view view = {.rows = 24,
					     .columns = 80,
					     .screen = true,
					     .sort = (enum fffa_top_sort)sort,
					     .expr = ""};
		struct fffa_top_last last = {.flows = NULL};
		char want[128], *page = make_view("{\"ledger\":{}}", first, &view, &last);

		free(page);
		page = make_view("{\"ledger\":{}}", second, &view, &last);
		(void)snprintf(want, sizeof(want), "%s\n", top[sort]);
		assert_non_null(strstr(page, want));
		/* The first flow stands below the heading. */
		expect_line(strstr(page, "IFACE"), 0,
			    "IFACE  DIR PROT SOURCE                DESTINATION            BIT/S   "
			    "PKTS  BYTES");
		assert_ptr_equal(strstr(strchr(strstr(page, "IFACE"), '\n'), want) + strlen(want) -
					 1,
				 strchr(strchr(strstr(page, "IFACE"), '\n') + 1, '\n'));
		assert_int_equal(last.pane_lines, 4);
		fffa_top_page_forget(&last);
		free(page);
	}
}

/* ICMP codes, and the same flow within a tunnel and without, are flows of their own. */
static void each_flow_has_its_own_rate(void **state)
{
#define ICMP(code, inside, bytes)                                                                  \
	"{\"protocol\":1,\"srcaddr\":\"10.0.0.1\",\"dstaddr\":\"10.0.0.2\",\"icmp_type\":3,"       \
	"\"icmp_code\":" code ",\"encapsulated\":" inside ",\"packets\":1,\"bytes\":" bytes        \
	",\"start_ms\":5000}"
#define ANSWER(time, a, b, c)                                                                      \
	"{\"time_ms\":" time ",\"flows\":[" ICMP("3", "false", a) "," ICMP(                        \
		"1", "false", b) "," ICMP("1", "true", c) "]}"
	struct fffa_top_view view = {.rows = 24, .columns = 80, .screen = true, .expr = ""};
	struct fffa_top_last last = {.flows = NULL};
	char *page =
		make_view("{\"ledger\":{}}", ANSWER("10000", "900", "500", "100"), &view, &last);

	(void)state;
	free(page);
	page = make_view("{\"ledger\":{}}", ANSWER("12000", "910", "520", "130"), &view, &last);
	assert_non_null(strstr(page, "    40      1    910\n"));
	assert_non_null(strstr(page, "    80      1    520\n"));
	assert_non_null(strstr(page, "   120      1    130\n"));
	fffa_top_page_forget(&last);
	free(page);
}

static void a_pane_scrolls(void **state)
{
	struct fffa_top_view view = {.rows = 8,
				     .columns = 80,
				     .screen = true,
				     .pane = FFFA_TOP_HELP,
				     .expr = "",
				     .scroll = 2};
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_view("{\"ledger\":{}}", NO_FLOWS, &view, &last);

	(void)state;
	assert_int_equal(count_lines(page), 8);
	expect_line(page, 5, " b p r a        sort flows by bytes, packets, rate, age");
	assert_int_equal(last.pane_lines, 8);
	fffa_top_page_forget(&last);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_an_agents_is_refused),
		cmocka_unit_test(the_head_says_who_it_is),
		cmocka_unit_test(rates_are_of_the_time_between_two_pages),
		cmocka_unit_test(sinks_have_their_state_and_their_losses),
		cmocka_unit_test(flows_have_their_ends),
		cmocka_unit_test(flows_have_names_of_services),
		cmocka_unit_test(a_terminal_is_never_exceeded),
		cmocka_unit_test(a_screen_has_panes),
		cmocka_unit_test(a_screen_sorts_flows),
		cmocka_unit_test(each_flow_has_its_own_rate),
		cmocka_unit_test(a_pane_scrolls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
