"""Results by SMS when data has not worked for a while; the answer comes by SMS too.

What goes is the signed result alone, byte for byte: what the receipt's QR code holds. Its manifest
and the photographs wait for data, so the entry stays in the backlog; acknowledged and journaled it
is all the same. What an outage costs here:

1. A part lost, doubled or late: the whole record goes again after `after`, 2, 4, 8 times `after`;
   the collector puts parts of any tries together, and answers a record that it knows.
2. An answer lost: the same.
3. Power cut: at most the part under way is paid for twice. Money spent is saved before it is.
4. No credit, no network: tried again after 1, 2, 4 .. 60 minutes, from the part that failed on.
5. Data comes back: nothing more is sent; the relay goes on as if nothing had been.
6. A flood of foreign messages: read, deleted, not answered. Only what the chip verifies counts.
"""

import asyncio

from firmware import record, sms
from firmware.compat import CodedError, const
from firmware.drivers import PartError

SPENT = const(374)
NO_ANSWER = const(375)

TEXTS = {
    SPENT: "The limit of text messages is reached: results wait for data.",
    NO_ANSWER: "No answer to the text messages: results wait for data.",
}
_VERSION = const(1)
_TRIES = const(5)  # times that one result is sent
_LOOK = const(10)  # s between looks for an answer
_HOLD, _LONGEST_HOLD = const(60), const(3600)  # s after the network refused a message
_NO_REPLY, _NOT_SENT = 301, 370  # codes of the modem's drivers
_ANSWER = const(300)  # bytes that an acknowledgement can have at most


class Status:
    """What the technician is shown."""

    def __init__(self):
        self.waiting = 0  # results that nobody has acknowledged yet
        self.sent = 0  # messages paid for
        self.acked = 0  # results acknowledged by SMS since the start
        self.last_error = ""

    def lines(self):
        """Sentences for the screen; none while nothing was sent."""
        if not self.sent and not self.last_error:
            return []
        lines = [("Text messages sent: %d", self.sent), ("Acknowledged by SMS: %d", self.acked)]
        return lines + [self.last_error] if self.last_error else lines


class RelaySms:
    """`messages`: drivers.modem_sms.Sms. `backlog`: the relay's, whose results are sent.

    `online() -> bool`: data works. `verify_ack`, `on_ack`: as in Relay. `number`: the collector's,
    from the station package. `store`: power-safe value. `after`: seconds without data before SMS
    begins. `limit`: messages for one journal. `second`: how long a second is (tests use less).
    """

    def __init__(
        self,
        messages,
        backlog,
        online,
        number,
        verify_ack,
        on_ack,
        store,
        after=600,
        limit=60,
        second=1.0,
    ):
        self.messages = messages
        self.backlog = backlog
        self.journal = backlog.journal
        self.online = online
        self.verify_ack = verify_ack
        self.on_ack = on_ack
        self.number = number
        self.store = store
        self.after = after
        self.limit = limit
        self.second = second
        self.status = Status()
        self.parts = sms.Parts(self._answers, 4, 4)
        self.now = 0
        self._offline = 0
        self._journal_id = None
        self._tries = {}  # seq -> times sent
        self._due = {}  # seq -> when to send it again
        self._at = {}  # seq -> the part to go on with
        self._ids = {}  # rec-id -> seq of what was looked at
        self._look = 0
        self._hold = 0
        self._refusals = 0

    async def run(self):
        """Watch for ever; never raises but for cancelling."""
        while True:
            await asyncio.sleep(self.second)
            try:
                await self.step()
            except PartError as error:
                # A modem that fails comes back by itself; a network that refuses, seldom.
                self._hold = self.now + min(_HOLD << self._refusals, _LONGEST_HOLD)
                if error.code == _NOT_SENT:  # answers to others may come all the same
                    self._refusals = min(self._refusals + 1, 6)
                else:
                    self._look = self._hold
                self.status.last_error = error.text
            except Exception as error:  # a full flash must not end it
                self.status.last_error = getattr(error, "text", str(error))

    async def step(self):
        """One second: send or look for answers, where data does not work. Raises PartError."""
        self.now += 1
        self._offline = 0 if self.online() else self._offline + 1
        if not self.number or not self.limit:  # the election has no SMS, or the kit may send none
            return
        if self._offline < self.after or not self.journal.last:
            return
        self._load()
        waiting = self._waiting()
        self.status.waiting = len(waiting)
        if not waiting:
            self.status.last_error = ""
            return
        to_send = [seq for seq in waiting if self._is_due(seq)]
        if to_send or self.now >= self._look:
            await self.messages.start()  # each time: the relay may have restarted the modem
            if self.now >= self._look:
                await self._receive()
            if to_send and not self.online():
                await self._send(to_send[0])  # one a second, so that data gets its turn
        elif all([self._is_given_up(seq) for seq in waiting]):
            self.status.last_error = TEXTS[NO_ANSWER]

    def _waiting(self):
        """Seqs of results that wait and were not acknowledged, by SMS or otherwise."""
        backlog, journal = self.backlog, self.journal
        known = {seq: rec_id for rec_id, seq in self._ids.items()}
        seen, waiting = set(), []
        while True:
            seq = backlog.next_entry(seen)
            if not seq or not backlog.is_result(seq):
                return waiting
            seen.add(seq)
            if seq not in known:
                known[seq] = record.rec_id(journal.entry(seq)[0])
                self._ids[known[seq]] = seq
            if known[seq] not in backlog.journaled:
                waiting.append(seq)

    def _is_due(self, seq):
        due = max(self._due.get(seq, 0), self._hold)
        return self.now >= due and self._tries.get(seq, 0) < _TRIES

    def _is_given_up(self, seq):
        return self.now >= self._due.get(seq, 0) and self._tries.get(seq, 0) >= _TRIES

    async def _send(self, seq):
        """Send the parts of result `seq` that this try has not sent yet."""
        data = self.journal.entry(seq)[0]
        pieces = sms.split(data, sms.reference_of(record.rec_id(data)))
        status = self.status
        for i in range(self._at.get(seq, 0), len(pieces)):
            if status.sent >= self.limit:
                status.last_error = TEXTS[SPENT]
                self._due[seq] = self.now + _LONGEST_HOLD
                return
            self._at[seq] = i
            self._spend(1)
            try:
                await self.messages.send(*sms.submit(self.number, pieces[i]))
            except PartError as error:
                if error.code != _NO_REPLY:
                    self._spend(-1)  # refused is not charged; without a reply nobody knows
                raise
        tries = self._tries.get(seq, 0)
        self._tries[seq] = tries + 1
        self._at[seq] = 0
        self._due[seq] = self.now + (self.after << tries)
        self._refusals = 0
        self._save()
        status.last_error = ""

    async def _receive(self):
        """Read and delete what has come."""
        found = await self.messages.read()
        for index, text in found:
            try:
                self.parts.add(sms.parse(text), self.now)
            except sms.SmsError:
                pass  # somebody else's: deleted, or the store fills up
            await self.messages.delete(index)
        self._look = self.now if found else self.now + _LOOK

    def _answers(self, _number, data):
        """True for an acknowledgement of a result of ours, which is then journaled, once.

        From whatever number: a network may write the collector's in another way. The chip decides.
        """
        if len(data) > _ANSWER:
            return False
        try:
            ack = record.parse(data)
        except record.RecordError:
            return False
        rec_id = ack.payload[1]
        if ack.kind != record.ACK or rec_id not in self._ids:
            return False
        if not self.verify_ack(data, rec_id):
            return False
        if rec_id not in self.backlog.journaled:
            self.on_ack(self._ids[rec_id], data)
            self.backlog.journaled.add(rec_id)
            self.status.acked += 1
            self.status.last_error = ""
        return True

    # What was spent.

    def _load(self):
        if self._journal_id is not None:
            return
        self._journal_id = record.rec_id(self.journal.entry(1)[0])
        try:
            version, owner, sent, tries = self.store.load()
            if version == _VERSION and owner == self._journal_id:
                self.status.sent = sent
                self._tries = dict([tuple(pair) for pair in tries])
        except Exception:  # absent, damaged or of another version: counted from nothing
            pass

    def _spend(self, count):
        self.status.sent += count
        self._save()

    def _save(self):
        tries = [[seq, count] for seq, count in sorted(self._tries.items())]
        try:
            self.store.store([_VERSION, self._journal_id, self.status.sent, tries])
        except (OSError, CodedError):
            pass  # a full flash: the limit holds until the power goes
