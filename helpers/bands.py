"""The bands that results must lie in: what the lessons' prose claims, per picture set.

A training result differs from run to run and from machine to machine, so no lesson quotes one.
Prose says what lies in a band, and a cell asserts it. The bands were set from repeated runs
(benchmarks/README.md), those of the drawings from one or two, with room for the chance of seeds and
for a validation set of 500.
"""

from __future__ import annotations

# (claim, picture set): lowest and highest value that the prose still holds for. The drawings with
# the drawn base, the photographs with MobileNetV2 and its ImageNet weights at 160 pixels.
BANDS: dict[tuple[str, str], tuple[float, float]] = {
    ("loss before training", "drawings"): (0.4, 2.5),
    ("loss before training", "photos"): (0.4, 2.5),
    ("loss before training", "tfds"): (0.4, 2.5),
    ("twenty steps, frozen", "drawings"): (0.55, 0.95),
    ("twenty steps, frozen", "photos"): (0.6, 0.98),
    ("twenty steps, frozen", "tfds"): (0.5, 0.98),
    ("frozen", "drawings"): (0.89, 0.97),
    ("frozen", "photos"): (0.95, 1.0),
    ("frozen", "tfds"): (0.93, 1.0),
    ("few pictures, frozen", "drawings"): (0.65, 0.92),
    ("few pictures, frozen", "photos"): (0.80, 1.0),
    ("few pictures, frozen", "tfds"): (0.75, 1.0),
    ("few pictures, from scratch", "drawings"): (0.35, 0.7),
    ("few pictures, from scratch", "photos"): (0.35, 0.70),
    ("few pictures, from scratch", "tfds"): (0.30, 0.70),
    ("fine-tuned", "drawings"): (0.94, 1.0),
    ("fine-tuned", "photos"): (0.97, 1.0),
    ("fine-tuned", "tfds"): (0.94, 1.0),
    ("fine-tuned with views", "drawings"): (0.93, 1.0),
    ("fine-tuned with views", "photos"): (0.96, 1.0),
    ("fine-tuned with views", "tfds"): (0.93, 1.0),
    ("few steps, sound", "drawings"): (0.9, 0.99),
    ("few steps, sound", "photos"): (0.94, 1.0),
    ("few steps, sound", "tfds"): (0.90, 1.0),
    ("rate a hundred times too high", "drawings"): (0.3, 0.8),
    ("rate a hundred times too high", "photos"): (0.3, 0.80),
    ("rate a hundred times too high", "tfds"): (0.2, 0.85),
    ("BatchNormalization trains", "drawings"): (0.86, 0.99),
    ("BatchNormalization trains", "photos"): (0.94, 1.0),
    ("BatchNormalization trains", "tfds"): (0.88, 1.0),
    ("not compiled again", "drawings"): (0.88, 0.98),
    ("not compiled again", "photos"): (0.95, 1.0),
    ("not compiled again", "tfds"): (0.90, 1.0),
    ("fresh head", "drawings"): (0.5, 0.9),
    ("fresh head", "photos"): (0.4, 0.93),
    ("fresh head", "tfds"): (0.3, 0.93),
    ("frozen, test", "drawings"): (0.89, 0.97),
    ("frozen, test", "photos"): (0.95, 1.0),
    ("frozen, test", "tfds"): (0.93, 1.0),
    ("fine-tuned, test", "drawings"): (0.94, 1.0),
    ("fine-tuned, test", "photos"): (0.95, 1.0),
    ("fine-tuned, test", "tfds"): (0.93, 1.0),
    ("heat inside the outline, sound", "drawings"): (0.34, 0.55),
    ("heat inside the outline, tricked", "drawings"): (0.2, 0.41),
    ("int8, same answer", "drawings"): (0.96, 1.0),
    ("int8, same answer", "photos"): (0.95, 1.0),
    ("int8, same answer", "tfds"): (0.95, 1.0),
    ("lost by int8", "drawings"): (-0.02, 0.03),
    ("lost by int8", "photos"): (-0.02, 0.03),
    ("lost by int8", "tfds"): (-0.02, 0.03),
    ("scaled twice, test", "drawings"): (0.4, 0.6),
    ("scaled twice, test", "photos"): (0.4, 0.6),
    ("scaled twice, test", "tfds"): (0.4, 0.6),
    ("calibrated on black, test", "drawings"): (0.4, 0.7),
    ("calibrated on black, test", "photos"): (0.4, 0.7),
    ("calibrated on black, test", "tfds"): (0.4, 0.7),
    ("own pictures, test", "drawings"): (0.7, 0.99),
    ("wrong labels among 30", "drawings"): (12, 21),
}


def check(claim: str, picture_set: str, value: float) -> None:
    """Say whether `value` lies in the band of `claim` for a picture set.

    Args:
        claim: what the lesson calls the result, such as `"frozen"`.
        picture_set: `PictureSet.name`. Sets without a band, such as a folder of your own, are
            told so and pass.
        value: the result.

    Raises:
        AssertionError: where the value lies outside.
        ValueError: where no set has a band for the claim.
    """
    if claim not in {known for known, _ in BANDS}:
        known = ", ".join(sorted({known for known, _ in BANDS}))
        raise ValueError(f"Received: the claim '{claim}'. Expected: one of {known}.")
    band = BANDS.get((claim, picture_set))
    if band is None:
        print(f"{claim}: {value:.3f}. The course has no band for '{picture_set}'.")
        return
    low, high = band
    assert low <= value <= high, (
        f"Received: {claim} {value:.3f} on {picture_set}. Expected: {low} to {high}. Run the "
        f"lesson again from its first cell; if the value stays outside, the text is wrong here."
    )
    print(f"{claim}: {value:.3f} lies between {low} and {high}, where the text holds.")
