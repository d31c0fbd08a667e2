"""Numbers as readers want them: errors to two digits, values to the same place."""

import math
from typing import Final

__all__ = ["plus_minus", "short", "sigmas", "significance"]

_MINUS: Final = "\N{MINUS SIGN}"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALL: Final = 1e-3  # below which, and from which on, numbers get a power of ten
_LARGE: Final = 1e6
_UNKNOWN: Final = "not known"
_MOST_SIGMA: Final = 99.0  # more cannot be told from a few hundred resamples


def plus_minus(value: float, error: float, unit: str = "", *, signed: bool = False) -> str:
    """Write a value with its error, such as 0.42 ± 0.05.

    The error has two digits where the second matters, as the Particle Data Group does: up to 0.35
    of its power of ten; else one.

    Parameters
    ----------
    value, error : float
        Where the error is not known, the value stands alone; where neither is, "not known".
    unit : str
        Follows, such as "dex" or "%".
    signed : bool
        Whether a positive value gets a sign.
    """
    after = f" {unit}" if unit else ""
    if not math.isfinite(value):
        return _UNKNOWN
    if not (math.isfinite(error) and error > 0.0):
        return _sign(short(value), signed) + after
    largest = max(abs(value), error)
    power = 0 if _SMALL <= largest < _LARGE else math.floor(math.log10(largest))
    value, error = value / 10.0**power, error / 10.0**power
    places = _places(error)
    # Above the point as well, digits that are not known are zeros.
    text = f"{round(value, places):.{max(places, 0)}f}"
    spread = f"{round(error, places):.{max(places, 0)}f}"
    text = _sign(_unsigned_zero(text).replace("-", _MINUS), signed)
    if power:
        return f"({text} ± {spread}) × 10{str(power).translate(_SUPERSCRIPT)}{after}"
    return f"{text} ± {spread}{after}"


def _places(error: float) -> int:
    """Return the decimals that an error has."""
    first = math.floor(math.log10(error))
    leading = round(error / 10.0 ** (first - 2))  # of three digits
    if leading >= 950:
        return -first
    return 1 - first if leading < 355 else -first


def short(value: float, digits: int = 4) -> str:
    """Write `value` to so many `digits`, without trailing zeros; a dash where not finite."""
    if not math.isfinite(value):
        return "\N{EN DASH}"
    if value == 0.0:
        return "0"
    if not _SMALL <= abs(value) < _LARGE:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa} × 10{str(int(power)).translate(_SUPERSCRIPT)}"
        return text.replace("-", _MINUS)
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", _MINUS)


def significance(value: float, error: float, null: float = 0.0) -> float:
    """Return how many errors a value is from another; NaN without error.

    Parameters
    ----------
    value, error : float
    null : float
        The other value.
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0.0):
        return math.nan
    return abs(value - null) / error


def sigmas(number: float) -> str:
    """Write a `number` of errors as a significance, such as 12 sigma."""
    if math.isnan(number):
        return "no error known"
    if number > _MOST_SIGMA:
        return f"more than {_MOST_SIGMA:.0f} sigma"
    # Rounded down: 2.96 must not read as 3.0.
    places = 0 if number >= 10.0 else 1
    return f"{math.floor(number * 10.0**places + 1e-9) / 10.0**places:.{places}f} sigma"


def _sign(text: str, signed: bool) -> str:
    zero = not text.strip("0.")
    return f"+{text}" if signed and not text.startswith(_MINUS) and not zero else text


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if not text.strip("-0.") else text
