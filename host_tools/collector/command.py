"""`saksi collect`: run the collector."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from host_tools.collector import serve, sms, tls
from host_tools.collector.ack import Acknowledger
from host_tools.collector.door import Local, Remote
from host_tools.collector.hand_in import hand_in
from host_tools.collector.reasons import Refused, SetupError
from host_tools.collector.trust import Trust, stale

app = typer.Typer(add_completion=False)


@app.command("collect")
def collect(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder of entries and photographs; made if new.")
    ] = None,
    bundle: Annotated[
        list[Path] | None, typer.Option(help="Trust bundle; give one for each region.")
    ] = None,
    authority: Annotated[
        Path | None, typer.Option(help="The authority's public key (PEM), pinned.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The collector's private key (PEM): signs acknowledgements.")
    ] = None,
    ca: Annotated[
        list[Path] | None, typer.Option(help="Regional CA certificates (PEM); repeat as needed.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8400,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            help="Speak TLS (1.2, 1.3) with this certificate of a P-256 key, followed by those up"
            " to its CA (PEM). The start tells the key's pin, which goes into election.toml before"
            " packages are built. A new certificate of the same key keeps the pin."
        ),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="The private key of --tls-cert (PEM, not encrypted).")
    ] = None,
    sms_modem: Annotated[
        str | None, typer.Option(help="Serial port of a modem that takes in results by SMS.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--import", help="Take in a kit's card (folder or image), end.")
    ] = None,
    receipt: Annotated[
        str | None, typer.Option("--submit", help="Take in receipts (text, file or -), end.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Address of a running collector for --import and --submit.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: at the start, of --import and of --submit.")
    ] = False,
    verbose: Annotated[bool, typer.Option(help="One line for each refusal.")] = False,
) -> None:
    """Take in signed entries and photographs from kits, and acknowledge what is on the disk."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    if verbose:
        logging.getLogger("saksi.collector").setLevel(logging.INFO)
    try:
        handing_in = card is not None or receipt is not None
        if to is not None:
            if not handing_in:
                raise SetupError("--to goes with --import or --submit")
            hand_in(Remote(to), card, receipt, as_json)
            return
        if data is None or not bundle or authority is None or key is None:
            raise SetupError("give --data, --bundle, --authority and --key")
        secure = tls.load(tls_cert, tls_key)
        trust = Trust.load(bundle, authority, ca or [])
        acknowledger = Acknowledger.load(key)
        service = serve.Service(data, trust, acknowledger)
        if handing_in:
            door = Local(service.intake, service.store, service.uploads)
            try:
                hand_in(door, card, receipt, as_json)
            finally:
                service.close()
            return
        listener = serve.listen(host, port)
        for line in (*stale(trust), *(secure.warnings if secure else ())):
            print(f"warning: {line}", file=sys.stderr)
        with sms.listening(service.intake, sms_modem):
            _tell_start(f"{host}:{listener.getsockname()[1]}", secure, as_json)
            serve.run(service, listener, secure)
    except Refused as error:  # the disk or the database failed in the middle of it
        print(f"saksi collect: {error.sentence}", file=sys.stderr)
        raise typer.Exit(2) from None
    except SetupError as error:
        print(f"saksi collect: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def _tell_start(place: str, secure: tls.Tls | None, as_json: bool) -> None:
    """Where the collector listens, and by what kits will know it."""
    url = f"{'https' if secure else 'http'}://{place}"
    if as_json:
        told: dict[str, object] = {"url": url}
        if secure:
            told |= {"pin": secure.pin.hex(), "names": secure.names}
        print(json.dumps(told), flush=True)
        return
    lines = [f"collector listening on {url}"]
    if secure:
        lines += [
            f"kits reach it as {' or '.join(secure.names) or 'nothing'}, with this line in"
            " election.toml, [collector]:",
            f'pin = "{secure.pin.hex()}"',
        ]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    app()
