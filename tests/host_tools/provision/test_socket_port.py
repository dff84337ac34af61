"""The kit's socket has a UART's shape, whoever connects and however badly."""

import socket

import pytest

from firmware import socket_port
from firmware.socket_port import SocketPort


@pytest.fixture
def port(tmp_path):
    port = SocketPort(str(tmp_path / "cable"))
    yield port
    port.close()


@pytest.fixture
def connect(tmp_path):
    opened = []

    def connect():
        opened.append(socket.socket(socket.AF_UNIX))
        opened[-1].connect(str(tmp_path / "cable"))
        opened[-1].settimeout(5)
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def heard(port) -> bytes:
    buf = bytearray(64)
    return bytes(buf[: port.readinto(buf) or 0])


def test_only_the_owner_and_the_group_may_connect(port, tmp_path):
    assert (tmp_path / "cable").stat().st_mode & 0o777 == 0o660


def test_a_port_without_anyone_is_a_uart_without_a_cable(port):
    assert port.any() == 0
    assert port.readinto(bytearray(8)) is None
    assert port.write(b"OK -\n") == 5


def test_what_a_killed_kit_left_is_replaced(port, tmp_path, connect):
    again = SocketPort(str(tmp_path / "cable"))
    connect().sendall(b"x\n")
    assert heard(again) == b"x\n"
    again.close()


def test_bytes_are_seen_before_they_are_read(port, connect):
    client = connect()
    assert port.any() == 0
    client.sendall(b"HELLO\n")
    assert port.any() == 1
    assert heard(port) == b"HELLO\n"
    assert port.any() == 0
    assert port.write(b"OK\n") == 3
    assert client.recv(9) == b"OK\n"
    client.close()
    assert port.any() == 1  # there is an end to be read
    assert port.readinto(bytearray(8)) is None
    assert port.any() == 0


def test_a_line_is_not_mixed_with_anothers(port, connect):
    first, second = connect(), connect()
    first.sendall(b"half ")
    assert heard(port) == b"half "
    second.sendall(b"whole\n")
    assert heard(port) == b""
    first.sendall(b"line\n")
    assert heard(port) == b"line\n"
    port.write(b"to the first")
    assert first.recv(99) == b"to the first"
    assert heard(port) == b"whole\n"
    port.write(b"to the second")
    assert second.recv(99) == b"to the second"


def test_who_leaves_a_line_half_is_passed_over_in_time(port, connect, monkeypatch):
    first, second = connect(), connect()
    first.sendall(b"half ")
    assert heard(port) == b"half "
    second.sendall(b"whole\n")
    monkeypatch.setattr(socket_port, "_PATIENCE_MS", -1)
    assert heard(port) == b"whole\n"


def test_the_fifth_connection_ends_the_one_that_is_silent_longest(port, connect):
    clients = [connect() for _ in range(4)]
    for client in clients:
        client.sendall(b"x\n")
        assert heard(port) == b"x\n"
    clients[0].sendall(b"again\n")
    assert heard(port) == b"again\n"
    connect()
    assert port.any() == 0
    assert clients[1].recv(9) == b""
    clients[0].sendall(b"still here\n")
    assert heard(port) == b"still here\n"


def test_a_reader_that_does_not_read_is_let_go(port, connect, monkeypatch):
    client = connect()
    client.sendall(b"x\n")
    assert heard(port) == b"x\n"
    while port.write(bytes(65536)) is not None:
        pass
    monkeypatch.setattr(socket_port, "_PATIENCE_MS", -1)
    assert port.write(b"more") == 4
    assert port.write(b"to nobody") == 9
    monkeypatch.undo()
    other = connect()
    other.sendall(b"y\n")
    assert heard(port) == b"y\n"
