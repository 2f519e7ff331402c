/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/client_loop.h - calls of tasks: one event loop a thread carries them all. Private to src/net, as libcurl is.
 */
#ifndef SN_NET_CLIENT_LOOP_H
#define SN_NET_CLIENT_LOOP_H

/* As curl_easy_perform, for a task, which waits meanwhile; easy is a CURL, the result a CURLcode. */
int sn_http_loop_perform(void *easy);
/* A socket of a call is opened or closed; nothing on a thread that is no crew's. */
void sn_http_loop_opened(int fd);
void sn_http_loop_closed(int fd);

#endif
