// SPDX-License-Identifier: MIT
/* What a terminal shows of `fffa top`: whole panes, and flows from one page to the next. */
#include "agent/cli/top/top_page.h"

#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

#define NO_FLOWS "{\"flows\":[]}"
#define KEYS	 "=1 flows  2 sinks  3 interfaces  4 losses  / filter  b p r a sort  ? help  q quit\n"

static char *make_page(const char *status, const char *flows, const struct fffa_top_view *view,
		       struct fffa_top_last *last)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(fffa_top_page(out, status, flows, view, last), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void expect_page(const char *status, const char *flows, const struct fffa_top_view *view,
			const char *want)
{
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_page(status, flows, view, &last);

	assert_string_equal(page, want);
	fffa_top_page_forget(&last);
	free(page);
}

static struct fffa_top_view screen_of(enum fffa_top_pane pane)
{
	return (struct fffa_top_view){
		.rows = 30, .columns = 90, .screen = true, .pane = pane, .expr = ""};
}

static void test_the_pane_of_interfaces(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_INTERFACES);

	(void)state;
	view.sort = FFFA_TOP_BY_AGE;
	view.expr = "tcp";
	expect_page(
		"{\"version\":\"1\",\"ledger\":{},\"interfaces\":[{\"interface\":\"a-device-of-"
		"15c\","
		"\"ingress\":{\"packets\":1,\"bytes\":20000},\"egress\":{\"packets\":3,\"bytes\":4}"
		"},"
		"{\"interface\":\"lo\"}],"
		"\"hooks\":[{\"interface\":\"eth0\",\"direction\":\"ingress\",\"hook\":\"xdp\","
		"\"up\":true,\"why\":\"native\",\"problem\":\"x\"},"
		"{\"interface\":\"eth0\",\"direction\":\"egress\",\"hook\":\"tcx\",\"up\":false,"
		"\"why\":\"x\",\"problem\":\"taken off\"}]}",
		NO_FLOWS, &view,
		" fffa 1      up 0 s\n"
		" seen 0 packets/s  0 bit/s  made 0 records/s  flows 0 of 0\n"
		" sinks 0, up 0, down 0   lost 0 packets, 0 records\n" KEYS
		" interfaces   sorted by age  filter: tcp\n"
		"=INTERFACE         PKTS IN  BYTES IN  PKTS OUT BYTES OUT\n"
		" a-device-of-15c         1       20k         3         4\n"
		" lo                      0         0         0         0\n"
		" \n"
		"=INTERFACE       DIRECTION HOOK    STATE WHY\n"
		" eth0            ingress   xdp     up    native\n"
		"!eth0            egress    tcx     OFF   taken off\n");
}

static void test_the_pane_of_losses(void **state)
{
	const struct fffa_top_view view = screen_of(FFFA_TOP_LOSSES);

	(void)state;
	expect_page("{\"ledger\":{\"packets\":{\"lost\":{\"ring\":0,\"table_full\":7}}},"
		    "\"sinks\":[{\"name\":\"a\",\"up\":true,\"lost\":{\"gave_up\":0}},"
		    "{\"name\":\"b\",\"delivered\":1,\"lost\":{\"gave_up\":4,\"shutdown\":5}},"
		    "{\"name\":\"c\"}]}",
		    NO_FLOWS, &view,
		    " fffa       up 0 s\n"
		    " seen 0 packets/s  0 bit/s  made 0 records/s  flows 0 of 0\n"
		    "!sinks 3, up 1, down 1   lost 7 packets, 9 records\n" KEYS
		    " losses   sorted by bytes\n"
		    "=WHERE                            REASON                          LOST\n"
		    " packets                          ring                               0\n"
		    "!packets                          table_full                         7\n"
		    " a                                gave_up                            0\n"
		    "!b                                gave_up                            4\n"
		    "!b                                shutdown                           5\n");
}

static void test_the_pane_of_help(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_HELP);

	(void)state;
	view.sort = FFFA_TOP_BY_RATE;
	expect_page(
		"{\"ledger\":{}}", NO_FLOWS, &view,
		" fffa       up 0 s\n"
		" seen 0 packets/s  0 bit/s  made 0 records/s  flows 0 of 0\n"
		" sinks 0, up 0, down 0   lost 0 packets, 0 records\n" KEYS
		" help   sorted by rate\n"
		"=KEYS\n"
		" 1 to 4, Tab    the panes: flows, sinks, interfaces, losses\n"
		" b p r a        sort flows by bytes, packets, rate, age\n"
		" n              ports as numbers or as names of services\n"
		" /              a filter in the syntax of pcap-filter(7); an empty one shows all\n"
		" arrows, PgUp, PgDn, Home    scroll\n"
		" Ctrl-L         draw again\n"
		" q, Ctrl-C      end\n");
}

/* One thing that is wrong is enough for the alarm. */
static void test_what_alarms(void **state)
{
	static const struct {
		const char *status, *line;
	} rows[] = {
		{"{\"ledger\":{\"packets\":{\"lost\":{\"x\":1}}}}",
		 "\n!sinks 0, up 0, down 0   lost 1 packets, 0 records\n"},
		{"{\"ledger\":{},\"sinks\":[{\"up\":true,\"lost\":{\"x\":1}}]}",
		 "\n!sinks 1, up 1, down 0   lost 0 packets, 1 records\n"},
		{"{\"ledger\":{},\"sinks\":[{\"delivered\":1}]}",
		 "\n!sinks 1, up 0, down 1   lost 0 packets, 0 records\n"},
		{"{\"ledger\":{},\"sinks\":[{\"up\":true},{}]}",
		 "\n sinks 2, up 1, down 0   lost 0 packets, 0 records\n"},
	};
	const struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_top_last last = {.flows = NULL};
		char *page = make_page(rows[i].status, NO_FLOWS, &view, &last);

		assert_non_null(strstr(page, rows[i].line));
		fffa_top_page_forget(&last);
		free(page);
	}
}

static unsigned int count_lines(const char *page)
{
	unsigned int n = 0;

	for (; *page; page++)
		n += *page == '\n';
	return n;
}

/* Five lines stay, whatever the room for the pane is. */
static void test_small_terminals(void **state)
{
	(void)state;
	for (unsigned int rows = 1; rows < 16; rows++) {
		struct fffa_top_view view = screen_of(FFFA_TOP_HELP);
		struct fffa_top_last last = {.flows = NULL};
		char *page;

		view.rows = rows;
		page = make_page("{\"ledger\":{}}", NO_FLOWS, &view, &last);
		assert_int_equal(count_lines(page), rows < 5 ? rows : rows < 13 ? rows : 13);
		assert_int_equal(last.pane_lines, 8);
		fffa_top_page_forget(&last);
		free(page);
	}
}

/* Wider than any line can be: lines stay as they are, cut to what a line can hold. */
static void test_a_terminal_without_end(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *page, status[2000] = "{\"ledger\":{},\"version\":\"";

	(void)state;
	memset(status + strlen(status), 'x', 1000);
	strcat(status, "\"}");
	view.columns = UINT32_MAX;
	page = make_page(status, NO_FLOWS, &view, &last);
	assert_int_equal(strspn(page + strlen(" fffa "), "x"), 511 - strlen("fffa "));
	assert_memory_equal(strchr(page, '\n'), "\n seen 0", 8);
	fffa_top_page_forget(&last);
	free(page);
}

/* Ends have more room on wide terminals, and less on small ones. */
static void test_the_room_of_ends(void **state)
{
	static const struct {
		unsigned int columns;
		const char *from;
	} rows[] = {
		{0, " [2001:db8:~7:8]:40000 "},	  {40, " [2001:d~8]:40000 "},
		{79, " [2001:d~8]:40000 "},	  {80, " [2001:db8:~7:8]:40000 "},
		{140, " [2001:db8:~7:8]:40000 "}, {141, " [2001:db8:3:4:5:6:7:8]:40000 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
		struct fffa_top_last last = {.flows = NULL};
		char *page;

		view.columns = rows[i].columns;
		page = make_page("{\"ledger\":{}}",
				 "{\"flows\":[{\"protocol\":6,\"srcaddr\":\"2001:db8:3:4:5:6:7:8\","
				 "\"srcport\":40000,\"dstaddr\":\"::1\",\"dstport\":40001}]}",
				 &view, &last);
		if (!strstr(page, rows[i].from))
			fail_msg("%u columns: %s", rows[i].columns, page);
		fffa_top_page_forget(&last);
		free(page);
	}
}

#define FLOW(interface, direction, protocol, src, sport, dst, dport, icmp, start, bytes)           \
	"{\"interface\":\"" interface "\",\"direction\":\"" direction "\",\"protocol\":" protocol  \
	",\"srcaddr\":\"" src "\",\"srcport\":" sport ",\"dstaddr\":\"" dst                        \
	"\",\"dstport\":" dport ",\"icmp_type\":" icmp ",\"start_ms\":" start ",\"bytes\":" bytes  \
	"}"
#define PAGE(time, flow) "{\"time_ms\":" time ",\"flows\":[" flow "]}"

/* The rate on the second of two pages. */
static void expect_rate(const char *first, const char *second, const char *rate)
{
	const struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_page("{\"ledger\":{}}", first, &view, &last), want[16];
	const char *row;

	free(page);
	page = make_page("{\"ledger\":{}}", second, &view, &last);
	row = strchr(strstr(page, "IFACE"), '\n') + 1;
	(void)snprintf(want, sizeof(want), "%6s ", rate);
	if (strncmp(row + 1 + 6 + 1 + 3 + 1 + 4 + 1 + 21 + 1 + 21 + 1, want, 7) != 0)
		fail_msg("not %s: %s", rate, row);
	fffa_top_page_forget(&last);
	free(page);
}

/* Since the page before where it is the same flow, else since it began. */
static void test_the_rate_of_a_flow(void **state)
{
	static const char *const first = PAGE(
		"10000", FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "5000", "1000"));

	(void)state;
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "5000", "1500")),
		    "2000");
	/* Another one has been there for 7 s. */
	expect_rate(first,
		    PAGE("12000",
			 FLOW("b", "ingress", "6", "::1", "1", "::2", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "egress", "6", "::1", "1", "::2", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "17", "::1", "1", "::2", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::3", "1", "::2", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "3", "::2", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::3", "2", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "3", "0", "5000", "3500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "8", "5000", "3500")),
		    "4000");
	/* Its window is another one; the clock stands still; it has just begun; the clock fell. */
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "10000", "500")),
		    "2000");
	expect_rate(first,
		    PAGE("10000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "5000", "2500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "11999", "500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "11000", "500")),
		    "4000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "10999", "1001")),
		    "8000");
	expect_rate(first,
		    PAGE("12000",
			 FLOW("a", "ingress", "6", "::1", "1", "::2", "2", "0", "5000", "900")),
		    "0");
}

static void test_short_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {
		{0, "0"},	{9999, "9999"},	    {9999.4, "9999"}, {9999.5, "10k"},
		{10000, "10k"}, {9999499, "9999k"}, {9999500, "10M"}, {1e12, "1000G"},
		{1e13, "10T"},	{1e16, "10P"},	    {1e19, "10E"},    {1e22, "10000E"},
	};
	char dst[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(fffa_top_line_short(rows[i].v, dst), rows[i].text);
}

/* The source ports of the flows, in the order in which they stand. The last two have the same figures. */
static void expect_order(enum fffa_top_sort sort, const char *want)
{
	static const int64_t packets[] = {2, 5, 1, 4, 3, 3},
			     bytes[] = {300, 100, 500, 200, 400, 400},
			     start_ms[] = {5000, 1000, 3000, 2000, 4000, 4000};
	struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *text = NULL, *page, got[8] = "";
	const char *at;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)fprintf(out, "{\"time_ms\":9000,\"flows\":[");
	for (int i = 0; i < 6; i++)
		(void)fprintf(out,
			      "%s{\"srcaddr\":\"port\",\"srcport\":%d,\"packets\":%d,\"bytes\":%d,"
			      "\"start_ms\":%d}",
			      i ? "," : "", i + 1, (int)packets[i], (int)bytes[i],
			      sort == FFFA_TOP_BY_RATE ? 1000 : (int)start_ms[i]);
	(void)fprintf(out, "]}");
	assert_int_equal(fclose(out), 0);
	view.sort = sort;
	page = make_page("{\"ledger\":{}}", text, &view, &last);
	at = page;
	for (int i = 0; i < 6; i++) {
		at = strstr(at, "port:");
		assert_non_null(at);
		at += strlen("port:");
		got[i] = *at;
	}
	assert_string_equal(got, want);
	fffa_top_page_forget(&last);
	free(page);
	free(text);
}

static void test_each_order(void **state)
{
	(void)state;
	expect_order(FFFA_TOP_BY_BYTES, "123456"); /* as they come */
	expect_order(FFFA_TOP_BY_PACKETS, "245613");
	expect_order(FFFA_TOP_BY_RATE, "356142");
	expect_order(FFFA_TOP_BY_AGE, "243561");
}

#define WIDE_FLOWS                                                                                 \
	"{\"time_ms\":9000,\"flows\":["                                                            \
	"{\"interface\":\"a-device-of-15c\",\"direction\":\"egress\",\"protocol\":58,"             \
	"\"srcaddr\":\"::1\",\"dstaddr\":\"ff02::1:2:3:4:5:67\",\"start_ms\":1000,\"packets\":1,"  \
	"\"bytes\":8000},"                                                                         \
	"{\"interface\":\"eth0.1000\",\"direction\":\"ingress\",\"protocol\":255,"                 \
	"\"srcaddr\":\"10.0.0.1\",\"dstaddr\":\"10.0.0.2\",\"packets\":12000,\"bytes\":9}]}"

/* What has no room is cut in its middle; rates stand on screens alone. */
static void test_rows_of_flows(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *page = make_page("{\"ledger\":{}}", WIDE_FLOWS, &view, &last);

	(void)state;
	assert_string_equal(
		strstr(page, "=IFACE"),
		"=IFACE  DIR PROT SOURCE                DESTINATION            BIT/S   PKTS  "
		"BYTES\n"
		" a-~15c out i~p6 ::1                   ff02::1:2:3:4:5:67      8000      1   "
		"8000\n"
		" et~000 in  255  10.0.0.1              10.0.0.2                   8    12k      "
		"9\n");
	free(page);
	view.screen = false;
	view.columns = 0;
	page = make_page("{\"ledger\":{}}", WIDE_FLOWS, &view, &last);
	assert_string_equal(
		strstr(page, "INTERFACE"),
		"INTERFACE DIR PROTO SOURCE                DESTINATION           PACKETS   BYTES\n"
		"a-de~-15c out icmp6 ::1                   ff02::1:2:3:4:5:67          1    8000\n"
		"eth0.1000 in  255   10.0.0.1              10.0.0.2                  12k       "
		"9\n");
	fffa_top_page_forget(&last);
	free(page);
}

/* Without memory for the rows there are none. The library's own memory comes from elsewhere. */
static void test_no_memory_for_the_rows(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *page;

	(void)state;
	failing_alloc_arm(1);
	page = make_page("{\"ledger\":{}}", WIDE_FLOWS, &view, &last);
	assert_true(failing_alloc_fired());
	failing_alloc_arm(0);
	assert_null(strstr(page, "IFACE"));
	assert_non_null(strstr(page, "flows   sorted by bytes"));
	fffa_top_page_forget(&last);
	free(page);
}

/* The name of a port that just has room, and one that has none. */
static void test_the_room_of_a_name(void **state)
{
	struct fffa_top_view view = screen_of(FFFA_TOP_FLOWS);
	struct fffa_top_last last = {.flows = NULL};
	char *page =
		make_page("{\"ledger\":{}}",
			  "{\"flows\":[{\"protocol\":6,\"srcaddr\":\"100.100.100.100\","
			  "\"srcport\":443,\"dstaddr\":\"200.200.200.2000\",\"dstport\":443}]}",
			  &view, &last);

	(void)state;
	assert_non_null(strstr(page, " 100.100.100.100:https 200.200.200.2000:443 "));
	fffa_top_page_forget(&last);
	free(page);
}

/* What the table has no room for: the first thousand are shown. */
static void test_many_flows(void **state)
{
	const struct fffa_top_view view = {.expr = ""};
	struct fffa_top_last last = {.flows = NULL};
	char *text = NULL, *page;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	(void)fprintf(out, "{\"flows\":[{\"interface\":\"0\"}");
	for (int i = 1; i < 1002; i++)
		(void)fprintf(out, ",{\"interface\":\"%d\"}", i);
	(void)fprintf(out, "]}");
	assert_int_equal(fclose(out), 0);
	page = make_page("{\"ledger\":{}}", text, &view, &last);
	assert_int_equal(count_lines(page), 6 + 1000);
	assert_non_null(strstr(page, "\n999 "));
	fffa_top_page_forget(&last);
	free(page);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_pane_of_interfaces),
		cmocka_unit_test(test_the_pane_of_losses),
		cmocka_unit_test(test_the_pane_of_help),
		cmocka_unit_test(test_what_alarms),
		cmocka_unit_test(test_small_terminals),
		cmocka_unit_test(test_a_terminal_without_end),
		cmocka_unit_test(test_the_room_of_ends),
		cmocka_unit_test(test_the_rate_of_a_flow),
		cmocka_unit_test(test_each_order),
		cmocka_unit_test(test_rows_of_flows),
		cmocka_unit_test(test_no_memory_for_the_rows),
		cmocka_unit_test(test_the_room_of_a_name),
		cmocka_unit_test(test_short_numbers),
		cmocka_unit_test(test_many_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
