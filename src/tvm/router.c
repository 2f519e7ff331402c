/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/router.c - paths and methods to handlers.
 */
#include "tvm/call.h"

/* clang-format off */
const struct sn_route sn_routes[] = {
    {"/v1/credentials", SN_ALLOW_POST, false, true, sn_handle_credentials},
    {"/", SN_ALLOW_GET | SN_ALLOW_POST, false, false, sn_handle_credentials},
    {"/v1/profiles", SN_ALLOW_GET, false, false, sn_handle_profiles},
    {"/v1/whoami", SN_ALLOW_GET, false, false, sn_handle_whoami},
    {"/v1/explain", SN_ALLOW_POST, false, true, sn_handle_explain},
    {"/openapi.json", SN_ALLOW_GET, false, false, sn_handle_openapi},
    {"/healthz", SN_ALLOW_GET, true, false, sn_handle_healthz},
    {"/readyz", SN_ALLOW_GET, true, false, sn_handle_readyz},
    {"/metrics", SN_ALLOW_GET, true, false, sn_handle_metrics},
};
const size_t sn_route_count = SN_LEN(sn_routes);

/* The same order, and behind them what has no route. */
const char *const sn_route_names[] = {
    "/v1/credentials", "/", "/v1/profiles", "/v1/whoami", "/v1/explain", "/openapi.json", "/healthz", "/readyz",
    "/metrics", "none",
};
/* clang-format on */
_Static_assert(SN_LEN(sn_route_names) == SN_LEN(sn_routes) + 1, "one name a route");
_Static_assert(SN_LEN(sn_route_names) <= SN_METRIC_ROUTES, "SN_METRIC_ROUTES is too small");

size_t sn_route_index(const struct sn_route *route)
{
    return route == NULL ? sn_route_count : (size_t)(route - sn_routes);
}

static const struct sn_route *find_path(struct sn_slice path)
{
    if (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    if (path.len == 0) {
        path = SN_S("/");
    }
    for (size_t i = 0; i < sn_route_count; i++) {
        if (sn_slice_eq_str(path, sn_routes[i].path)) {
            return &sn_routes[i];
        }
    }
    return NULL;
}

/* The path behind the base path of one of the server's URLs. */
static const struct sn_route *find_route(const struct sn_tvm *tvm, struct sn_slice path)
{
    for (size_t i = 0; i < tvm->base_path_count; i++) {
        struct sn_slice base = tvm->base_paths[i];
        if (!sn_slice_has_prefix(path, base)) {
            continue;
        }
        struct sn_slice rest = sn_slice_sub(path, base.len, path.len);
        if (rest.len > 0 && rest.ptr[0] != '/') {
            continue;
        }
        const struct sn_route *route = find_path(rest);
        if (route != NULL) {
            return route;
        }
    }
    return NULL;
}

static unsigned method_bit(enum sn_method method)
{
    switch (method) {
    case SN_METHOD_GET:
        return SN_ALLOW_GET;
    case SN_METHOD_POST:
        return SN_ALLOW_POST;
    case SN_METHOD_OTHER:
        return 0;
    }
    return 0;
}

enum sn_status sn_call_route(struct sn_call *call, struct sn_error *err)
{
    const struct sn_route *route = find_route(call->tvm, call->request->path);

    /* The metrics listener knows the public routes only; behind a gateway nobody is public. */
    if (route == NULL || (call->request->is_metrics_listener && !route->is_public) ||
        (call->tvm->parts.is_lambda && route->is_public)) {
        return sn_api_fail(err, "NOT_FOUND", "no such route");
    }
    call->route = route;
    if ((route->methods & method_bit(call->request->method)) == 0) {
        sn_response_header(call->response, "Allow", "%s",
            route->methods == (SN_ALLOW_GET | SN_ALLOW_POST) ? "GET, POST"
            : route->methods == SN_ALLOW_GET                 ? "GET"
                                                             : "POST");
        return sn_api_fail(err, "METHOD_NOT_ALLOWED", "method not allowed");
    }
    return SN_OK;
}
