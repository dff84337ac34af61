"""An invented election of any number of stations, as an office's files, for the benchmarks.

In the proportions of 2024's Pilkada: 435,296 TPS in some 83,000 villages, 7,280 subdistricts, 514
regencies and 38 provinces. Codes are invented; a region's name is CONTOH and its code.
"""

import random
from collections.abc import Iterator
from pathlib import Path

STATIONS, VILLAGES, DISTRICTS, REGENCIES = 5, 12, 14, 14  # in one of the next higher
BANYUASIN, NATION = 1389, 435296

_TOML = """\
number = 202499
version = 1
title = "CONTOH: pilkada rekaan"
mode = "live"
reserve_permille = 25
utc_offset_minutes = 420
receipt_host = "TPS.EXAMPLE.ID"
apn = "internet"
regions = "regions.csv"
stations = "tps.csv"
pairs = "pairs.csv"

[collector]
host = "collector.example.id"
port = 8443
sms = "+62811000000"

[[contest]]
number = 1
title = "Gubernur dan Wakil Gubernur"
form = "C.HASIL-KWK-GUBERNUR"
colour = "marun"

[[contest]]
number = 2
title = "Bupati dan Wakil Bupati"
form = "C.HASIL-KWK-BUPATI"
colour = "biru muda"
"""
_PAIRS = """\
contest,number,name
1,1,CONTOH A / CONTOH B
1,2,CONTOH C / CONTOH D
1,3,CONTOH E / CONTOH F
2,1,CONTOH G / CONTOH H
2,2,KOLOM KOSONG
"""


def _villages(count: int) -> Iterator[tuple[str, list[str]]]:
    """(code, codes of its parents that are new) of the first `count` villages."""
    for n in range(count):
        district, village = divmod(n, VILLAGES)
        regency, district = divmod(district, DISTRICTS)
        province, regency = divmod(regency, REGENCIES)
        codes = [f"{11 + province}"]
        codes.append(f"{codes[0]}{regency + 1:02d}")
        codes.append(f"{codes[1]}{district + 1:02d}")
        firsts = (village, village + district, village + district + regency)
        new = [codes[2 - i] for i in range(3) if firsts[i] == 0]
        yield f"{codes[2]}{2001 + village}", sorted(new)


def write(folder: Path, stations: int, seed: int = 1) -> Path:
    """Write the files of an election of so many stations; its election.toml.

    The same seed gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    with (folder / "regions.csv").open("w") as regions, (folder / "tps.csv").open("w") as tps:
        regions.write("kode,nama\n")
        tps.write("tps,contest,dpt_l,dpt_p\n")
        for village, parents in _villages(-(-stations // STATIONS)):
            regions.writelines(f"{code},CONTOH {code}\n" for code in [*parents, village])
            for number in range(1, min(STATIONS, stations) + 1):
                men, women = draw.randint(100, 295), draw.randint(100, 295)
                rows = (f"{village}{number:03d},{n},{men},{women}\n" for n in (1, 2))
                tps.writelines(rows)
            stations -= STATIONS
    (folder / "pairs.csv").write_text(_PAIRS)
    path = folder / "election.toml"
    path.write_text(_TOML)
    return path
