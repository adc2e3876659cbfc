#!/usr/bin/env python3
"""A loopback S3 that takes uploads over TLS, as S3 does, and keeps nothing.

    sink.py CERTIFICATE KEY

Knows just the calls of a multipart upload and of a small object; objects never exist. Prints its
port.
"""

import re
import socket
import ssl
import sys
import threading

TAKE = 1 << 20


def answer(connection, status, headers=(), body=b""):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "x-amz-request-id: sink"]
    lines += list(headers)
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def discard(connection, count, has, into):
    """Throws a body away; what came behind it."""
    rest, count = has[count:], count - len(has)
    while count > 0:
        got = connection.recv_into(into, min(count, TAKE))
        if got == 0:
            raise ConnectionError("closed in a body")
        count -= got
    return rest


def line(connection, has):
    """The next line, and what came behind it."""
    while b"\r\n" not in has:
        more = connection.recv(16384)
        if not more:
            raise ConnectionError("closed in a line")
        has += more
    return has.split(b"\r\n", 1)


def chunks(connection, has, into):
    """Throws away a body in chunks, with a size before each, as aws s3 cp sends it over TLS."""
    while True:
        size, has = line(connection, has)
        count = int(size.split(b";")[0], 16)
        if count == 0:
            break
        _, has = line(connection, discard(connection, count, has, into))
    while True:
        trailer, has = line(connection, has)
        if not trailer:
            return has


def serve(connection):
    data = b""
    into = bytearray(TAKE)
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(16384)
            if not more:
                return
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            data = chunks(connection, data, into)
        else:
            data = discard(connection, int(headers.get("content-length", "0")), data, into)
        path, _, query = target.partition("?")
        if method == "POST" and query.startswith("uploads"):
            answer(connection, "200 OK", body=xml("InitiateMultipartUploadResult", "<UploadId>u</UploadId>"))
        elif method == "POST" and "uploadId=" in query:
            answer(connection, "200 OK", body=xml("CompleteMultipartUploadResult", "<ETag>e</ETag>"))
        elif method == "POST" and "delete" in query:
            answer(connection, "200 OK", body=xml("DeleteResult", ""))
        elif method == "PUT":
            checksums = [f"{k}: {v}" for k, v in headers.items() if k.startswith("x-amz-checksum-") and k != "x-amz-checksum-algorithm"]
            answer(connection, "200 OK", ['ETag: "e"'] + checksums)
        elif method == "GET" and re.search(r"(^|&)uploads", query):
            answer(connection, "200 OK", body=xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>"))
        elif method == "GET" and "list-type=2" in query:
            answer(connection, "200 OK", body=xml("ListBucketResult", "<IsTruncated>false</IsTruncated><KeyCount>0</KeyCount>"))
        elif method == "DELETE":
            answer(connection, "204 No Content")
        elif method == "HEAD":
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            answer(connection, "404 Not Found", body=b"<Error><Code>NoSuchKey</Code><Message>nothing is kept</Message></Error>")


def xml(name, inner):
    return f'<?xml version="1.0"?><{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>'.encode()


def guarded(connection, tls):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with tls.wrap_socket(connection, server_side=True) as secure:
            serve(secure)
    except (ConnectionError, OSError, ValueError) as problem:
        print(f"sink: {problem}", file=sys.stderr)


def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=guarded, args=(connection, tls), daemon=True).start()


if __name__ == "__main__":
    main()
