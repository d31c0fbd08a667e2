"""What numbers say, in plain sentences with errors; careful where these leave room.

Below 3 sigma a sentence says that no difference is significant, below 5 sigma that it is tentative.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import gammaln, logsumexp, ndtri_exp

from icmass.interpret.report.rounding import plus_minus, short, sigmas, significance

__all__ = [
    "SIGNIFICANT",
    "Statement",
    "Verdict",
    "agn_statement",
    "band_statement",
    "change_statement",
    "core_statement",
    "correlation_statement",
    "error_statement",
    "legend",
    "ratio_statement",
    "share_statement",
    "signed_statement",
]

Verdict = Literal["found", "tentative", "not significant", "not known", "met", "missed"]

#: Errors from which on a difference is called one, and from which on it is called sure.
SIGNIFICANT: Final = 3.0
_SURE: Final = 5.0
_KINDS: Final = {
    "saliency": "the saliency that",
    "share": "the part of R500c's saliency that",
    "signed": "the summed gradient (with its sign) that",
}


@dataclass(frozen=True)
class Statement:
    """A sentence, and what it is worth.

    Attributes
    ----------
    text : str
        Whole sentences.
    verdict : str
        found (5 sigma or more), tentative (3 to 5), not significant, not known; or, of a number
        that was asked for, met or missed.
    """

    text: str
    verdict: Verdict = "found"

    def __str__(self) -> str:
        return self.text


def ratio_statement(
    what: str, of: str, ratio: float, error: float, than: str, *, sigma: float | None = None
) -> Statement:
    """Say how many times as much of something one thing has as another.

    Parameters
    ----------
    what, of, than : str
        As in "`what` have 0.42 ± 0.05 times the `of` of `than`".
    ratio, error : float
    sigma : float, optional
        Significance of a ratio other than 1, where it is better known in the logarithm.
    """
    if not math.isfinite(ratio):
        return _unknown(f"{what} against {than}, {of}")
    far = significance(ratio, error, 1.0) if sigma is None else sigma
    text = f"{_capital(what)} have {plus_minus(ratio, error)} times the {of} of {than}"
    return _judged(text, far, "no significant difference")


def agn_statement(
    dex: float,
    error: float,
    *,
    matched: bool = True,
    channel: str | None = None,
    over_proxy: str | None = None,
) -> Statement:
    """Say how saliencies of AGN pixels and of ICM pixels differ.

    Parameters
    ----------
    dex, error : float
        log10 of the median in AGN pixels less that in ICM pixels.
    matched : bool
        Whether ICM pixels were weighted to the brightness and radius of AGN pixels.
    channel : str, optional
        In which they were compared; by default in all.
    over_proxy : str, optional
        The proxy by whose implied saliency that of each pixel was divided.
    """
    place = f"in {channel}, " if channel else ""
    than = "ICM pixels of equal brightness and radius" if matched else "ICM pixels"
    ratio = 10.0**dex
    return ratio_statement(
        f"{place}pixels dominated by AGN",
        "saliency" if over_proxy is None else f"saliency (over what {over_proxy} implies)",
        ratio,
        math.log(10.0) * ratio * error,
        than,
        sigma=significance(dex, error),
    )


def signed_statement(
    agn: tuple[float, float], icm: tuple[float, float], difference: tuple[float, float]
) -> Statement:
    """Say whether photons of AGN raise the mass as those of gas do.

    Parameters
    ----------
    agn, icm, difference : (float, float)
        Mean gradient with its sign, and error, in pixels of AGN and in pixels of gas of the same
        cluster, brightness and radius, and AGN minus gas.
    """
    if not math.isfinite(difference[0]):
        return _unknown("how photons of AGN change the mass beside those of gas")
    far = significance(*difference)
    text = (
        "Inside R500c, d ln M / d ln(1 + N) with its sign is "
        f"{plus_minus(*agn, signed=True)} in pixels of AGN and {plus_minus(*icm, signed=True)} in "
        "pixels of gas of the same cluster, brightness and radius"
    )
    return _judged(text, far, "no significant difference")


def core_statement(
    ratio: float,
    error: float,
    radius_r500c: float,
    *,
    proxy: str = "N_phot",
    kind: Literal["saliency", "share", "signed"] = "saliency",
) -> Statement:
    """Say what weight networks give to the core, beside what a proxy gives to the same pixels.

    Parameters
    ----------
    ratio, error : float
        Saliency inside the radius over that of the proxy.
    radius_r500c : float
        In R500c, projected.
    proxy : str
    kind : str
        saliency; share, where both are parts of what lies inside R500c; or signed, where gradients
        keep their sign.
    """
    where = f"inside {radius_r500c:g} R500c"
    if not math.isfinite(ratio):
        return _unknown(f"the weight of pixels {where} against that of {proxy}")
    far = significance(ratio, error, 1.0)
    of = _KINDS[kind]
    text = f"{_capital(where)}, pixels have {plus_minus(ratio, error)} times {of} {proxy} implies"
    if 0.0 < ratio < 1.0 and far >= SIGNIFICANT:
        text += f", {short(1.0 / ratio, 2)} times less"
    return _judged(text, far, "no significant difference")


def change_statement(
    deed: str, network: tuple[float, float], proxies: dict[str, tuple[float, float]]
) -> Statement:
    """Say what a change of the data does to masses.

    Parameters
    ----------
    deed : str
        As in "`deed` changes the networks' mass by", such as "removing AGN".
    network : (float, float)
        Median change of ln M with its error.
    proxies : dict of str to (float, float)
        The same of proxies, by name.
    """
    value, error = network
    if not math.isfinite(value):
        return _unknown(f"what {deed} does to the networks' mass")
    far = significance(value, error)
    text = f"{_capital(deed)} changes the networks' ln M by {plus_minus(value, error, signed=True)}"
    text += _aside(far, "no significant change")
    known = [
        f"{name} by {plus_minus(*pair, signed=True)}"
        for name, pair in proxies.items()
        if math.isfinite(pair[0])
    ]
    if known:
        text += f"; that of {_listed(known)}"
    return Statement(f"{text}.", _verdict(far))


def share_statement(what: str, share: float, error: float, n: int, noun: str) -> Statement:
    """Say in what part of clusters something holds that by chance holds in one half of them.

    Parameters
    ----------
    what : str
        As in "`what` in 97.3 ± 0.6 % of 512 clusters", such as "deletion beats random order".
    share, error : float
        From 0 to 1.
    n : int
    noun : str
        Of one of them; an s is added for several.
    """
    if not math.isfinite(share) or n < 1:
        return _unknown(f"in how many {noun}s {what}")
    several = noun if n == 1 else f"{noun}s"
    text = (
        f"{_capital(what)} in {plus_minus(100.0 * share, 100.0 * error, '%')} of {n:,} {several}; "
        "chance gives one half"
    )
    return _judged(text, _from_one_half(round(share * n), n), "no significant difference")


def error_statement(
    what: str,
    std: tuple[float, float],
    reference: tuple[float, float],
    difference_error: float | None = None,
) -> Statement:
    """Say how errors of mass change for networks trained on something else.

    Parameters
    ----------
    what : str
        On what, such as "without the core".
    std, reference : (float, float)
        Standard deviation of the error in ln M, with its error: there, and as it is.
    difference_error : float, optional
        Of the difference, where clusters are the same; by default as if they were others.
    """
    (value, error), (usual, usual_error) = std, reference
    if not (math.isfinite(value) and math.isfinite(usual)):
        return _unknown(f"errors of networks trained {what}")
    spread = math.hypot(error, usual_error) if difference_error is None else difference_error
    far = significance(value, spread, usual)
    text = (
        f"Trained {what}: errors in ln M have a standard deviation of "
        f"{plus_minus(100.0 * value, 100.0 * error, '%')}, in place of "
        f"{plus_minus(100.0 * usual, 100.0 * usual_error, '%')}"
    )
    return _judged(text, far, "no significant difference")


def correlation_statement(
    what: str, value: float, error: float, *, expected_zero: bool = False
) -> Statement:
    """Say how maps correlate.

    Parameters
    ----------
    what : str
        As in "`what` correlate by 0.04 ± 0.01", such as "maps of networks with shuffled weights
        and of the trained ones".
    value, error : float
    expected_zero : bool
        Whether they should not: then a small value is good, whatever its significance.
    """
    if not math.isfinite(value):
        return _unknown(f"how {what} correlate")
    text = f"{_capital(what)} correlate by {plus_minus(value, error, signed=True)}"
    if expected_zero:
        met = abs(value) < 0.3
        words = "the maps do depend on what was learnt" if met else "the maps show the images too"
        return Statement(f"{text}: {words}.", "met" if met else "missed")
    return _judged(text, significance(value, error), "no significant correlation")


def band_statement(medians: dict[str, tuple[float, float]]) -> Statement:
    """Say how the median attributions of channels differ.

    Parameters
    ----------
    medians : dict of str to (float, float)
        log10 of the median with its error, by channel.
    """
    known = {name: pair for name, pair in medians.items() if math.isfinite(pair[0])}
    if len(known) < 2:
        return _unknown("how attributions of the channels differ")
    (low, (least, least_error)) = min(known.items(), key=lambda item: item[1][0])
    (high, (most, most_error)) = max(known.items(), key=lambda item: item[1][0])
    spread = math.hypot(least_error, most_error)
    return _judged(
        f"Median saliencies of channels lie within {plus_minus(most - least, spread, 'dex')}, "
        f"largest in {high}, smallest in {low}",
        significance(most - least, spread),
        "no significant difference",
    )


def legend(statements: Iterable[Statement]) -> str:
    """Return what the verdicts of `statements` mean, in whole sentences."""
    words = f"Found: {_SURE:g} sigma or more; tentative: {SIGNIFICANT:g} to {_SURE:g} sigma."
    if any(one.verdict in ("met", "missed") for one in statements):
        words += " Met: a check that should hold does; missed: it does not."
    return words


def _from_one_half(k: int, n: int) -> float:
    """Return how far k of n are from one half, in sigma, by the two-sided binomial test."""
    more = np.arange(max(k, n - k), n + 1)
    # In logarithms, for the chance of many is too small for a number. Half of it lies at each end.
    ways = gammaln(n + 1) - gammaln(more + 1) - gammaln(n - more + 1)
    one_end = float(logsumexp(ways)) - n * math.log(2.0)
    return max(0.0, -float(ndtri_exp(min(one_end, 0.0))))


def _judged(text: str, far: float, nothing: str) -> Statement:
    return Statement(f"{text}{_aside(far, nothing)}.", _verdict(far))


def _aside(far: float, nothing: str) -> str:
    if math.isnan(far):
        return " (no error known)"
    if far < SIGNIFICANT:
        return f" ({nothing}: {sigmas(far)})"
    return f" ({sigmas(far)}{', tentative' if far < _SURE else ''})"


def _verdict(far: float) -> Verdict:
    if math.isnan(far):
        return "not known"
    if far < SIGNIFICANT:
        return "not significant"
    return "tentative" if far < _SURE else "found"


def _unknown(what: str) -> Statement:
    return Statement(f"Not measured: {what}.", "not known")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
