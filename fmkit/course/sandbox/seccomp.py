"""A filter of system calls for the sandbox: what a learner's code never needs, and an attack might.

bubblewrap leaves user namespaces open to the program inside, and sockets that no network namespace holds back
(to a virtual machine's host, for one). The filter is a small program for the kernel (classic BPF), made here
by hand.
"""

import errno
import os
import platform
import struct

# numbers of the system calls on (x86_64, aarch64)
_DENIED = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "inotify_init1": (294, 26),
    "syslog": (103, 116),
    "kcmp": (312, 272),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE, _CLONE3, _SOCKET, _MMAP, _SETSID = (56, 220), (435, 435), (41, 198), (9, 222), (112, 157)
_FCNTL, _PRLIMIT = (72, 25), (302, 261)
_SET_LEASE = 1024  # who owns a file may let others wait to open it: the neighbours open the same files
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: allowed, and connected to nothing

_SHARED_MEMORY = (
    0x21  # MAP_SHARED and MAP_ANONYMOUS: it stays where no process has it mapped, and is not counted
)

_LOAD, _AND, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _step(code, value, if_true=0, if_false=0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _step(_RETURN, 0x00050000 | error)


def program() -> bytes:
    """The filter, as bubblewrap's ``--seccomp`` reads it; empty on a machine whose numbers we do not know."""
    if platform.machine() not in _ARCHITECTURES:
        return b""
    column, architecture = _ARCHITECTURES[platform.machine()]
    steps = [_step(_LOAD, 4), _step(_JUMP_EQUAL, architecture, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, 0)]
    if column == 0:  # the same calls under other numbers (the x32 interface)
        steps += [_step(_JUMP_GREATER, 0x40000000, 0, 1), _refuse(errno.EPERM)]
    for numbers in _DENIED.values():
        steps += [_step(_JUMP_EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    # "done", and nothing is: in sessions of its own an answer could have a larger share of the processors
    steps += [_step(_JUMP_EQUAL, _SETSID[column], 0, 1), _refuse(0)]
    steps += [_step(_JUMP_EQUAL, _MMAP[column], 0, 5), _step(_LOAD, 40), _step(_AND, _SHARED_MEMORY)]
    steps += [_step(_JUMP_EQUAL, _SHARED_MEMORY, 0, 1), _refuse(errno.ENOMEM), _step(_RETURN, _ALLOW)]
    steps += [_step(_JUMP_EQUAL, _FCNTL[column], 0, 4), _step(_LOAD, 24)]
    steps += [_step(_JUMP_EQUAL, _SET_LEASE, 0, 1), _refuse(errno.EPERM), _step(_RETURN, _ALLOW)]
    steps += [_step(_JUMP_EQUAL, _PRLIMIT[column], 0, 4), _step(_LOAD, 16)]  # limits of its own only
    steps += [_step(_JUMP_EQUAL, 0, 1, 0), _refuse(errno.EPERM), _step(_RETURN, _ALLOW)]
    # the kernel says that it has no clone3: the C library then uses clone, whose flags can be read
    steps += [_step(_JUMP_EQUAL, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    steps += [_step(_JUMP_EQUAL, _CLONE[column], 0, 4), _step(_LOAD, 16)]
    steps += [_step(_JUMP_ANY, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _step(_RETURN, _ALLOW)]
    steps += [_step(_JUMP_EQUAL, _SOCKET[column], 0, len(_FAMILIES) + 2), _step(_LOAD, 16)]
    for position, family in enumerate(_FAMILIES):
        steps += [_step(_JUMP_EQUAL, family, len(_FAMILIES) - position, 0)]
    steps += [_refuse(errno.EACCES), _step(_RETURN, _ALLOW)]
    return b"".join(steps)


def open_program() -> int | None:
    """A file descriptor from which the filter can be read, or None where there is no filter."""
    if not (code := program()):
        return None
    fd = os.memfd_create("seccomp")
    os.write(fd, code)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
