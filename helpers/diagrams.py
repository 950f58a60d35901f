"""The diagrams that the lessons show, drawn as SVG: `python -m helpers.diagrams` writes them.

Each stands on a white card, so that it reads the same on a light page and on a dark one. A colour
means what it means in the figures: blue is frozen or known, orange trains or is new.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence

from helpers.files import write_whole
from helpers.paths import NOTEBOOKS
from helpers.plots import GREEN, GREY, RED

FOLDER = NOTEBOOKS / "figures"
INK, PALE = "#222222", "#f2f2f2"
FROZEN, TRAINS = "#cfe3f1", "#fbe3b3"  # pale BLUE and ORANGE, for text to stand on
SEEN, UNSEEN = "#cdebdf", "#f8d9c8"  # pale GREEN and RED
MARKER = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    f'orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" fill="{INK}"/></marker></defs>'
)
Point = tuple[float, float]


def card(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """A whole SVG file: a white card with a title for screen readers, and what is drawn on it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="system-ui, \'Segoe UI\', Helvetica, Arial, '
        f'sans-serif" font-size="14" fill="{INK}">\n<title>{html.escape(title)}</title>\n{MARKER}\n'
        f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="10" fill="#ffffff" '
        f'stroke="#d0d0d0"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def text(
    x: float, y: float, said: str, size: int = 14, anchor: str = "middle", **style: str
) -> str:
    """A line of text; `y` is its baseline."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"{more}>'
        f"{html.escape(said)}</text>"
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    lines: Sequence[str],
    fill: str,
    edge: str = GREY,
) -> str:
    """A rounded box with lines of text in its middle, the first of them bold."""
    drawn = [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" '
        f'stroke="{edge}" stroke-width="1.5"/>'
    ]
    top = y + height / 2 + 5 - 9 * (len(lines) - 1)
    for number, line in enumerate(lines):
        weight = {"font_weight": "600"} if number == 0 else {"fill": "#444444"}
        size = 14 if number == 0 else 12
        drawn.append(text(x + width / 2, top + 18 * number, line, size, **weight))
    return "".join(drawn)


def arrow(start: Point, end: Point, color: str = INK, dashed: bool = False) -> str:
    """A straight arrow."""
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{start[0]:g}" y1="{start[1]:g}" x2="{end[0]:g}" y2="{end[1]:g}" '
        f'stroke="{color}" stroke-width="1.8" marker-end="url(#tip)"{dash}/>'
    )


def path(points: Sequence[Point], color: str, width: float = 2.5, tip: bool = False) -> str:
    """A line through points."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    end = ' marker-end="url(#tip)"' if tip else ""
    return f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="{width}"{end}/>'


def row(
    y: float, height: float, steps: Sequence[tuple[float, Sequence[str], str]], gap: float = 26
) -> list[str]:
    """Boxes from left to right with arrows between them: the width, lines and colour of each."""
    drawn, x = [], 20.0
    for number, (width, lines, fill) in enumerate(steps):
        if number:
            drawn.append(arrow((x - gap + 3, y + height / 2), (x - 3, y + height / 2)))
        drawn.append(box(x, y, width, height, lines, fill))
        x += width + gap
    return drawn


def legend(x: float, y: float, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Small squares with what their colour means, side by side."""
    drawn = []
    for fill, said in entries:
        drawn.append(
            f'<rect x="{x:g}" y="{y - 11:g}" width="14" height="14" rx="3" fill="{fill}" '
            f'stroke="{GREY}"/>'
        )
        drawn.append(text(x + 21, y + 1, said, 13, "start"))
        x += 46 + 7.4 * len(said)
    return drawn


def workflow() -> str:
    """Both texts' workflow in five steps."""
    steps = [
        (["1. Look", "at the pictures"], PALE),
        (["2. Pipeline", "resize, batch, shuffle"], PALE),
        (["3. Model", "pretrained base, new head"], FROZEN),
        (["4. Train", "the head, then the top"], TRAINS),
        (["5. Judge", "on pictures kept apart"], SEEN),
    ]
    drawn = row(24, 62, [(174, lines, fill) for lines, fill in steps], gap=22)
    back = [(891, 92), (891, 116), (107, 116), (107, 94)]
    drawn += [path(back, GREY, 1.8, tip=True), text(499, 134, "and again, until it will do", 13)]
    return card(998, 150, "The workflow in five steps", drawn)


def two_ways() -> str:
    """Feature extraction beside fine-tuning."""
    drawn = []
    for left, name, note, top_fill in (
        (20, "Feature extraction", "only the head trains", FROZEN),
        (420, "Fine-tuning", "the end of the base trains too, in small steps", TRAINS),
    ):
        drawn.append(text(left + 175, 32, name, 16, font_weight="600"))
        drawn.append(text(left + 175, 52, note, 13))
        x = left
        for width, line, fill in (
            (86, "first layers", FROZEN),
            (86, "middle", FROZEN),
            (86, "last layers", top_fill),
            (68, "head", TRAINS),
        ):
            drawn.append(box(x, 70, width, 78, [], fill))
            drawn.append(text(x + width / 2, 113, line, 12))
            x += width + 8
    drawn += legend(320, 182, [(FROZEN, "frozen"), (TRAINS, "trains")])
    return card(790, 202, "Feature extraction and fine-tuning", drawn)


def base_and_head() -> str:
    """The published model from a picture to a logit."""
    steps = [
        (78, ["picture", "0 to 255"], PALE),
        (84, ["augment", "flip, turn"], PALE),
        (70, ["scale", "-1 to 1"], PALE),
        (170, ["base", "many layers, frozen"], FROZEN),
        (112, ["pooling", "mean of places"], PALE),
        (98, ["dropout", "hides a fifth"], PALE),
        (84, ["Dense(1)", "trains"], TRAINS),
        (90, ["logit", "one number"], PALE),
    ]
    drawn = row(30, 74, steps, gap=22)
    drawn.append(text(403, 132, "came with the weights of other pictures", 13))
    drawn.append(text(808, 132, "new: yours to train", 13))
    return card(982, 152, "The published model from a picture to a logit", drawn)


def levels() -> str:
    """What low and high layers of a base answer to."""
    steps = [
        (160, ["first layers", "edges, colours"], PALE),
        (160, ["next layers", "fur, grass, stripes"], PALE),
        (160, ["late layers", "ears, eyes, wheels"], PALE),
        (160, ["last layers", "whole animals, things"], PALE),
    ]
    drawn = row(24, 62, steps, gap=28)
    drawn += [
        text(100, 112, "general: serves any task", 13),
        text(664, 112, "special to the pretraining", 13),
        arrow((200, 108), (556, 108)),
    ]
    return card(764, 130, "From general to special: what the layers of a base answer to", drawn)


def logit() -> str:
    """The sigmoid, and where a threshold belongs."""
    left, right, low, high = 70.0, 620.0, 250.0, 40.0

    def at(value: float, probability: float) -> Point:
        return left + (value + 6) / 12 * (right - left), low + probability * (high - low)

    points = [at(v / 10, 1 / (1 + math.exp(-v / 10))) for v in range(-60, 61)]
    middle, wrong_line = at(0, 0.5), at(0.5, 1 / (1 + math.exp(-0.5)))
    drawn = [
        f'<rect x="{left}" y="{high}" width="{middle[0] - left:g}" height="{low - high:g}" '
        f'fill="{FROZEN}" opacity="0.5"/>',
        f'<rect x="{middle[0]:g}" y="{high}" width="{right - middle[0]:g}" '
        f'height="{low - high:g}" fill="{TRAINS}" opacity="0.5"/>',
        path([(left, low), (right, low)], INK, 1.5),
        path(points, INK, 3),
        path([(middle[0], low), (middle[0], high)], GREEN, 2.5),
        path([(wrong_line[0], low), (wrong_line[0], high)], RED, 1.8),
        text((left + middle[0]) / 2, 100, "means the first class", 14),
        text((right + middle[0]) / 2 + 30, 130, "means the second class", 14),
        text(60, high + 5, "1", 13, "end"),
        text(60, middle[1] + 5, "0.5", 13, "end"),
        text(60, low + 5, "0", 13, "end"),
        text(middle[0] - 8, 64, "threshold 0: right", 13, "end", fill="#00664a"),
        text(wrong_line[0] + 10, 205, "threshold 0.5 on a logit: wrong,", 13, "start", fill=RED),
        text(wrong_line[0] + 10, 222, "there the probability is 0.62", 13, "start", fill=RED),
        text((left + right) / 2, 292, "logit", 14),
        text(left, 28, "probability of the second class", 13, "start"),
    ]
    drawn += [text(at(value, 0)[0], 270, f"{value}", 13) for value in (-6, -4, -2, 0, 2, 4, 6)]
    return card(650, 306, "The sigmoid turns a logit into a probability", drawn)


def once() -> str:
    """Ten epochs through the base, against the base once and ten epochs of the head."""
    drawn = [text(20, 34, "As published: each epoch", 15, "start", font_weight="600")]
    for number, x in enumerate((20, 190, 360)):
        drawn.append(box(x, 50, 110, 56, ["base", "all pictures"], FROZEN))
        drawn.append(box(x + 114, 50, 44, 56, ["head"], TRAINS))
        drawn.append(text(x + 79, 126, f"epoch {number + 1}", 13))
    drawn.append(text(560, 84, "and so on, ten times", 14, "start"))
    drawn.append(text(20, 170, "Run the frozen part once", 15, "start", font_weight="600"))
    drawn.append(box(20, 186, 110, 56, ["base", "all pictures"], FROZEN))
    drawn.append(arrow((134, 214), (156, 214)))
    drawn.append(box(160, 186, 116, 56, ["table", "of features"], SEEN))
    drawn.append(arrow((280, 214), (302, 214)))
    for number in range(10):
        drawn.append(box(306 + 44 * number, 186, 40, 56, [], TRAINS))
        drawn.append(text(326 + 44 * number, 219, f"{number + 1}", 13))
    drawn.append(text(524, 262, "ten epochs of the head", 13))
    return card(766, 282, "Each epoch through the base, or the base once", drawn)


def handed_out() -> str:
    """Names go from the notebook to machines, pictures from a store to them, features back."""
    drawn = [
        box(20, 96, 130, 60, ["your notebook", "names only"], PALE),
        box(610, 20, 136, 60, ["pictures", "a folder, s3://"], PALE),
        box(610, 172, 136, 60, ["features", "Parquet, in parts"], SEEN),
    ]
    for number, y in enumerate((16, 96, 176)):
        drawn.append(box(280, y, 200, 60, [f"machine {number + 1}", "frozen base in each"], FROZEN))
        drawn.append(arrow((154, 126), (276, y + 30)))
        drawn.append(arrow((606, 50 + 4 * number), (484, y + 18)))
        drawn.append(arrow((484, y + 42), (606, 194 + 8 * number)))
    return card(766, 252, "Names go out, pictures never pass through the notebook", drawn)


def residual_cut() -> str:
    """A residual block with a cut inside it, which is none, and one behind it."""
    drawn = []
    for x, lines in ((130, ["expand"]), (250, ["depthwise"]), (370, ["project"])):
        drawn.append(box(x, 90, 94, 46, lines, FROZEN))
    drawn += [
        arrow((40, 113), (127, 113)),
        arrow((224, 113), (247, 113)),
        arrow((344, 113), (367, 113)),
        arrow((464, 113), (512, 113)),
        path([(84, 113), (84, 50), (533, 50), (533, 92)], INK, 1.8, tip=True),
        f'<circle cx="533" cy="113" r="18" fill="{PALE}" stroke="{GREY}" stroke-width="1.5"/>',
        text(533, 119, "+", 18),
        arrow((551, 113), (690, 113)),
        text(214, 42, "the shortcut runs past the layers", 13),
        f'<line x1="356" y1="34" x2="356" y2="170" stroke="{RED}" stroke-width="3" '
        f'stroke-dasharray="7 5"/>',
        text(356, 190, "no cut: two tensors cross", 14, fill=RED),
        f'<line x1="616" y1="62" x2="616" y2="160" stroke="{GREEN}" stroke-width="3"/>',
        text(616, 190, "a cut: one tensor crosses", 14, fill="#00664a"),
    ]
    return card(730, 208, "Where a residual block can be cut", drawn)


def batch_statistics() -> str:
    """BatchNormalization in training, in use, and frozen."""
    rows = (
        ("in training", "mean and variance of this batch", "moved a little in each step", TRAINS),
        ("in use", "the moving ones", "stay", FROZEN),
        ("frozen", "the moving ones, in fit too", "stay, to the bit", FROZEN),
    )
    drawn = [
        text(330, 32, "it normalises with", 13, font_weight="600"),
        text(590, 32, "its moving statistics", 13, font_weight="600"),
    ]
    for number, (when, used, kept, fill) in enumerate(rows):
        y = 46 + 50 * number
        drawn.append(text(20, y + 25, when, 14, "start", font_weight="600"))
        drawn.append(box(212, y, 240, 38, [], fill))
        drawn.append(text(332, y + 24, used, 13))
        drawn.append(box(470, y, 240, 38, [], fill))
        drawn.append(text(590, y + 24, kept, 13))
    return card(730, 208, "BatchNormalization in training, in use and frozen", drawn)


def take_skip() -> str:
    """A stream that is shuffled anew: what one pass takes, another does not skip."""
    passes = (
        ("pass 1: take(2) is the test set", "D B F A E C", 2, True),
        ("pass 2: skip(2) is the validation set", "C F D E B A", 2, False),
    )
    drawn = []
    for number, (said, order, cut, first) in enumerate(passes):
        y = 50 + 92 * number
        drawn.append(text(20, y - 12, said, 14, "start", font_weight="600"))
        for place, name in enumerate(order.split()):
            chosen = (place < cut) == first
            both = name in "DB"
            fill = (UNSEEN if both else SEEN) if chosen else "#ffffff"
            drawn.append(box(20 + 66 * place, y, 56, 40, [name], fill))
    drawn.append(text(440, 75, "the stream is shuffled anew at each pass,", 13, "start"))
    drawn.append(text(440, 95, "so D and B are in both", 13, "start", fill=RED))
    return card(740, 204, "take and skip on a stream that is shuffled anew", drawn)


def splits() -> str:
    """A list of files, split once."""
    drawn = [text(20, 34, "the list of files, shuffled once with a seed", 14, "start")]
    x = 20.0
    for width, name, about, fill in (
        (400, "train", "the weights are fitted on these", "#dedede"),  # pale TRAINING, and so on
        (150, "validation", "you choose by these", "#eed9ec"),
        (150, "test", "opened once, at the end", "#d8d5ea"),
    ):
        drawn.append(box(x, 48, width, 56, [name], fill))
        drawn.append(text(x + width / 2, 126, about, 12))
        x += width + 8
    return card(762, 146, "Files split once into three parts", drawn)


DIAGRAMS: dict[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        workflow, two_ways, base_and_head, levels, logit, once, residual_cut, batch_statistics,
        take_skip, splits, handed_out,
    )
}  # fmt: skip


def main() -> None:
    """Write all of them."""
    for name, draw in DIAGRAMS.items():
        write_whole(FOLDER / f"{name}.svg", draw())


if __name__ == "__main__":
    main()
