"""For the tests of the course: something to be reached over the network."""

import socket

import pytest


@pytest.fixture(scope="module")
def server():
    """Something that listens on this machine, which no answer may reach."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
