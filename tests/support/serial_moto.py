# SPDX-License-Identifier: Apache-2.0
"""moto's server with one request at a time, which makes its DynamoDB transactions isolated. Prints the address, then serves.

Its CloudWatch Logs calls JSON text/html; AWS answers a JSON request with the type of the request, and so does this."""
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def serial(app):
    """An application whose requests exclude one another until their answer is complete."""
    lock = threading.Lock()

    def one_at_a_time(environment, start_response):
        def start(status, headers, exc_info=None):
            if "HTTP_X_AMZ_TARGET" in environment:
                headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
                headers.append(("Content-Type", environment["CONTENT_TYPE"]))
            return start_response(status, headers, exc_info)

        with lock:
            return [b"".join(app(environment, start))]

    return one_at_a_time


def main():
    application = serial(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
