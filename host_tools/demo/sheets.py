"""The demo's own photographs: three drawn pages of C.HASIL-PPWP whose sums all hold."""

from pathlib import Path

from host_tools.provision.election import Election
from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import photograph

PAGE_WIDTH = 2400  # pixels: about 0.8 of the photograph's width
VALUES = {
    "dpt_l": 131, "dpt_p": 112, "dpt_j": 243,
    "users_1_l": 110, "users_1_p": 98, "users_1_j": 208,
    "users_2_l": 1, "users_2_p": 2, "users_2_j": 3,
    "users_3_l": 2, "users_3_p": 1, "users_3_j": 3,
    "users_total_l": 113, "users_total_p": 101, "users_total_j": 214,
    "ballots_received": 248, "ballots_used": 214, "ballots_returned": 1, "ballots_unused": 33,
    "disabled_l": 1, "disabled_p": 1, "disabled_j": 2,
    "votes_1": 101, "votes_2": 77, "votes_3": 30,
    "valid": 208, "invalid": 6, "total": 214,
}  # fmt: skip


def draw(election: Election, station: int, out: Path) -> list[Path]:
    """Photographs (JPEG) of the filled sheet of `station`, page by page, in folder `out`."""
    form = layout.load("ppwp-2024")
    place = election.stations[station]
    province, regency, district, village = place.regions
    names = {
        "province": province,
        "regency": regency,
        "district": district,
        "village": village,
        "tps": f"{place.tps:03d}",
    }
    pairs = next(iter(election.contests.values())).pairs
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for page in form.pages:
        fields = {field.name for field in form.fields(page.number, len(pairs))}
        values = {name: value for name, value in VALUES.items() if name in fields}
        image = draw_page(form, page.number, values, names, PAGE_WIDTH, pairs=pairs, seed=7)
        path = out / f"page-{page.number}.jpg"
        path.write_bytes(photograph(image, seed=page.number))
        paths.append(path)
    return paths
