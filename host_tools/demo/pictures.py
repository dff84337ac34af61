"""Makes the README's pictures from a demo run: `python -m host_tools.demo.pictures`.

The sheets are drawn: page 1 blank, page 2 with 123, 274, 32, page 3 with 427, 3, 430.
"""

import shutil
import tempfile
from pathlib import Path

from host_tools.demo.run import SCRIPTS, run
from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import photograph

PICTURES = Path(__file__).parent / "pictures"
SHEET = (
    None,
    {"votes_1": 123, "votes_2": 274, "votes_3": 32},
    {"valid": 427, "invalid": 3, "total": 430},
)
WANTED = ("photograph", "figures", "sums", "sign", "sending")


def main() -> None:
    """Run the demo once and keep its first receipt and its screens."""
    with tempfile.TemporaryDirectory() as folder:
        form = layout.load("ppwp-2024")
        photos = []
        for number, values in enumerate(SHEET, 1):
            path = Path(folder) / f"page-{number}.jpg"
            path.write_bytes(photograph(draw_page(form, number, values, size_px=2400), number))
            photos.append(path)
        outcome = run(
            Path(folder) / "out",
            photos,
            SCRIPTS / "photographs.day",
            speed=20.0,
            runtime="micropython",
            tell=print,
            on_step=lambda done, total: None,
        )
        PICTURES.mkdir(exist_ok=True)
        shutil.copyfile(outcome.paths["receipts"][0], PICTURES / "receipt.png")
        for path in map(Path, outcome.paths["screens"]):
            if path.stem in WANTED:
                shutil.copyfile(path, PICTURES / f"screen-{path.stem}.png")


if __name__ == "__main__":
    main()
