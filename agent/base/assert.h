/* SPDX-License-Identifier: MIT */
/*
 * Assertions that stay on in release builds. They stand beside every invariant whose break
 * would corrupt memory or the ledger: a process that stops and says why is better than one
 * that miscounts.
 */
#ifndef FFFA_AGENT_BASE_ASSERT_H
#define FFFA_AGENT_BASE_ASSERT_H

/*
 * Evaluates expr once. Where it is false: logs the expression and its place, calls the dump of
 * fffa_assert_set_dump, and aborts. Any thread.
 */
#define FFFA_ASSERT(expr)                                                                          \
	(__builtin_expect(!!(expr), 1) ? (void)0 : fffa_assert_fail(#expr, __FILE__, __LINE__))

/*
 * dump is called once, on the thread whose assertion fails, before the process aborts; NULL:
 * nothing is dumped. It logs the state that explains the failure and must neither lock nor change
 * anything. Set before the loop runs and cleared before arg is gone.
 */
void fffa_assert_set_dump(void (*dump)(void *arg), void *arg);

/* What a broken FFFA_ASSERT calls. */
_Noreturn void fffa_assert_fail(const char *expr, const char *file, int line) __attribute__((cold));

#endif
