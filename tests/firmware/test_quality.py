from firmware import quality

W, H = 192, 256
PAPER, INK = 215, 40


def sheet(blur_x=0, blur_y=0, paper=PAPER, ink=INK):
    """A frame with a grid of lines and fields, each edge a ramp over blur pixels."""

    def profile(size, blur):
        dark = [1 if (i // 7) % 3 == 0 else 0 for i in range(size)]
        if not blur:
            return [value * 100 for value in dark]
        out = []
        for i in range(size):
            part = dark[max(0, i - blur) : i + blur + 1]
            out.append(sum(part) * 100 // len(part))
        return out

    columns, rows = profile(W, blur_x), profile(H, blur_y)
    frame = bytearray(W * H)
    for y in range(H):
        for x in range(W):
            cover = max(columns[x], rows[y])
            frame[y * W + x] = paper - (paper - ink) * cover // 100
    return frame


def reasons(frame, w=W, h=H):
    return quality.verdict(*quality.assess(w, h, frame))


def test_a_sharp_well_lit_sheet_is_kept():
    sharpness, paper, clipped = quality.assess(W, H, sheet())
    assert sharpness > 900
    assert abs(paper - PAPER) < 3
    assert clipped == 0
    assert reasons(sheet()) == []


def test_a_sheet_blurred_in_both_directions_is_refused_as_blurred():
    assert reasons(sheet(3, 3)) == [quality.BLURRED]


def test_a_hand_that_shook_in_one_direction_is_seen():
    assert reasons(sheet(0, 3)) == [quality.BLURRED]
    assert reasons(sheet(3, 0)) == [quality.BLURRED]


def test_sharpness_does_not_depend_on_the_light():
    dim, well = sheet(1, 1, 110, 20), sheet(1, 1, 220, 40)
    assert abs(quality.assess(W, H, dim)[0] - quality.assess(W, H, well)[0]) < 60


def test_more_blur_never_counts_as_sharper():
    seen = [quality.assess(W, H, sheet(n, n))[0] for n in range(4)]
    assert seen == sorted(seen, reverse=True)


def test_a_dark_sheet_is_refused_as_dark_and_not_as_blurred():
    assert reasons(sheet(paper=60, ink=10)) == [quality.DARK]


def test_a_black_frame_is_dark():
    assert reasons(bytes(W * H)) == [quality.DARK]


def test_an_overexposed_sheet_is_too_bright():
    assert quality.BRIGHT in reasons(sheet(paper=255, ink=60))
    assert reasons(b"\xff" * (W * H)) == [quality.BRIGHT]


def test_a_bare_wall_has_nothing_sharp_in_it():
    assert reasons(bytes([180]) * (W * H)) == [quality.BLURRED]


def test_frames_of_any_shape_are_measured():
    frame = sheet()
    assert quality.assess(H, W, frame)[0] >= 0
    small = bytearray(120 * 160)
    for y in range(160):
        small[y * 120 : (y + 1) * 120] = frame[y * W : y * W + 120]
    assert reasons(small, 120, 160) == []
