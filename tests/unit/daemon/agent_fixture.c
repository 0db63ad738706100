// SPDX-License-Identifier: MIT
#include "tests/unit/daemon/agent_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/daemon/registry.h"
#include "tests/stubs/text_count.h"

#define LIMIT_S	 60    /* for what never comes */
#define LIMIT_MS 40000 /* for one that is told */

struct source {
	struct fffa_source base;
	struct scene *scene;
};

struct fffa_source *__wrap_fffa_source_live_new(const struct fffa_config *conf);
int __real_fffa_config_load(const char *path, const struct fffa_sink_schema *sinks,
			    struct fffa_config *out, fffa_problem_fn problem, void *arg);
int __wrap_fffa_config_load(const char *path, const struct fffa_sink_schema *sinks,
			    struct fffa_config *out, fffa_problem_fn problem, void *arg);

static atomic_bool load_stands_still;
static atomic_size_t loads;

size_t scene_loads(void)
{
	return loads;
}

void scene_hold_load(bool hold)
{
	load_stands_still = hold;
}

/* A disk may stand still, so the loop never reads the file. */
int __wrap_fffa_config_load(const char *path, const struct fffa_sink_schema *sinks,
			    struct fffa_config *out, fffa_problem_fn problem, void *arg)
{
	if (gettid() == getpid()) {
		problem(arg, "the loop's thread reads the file");
		return -EDEADLK;
	}
	loads++;
	while (load_stands_still)
		(void)usleep(1000);
	return __real_fffa_config_load(path, sinks, out, problem, arg);
}

static struct scene *scene_of(const struct fffa_source *s)
{
	return ((const struct source *)s)->scene;
}

static int prepare(struct fffa_source *s, struct fffa_err *err)
{
	int rc = scene_of(s)->prepare_error;

	return rc ? fffa_fail(err, -rc, "the source cannot be made") : 0;
}

static void on_timer(uv_timer_t *t)
{
	struct scene *x = t->data;

	if (x->stops == 1) {
		if (x->last && !x->last(x))
			return;
		x->stops++;
		x->ev.ended(x->ev.arg, 0);
		return;
	}
	if (x->stops)
		return;
	if (uv_now(x->loop) - x->begin_ms > LIMIT_MS) {
		(void)dup2(x->saved, STDERR_FILENO);
		fail_msg("step %zu is never over:\n%s", x->at, scene_read(x, "log"));
	}
	if (!x->steps || !x->steps[x->at]) {
		(void)uv_timer_stop(t);
		(void)raise(SIGTERM);
	} else if (x->steps[x->at](x)) {
		x->at++;
	}
}

static int start(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		 const struct fffa_source_events *ev, struct fffa_err *err)
{
	struct scene *x = scene_of(s);

	x->loop = loop;
	x->begin_ms = uv_now(loop);
	x->ledger = ledger;
	x->ev = *ev;
	x->devices_rc = ev->devices(ev->arg, x->devices, x->device_count);
	if (x->devices_rc || x->start_error)
		return fffa_fail(err, -(x->devices_rc ? x->devices_rc : x->start_error),
				 "the source cannot start");
	ev->time(ev->arg);
	ev->since(ev->arg, 1700000000000);
	(void)uv_timer_init(loop, &x->timer);
	x->timer.data = x;
	x->started = true;
	return uv_timer_start(&x->timer, on_timer, 1, 1);
}

static void stop(struct fffa_source *s)
{
	struct scene *x = scene_of(s);

	assert_int_equal(x->stops, 0);
	x->stops = 1;
	(void)uv_timer_start(&x->timer, on_timer, 1, 1);
}

static void change(struct fffa_source *s)
{
	scene_of(s)->changes++;
}

static void close_source(struct fffa_source *s)
{
	struct scene *x = scene_of(s);

	if (x->started)
		uv_close((uv_handle_t *)&x->timer, NULL);
	x->started = false;
}

static void now(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns)
{
	*mono_ns = scene_of(s)->now_ns;
	*unix_ns = UINT64_C(1700000000) * S + scene_of(s)->now_ns;
}

static const struct fffa_tunnel *tunnel(const struct fffa_source *s, uint16_t id)
{
	static const struct fffa_tunnel some = {.type = FFFA_TUNNEL_GENEVE, .vni = 77};

	(void)s;
	return id == 5 ? &some : NULL;
}

static struct fffa_amount held(struct fffa_source *s)
{
	return scene_of(s)->held;
}

static size_t watched(const struct fffa_source *s, uint32_t *ifindexes, size_t max)
{
	const struct scene *x = scene_of(s);

	for (size_t i = 0; i < x->watched && i < max; i++)
		ifindexes[i] = x->devices[i].ifindex;
	return x->watched;
}

static void checkpoint(struct fffa_source *s, struct fffa_amount amount, int64_t unix_ms)
{
	(void)amount;
	(void)unix_ms;
	scene_of(s)->checkpoints++;
}

static void view(struct fffa_source *s, struct fffa_status_view *v)
{
	const struct scene *x = scene_of(s);

	v->held_kernel = x->held;
	v->not_ready = x->not_ready;
	for (size_t i = 0; x->hooks_up && i < x->device_count; i++) {
		for (int dir = 0; dir < 2; dir++)
			v->hooks[v->hook_count++] =
				(struct fffa_status_hook){.interface = x->devices[i].name,
							  .ifindex = x->devices[i].ifindex,
							  .direction = dir ? "egress" : "ingress",
							  .hook = "tcx",
							  .selected_by = "",
							  .why = "",
							  .up = true,
							  .problem = ""};
	}
}

static void limit_window(struct fffa_source *s, uint64_t window_ns)
{
	scene_of(s)->window_ns = window_ns;
}

struct fffa_source *__wrap_fffa_source_live_new(const struct fffa_config *conf)
{
	static const struct fffa_source_ops ops = {.prepare = prepare,
						   .start = start,
						   .stop = stop,
						   .change = change,
						   .close = close_source,
						   .now = now,
						   .tunnel = tunnel,
						   .held = held,
						   .watched = watched,
						   .checkpoint = checkpoint,
						   .view = view,
						   .limit_window = limit_window};
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = (struct fffa_source){.ops = &ops, .metadata = &conf->metadata, .sampled = 1};
	/* The agent's configuration is the scene's. */
	s->scene = (struct scene *)((uintptr_t)conf - offsetof(struct scene, conf));
	if (s->scene->sampled)
		s->base.sampled = s->scene->sampled;
	return &s->base;
}

int scene_setup(void **state)
{
	struct scene *x = calloc(1, sizeof(*x));

	*state = x;
	if (!x)
		return -1;
	strcpy(x->dir, "/tmp/fffa-agent-XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	(void)snprintf(x->path, sizeof(x->path), "%s/fffa.yaml", x->dir);
	(void)snprintf(x->out, sizeof(x->out), "%s/out", x->dir);
	x->devices[0] = (struct fffa_netdev){.ifindex = 2, .name = "eth0"};
	x->devices[1] = (struct fffa_netdev){.ifindex = 3, .name = "eth1"};
	x->device_count = x->watched = 1;
	x->hooks_up = true;
	x->now_ns = 100 * S;
	x->log = -1;
	return 0;
}

static void remove_files(const char *folder)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(folder);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_type == DT_DIR)
			remove_files(path);
		else
			(void)unlink(path);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(folder);
}

static void restore_log(struct scene *x)
{
	if (x->log < 0)
		return;
	(void)dup2(x->saved, STDERR_FILENO);
	(void)close(x->saved);
	(void)close(x->log);
	x->log = -1;
}

int scene_teardown(void **state)
{
	struct scene *x = *state;

	restore_log(x);
	(void)alarm(0);
	remove_files(x->dir);
	free(x);
	return 0;
}

void scene_write(struct scene *x, const char *yaml)
{
	FILE *f = fopen(x->path, "w");

	assert_non_null(f);
	for (; *yaml; yaml++) {
		if (yaml[0] == '%' && yaml[1] == 'D') {
			(void)fputs(x->dir, f);
			yaml++;
		} else if (yaml[0] == '%' && yaml[1] == 'P') {
			(void)fprintf(f, "%d", x->port);
			yaml++;
		} else {
			(void)fputc(*yaml, f);
		}
	}
	assert_int_equal(fclose(f), 0);
}

static void on_problem(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

bool scene_reload(struct scene *x, const char *yaml)
{
	scene_write(x, yaml);
	return raise(SIGHUP) == 0;
}

enum fffa_exit scene_run(struct scene *x, const char *yaml, const scene_step *steps)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];
	char log[64];
	enum fffa_exit code;

	restore_log(x);
	scene_write(x, yaml);
	fffa_registry_schema(rows);
	assert_int_equal(__real_fffa_config_load(x->path, rows, &x->conf, on_problem, NULL), 0);
	(void)snprintf(log, sizeof(log), "%s/log", x->dir);
	x->log = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	x->saved = dup(STDERR_FILENO);
	assert_true(x->log >= 0 && x->saved >= 0);
	assert_int_equal(dup2(x->log, STDERR_FILENO), STDERR_FILENO);
	x->steps = steps;
	x->at = x->stops = x->checkpoints = 0;
	loads = 0;
	x->started = false;
	(void)alarm(LIMIT_S);
	code = fffa_agent_run(&x->conf, x->no_file ? NULL : x->path);
	(void)alarm(0);
	(void)dup2(x->saved, STDERR_FILENO);
	fffa_config_free(&x->conf);
	return code;
}

void scene_send(struct scene *x, uint8_t proto, uint16_t dport, uint32_t packets, uint16_t flags)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	bool egress = dport & 1;
	struct fffa_delta d = {.packets = packets,
			       .bytes = UINT64_C(100) * packets,
			       .first_ns = x->now_ns,
			       .last_ns = x->now_ns,
			       .flags = flags};

	memcpy(d.key.src, v4, sizeof(v4));
	memcpy(d.key.dst, v4, sizeof(v4));
	d.key.src[12] = d.key.dst[12] = 10;
	d.key.src[15] = 1;
	d.key.dst[15] = 2;
	d.key.sport = htons(40000);
	d.key.dport = htons(dport);
	d.key.proto = proto;
	d.key.view = egress ? FFFA_VIEW_EGRESS : 0;
	if (x->dst)
		memcpy(&d.key.dst[12], &x->dst, sizeof(x->dst));
	d.key.tunnel = x->tunnel;
	d.key.ifindex = 2;
	fffa_amount_add(&x->ledger->seen[egress], d.packets, d.bytes);
	x->ev.delta(x->ev.arg, &d);
}

void scene_turn(struct scene *x, uint64_t ns)
{
	x->now_ns += ns;
	x->ev.time(x->ev.arg);
	x->ev.turn(x->ev.arg);
}

const char *scene_read(struct scene *x, const char *name)
{
	char path[128];
	ssize_t n = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, x->text, sizeof(x->text) - 1);
		(void)close(fd);
	}
	x->text[n > 0 ? n : 0] = '\0';
	return x->text;
}

size_t scene_logged(struct scene *x, const char *text)
{
	return text_count(scene_read(x, "log"), text);
}

size_t scene_records(struct scene *x, const char *text)
{
	return text_count(scene_read(x, "out"), text);
}

void scene_expect_log(struct scene *x, const char *text, size_t times)
{
	size_t n = scene_logged(x, text);

	if (n != times)
		fail_msg("%zu times, not %zu, \"%s\" in:\n%s", n, times, text, x->text);
}

bool scene_ask(struct scene *x, const char *socket_name, const char *page)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char request[128];

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", x->dir, socket_name);
	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n",
		       page);
	x->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(x->client, (const struct sockaddr *)&un, sizeof(un)))
		fail_msg("%s: %s:\n%s", un.sun_path, strerror(errno), scene_read(x, "log"));
	assert_int_equal(send(x->client, request, strlen(request), 0), strlen(request));
	x->text_bytes = 0;
	return true;
}

bool scene_is_answered(struct scene *x)
{
	ssize_t n = recv(x->client, x->text + x->text_bytes, sizeof(x->text) - 1 - x->text_bytes,
			 MSG_DONTWAIT);

	if (n > 0)
		x->text_bytes += (size_t)n;
	x->text[x->text_bytes] = '\0';
	if (n)
		return false;
	(void)close(x->client);
	return true;
}

void scene_expect_text(const struct scene *x, const char *text)
{
	if (!strstr(x->text, text))
		fail_msg("no %s in %s", text, x->text);
}
