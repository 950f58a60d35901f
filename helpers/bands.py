"""The bands that results must lie in: what the lessons' prose claims, per recipe.

A training result differs from run to run and from machine to machine, so no lesson quotes one.
Prose says what lies in a band, and a cell checks it. It is silent where all is well. The bands were
set from repeated runs (benchmarks/README.md), those of the drawings from one or two, with room for
the chance of seeds and for a validation set of 500.
"""

from __future__ import annotations

import os

from helpers import recipes

# (claim, recipe): lowest and highest value that the prose still holds for. The article's recipe has
# none, for nobody has run it here with its weights.
BANDS: dict[tuple[str, str], tuple[float, float]] = {
    ("loss before training", "drawings"): (0.4, 2.5),
    ("loss before training", "tutorial"): (0.4, 2.5),
    ("frozen", "drawings"): (0.89, 0.97),
    ("frozen", "tutorial"): (0.95, 1.0),
    ("few pictures, frozen", "drawings"): (0.65, 0.92),
    ("few pictures, frozen", "tutorial"): (0.80, 1.0),
    ("few pictures, from scratch", "drawings"): (0.35, 0.7),
    ("few pictures, from scratch", "tutorial"): (0.35, 0.70),
    ("fine-tuned", "drawings"): (0.94, 1.0),
    ("fine-tuned", "tutorial"): (0.97, 1.0),
    ("BatchNormalization trains", "drawings"): (0.86, 0.99),
    ("BatchNormalization trains", "tutorial"): (0.94, 1.0),
    ("not compiled again", "drawings"): (0.88, 0.98),
    ("not compiled again", "tutorial"): (0.95, 1.0),
    ("fresh head", "drawings"): (0.5, 0.9),
    ("fresh head", "tutorial"): (0.4, 0.93),
    ("frozen, test", "drawings"): (0.89, 0.97),
    ("frozen, test", "tutorial"): (0.95, 1.0),
    ("fine-tuned, test", "drawings"): (0.94, 1.0),
    ("fine-tuned, test", "tutorial"): (0.95, 1.0),
    ("fine-tuned less frozen, test", "drawings"): (0.005, 0.08),
    ("fine-tuned less frozen, test", "tutorial"): (-0.01, 0.03),
    ("shouting, calibration error", "drawings"): (0.025, 0.1),
    ("shouting, calibration error", "tutorial"): (0.01, 0.05),
    ("heat inside the outline, sound", "drawings"): (0.36, 0.70),
    ("heat inside the outline, tricked", "drawings"): (0.15, 0.45),
    ("heat inside, sound less tricked", "drawings"): (0.02, 0.5),
    ("sound, lost by the swap", "drawings"): (-0.05, 0.06),
    ("tricked, as planted", "drawings"): (0.97, 1.0),
    ("tricked, swapped", "drawings"): (0.0, 0.3),
    ("float, same answer", "drawings"): (0.996, 1.0),
    ("float, same answer", "tutorial"): (0.99, 1.0),
    ("int8, same answer", "drawings"): (0.96, 1.0),
    ("int8, same answer", "tutorial"): (0.95, 1.0),
    ("lost by int8", "drawings"): (-0.02, 0.03),
    ("lost by int8", "tutorial"): (-0.02, 0.03),
    ("scaled twice, test", "drawings"): (0.4, 0.6),
    ("scaled twice, test", "tutorial"): (0.4, 0.6),
    ("calibrated on black, test", "drawings"): (0.4, 0.7),
    ("calibrated on black, test", "tutorial"): (0.4, 0.7),
    ("own pictures, test", "phone"): (0.7, 0.99),
    ("wrong labels among 30", "phone"): (12, 17),
    ("no mistake", "drawings"): (0.88, 0.99),
    ("no mistake", "tutorial"): (0.94, 1.0),
    ("rate 0.01", "drawings"): (0.3, 0.8),
    ("rate 0.01", "tutorial"): (0.3, 0.8),
    ("fine-tuned above the cut", "drawings"): (0.93, 1.0),
    ("fine-tuned above the cut", "tutorial"): (0.95, 1.0),
    ("all alike, spread of logits", "drawings"): (0.0, 0.3),
    ("below chance", "drawings"): (0.0, 0.2),
    ("high loss", "drawings"): (0.69, 9.0),
    ("nine in ten, dogs found", "drawings"): (0.0, 0.4),
    ("too good, gap", "drawings"): (0.06, 0.4),
    ("poor in fit, gap", "drawings"): (0.04, 0.5),
}


def check(claim: str, recipe: str, value: float) -> None:
    """Say so where `value` lies outside the band of `claim` for a recipe; else say nothing.

    Args:
        claim: what the lesson calls the result, such as `"frozen"`.
        recipe: its name, or that of its pictures. One without a band passes.
        value: the result.

    Raises:
        AssertionError: where the value lies outside and `COURSE_STRICT` is set, as in the tests.
        ValueError: where no recipe has a band for the claim.
    """
    if claim not in {known for known, _ in BANDS}:
        known = ", ".join(sorted({known for known, _ in BANDS}))
        raise ValueError(f"Received: the claim '{claim}'. Expected: one of {known}.")
    low, high = BANDS.get((claim, recipes.BY_PICTURES.get(recipe, recipe)), (None, None))
    if low is None or high is None or low <= value <= high:
        return
    said = (
        f"This run differs: {claim} is {value:.3f}, and the text was written for {low} to {high}. "
        f"Run the lesson again from its first cell; if it stays so, the text is wrong here."
    )
    if os.environ.get("COURSE_STRICT"):
        raise AssertionError(said)
    print(said)
