"""Makes .vault-dr/venv fit tools/requirements.txt; called by tools/setup with Python >= 3.10."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WANTED_BYTES = 1 << 30  # the wheels, unpacked, and pip's own working copies
FAILURES = (
    (r"No space left on device|Errno 28", "the disk is full", "Free {need} MB and try again"),
    (
        r"NewConnectionError|NameResolutionError|Temporary failure in name|Failed to establish|"
        r"ConnectTimeout|ReadTimeout|ProxyError|No route to host|Connection refused|SSLError|"
        r"from versions: none",
        "the package index can't be reached",
        "Check network, proxy and pip's configuration (pip config list), and try again",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a downloaded package is not the pinned one",
        "Check what stands between this machine and the package index; nothing was installed",
    ),
    (
        r"No matching distribution|Could not find a version",
        "the package index has no fitting wheel: {line}",
        "Check that pip's index holds this version for this platform (Linux or macOS, x86_64 or arm64)",
    ),
)


def fail(text):
    print("vault-dr: " + text, file=sys.stderr)
    sys.exit(2)


def pip(venv, lock):
    """Runs pip so that a person sees its progress; gives its exit code and what it complained of."""
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--no-compile",
               "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes",
               "-r", str(lock)]
    terminal = sys.stdout.isatty()
    complaints = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        command, stdout=None if terminal else subprocess.PIPE, stderr=complaints, text=True)

    def stop(number, _frame):
        process.terminate()
        process.wait()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if not terminal:
        # pip draws its bars only on a terminal; elsewhere each package is one line with its size.
        for line in process.stdout:
            if re.match(r"\s*(Downloading|Using cached|Processing|Installing)", line):
                print("  " + line.strip()[:160], flush=True)
    code = process.wait()
    complaints.seek(0)
    return code, complaints.read()


def compile_used(venv):
    """Compiles what aws, cfn-lint, moto and parliament load at each of their hundreds of starts: a fifth of
    all files. What else they come to load is kept, compiled, by who loads it first."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    print("  Compiling", flush=True)
    compiled = subprocess.run(
        [str(venv / "bin" / "python"), "-c",
         "import awscli.clidriver, cfnlint.runner, cfnlint.rules, moto.server, parliament.cli"],
        capture_output=True, text=True, env=environment)
    if compiled.returncode != 0:
        last = compiled.stderr.strip().splitlines()[-1:] or [f"ended with {compiled.returncode}"]
        fail(f"Python environment: what was installed can't be loaded: {last[0]}. Remove {venv} and try again")


def main(root):
    lock = root / "tools" / "requirements.txt"
    home = root / ".vault-dr"
    venv = home / "venv"
    stamp = venv / "requirements.sha256"
    # Another way to install makes another environment.
    wanted = hashlib.sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()

    def fits():
        return stamp.is_file() and stamp.read_text().strip() == wanted and \
            (venv / "bin" / "python").exists()

    if fits():
        return
    try:
        home.mkdir(exist_ok=True)
        guard = open(home / "setup.lock", "w")
    except OSError as error:
        fail(f"can't write {home}: {error.strerror}. Make the folder writable, or free the disk, and try again")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("vault-dr: another call is setting up the Python environment; waiting for it", flush=True)
        fcntl.flock(guard, fcntl.LOCK_EX)
    if fits():
        return

    free = shutil.disk_usage(home).free
    if free < WANTED_BYTES:
        fail(f"the disk of {home} is full: {free >> 20} MB free, {WANTED_BYTES >> 20} MB needed. "
             "Free some and try again")
    packages = sum(1 for line in lock.read_text().splitlines() if re.match(r"[\w.-]+==", line))
    started = time.monotonic()
    print(f"vault-dr: Python environment: {packages} packages, about 150 MB to download, 650 MB on "
          f"disk, into {os.path.relpath(venv)}", flush=True)
    stamp.unlink(missing_ok=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)],
                          capture_output=True, text=True)
    if made.returncode != 0:
        last = (made.stdout + made.stderr).strip().splitlines()[-1:] or ["no message"]
        fail(f"python -m venv failed with {sys.executable}: {last[0]}. Install Python's venv module "
             "(Debian: python3-venv) and try again")
    code, complaints = pip(venv, lock)
    if code != 0:
        errors = [line for line in complaints.splitlines() if line.startswith("ERROR")] or \
            complaints.strip().splitlines()[-1:] or [f"pip ended with {code}"]
        for pattern, seen, todo in FAILURES:
            if re.search(pattern, complaints):
                fail("Python environment: " + seen.format(line=errors[-1]) + ". "
                     + todo.format(need=WANTED_BYTES >> 20))
        fail(f"Python environment: {errors[-1]}. Remove {venv} and try again")
    compile_used(venv)
    stamp.write_text(wanted + "\n")
    print(f"vault-dr: Python environment ready after {time.monotonic() - started:.0f} s", flush=True)


main(Path(sys.argv[1]))
