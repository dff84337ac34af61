"""`saksi collect`: run the collector."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from host_tools.collector import serve
from host_tools.collector.ack import Acknowledger
from host_tools.collector.reasons import SetupError
from host_tools.collector.trust import Trust, stale

app = typer.Typer(add_completion=False)


@app.command("collect")
def collect(
    *,
    data: Annotated[Path, typer.Option(help="Folder of entries and photographs; made if new.")],
    bundle: Annotated[list[Path], typer.Option(help="Trust bundle; give one for each region.")],
    authority: Annotated[Path, typer.Option(help="The authority's public key (PEM), pinned.")],
    key: Annotated[
        Path, typer.Option(help="The collector's private key (PEM): signs acknowledgements.")
    ],
    ca: Annotated[
        list[Path] | None, typer.Option(help="Regional CA certificates (PEM); repeat as needed.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8400,
    tls_cert: Annotated[Path | None, typer.Option(help="Server certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    verbose: Annotated[bool, typer.Option(help="One line for each refusal.")] = False,
) -> None:
    """Take in signed entries and photographs from kits, and acknowledge what is on the disk."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    if verbose:
        logging.getLogger("saksi.collector").setLevel(logging.INFO)
    try:
        if (tls_cert is None) != (tls_key is None):
            raise SetupError("give --tls-cert and --tls-key together")
        tls = serve.Tls(tls_cert, tls_key) if tls_cert and tls_key else None
        trust = Trust.load(bundle, authority, ca or [])
        service = serve.Service(data, trust, Acknowledger.load(key))
        listener = serve.listen(host, port)
        for line in stale(trust):
            print(f"warning: {line}", file=sys.stderr)
        scheme = "https" if tls else "http"
        address = listener.getsockname()
        print(f"collector listening on {scheme}://{host}:{address[1]}", flush=True)
        serve.run(service, listener, tls)
    except SetupError as error:
        print(f"saksi collect: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
