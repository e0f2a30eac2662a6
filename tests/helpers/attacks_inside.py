"""The attacks of `helpers.attacks`, as they run inside the sandbox: each says what it has found."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import traceback

import numpy as np


def tried(*calls):
    """What did not fail."""
    found = []
    for name, call in calls:
        with contextlib.suppress(OSError, ValueError, ImportError, AttributeError):
            found.append([name, str(call())[:80]])
    return found


def reading(path, mode="rb"):
    return path, lambda: open(path, mode).read(1)


def calling(number, *args):
    def call():
        libc = ctypes.CDLL(None, use_errno=True)
        if (result := libc.syscall(number, *args)) < 0:
            raise OSError(ctypes.get_errno(), "refused")
        return result

    return str(number), call


def host_folders(given):
    above = ("", "/newroot", "/oldroot", "/tmp", ".")
    return [a + name for name in given["folders"] for a in above if os.path.exists(a + name)]


def names_of_host_folders(given):
    """In all files, in what Python knows, and in what it says of an error."""
    needles, found = [name.encode() for name in given["folders"]], []
    for folder, _, files in os.walk("/"):
        for name in files if not folder.startswith("/dev") else ():
            with open(os.path.join(folder, name), "rb") as file:
                text = file.read()
            found += [os.path.join(folder, name) for needle in needles if needle in text]
    try:
        np.linalg.solve(np.zeros((2, 2)), np.zeros(5))
    except Exception:
        said = traceback.format_exc()
    known = [said, dict(os.environ), sys.path, sys.argv, sys.prefix, sys.exec_prefix, sys.base_prefix]
    known += [sys.executable, sys._base_executable, sys.orig_argv, sysconfig.get_paths(), os.getcwd()]
    known += [sysconfig.get_config_vars(), [str(m) for m in sys.modules.values()], os.uname()]
    return found + [str(k)[:200] for k in known if any(needle.decode() in str(k) for needle in needles)]


def folders_of_the_system(given):
    expected = {"dev", "kit", "lib", "python", "tmp", *given["loader"]}
    devices = {"null", "full", "random", "urandom"}
    return sorted(set(os.listdir("/")) - expected) + sorted(set(os.listdir("/dev")) - devices)


def proc_and_sys(given):
    files = ("proc/1/cmdline", "proc/self/mountinfo", "proc/mounts", "proc/kcore", "sys/kernel/notes")
    return tried(*(reading(f"/{file}") for file in files))


def descriptors(given):
    null, found = os.stat("/dev/null").st_rdev, []
    for fd in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with contextlib.suppress(OSError):
            found += [fd] if os.fstat(fd).st_rdev != null else []
    return found[1:]  # the pipe for its own result is left


def process_1(given):
    taken = tried(*(reading(f"/proc/1/{p}") for p in ("fd/0", "fd/1", "mem", "environ", "maps", "root")))
    handle = os.pidfd_open(1)
    taken += tried(*(calling(438, handle, fd, 0) for fd in range(16)))  # pidfd_getfd
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV):
        os.kill(1, number)
    return taken


def other_processes(given):
    others = set(range(2, 5000)) - {os.getpid()}
    return tried(*((str(pid), lambda pid=pid: os.kill(pid, 0)) for pid in others))


def sockets(given):
    def abstract():
        socket.socket(socket.AF_UNIX).connect("\0" + given["abstract"])

    def tcp(address):
        socket.create_connection(address, 0.5)

    hosts = [("127.0.0.1", given["port"]), ("169.254.169.254", 80), ("1.1.1.1", 53)]
    families = [(str(f), lambda f=f: socket.socket(f, socket.SOCK_RAW)) for f in range(3, 46)]
    return tried(("abstract", abstract), *((str(h), lambda h=h: tcp(h)) for h in hosts), *families)


def links(given):
    found = []
    targets = [*given["folders"], "/proc/1/root", "/etc/passwd", "/dev/mem", "/../../../etc/shadow"]
    for i, target in enumerate(targets):
        os.symlink(target, f"/tmp/link{i}")
        found += [target] if os.path.exists(f"/tmp/link{i}") else []
        found += tried((target, lambda target=target, i=i: os.link(target, f"/tmp/hard{i}")))
    return found


def system_calls(given):
    return tried(*(calling(number, 0, 0, 0, 0, 0) for number in given["denied"]))


def rights(given):
    device = os.makedev(254, 0)
    first = os.sched_param(1)
    return tried(
        ("setuid", lambda: os.setuid(0)),
        ("setgroups", lambda: os.setgroups([0])),
        ("chown", lambda: os.chown("/tmp", 0, 0)),
        ("nice", lambda: os.nice(-1)),
        ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, first)),
        ("clock", lambda: time.clock_settime(time.CLOCK_REALTIME, 0)),
        ("host name", lambda: socket.sethostname("x")),
        ("chroot", lambda: os.chroot("/tmp")),
        ("device", lambda: os.mknod("/tmp/node", 0o60666, device)),
    )


def shared_memory(given):
    """Memory that the watch would not see."""
    return tried(
        ("anonymous", lambda: mmap.mmap(-1, 1 << 20)),
        ("/dev/zero", lambda: open("/dev/zero", "r+b")),
        ("/dev/shm", lambda: open("/dev/shm/x", "wb")),
        ("memfd", lambda: os.memfd_create("x")),
    )


def written(given):
    places = ["/x", "/kit/x.py", "/lib/x", "/python/x", "/dev/x", np.__file__, os.__file__, sys.executable]
    return tried(*(reading(place, "ab+") for place in places))


def programs(given):
    names = ("sh", "/bin/sh", "mount", "ls", "bwrap")
    return tried(*((name, lambda name=name: subprocess.run([name], timeout=5)) for name in names))


def sessions(given):
    """A session of its own has, on many systems, its own share of the processors."""
    if (pid := os.fork()) == 0:
        with contextlib.suppress(OSError):
            os.setsid()
        os._exit(os.getsid(0) == os.getpid())
    return [] if os.waitpid(pid, 0)[1] == 0 else ["a new session"]


def leases(given):
    """Who holds one lets a neighbour wait who opens the same file."""
    with open(os.__file__) as file, open("/kit/fmkit/layers.py") as other:
        return tried(
            ("reading", lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)),
            ("writing", lambda: fcntl.fcntl(other, fcntl.F_SETLEASE, fcntl.F_WRLCK)),
        )


def limits_of_process_1(given):
    return tried(("limits", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))))
