"""Parameters by name: rules for a kind of table, chosen on slices cut from train alone."""

from embeddings.blend import Blend
from embeddings.factors import HalfStep, Transform
from training.errors import BadInputError
from training.weighting import ModelParameters

CARDS = "cards"
PLACES = "places"


def preset(name: str) -> ModelParameters:
    """Parameters of a preset.

    ``cards`` is dated card usage with repeat visits: 64 factors that a server folds in within a
    request. ``places`` is a large undated table of who has been where, to be ranked without what
    he has: 512 factors, stopped after four alternations (more fit the train part and not the slice
    cut from it), no habit, and the trend, without dates, is popularity.

    Raises
    ------
    BadInputError
        Another name.
    """
    if name == CARDS:
        return ModelParameters()
    if name == PLACES:
        return ModelParameters(
            n_factors=512,
            iterations=4,
            step=HalfStep(
                alpha=40.0, transform=Transform.BINARY, activity_exponent=0.3, regularisation=30.0
            ),
            blend=Blend(trend_weight=0.15, known_weight=0.0, habit_weight=0.0),
        )
    raise BadInputError(f"--preset: {name} is not a preset; known are {CARDS}, {PLACES}")
