// SPDX-License-Identifier: MIT
#include "sinks/file/maintenance.h"

#include <string.h>

#include "agent/base/io.h"
#include "agent/base/log.h"

static void work_maintain(void *arg)
{
	struct fffa_file_maintenance *m = arg;

	m->rc = m->ops->maintain(m->layout, &m->cancel);
}

static void queue_run(struct fffa_file_maintenance *m);

static void on_maintained(void *arg)
{
	struct fffa_file_maintenance *m = arg;
	int rc = m->rc;

	m->running = false;
	if (atomic_load(&m->cancel)) {
		m->stopped(m->arg);
		return;
	}
	if (rc && rc != m->logged_rc)
		fffa_warn(m->env->tag, "cannot maintain old files of %s: %s", m->path,
			  fffa_io_strerror(rc));
	m->logged_rc = rc;
	if (m->again)
		queue_run(m);
}

static void queue_run(struct fffa_file_maintenance *m)
{
	m->running = true;
	m->again = false;
	fffa_worker_submit(m->worker, &m->job);
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

bool fffa_file_maintenance_close(struct fffa_file_maintenance *m, void (*closed)(void *arg),
				 void *arg)
{
	if (!m->worker)
		return false;
	fffa_worker_close(m->worker, closed, arg);
	return true;
}

int fffa_file_maintenance_open(struct fffa_file_maintenance *m, const struct fffa_sink_env *env,
			       const char *path, const struct fffa_file_layout_ops *ops,
			       bool needed, void (*stopped)(void *arg), void *arg)
{
	memset(m, 0, sizeof(*m));
	m->env = env;
	m->path = path;
	m->ops = ops;
	m->stopped = stopped;
	m->arg = arg;
	atomic_init(&m->cancel, false);
	m->job = (struct fffa_worker_job){.work = work_maintain, .done = on_maintained, .arg = m};
	return needed ? fffa_worker_open(env->loop, "file-maintain", &m->worker) : 0;
}
