"""`python -m host_tools.verify.web OUT`: the same as `saksi verify web OUT`."""

import typer

from host_tools.verify.web.command import web

if __name__ == "__main__":
    typer.run(web)
