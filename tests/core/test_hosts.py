"""Which names mean this machine."""

import pytest

from jido_jupyter.core.hosts import is_loopback


@pytest.mark.parametrize("host", ["localhost", "jupyter.localhost", "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::"])
def test_this_machine(host: str) -> None:
    """By name, by address, and by the address that stands for any."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example.org", "10.0.0.1", "example.org", "::2", "127.0.0.1.nip.io"])
def test_another_machine(host: str) -> None:
    """What only looks like it is none."""
    assert not is_loopback(host)
