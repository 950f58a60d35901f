"""The network as blocks to click, and the strip of pictures below the curves."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from helpers import bases
from helpers.panels.blocks import MOST, Blocks, blocks
from helpers.panels.freezing import freezing_panel
from helpers.panels.strip import COUNT, FRAME, GAP, SIDE, Strip
from helpers.plots import FROZEN, RIGHT, TRAINABLE, WRONG
from helpers.training import Epoch


@pytest.fixture(scope="module", params=["drawn", "Xception"])
def parts(request):
    base = bases.load(request.param, weights=None)
    return base, bases.cuts(base), blocks(base, bases.cuts(base))


def test_blocks_hold_every_layer_and_every_parameter_once(parts):
    base, _, found = parts
    assert found[0].first == 0 and found[-1].last == len(base.layers) - 1
    for block, after in itertools.pairwise(found):
        assert after.first == block.last + 1
    assert sum(block.parameters for block in found) == base.count_params()
    assert 8 <= len(found) <= MOST + 1


def test_a_block_begins_behind_the_cut_of_its_depth(parts):
    base, cuts, found = parts
    for block in found[1:]:
        assert base.layers[block.first - 1].name == cuts[-1 - block.depth]
    assert found[0].depth is None and found[0].names[1] == cuts[0]


def colors(row: Blocks) -> list[str]:
    return [button.style.button_color for button in row.children]


def test_what_is_clicked_trains_from_there_on_and_clicked_again_it_freezes(parts):
    _, _, found = parts
    asked: list[int] = []
    row = Blocks(found, lambda depth: asked.append(depth) or row.show(depth))
    row.show(0)
    assert colors(row) == [*[FROZEN] * len(found), TRAINABLE]
    row.children[3].click()
    assert asked == [found[3].depth]
    assert colors(row) == [FROZEN] * 3 + [TRAINABLE] * (len(found) - 2)
    row.children[3].click()
    assert asked[-1] == found[4].depth
    assert colors(row) == [FROZEN] * 4 + [TRAINABLE] * (len(found) - 3)
    row.children[0].click()  # what lies before the first cut never trains here
    assert len(asked) == 2 and row.children[0].disabled


def test_a_depth_within_a_block_shows_that_its_end_trains(parts):
    _, _, found = parts
    row = Blocks(found, lambda depth: None)
    row.show(found[1].depth - 1)
    assert colors(row)[:2] == [FROZEN, TRAINABLE]


def frames(strip: Strip) -> list[str]:
    """The colour of each frame."""
    shown = Image.open(io.BytesIO(strip.value)).convert("RGB")
    middle = SIDE // 2
    points = [shown.getpixel((n * (SIDE + GAP) + FRAME // 2, middle)) for n in range(COUNT)]
    return ["#{:02X}{:02X}{:02X}".format(*point) for point in points]


def test_frames_say_which_pictures_are_right():
    images, labels = np.zeros((12, 8, 8, 3), "uint8"), np.array([0, 1] * 6)
    strip = Strip(images, labels)
    assert set(frames(strip)) == {"#BBBBBB"}
    strip.show(np.array([-1.0, 2.0, 3.0, *[-1.0] * 6])[:, None])
    expected = [RIGHT, RIGHT, WRONG, WRONG, RIGHT, WRONG, RIGHT, WRONG, RIGHT]
    assert frames(strip) == expected
    strip.show(np.eye(2)[labels[:COUNT]])
    assert frames(strip) == [RIGHT] * COUNT


def test_the_strip_follows_the_epochs():
    strip = Strip(np.zeros((9, 8, 8, 3), "uint8"), np.zeros(9, int))
    answers = iter([np.ones((9, 1)), -np.ones((9, 1))])
    epochs = [Epoch(number, 0.5, 0.5, 0.5, 0.5, 0.1) for number in (1, 2)]
    seen = []
    for epoch in strip.watch(epochs, lambda: next(answers)):
        seen.append((epoch.number, set(frames(strip))))
    assert seen == [(1, {WRONG}), (2, {RIGHT})]


def test_the_panel_that_opens_the_course_counts_what_would_train(parts):
    base, _, found = parts
    panel = freezing_panel(base)
    row, said = panel.children
    head = base.output_shape[-1] + 1
    assert f"<b>{head:,}</b> of {base.count_params() + head:,}" in said.value
    assert "base.trainable = False" in said.value
    row.children[2].click()
    first = found[2].first
    trained = sum(w.numpy().size for layer in base.layers[first:] for w in layer.trainable_weights)
    assert f"<b>{head + trained:,}</b>" in said.value and f"base.layers[:{first}]" in said.value
    assert base.trainable  # the learner's own base stays as it is
