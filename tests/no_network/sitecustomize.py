"""Cut a Python process off from all hosts but its own; it starts with this folder in PYTHONPATH.

The lessons' kernels do where the pictures are drawings (conftest.py): the course must run on a
train.
"""

import ipaddress
import socket

_connect, _connect_ex, _find = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _refuse(host) -> None:
    """Raise for any host that is not this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return
    try:
        if ipaddress.ip_address(name).is_loopback or _is_own(name):
            return
    except ValueError:
        pass  # a name, and not this machine's
    raise OSError(f"no network in this test: {name} was asked for")


def _is_own(address) -> bool:
    """Whether it is one of this machine's: only these can be listened at. Ray's nodes use one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _is_internet(the_socket) -> bool:
    return the_socket.family in {socket.AF_INET, socket.AF_INET6}


def connect(self, address):
    """`socket.connect` to this machine only."""
    if _is_internet(self):
        _refuse(address[0])
    return _connect(self, address)


def connect_ex(self, address):
    """`socket.connect_ex` to this machine only."""
    if _is_internet(self):
        _refuse(address[0])
    return _connect_ex(self, address)


def getaddrinfo(host, *arguments, **options):
    """`socket.getaddrinfo` of this machine only."""
    _refuse(host)
    return _find(host, *arguments, **options)


socket.socket.connect = connect
socket.socket.connect_ex = connect_ex
socket.getaddrinfo = getaddrinfo
