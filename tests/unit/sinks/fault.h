/* SPDX-License-Identifier: MIT */
/*
 * One call into the system fails. Link with failing_alloc.c and the options that CMakeLists.txt
 * gives to test_file_faults: --wrap of the functions in fault.c and of the allocations.
 */
#ifndef FFFA_TESTS_UNIT_SINKS_FAULT_H
#define FFFA_TESTS_UNIT_SINKS_FAULT_H

#include <stdbool.h>

enum fault_call {
	FAULT_NONE,
	FAULT_READ,
	FAULT_PREAD,
	FAULT_PWRITE,
	FAULT_FTRUNCATE,
	FAULT_FSYNC,
	FAULT_RENAMEAT,
	FAULT_UNLINKAT,
	FAULT_FCHMOD,
	FAULT_FCHOWN,
	FAULT_FLOCK,
	FAULT_CLOSE, /* it is closed all the same */
	FAULT_WRITE, /* fffa_io_write_all */
	FAULT_CALLS
};

struct fault {
	enum fault_call call;
	unsigned int turn;
	int error;
	bool fired;
	unsigned int seen[FAULT_CALLS];	 /* calls since fault_arm */
	void (*before_flock)(void *arg); /* what others do before the next flock; NULL: nothing */
	void *arg;
};

extern struct fault fault;

/*
 * From now on the turn-th call (from 1) of this kind fails with error; a write has written half then.
 * Error 0: a read or write does half of what it should. FAULT_NONE: all work.
 */
void fault_arm(enum fault_call call, unsigned int turn, int error);

/* No descriptor can be had. */
void fault_no_descriptors(bool on);

#endif
