// SPDX-License-Identifier: MIT
#include "sinks/file/maintenance.h"

#include <string.h>

#include "agent/base/log.h"

void fffa_file_maintenance_init(struct fffa_file_maintenance *m, const struct fffa_sink_env *env,
				const char *path, const struct fffa_file_layout_ops *ops,
				void (*stopped)(void *arg), void *arg)
{
	memset(m, 0, sizeof(*m));
	m->env = env;
	m->path = path;
	m->ops = ops;
	m->stopped = stopped;
	m->arg = arg;
	atomic_init(&m->cancel, false);
	m->work.data = m;
}

static void on_work(uv_work_t *work)
{
	struct fffa_file_maintenance *m = work->data;

	m->rc = m->ops->maintain(m->layout, &m->cancel);
}

static void queue_run(struct fffa_file_maintenance *m);

static void on_worked(uv_work_t *work, int status)
{
	struct fffa_file_maintenance *m = work->data;
	int rc = status ? status : m->rc;

	m->running = false;
	if (atomic_load(&m->cancel)) {
		m->stopped(m->arg);
		return;
	}
	if (rc && rc != m->logged_rc)
		fffa_warn(m->env->tag, "cannot maintain old files of %s: %s", m->path,
			  strerror(-rc));
	m->logged_rc = rc;
	if (m->again)
		queue_run(m);
}

static void queue_run(struct fffa_file_maintenance *m)
{
	m->running = true;
	m->again = false;
	/* Cannot fail: there is a work callback. */
	(void)uv_queue_work(m->env->loop, &m->work, on_work, on_worked);
}

void fffa_file_maintenance_start(struct fffa_file_maintenance *m)
{
	if (atomic_load(&m->cancel))
		return;
	if (m->running)
		m->again = true;
	else
		queue_run(m);
}

void fffa_file_maintenance_stop(struct fffa_file_maintenance *m)
{
	atomic_store(&m->cancel, true);
}
