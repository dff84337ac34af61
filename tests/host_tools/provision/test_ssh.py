"""Enrolment over SSH: the system's ssh and sshd between the host tool and a kit with a TPM."""

import os
import subprocess
import sys
import termios
import time
import tomllib
from pathlib import Path

import pytest
import serial

from firmware.cable_relay import main
from host_tools.provision import enrol as enrolment
from host_tools.provision import sample
from host_tools.provision.link import LinkError
from host_tools.provision.ports import open_port
from host_tools.provision.ssh import command
from tests.host_tools.provision.sshd import Sshd, keygen, script
from tests.tpm.bench import TpmKit
from tests.tpm.test_enrolment import NOW, enrol, vouched

ROOT = Path(__file__).parents[3]
RELAY = f"cd {ROOT} && exec {sys.executable} -m firmware.cable_relay"


@pytest.fixture
def pi(tmp_path):
    kit = TpmKit(tmp_path / "kit")
    kit.start()
    yield kit
    kit.close()


@pytest.fixture
def sshd(tmp_path, pi, monkeypatch):
    server = Sshd(tmp_path / "ssh")
    script(server.bin / "saksi-cable", f"{RELAY} {pi.cable}")
    monkeypatch.setenv("PATH", f"{server.client()}:{os.environ['PATH']}")
    yield server
    server.close()


@pytest.fixture
def plug(sshd):
    """Opens connections, and ends them with the test."""
    opened = []

    def connect(url=None):
        opened.append(open_port(url or sshd.url))
        return opened[-1]

    yield connect
    for stream in opened:
        stream.close()


def reason(plug, url=None) -> str:
    with pytest.raises(LinkError) as caught:
        enrolment.Link(plug(url)).hello()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_kit_with_a_tpm_is_enrolled_over_ssh_and_its_entry_holds(pi, plug, authority):
    done = enrol(pi, authority, plug(), start=True)
    assert pi.clock == [NOW]
    pi.stop()
    assert pi.started == 1
    assert vouched(pi, authority, done)


def test_the_command_enrols_over_ssh(pi, sshd, authority, tmp_path):
    office = tmp_path / "office"
    saksi = [sys.executable, "-c", "from host_tools.cli import main; main()", "provision"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*saksi, "sample", "copy", office], check=True, env=env, stdout=sys.stderr)
    enrol_it = [*saksi, "enrol", office / "pilkada/election.toml", "--authority", authority.folder]
    enrol_it += ["--region", str(sample.REGION), "--station", str(sample.STATION), "--kit", "KIT-1"]
    enrol_it += ["--register", tmp_path / "kits.csv", "--port", sshd.url, "--json"]
    done = subprocess.run(enrol_it, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert f'"serial": "{pi.live.serial().hex().upper()}"' in done.stdout
    sshd.know("")
    done = subprocess.run(enrol_it, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"{sshd.url}: ssh does not know this kit yet")


@pytest.mark.parametrize("step", ["certify the live", "certify the training", "station", "clock"])
def test_a_connection_that_is_cut_before_a_step_is_resumed(pi, plug, authority, step):
    stream = plug()

    def cut(name):
        if step in name:
            stream.process.kill()

    with pytest.raises(LinkError, match="connection ended"):
        enrol(pi, authority, stream, progress=cut)
    done = enrol(pi, authority, plug(), start=True)
    pi.stop()
    assert pi.started == 1
    assert vouched(pi, authority, done)


def test_a_cut_within_a_line_is_resumed(pi, plug, authority):
    stream = plug()
    enrolment.Link(stream).hello()
    stream.write(b"SAKSI PACKAGE d284")
    stream.process.kill()
    assert enrol(pi, authority, plug()).board == "pi"


def test_a_kit_with_another_host_key_is_refused_in_one_line(sshd, plug, tmp_path):
    sshd.know(keygen(tmp_path / "other"))
    assert "another machine answers there" in reason(plug)


def test_a_kit_that_ssh_does_not_know_is_refused_in_one_line(sshd, plug):
    sshd.know("")
    assert "ssh does not know this kit yet" in reason(plug)


def test_a_key_that_the_kit_does_not_take_is_named(sshd, plug):
    (sshd.folder / "authorized_keys").write_text("")
    assert "takes none of your SSH keys" in reason(plug)


def test_a_machine_without_the_kit_or_its_cable_is_named(sshd, plug, pi):
    pi.stop()
    pi.cable.unlink(missing_ok=True)
    assert "no kit runs here" in reason(plug)
    (sshd.bin / "saksi-cable").unlink()
    assert "saksi-cable is not installed there" in reason(plug)
    sshd.close()
    assert "Connection refused" in reason(plug)


def test_a_kit_that_stops_in_the_middle_is_named(pi, plug):
    link = enrolment.Link(plug())
    link.hello()
    pi.stop()
    with pytest.raises(LinkError, match="the kit ended the connection"):
        link.request("HELLO")


def test_a_key_that_may_open_the_cable_may_do_nothing_else(tmp_path, pi, monkeypatch):
    sshd = Sshd(tmp_path / "ssh", forced=f"{RELAY} {pi.cable}")
    monkeypatch.setenv("PATH", f"{sshd.client()}:{os.environ['PATH']}")
    stream = open_port(sshd.url)
    try:
        assert enrolment.Link(stream).hello()[1] == "pi"
        words = command(sshd.url)
        other = subprocess.run([*words[:-1], "id"], input=b"", capture_output=True, check=False)
        assert (other.returncode, other.stdout) == (0, b"")
    finally:
        stream.close()
        sshd.close()


@pytest.mark.parametrize(
    "url",
    ["ssh://", "ssh://-oProxyCommand=id@host", "ssh://user@-host", "ssh://u@h:port", "ssh://h h"]
    + ["ssh://u@h:99999", "ssh://u@h/x", "ssh://a@b@c"],
)
def test_what_is_no_address_is_refused_before_ssh_sees_it(url):
    with pytest.raises(LinkError, match="write the port as ssh://user@host"):
        open_port(url)


def test_the_command_asks_nothing_and_trusts_nothing_new():
    words = command("ssh://teknisi@[::1]:2222")
    assert words[0] == "ssh" and words[-3:] == ["--", "::1", "saksi-cable"]
    options = {words[at + 1] for at, word in enumerate(words) if word == "-o"}
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= options
    assert words[words.index("-p") + 1] == "2222" and words[words.index("-l") + 1] == "teknisi"


def test_the_relay_is_installed_under_the_name_that_ssh_asks_for():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["saksi-cable"] == f"{main.__module__}:{main.__name__}"


def test_a_serial_line_reaches_the_same_cable(pi, authority):
    """Two pseudo-terminals joined as a null modem: pyserial at one, the relay at the other."""
    ours, kits = os.openpty(), os.openpty()
    paths = [os.ttyname(pair[1]) for pair in (ours, kits)]
    wire = subprocess.Popen(
        [sys.executable, "-c", WIRE, str(ours[0]), str(kits[0])], pass_fds=(ours[0], kits[0])
    )
    relay = subprocess.Popen(
        [sys.executable, "-m", "firmware.cable_relay", pi.cable, paths[1]], cwd=ROOT
    )
    try:
        while termios.tcgetattr(kits[1])[4] != termios.B115200:  # the relay opened its line
            assert relay.poll() is None
            time.sleep(0.01)
        port = open_port(paths[0])
        assert isinstance(port, serial.Serial)
        assert enrol(pi, authority, port).board == "pi"
        port.close()
        pi.stop()
        assert relay.wait(60) == 1
    finally:
        for process in (wire, relay):
            process.kill()
            process.wait()
        for fd in (*ours, *kits):
            os.close(fd)


WIRE = """
import os, select, sys, tty
a, b = map(int, sys.argv[1:])
while True:
    for fd in select.select([a, b], [], [])[0]:
        os.write(b if fd == a else a, os.read(fd, 4096))
"""
