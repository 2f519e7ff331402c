# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a lab for clients that take no endpoint: whatever host a CONNECT names, behind it answers the lab,
over TLS with a certificate of our own making for the hosts of IAM Identity Center."""
import pathlib
import socket
import ssl
import subprocess
import threading

HOSTS = ("oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com")


def make_certificate(directory):
    """(certificate, key): self-signed, hence also the bundle a client trusts."""
    directory = pathlib.Path(directory)
    certificate, key = directory / "front.pem", directory / "front.key"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=front", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


class TlsFront:
    def __init__(self, directory, port):
        self.port_behind = port
        self.bundle, key = make_certificate(directory)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.bundle, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.hosts = []
        threading.Thread(target=self.accept, daemon=True).start()

    def env(self):
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self.listener.getsockname()[1]}", "NO_PROXY": "127.0.0.1",
                "AWS_CA_BUNDLE": str(self.bundle)}

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        self.hosts.append(head.split(b" ", 2)[1].decode())
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            inside = self.tls.wrap_socket(connection, server_side=True)
        except (ssl.SSLError, OSError):
            return
        behind = socket.create_connection(("127.0.0.1", self.port_behind))
        threading.Thread(target=self.copy, args=(behind, inside), daemon=True).start()
        self.copy(inside, behind)

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ssl.SSLError):
            pass
