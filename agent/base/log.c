// SPDX-License-Identifier: MIT
#include "agent/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/thread.h"
#include "agent/base/utf8.h"

#define LIMIT_NS   (60 * FFFA_NS_PER_S)
#define RING_BYTES 65536
#define LINE_BYTES 2304

/* enum fffa_log_level and enum fffa_log_format. HUP may set them while other threads log. */
static struct {
	atomic_int level;
	atomic_int format;
	atomic_bool journal;
} conf = {FFFA_LOG_INFO, FFFA_LOG_TEXT, false};

void fffa_log_setup(enum fffa_log_level level, enum fffa_log_format format)
{
	atomic_store(&conf.level, (int)level);
	atomic_store(&conf.format, (int)format);
}

void fffa_log_detect_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st))
		atomic_store(&conf.journal, st.st_dev == dev && st.st_ino == ino);
}

/*
 * Appends s as the inside of a JSON string: control characters and quotes are escaped, a byte that
 * is not UTF-8 becomes U+FFFD. Returns the new length.
 */
static size_t append_json(char *out, size_t cap, size_t n, const char *s)
{
	size_t left = strlen(s), bytes;

	for (; left && n + 7 < cap; s += bytes, left -= bytes) {
		unsigned char c = (unsigned char)*s;

		bytes = fffa_utf8_length((const uint8_t *)s, left);
		if (!bytes || c < 0x20) {
			n += (size_t)snprintf(out + n, cap - n, "\\u%04x", bytes ? c : 0xfffdU);
			bytes = 1;
			continue;
		}
		if (c == '"' || c == '\\')
			out[n++] = '\\';
		memcpy(out + n, s, bytes);
		n += bytes;
	}
	return n;
}

/* A text from outside must not begin a line of its own, nor order about the terminal that shows it. */
static void blank_controls(uint8_t *line, size_t n)
{
	for (size_t bytes; n; line += bytes, n -= bytes) {
		bytes = fffa_utf8_length(line, n);
		if (!bytes)
			*line = '?';
		else if (fffa_utf8_is_control(line))
			memset(line, ' ', bytes);
		bytes += !bytes;
	}
}

/* line has LINE_BYTES. Returns the length, newline included. */
static size_t vformat_line(char *line, enum fffa_log_level level, const char *tag, const char *fmt,
			   va_list ap)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
	const char *priority = atomic_load(&conf.journal) ? priorities[level] : "";
	char text[1024], when[32];
	struct timespec ts;
	struct tm tm;
	size_t n;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	if (atomic_load(&conf.format) == FFFA_LOG_JSON) {
		n = (size_t)snprintf(
			line, LINE_BYTES,
			"%s{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"part\":\"%.64s\","
			"\"message\":\"",
			priority, when, ts.tv_nsec / 1000000, names[level], tag);
		n = append_json(line, LINE_BYTES - 3, n, text);
		line[n++] = '"';
		line[n++] = '}';
	} else {
		n = (size_t)snprintf(line, LINE_BYTES, "%s%s.%03ldZ %-5s %.64s: %s", priority, when,
				     ts.tv_nsec / 1000000, names[level], tag, text);
		blank_controls((uint8_t *)line, n);
	}
	line[n++] = '\n';
	return n;
}

__attribute__((format(printf, 4, 5))) static size_t
format_line(char *line, enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = vformat_line(line, level, tag, fmt, ap);
	va_end(ap);
	return n;
}

/*
 * Lines on their way to the thread that writes them. Each stands in the ring behind its length in
 * two bytes. fork copies no thread: a child logs nothing.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;	/* a line came, or stop */
	pthread_cond_t drained; /* all is written */
	pthread_t thread;
	bool running, stop, writing;
	size_t head, used;
	uint64_t lost, reported; /* lines; reported of them are in the log */
	char ring[RING_BYTES];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void copy_in(const char *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		queue.ring[(queue.head + queue.used + i) % RING_BYTES] = src[i];
	queue.used += n;
}

static void copy_out(char *dst, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = queue.ring[(queue.head + i) % RING_BYTES];
	queue.head = (queue.head + n) % RING_BYTES;
	queue.used -= n;
}

/* False: no thread runs, and the caller writes the line itself. */
static bool queue_line(const char *line, size_t n)
{
	const char len[2] = {(char)(n & 0xff), (char)(n >> 8)};
	bool running;

	(void)pthread_mutex_lock(&queue.lock);
	running = queue.running;
	if (running && queue.used + sizeof(len) + n > RING_BYTES) {
		queue.lost++;
	} else if (running) {
		copy_in(len, sizeof(len));
		copy_in(line, n);
		(void)pthread_cond_signal(&queue.more);
	}
	(void)pthread_mutex_unlock(&queue.lock);
	return running;
}

/* The next line, or what is to be said of lost ones when there is none. 0: nothing. */
static size_t take_line(char *line)
{
	uint64_t lost = queue.lost - queue.reported;
	char len[2];
	size_t n;

	if (queue.used) {
		copy_out(len, sizeof(len));
		n = (size_t)(unsigned char)len[0] | (size_t)(unsigned char)len[1] << 8;
		copy_out(line, n);
		return n;
	}
	if (!lost)
		return 0;
	queue.reported = queue.lost;
	return format_line(line, FFFA_LOG_WARN, "log",
			   "lines lost, the reader of standard error stood still: lines=%" PRIu64,
			   lost);
}

/* False: the line is lost. */
static bool write_line(const char *line, size_t n)
{
	for (;;) {
		struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

		if (write(STDERR_FILENO, line, n) >= 0)
			return true;
		if (errno == EAGAIN)
			(void)poll(&p, 1, -1);
		else if (errno != EINTR)
			return false;
	}
}

/* With the lock. There is nobody to report the line to. */
static void count_unwritten(void)
{
	queue.lost++;
	queue.reported++;
}

static void *run_thread(void *arg)
{
	char line[LINE_BYTES];
	size_t n;

	(void)arg;
	(void)pthread_mutex_lock(&queue.lock);
	for (;;) {
		n = take_line(line);
		if (n) {
			bool written;

			queue.writing = true;
			(void)pthread_mutex_unlock(&queue.lock);
			written = write_line(line, n);
			(void)pthread_mutex_lock(&queue.lock);
			queue.writing = false;
			if (!written)
				count_unwritten();
			continue;
		}
		(void)pthread_cond_broadcast(&queue.drained);
		if (queue.stop)
			break;
		(void)pthread_cond_wait(&queue.more, &queue.lock);
	}
	(void)pthread_mutex_unlock(&queue.lock);
	return NULL;
}

int fffa_log_start_thread(void)
{
	pthread_condattr_t monotonic;
	int rc;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&queue.more, NULL);
	(void)pthread_cond_init(&queue.drained, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	queue.stop = false;
	rc = fffa_thread_start(&queue.thread, run_thread, NULL);
	if (rc)
		return rc;
	(void)pthread_setname_np(queue.thread, "log"); /* for people alone */
	(void)pthread_mutex_lock(&queue.lock);
	queue.running = true;
	(void)pthread_mutex_unlock(&queue.lock);
	return 0;
}

/* Whether a line can be written to standard error at once. False if only trying shows it. */
static bool stderr_takes_a_line(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct stat st;

	if (fstat(STDERR_FILENO, &st) || S_ISREG(st.st_mode))
		return false; /* a file is always ready for poll, also on a disk that hangs */
	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

/*
 * With the lock. Writes what waits for a thread that does not write: the host is so busy that the
 * thread had no turn.
 */
static void write_for_thread(void)
{
	char line[LINE_BYTES];
	size_t n;

	while (!queue.writing && queue.used && stderr_takes_a_line()) {
		n = take_line(line);
		if (!write_line(line, n))
			count_unwritten();
	}
}

bool fffa_log_flush(uint32_t wait_ms)
{
	uint64_t until = fffa_clock_mono_ns(&fffa_clock_system) + wait_ms * FFFA_NS_PER_MS;
	const struct timespec ts = {.tv_sec = (time_t)(until / FFFA_NS_PER_S),
				    .tv_nsec = (long)(until % FFFA_NS_PER_S)};
	bool drained = true;

	(void)pthread_mutex_lock(&queue.lock);
	while (queue.running && (queue.used || queue.writing)) {
		if (pthread_cond_timedwait(&queue.drained, &queue.lock, &ts)) {
			write_for_thread();
			drained = !queue.used && !queue.writing;
			break;
		}
	}
	(void)pthread_mutex_unlock(&queue.lock);
	return drained;
}

void fffa_log_stop_thread(uint32_t wait_ms)
{
	if (!fffa_log_flush(wait_ms))
		return; /* a write that waits cannot be ended: later lines are queued, or lost */
	(void)pthread_mutex_lock(&queue.lock);
	if (!queue.running) {
		(void)pthread_mutex_unlock(&queue.lock);
		return;
	}
	queue.running = false;
	queue.stop = true;
	(void)pthread_cond_signal(&queue.more);
	(void)pthread_mutex_unlock(&queue.lock);
	(void)pthread_join(queue.thread, NULL);
}

uint64_t fffa_log_lost(void)
{
	uint64_t lost;

	(void)pthread_mutex_lock(&queue.lock);
	lost = queue.lost;
	(void)pthread_mutex_unlock(&queue.lock);
	return lost;
}

void fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	char line[LINE_BYTES];
	size_t n;
	va_list ap;

	if ((int)level > atomic_load(&conf.level))
		return;
	va_start(ap, fmt);
	n = vformat_line(line, level, tag, fmt, ap);
	va_end(ap);
	if (!queue_line(line, n))
		(void)!write(STDERR_FILENO, line, n); /* nowhere left to report to */
}

void fffa_log_limited(struct fffa_log_limit *l, const char *tag, const char *text, uint64_t records)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	l->records += records;
	if (l->last_ns && now - l->last_ns < LIMIT_NS)
		return;
	fffa_warn(tag, "%s: records=%" PRIu64, text, l->records);
	l->records = 0;
	l->last_ns = now;
}
