/* SPDX-License-Identifier: MIT */
/* An HTTP/1.1 server that reads bodies and answers 200, as cheaply as it can. */
#ifndef FFFA_TESTS_BENCH_HTTP_DISCARD_H
#define FFFA_TESTS_BENCH_HTTP_DISCARD_H

/* Opens a listening socket on loopback. *port 0 means any; it then gets the port. -1 on failure. */
int discard_listen(int *port);
/* Serves until the process is killed. */
void discard_serve(int listener);

#endif
