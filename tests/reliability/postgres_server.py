"""A private PostgreSQL server on loopback, in a directory that goes away with it. Never as root."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def binaries() -> Path | None:
    """The directory with `initdb` and `postgres`, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parent.parent.name)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None


def why_not() -> str | None:
    """Why no server can run here, or None."""
    if binaries() is None:
        return "PostgreSQL: no server binaries (initdb, postgres) on this machine"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL: running as root, and there is no user `postgres` or `nobody` to run the server as"
    return None


def _other_user() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


class Server:
    """One server. `kill` ends it as a power cut would (as far as a process can), `start` brings it back."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="exportguard-pg-"))
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_other_user() or "")
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        folder = binaries()
        assert folder is not None
        self._folder = folder
        command = [str(folder / "initdb"), "-D", str(self.home / "data"), "-U", "tester", "-A", "trust", "--no-sync"]
        subprocess.run(
            [*command, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, cwd=self.home, **self._as
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        atexit.register(self.stop)

    def start(self) -> None:
        # Its files need only outlive the server's own process here, not the machine's power.
        options = [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.home}",
            "max_connections=60",
        ]
        command = [str(self._folder / "postgres"), "-D", str(self.home / "data"), "-p", str(self.port)]
        for option in options:
            command += ["-c", option]
        self._process = subprocess.Popen(
            command, cwd=self.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ready = [str(self._folder / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("the PostgreSQL server did not start")

    def kill(self) -> None:
        """SIGQUIT: the server drops everything at once and recovers from its log when it starts again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)
        self._process = None

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """All of its processes are stopped, and go on afterwards."""
        assert self._process is not None
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        every = [main, *map(int, children)]
        for pid in every:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in every:
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def fresh(self, name: str) -> str:
        """An empty place of its own (a schema), by URL."""
        import psycopg

        with psycopg.connect(host="127.0.0.1", port=self.port, user="tester", dbname="postgres", autocommit=True) as c:
            c.execute(f'CREATE SCHEMA "{name}"')
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{name}"


@cache
def server() -> Server:
    """The one server of this test run."""
    return Server()
