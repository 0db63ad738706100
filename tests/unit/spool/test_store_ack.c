// SPDX-License-Identifier: MIT
/* The file "ack", also as earlier versions wrote it: two slots of 64 bytes with turn and position. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/spool/store.h"
#include "agent/spool/wire.h"
#include "tests/stubs/cmocka_all.h"

#define OLD_SLOT 64

struct place {
	char base[64], dir[80], file[96];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->base, "/tmp/fffa-ack.XXXXXX");
	*state = p;
	if (!mkdtemp(p->base))
		return -1;
	(void)snprintf(p->dir, sizeof(p->dir), "%s/a", p->base);
	(void)snprintf(p->file, sizeof(p->file), "%s/ack", p->dir);
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char lock[96];

	(void)snprintf(lock, sizeof(lock), "%s/lock", p->dir);
	(void)remove(lock);
	(void)remove(p->file);
	(void)rmdir(p->dir);
	(void)rmdir(p->base);
	free(p);
	return 0;
}

static struct fffa_store *open_store(const struct place *p)
{
	struct fffa_err err = {""};
	struct fffa_store *s = NULL;

	assert_int_equal(fffa_store_open(p->base, "a", &s, &err), 0);
	return s;
}

static void read_account(struct fffa_store *s, struct fffa_spool_account *a)
{
	uint64_t *ids = NULL;
	size_t n = 1;

	memset(a, 0xaa, sizeof(*a));
	assert_int_equal(fffa_store_list(s, &ids, &n, a), 0);
	assert_int_equal(n, 0);
	free(ids);
}

/* A slot whose position tells its turn. */
static void put_old(uint8_t slot[OLD_SLOT], uint64_t turn)
{
	uint8_t *p = slot;

	memset(slot, 0, OLD_SLOT);
	fffa_wire_put64(&p, turn);
	for (uint64_t i = 1; i <= 5; i++)
		fffa_wire_put64(&p, 1000 * turn + i);
	fffa_wire_put_crc(slot, OLD_SLOT);
}

static void write_old(const struct place *p, uint64_t first, uint64_t second, size_t damaged)
{
	uint8_t slots[2 * OLD_SLOT];
	int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	put_old(slots, first);
	put_old(slots + OLD_SLOT, second);
	if (damaged)
		slots[damaged] ^= 1;
	assert_int_equal(write(fd, slots, sizeof(slots)), sizeof(slots));
	(void)close(fd);
}

static void assert_turn(const struct fffa_spool_account *a, uint64_t turn)
{
	assert_int_equal(a->ack.segment, 1000 * turn + 1);
	assert_int_equal(a->ack.pos.at, 1000 * turn + 2);
	assert_int_equal(a->ack.pos.records, 1000 * turn + 3);
	assert_int_equal(a->ack.pos.numbers, 1000 * turn + 4);
	assert_int_equal(a->ack.pos.seq, 1000 * turn + 5);
	assert_int_equal(a->n, 0); /* it has no epochs */
	assert_int_equal(a->time_ms, 0);
}

static void the_higher_turn_of_the_old_form_counts(void **state)
{
	const struct place *p = *state;
	struct fffa_store *s = open_store(p);
	struct fffa_spool_account a;

	write_old(p, 6, 7, 0);
	read_account(s, &a);
	assert_turn(&a, 7);
	write_old(p, 8, 7, 0);
	read_account(s, &a);
	assert_turn(&a, 8);
	fffa_store_close(s);
}

static void a_damaged_slot_of_the_old_form_leaves_the_other(void **state)
{
	const struct place *p = *state;
	struct fffa_store *s = open_store(p);
	struct fffa_spool_account a;

	for (size_t at = 1; at < OLD_SLOT; at++) {
		write_old(p, 8, 7, at);
		read_account(s, &a);
		assert_turn(&a, 7);
		write_old(p, 6, 7, OLD_SLOT + at);
		read_account(s, &a);
		assert_turn(&a, 6);
	}
	fffa_store_close(s);
}

/* The next write is of the form of today, and counts from then on. */
static void the_form_of_today_follows(void **state)
{
	const struct place *p = *state;

	for (uint64_t turn = 6; turn <= 7; turn++) { /* the next goes to either slot */
		struct fffa_spool_account now = {.ack = {.segment = 5, .pos = {.at = 6}},
						 .time_ms = 77,
						 .n = 1,
						 .v = {{.epoch = 3, .given = 9}}};
		struct fffa_store *s = open_store(p);
		struct fffa_spool_account a;

		write_old(p, turn, turn - 1, 0);
		read_account(s, &a);
		assert_turn(&a, turn);
		assert_int_equal(fffa_store_ack_write(s, &now, true), 0);
		fffa_store_close(s);
		s = open_store(p);
		read_account(s, &a);
		assert_int_equal(a.ack.segment, 5);
		assert_int_equal(a.ack.pos.at, 6);
		assert_int_equal(a.time_ms, 77);
		assert_int_equal(a.n, 1);
		assert_int_equal(a.v[0].given, 9);
		fffa_store_close(s);
	}
}

static void no_file_is_no_account(void **state)
{
	struct fffa_store *s = open_store(*state);
	struct fffa_spool_account a;

	read_account(s, &a);
	assert_int_equal(a.ack.segment, 0);
	assert_int_equal(a.n, 0);
	fffa_store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_higher_turn_of_the_old_form_counts),
		T(a_damaged_slot_of_the_old_form_leaves_the_other),
		T(the_form_of_today_follows),
		T(no_file_is_no_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
