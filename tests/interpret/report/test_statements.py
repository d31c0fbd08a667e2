"""Sentences say what numbers say, and no more."""

import math

import pytest
from scipy.stats import binomtest, norm

from icmass.interpret.report.rounding import plus_minus, short, sigmas, significance
from icmass.interpret.report.statements import (
    agn_statement,
    band_statement,
    change_statement,
    core_statement,
    correlation_statement,
    error_statement,
    legend,
    ratio_statement,
    share_statement,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.4167, 0.05, "0.42 ± 0.05"),
        (0.4167, 0.0123, "0.417 ± 0.012"),
        (0.4167, 0.0354, "0.417 ± 0.035"),
        (0.4167, 0.0356, "0.42 ± 0.04"),
        (0.4167, 0.00996, "0.417 ± 0.010"),
        (0.4, 0.096, "0.40 ± 0.10"),
        (-0.0123, 0.0031, "−0.0123 ± 0.0031"),
        (-0.001, 0.05, "0.00 ± 0.05"),
        (12346.0, 120.0, "12350 ± 120"),
        (12345.0, 4.4, "12345 ± 4"),
        (12.0, 30.0, "12 ± 30"),
        (0.00034, 0.00002, "(3.40 ± 0.20) × 10⁻⁴"),
        (3.2e14, 4e12, "(3.20 ± 0.04) × 10¹⁴"),
        (0.417, NAN, "0.417"),
        (0.417, 0.0, "0.417"),
        (0.0, NAN, "0"),
        (NAN, 0.1, "not known"),
        (0.0, 0.0, "0"),
        (0.0, 0.02, "0.000 ± 0.020"),
    ],
)
def test_values_with_errors(value, error, words):
    assert plus_minus(value, error) == words


def test_signs_and_units():
    assert plus_minus(0.02, 0.01, signed=True) == "+0.020 ± 0.010"
    assert plus_minus(-0.02, 0.01, signed=True) == "−0.020 ± 0.010"
    assert plus_minus(0.0, 0.01, signed=True) == "0.000 ± 0.010"
    assert plus_minus(97.3, 0.62, "%") == "97.3 ± 0.6 %"
    assert [short(x) for x in (1234.5, 0.5, 0.00012345, -2e7, math.inf, 1e6)] == [
        "1234",
        "0.5",
        "1.234 × 10⁻⁴",
        "−2 × 10⁷",
        "–",
        "1 × 10⁶",
    ]


def test_significance_is_rounded_down():
    assert significance(0.5, 0.1, 0.2) == pytest.approx(3.0)
    assert math.isnan(significance(0.5, 0.0))
    assert [sigmas(x) for x in (2.999, 3.0, 12.7, 150.0, NAN)] == [
        "2.9 sigma",
        "3.0 sigma",
        "12 sigma",
        "more than 99 sigma",
        "no error known",
    ]


def test_agn_pixels():
    sure = agn_statement(math.log10(0.42), 0.03)
    assert str(sure) == (
        "Pixels dominated by AGN have 0.420 ± 0.029 times the saliency of ICM pixels of equal "
        "brightness and radius (12 sigma)."
    )
    assert sure.verdict == "found"
    weak = agn_statement(-0.12, 0.03, matched=False, channel="0.5–2 keV")
    assert weak.verdict == "tentative"
    assert weak.text.startswith("In 0.5–2 keV, pixels dominated by AGN have 0.76 ± 0.05 times")
    assert weak.text.endswith("of ICM pixels (4.0 sigma, tentative).")
    none = agn_statement(-0.02, 0.01)
    assert none.verdict == "not significant"
    assert none.text.endswith("(no significant difference: 2.0 sigma).")
    assert agn_statement(NAN, NAN).text.startswith("Not measured: pixels dominated by AGN")
    assert agn_statement(-0.2, NAN).text.endswith("(no error known).")


def test_ratios_above_one():
    found = ratio_statement("hard pixels", "attribution", 2.0, 0.1, "soft pixels")
    assert (
        found.text
        == "Hard pixels have 2.00 ± 0.10 times the attribution of soft pixels (10 sigma)."
    )
    assert found.verdict == "found"


def test_cores():
    assert core_statement(0.083, 0.006, 0.285).text == (
        "Inside 0.285 R500c, pixels have 0.083 ± 0.006 times the saliency that N_phot implies, 12 "
        "times less (more than 99 sigma)."
    )
    share = core_statement(0.083, 0.006, 0.285, kind="share")
    assert "0.083 ± 0.006 times the part of R500c's saliency that N_phot implies" in share.text
    same = core_statement(0.9, 0.06, 0.15, proxy="L_X")
    assert "less" not in same.text
    assert same.verdict == "not significant"
    more = core_statement(1.5, 0.1, 0.15)
    assert "less" not in more.text
    assert more.verdict == "found"
    assert core_statement(NAN, 0.1, 0.15).verdict == "not known"


def test_changes():
    words = change_statement(
        "removing AGN", (-0.0123, 0.0011), {"N_phot": (-0.081, 0.002), "L_X": (NAN, NAN)}
    )
    assert words.text == (
        "Removing AGN changes the networks' ln M by −0.0123 ± 0.0011 (11 sigma); that of N_phot by "
        "−0.0810 ± 0.0020."
    )
    quiet = change_statement("rotating", (0.0003, 0.0011), {})
    assert quiet.text == (
        "Rotating changes the networks' ln M by +0.0003 ± 0.0011 (no significant change: "
        "0.2 sigma)."
    )
    assert quiet.verdict == "not significant"
    three = change_statement("it", (0.1, 0.01), {k: (0.1, 0.01) for k in "abc"})
    assert "that of a by +0.100 ± 0.010, b by +0.100 ± 0.010 and c by" in three.text
    assert change_statement("it", (NAN, NAN), {}).verdict == "not known"


def test_shares_and_plurals():
    sure = share_statement("deletion wins", 0.973, 0.0062, 1512, "cluster")
    assert sure.text == (
        "Deletion wins in 97.3 ± 0.6 % of 1,512 clusters; chance gives one half (41 sigma)."
    )
    assert sure.verdict == "found"
    assert share_statement("deletion wins", 1.0, NAN, 1, "cluster").text == (
        "Deletion wins in 100 % of 1 cluster; chance gives one half (no significant difference: "
        "0.0 sigma)."
    )
    assert share_statement("deletion wins", NAN, NAN, 3, "cluster").verdict == "not known"


@pytest.mark.parametrize(
    ("better", "n", "sigma", "verdict"),
    [
        (6, 6, "2.1", "not significant"),
        (0, 6, "2.1", "not significant"),
        (10, 20, "0.0", "not significant"),
        (12, 12, "3.4", "tentative"),
        (20, 20, "4.7", "tentative"),
        (22, 22, "5.0", "found"),
        (520, 1000, "1.2", "not significant"),
        (640, 1000, "8.8", "found"),
        (4000, 4000, "74", "found"),
    ],
)
def test_shares_are_judged_against_chance(better, n, sigma, verdict):
    found = share_statement("deletion wins", better / n, 0.0, n, "cluster")
    assert found.verdict == verdict
    assert f"{sigma} sigma" in found.text
    # The same from the definition, where the probability is not too small for it.
    p = binomtest(better, n).pvalue
    if p > 1e-300:
        assert float(sigma) == pytest.approx(norm.isf(p / 2), abs=1.0 if p < 1e-24 else 0.1)


def test_the_legend_explains_what_is_there():
    sure = share_statement("deletion wins", 1.0, 0.0, 40, "cluster")
    good = correlation_statement("maps", 0.04, 0.001, expected_zero=True)
    bad = correlation_statement("maps", -0.6, 0.01, expected_zero=True)
    usual = "Found: 5 sigma or more; tentative: 3 to 5 sigma."
    checks = "Met: a check that should hold does; missed: it does not."
    assert legend([sure]) == legend([]) == usual
    assert legend([sure, good]) == legend([bad]) == f"{usual} {checks}"


def test_errors():
    words = error_statement("without the core", (0.134, 0.003), (0.13, 0.003))
    assert words.text == (
        "Trained without the core: errors in ln M have a standard deviation of 13.40 ± 0.30 %, in "
        "place of 13.00 ± 0.30 % (no significant difference: 0.9 sigma)."
    )
    assert error_statement("a", (0.134, 0.003), (0.13, 0.003), 0.0005).verdict == "found"
    assert error_statement("a", (NAN, NAN), (0.13, 0.003)).verdict == "not known"


def test_correlations():
    good = correlation_statement("maps", 0.04, 0.001, expected_zero=True)
    assert good.verdict == "met"
    bad = correlation_statement("maps", -0.6, 0.01, expected_zero=True)
    assert bad.verdict == "missed"
    assert "−0.600 ± 0.010" in bad.text
    assert correlation_statement("maps", 0.4, 0.2).verdict == "not significant"
    assert correlation_statement("maps", NAN, 0.2).verdict == "not known"


def test_bands():
    medians = {"soft": (-4.15, 0.003), "hard": (-4.25, 0.004), "none": (NAN, NAN)}
    assert band_statement(medians).text == (
        "Median saliencies of channels lie within 0.100 ± 0.005 dex, largest in soft, smallest "
        "in hard (20 sigma)."
    )
    assert band_statement({"soft": (-4.0, 0.1)}).verdict == "not known"
