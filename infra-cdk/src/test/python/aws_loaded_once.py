"""The AWS command line, loaded once for many calls: loading is most of what a call costs.

    aws_loaded_once.py serve SOCKET          answers calls until it is killed
    aws_loaded_once.py call SOCKET ARGUMENT… runs `aws ARGUMENT…` there, as if here

A call hands its arguments, environment, directory and standard streams over. A child of the server,
forked with everything loaded, runs the same main as the aws command, and tells its exit code.
"""

import json
import os
import signal
import socket
import sys

STREAMS = 3


def call(path, arguments):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"!"], list(range(STREAMS)))
        asked = {"arguments": arguments, "environment": dict(os.environ), "directory": os.getcwd()}
        server.sendall(json.dumps(asked).encode())
        server.shutdown(socket.SHUT_WR)
        code = server.makefile().read()
    return int(code) if code else "aws_loaded_once: the call broke off"


def serve(path):
    before = dict(os.environ)
    import awscli.clidriver

    # Where its data lie, which loading it writes down.
    of_its_own = dict(os.environ.items() - before.items())

    def run(connection):
        _, streams, _, _ = socket.recv_fds(connection, 1, STREAMS)
        asked = json.load(connection.makefile())
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(asked["environment"] | of_its_own)
        os.chdir(asked["directory"])
        sys.argv = ["aws", *asked["arguments"]]
        try:
            return awscli.clidriver.main()
        except SystemExit as end:
            return end.code

    # What a first call loads; asks nobody.
    awscli.clidriver.create_clidriver().main(["secretsmanager", "get-secret-value", "--generate-cli-skeleton"])
    sys.stdout.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path + "~")
        server.listen()
        # Who finds it may call.
        os.rename(path + "~", path)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                status = run(connection)
                sys.stdout.flush()
                sys.stderr.flush()
                connection.sendall(str(status or 0).encode())
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    if what == "serve":
        serve(where)
    sys.exit(call(where, rest))
