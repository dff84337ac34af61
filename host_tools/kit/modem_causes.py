"""What can go wrong with a modem: the rows of the fault table, each with its cause as code.

A cause that only the driver can end (a hung modem, a dead connection) ends when it begins.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from host_tools.kit.modem_bench import Bench
from host_tools.kit.modem_card import PIN_TRIES, Card

PIN = "2580"


Cause = Callable[[Bench], Coroutine[None, None, None]]


@dataclass
class Fault:
    """One row: how the bench is set up, what goes wrong, and what the driver must say."""

    name: str
    cause: Cause
    codes: set[int] = field(default_factory=set)  # each must have been told
    options: dict = field(default_factory=dict)


async def no_sim(bench: Bench) -> None:
    bench.begin()
    await asyncio.sleep(600)
    bench.part.insert(Card())
    bench.end()


async def pin_wrong(bench: Bench) -> None:
    bench.begin()
    await asyncio.sleep(600)
    bench.part.insert(Card("SIM PIN", PIN))
    bench.end()


async def one_try(bench: Bench) -> None:
    bench.begin()
    await asyncio.sleep(600)
    bench.part.card.tries = PIN_TRIES  # somebody entered it in a telephone
    bench.part.card.pin = ""
    bench.part.card.state = "READY"
    bench.end()


async def denied(bench: Bench) -> None:
    bench.begin()
    bench.part.stat = 3
    await asyncio.sleep(600)
    bench.part.stat = 1
    bench.end()


async def no_service(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.set_network(2, 99)
    await asyncio.sleep(3600)
    bench.part.set_network(1, 20)
    bench.end()


async def no_lte(bench: Bench) -> None:
    bench.part.lte = False
    bench.part.mode = 38
    bench.part.stat = 5
    bench.begin()
    bench.end()


async def no_carrier(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.drop_carrier()
    bench.end()


async def many_cuts(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.cut_after(25_000, repeat=True)
    while bench.part.link is not None:
        await asyncio.sleep(0.05)
    bench.end()  # the first time of many


async def hung(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.hang("reset")
    bench.end()


async def hung_hard(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.hang("power")
    bench.end()


async def rubbish(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.line.garble = 0.3
    await asyncio.sleep(120)
    bench.part.line.garble = 0.0
    bench.end()


async def power_off(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.power_off()  # it stays off until its key is pressed
    bench.end()


async def power_blink(bench: Bench) -> None:
    await bench.flowing()
    bench.begin()
    bench.part.power_off()
    bench.part.power_on()
    bench.end()


async def quiet(bench: Bench) -> None:
    bench.begin()
    bench.end()


async def chatter(bench: Bench) -> None:
    bench.begin()
    bench.part.line.chatter = 1.0
    bench.end()


async def time_jump(bench: Bench) -> None:
    bench.begin()
    for shift in (0, 10 * 365 * 86400, 10 * 365 * 86400, -86400, 0, 0):
        bench.shift = shift
        for _ in range(2):
            await asyncio.sleep(60)
            bench.network_time.reading(await bench.modem.time())
    bench.end()


async def apn_changes(bench: Bench) -> None:
    bench.part.apn = "operator"
    bench.begin()
    bench.end()


async def apn_wrong(bench: Bench) -> None:
    bench.part.apn = "operator"
    bench.begin()
    await asyncio.sleep(600)
    bench.part.apn = "internet"
    bench.end()


def stalls(until: str) -> Cause:
    async def cause(bench: Bench) -> None:
        await bench.flowing()
        bench.begin()
        bench.part.stall(until)
        bench.end()

    return cause


FAULTS = (
    Fault("none (from power on)", quiet),
    Fault("no SIM, put in after 10 min", no_sim, {303}, {"card": Card("absent")}),
    Fault("SIM PIN wrong, other card after 10 min", pin_wrong, {315}, {"pin": PIN}),
    Fault("SIM PIN right", quiet, set(), {"pin": PIN}),
    Fault("one try left for the PIN, unlocked by hand", one_try, {316}, {"pin": PIN}),
    Fault("SIM blocked (PUK), other card after 10 min", no_sim, {305}, {"card": Card("SIM PUK")}),
    Fault("network denies, allowed after 10 min", denied, {308}),
    Fault("no 4G, left on 4G only, roaming", no_lte),
    Fault("no service for an hour", no_service, {307}),
    Fault("carrier lost in an upload", no_carrier),
    Fault("carrier lost every 25000 bytes", many_cuts),
    Fault("modem hung, reset line helps", hung),
    Fault("modem hung, only power helps", hung_hard),
    Fault("modem hung, no reset line wired", hung, set(), {"key_only": True}),
    Fault("rubbish on the line for 2 min", rubbish, {302}),
    Fault("modem loses power, stays off", power_off),
    Fault("modem loses power, comes back", power_blink),
    Fault("unsolicited lines in every reply", chatter),
    Fault("network time jumps", time_jump),
    Fault("APN wrong, right one is in the list", apn_changes, set(), {"apn": "internet;operator"}),
    Fault("APN wrong for 10 min", apn_wrong, {309}),
    Fault("flow stalls until the network is closed", stalls("net")),
    Fault("flow stalls until the radio is off", stalls("radio")),
    Fault("flow stalls until a reset", stalls("reset")),
    Fault("flow stalls until a power cycle", stalls("power")),
)


def card_for(name: str) -> Card | None:
    """A fresh card for the rows that need one of their own."""
    if name.startswith("SIM PIN wrong"):
        return Card("SIM PIN", "1111", iccid="8962101111111111111")
    if name.startswith("SIM PIN right"):
        return Card("SIM PIN", PIN)
    if name.startswith("one try"):
        card = Card("SIM PIN", "1111")
        card.tries = 1
        return card
    return None
