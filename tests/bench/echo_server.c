/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo_server - the listener with a handler that does nothing, to measure what the transport alone costs.
 *
 *   echo_server ADDRESS [WORKERS]       prints "ready PORT", serves until its standard input ends
 */
#include <stdio.h>
#include <unistd.h>

#include "base/parse.h"
#include "net/listener.h"

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    (void)ctx;
    response->status = 200;
    sn_buf_add_str(&response->body, "{\"length\":");
    sn_buf_add_int(&response->body, (int64_t)request->body.len);
    sn_buf_add_str(&response->body, "}");
}

int main(int argc, char **argv)
{
    struct sn_error err = {0};
    struct sn_listener *listener = NULL;
    int64_t workers = 64;
    char byte;
    struct sn_listener_options options = {.address_count = 1, .handle = handle};
    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: echo_server ADDRESS [WORKERS]\n");
        return 2;
    }
    enum sn_status status = argc == 3 ? sn_parse_int(sn_slice_str(argv[2]), 1, 256, &workers, &err) : SN_OK;
    options.addresses[0].text = argv[1];
    options.workers = (size_t)workers;
    status = status == SN_OK ? sn_listener_new(&options, &listener, &err) : status;
    status = status == SN_OK ? sn_listener_start(listener, &err) : status;
    if (status != SN_OK) {
        (void)fprintf(stderr, "echo_server: %s\n", err.message);
        return 3;
    }
    (void)printf("ready %u\n", sn_listener_port(listener, 0));
    (void)fflush(stdout);
    while (read(0, &byte, 1) > 0) {
    }
    sn_listener_free(listener);
    return 0;
}
