"""What a source is: point or extended, how bright, where, and how sure that is.

A candidate is fitted as a point and as a beta model of each extent, all else that is known being
kept. Likelihoods are those of eSASS (Brunner et al. 2022, A&A 661, A1): -ln of the probability that
chance gains as much, -ln[1 - P(nu / 2, gain of ln L)], P being the regularised incomplete gamma
function, nu = 3 for a point against nothing, 4 for an extended source against nothing, and 1 for an
extended source against a point. Lengths in pixels unless named otherwise.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from icmass.simulate.detection.filters import Profiles
from icmass.simulate.detection.fit_kernels import add_source, fit_source

__all__ = ["Fit", "Fitter", "likelihood"]

Floats = NDArray[np.float64]

_POINT_ARCSEC = 64.0  # radius in which points are fitted
_EXTENDED_ARCSEC = (160.0, 256.0)  # in which extents up to 40 arcsec, and longer ones, are compared
_LONG_ARCSEC = 45.0
_SHIFT_ARCSEC = 24.0  # how far a point may move from its candidate
_SECOND_ARCSEC = (20.0, 40.0, 60.0)  # where a second point is looked for
_PAIR_GAIN = 2.0  # of ln L, that a pair of points must have more: it has two more numbers
_DOWNHILL = 1.0  # below the best ln L, from where on longer extents are not tried
_SURE_POINT = 0.5  # ext_like below which a point is not tried as extended again
_HOPELESS = 15.0  # ln L that a pair does not gain by being polished
_STEPS = 25
_TRIAL_STEPS = 5


def likelihood(gain: float, free: int) -> float:
    """Return -ln of the chance of a `gain` of ln L by as many numbers as are `free`: 1, 3 or 4.

    The formula of eSASS, see the module.
    """
    if gain <= 0.0:
        return 0.0
    chance = float(gammaincc(0.5 * free, gain))
    if chance > 1e-280:
        return -float(np.log(chance))
    # Leading term of the asymptotic series.
    return float(gain - (0.5 * free - 1.0) * np.log(gain) + _LOG_GAMMA[free])


_LOG_GAMMA = {1: 0.5 * np.log(np.pi), 3: np.log(0.5 * np.sqrt(np.pi)), 4: 0.0}


@dataclass
class Fit:
    """One source as fitted.

    Attributes
    ----------
    x, y : float
        Column and row, from the middle of the first pixel.
    rate, rate_error : float
        Counts per second of (vignetted) exposure.
    gain : float
        Of ln L over no source there.
    error : float
        Standard error of the place per axis.
    extent : int
        Index of the core radius; 0 for a point.
    det_like, ext_like : float
    core_arcsec : float
        Core radius between the tabulated ones.
    radius_arcsec : float
        Of the circle of pixels compared.
    """

    x: float
    y: float
    rate: float
    gain: float
    rate_error: float
    error: float
    extent: int = 0
    det_like: float = 0.0
    ext_like: float = 0.0
    core_arcsec: float = 0.0
    radius_arcsec: float = 0.0


@dataclass
class Fitter:
    """Fits sources to one image; holds the model of all that is known, which grows.

    Attributes
    ----------
    counts : ndarray of int32, shape (n_y, n_x)
    exposure : ndarray, shape (n_y, n_x)
        Vignetted, s.
    model : ndarray, shape (n_y, n_x)
        Counts expected; 0 where not observed. Changed by `add` and `remove`.
    profiles : Profiles
    min_extent_likelihood : float
        From which a source is called extended.
    """

    counts: NDArray[np.int32]
    exposure: Floats
    model: Floats
    profiles: Profiles
    min_extent_likelihood: float
    _out: Floats = field(default_factory=lambda: np.zeros(7))

    def pixels(self, arcsec: float) -> float:
        """Turn a length, `arcsec`, into pixels."""
        return arcsec / self.profiles.pixel_arcsec

    def add(self, fit: Fit, sign: float = 1.0) -> None:
        """Add source `fit` times `sign` to the model, as far as its profile brings counts."""
        table = self.profiles.table[fit.extent]
        add_source(
            self.model,
            self.exposure,
            table,
            self.profiles.step,
            fit.x,
            fit.y,
            sign * fit.rate,
            self._reach(fit),
        )

    def remove(self, fit: Fit) -> None:
        """Take source `fit` out of the model."""
        self.add(fit, -1.0)

    def sees(self, fit: Fit) -> bool:
        """Tell whether the middle of source `fit` was observed."""
        return self._exposure_at(fit.x, fit.y) > 0.0

    def _exposure_at(self, x: float, y: float) -> float:
        n_y, n_x = self.exposure.shape
        return float(self.exposure[min(max(round(y), 0), n_y - 1), min(max(round(x), 0), n_x - 1)])

    def _reach(self, fit: Fit) -> float:
        """Radius beyond which a source brings less than 0.001 counts to a pixel."""
        source = fit.rate * self._exposure_at(fit.x, fit.y) * self.profiles.table[fit.extent]
        return self.profiles.step * max(int(np.searchsorted(-source, -1e-3)), 16)

    def fit(
        self,
        x: float,
        y: float,
        rate: float,
        extent: int,
        middle: tuple[float, float],
        radius_arcsec: float,
        steps: int = _STEPS,
    ) -> Fit:
        """Fit rate and place for one extent, comparing the pixels of a circle.

        Parameters
        ----------
        x, y, rate : float
            To begin with: column and row, and counts per second.
        extent : int
            Index of the core radius.
        middle : (float, float)
            Column and row of the middle of the circle.
        radius_arcsec : float
            Of the circle.
        steps : int
            Most steps of the fit; 0 only tells the gain of the start.

        Returns
        -------
        Fit
            Its likelihoods are not set.
        """
        core = self.profiles.extents_arcsec[extent]
        fit_source(
            self.counts,
            self.model,
            self.exposure,
            self.profiles.table[extent],
            self.profiles.step,
            middle[0],
            middle[1],
            self.pixels(radius_arcsec),
            np.array([rate, x, y]),
            self.pixels(max(_SHIFT_ARCSEC, core)),
            steps,
            self._out,
        )
        rate, x, y, gain, rate_error, error_x, error_y = self._out.tolist()
        error = float(np.sqrt(0.5 * (error_x**2 + error_y**2)))
        return Fit(x, y, rate, gain, rate_error, error, extent, radius_arcsec=radius_arcsec)

    def point(self, x: float, y: float) -> Fit:
        """Fit a point source near column `x` and row `y`; its ``det_like`` is set."""
        fit = self.fit(x, y, self._first_rate(x, y), 0, (x, y), _POINT_ARCSEC)
        fit.det_like = likelihood(fit.gain, 3)
        return fit

    def _first_rate(self, x: float, y: float) -> float:
        """Rate that a glance at the nearest pixels gives, at least that of one count."""
        row, column = round(y), round(x)
        box = (slice(max(row - 2, 0), row + 3), slice(max(column - 2, 0), column + 3))
        exposure = float(self.exposure[box].max(initial=1e-9))
        excess = float((self.counts[box] - self.model[box]).sum())
        return max(1.5 * excess, 1.0) / max(exposure, 1e-9)

    def extended(self, start: Fit) -> tuple[Fit, Fit]:
        """Fit the best beta model and, to the same pixels, a point.

        Parameters
        ----------
        start : Fit
            Where to begin.

        Returns
        -------
        extended, point : Fit
            ``ext_like`` and ``core_arcsec`` are set in the first.
        """
        extents = self.profiles.extents_arcsec
        short, long = _EXTENDED_ARCSEC
        middle = (start.x, start.y)
        order = [k for k in range(1, len(extents)) if extents[k] <= _LONG_ARCSEC]
        radius = short if order else long
        point, fits = self._series(start, order or range(1, len(extents)), middle, radius)
        best = max(fits, key=lambda fit: fit.gain)
        if order and best.extent == order[-1] and len(extents) > len(order) + 1:
            point, fits = self._series(start, range(order[-1], len(extents)), middle, long)
            best = max(fits, key=lambda fit: fit.gain)
        best.ext_like = likelihood(best.gain - point.gain, 1)
        best.det_like = likelihood(best.gain, 4)
        best.core_arcsec = _between(extents, [point, *fits], best)
        return best, point

    def _series(
        self, start: Fit, extents: "range | list[int]", middle: tuple[float, float], radius: float
    ) -> tuple[Fit, list[Fit]]:
        """Fit a point and extents one after the other, each beginning where the last ended."""
        point = self.fit(start.x, start.y, start.rate, 0, middle, radius)
        fits: list[Fit] = []
        before = point if start.extent == 0 else start
        for extent in extents:
            fits.append(self.fit(before.x, before.y, before.rate * 1.2, extent, middle, radius))
            before = fits[-1]
            if before.gain < max(point.gain, *(fit.gain for fit in fits)) - _DOWNHILL:
                break
        return point, fits

    def classify(self, x: float, y: float) -> list[Fit]:
        """Fit what is near a place: a point, an extended source, or two points that look like one.

        Parameters
        ----------
        x, y : float
            Column and row.

        Returns
        -------
        list of Fit
            One source, or the two points; likelihoods are set.
        """
        return self._choose(self.point(x, y), split=True)

    def refit(self, fit: Fit) -> list[Fit]:
        """Fit source `fit` again, itself being out of the model; it may change its kind."""
        point = self.fit(fit.x, fit.y, fit.rate, 0, (fit.x, fit.y), _POINT_ARCSEC)
        point.det_like = likelihood(point.gain, 3)
        point.ext_like = fit.ext_like
        if fit.extent == 0 and fit.ext_like < _SURE_POINT:
            return [point]
        return self._choose(point, split=fit.extent > 0)

    def _choose(self, point: Fit, *, split: bool) -> list[Fit]:
        """The point, or what fits so much better; both points of a pair only if it may split."""
        if len(self.profiles.extents_arcsec) == 1:
            return [point]
        extended, same_pixels = self.extended(point)
        point.ext_like = extended.ext_like
        if extended.ext_like < self.min_extent_likelihood:
            return [point]
        pair = self._pair(same_pixels, extended)
        if not pair:
            return [extended]
        return pair if split else [point]

    def _pair(self, first: Fit, extended: Fit) -> list[Fit]:
        """Two points, where they fit better than one extended source; else nothing."""
        middle = (first.x, first.y)
        radius = extended.radius_arcsec
        start = (extended.x, extended.y)
        trials = []
        self.add(first)
        for distance in _SECOND_ARCSEC:
            for angle in np.arange(8) * (np.pi / 4.0):
                x = start[0] + self.pixels(distance) * float(np.cos(angle))
                y = start[1] + self.pixels(distance) * float(np.sin(angle))
                trials.append(self.fit(x, y, 0.3 * first.rate, 0, middle, radius, _TRIAL_STEPS))
        self.remove(first)
        second = max(trials, key=lambda fit: fit.gain)
        if first.gain + second.gain < extended.gain - _HOPELESS:
            return []
        for _ in range(5):
            first = self._beside(first, second, middle, radius)
            second = self._beside(second, first, middle, radius)
        alone = self.fit(first.x, first.y, first.rate, 0, middle, radius, steps=0)
        if alone.gain + second.gain < extended.gain + _PAIR_GAIN:
            return []
        first = self._beside(first, second, middle, radius)
        for fit in (first, second):
            fit.det_like = likelihood(fit.gain, 3)
            fit.ext_like = extended.ext_like
        return [first, second]

    def _beside(self, fit: Fit, other: Fit, middle: tuple[float, float], radius: float) -> Fit:
        """Fit a point again, another one being there."""
        self.add(other)
        again = self.fit(fit.x, fit.y, fit.rate, 0, middle, radius)
        self.remove(other)
        return again


def _between(extents: tuple[float, ...], fits: list[Fit], best: Fit) -> float:
    """Core radius at the top of the parabola through the gains of three neighbouring extents."""
    gains = {fit.extent: fit.gain for fit in fits}
    k = best.extent
    if not {k - 1, k, k + 1} <= gains.keys():
        return extents[k]
    low, top, high = gains[k - 1], gains[k], gains[k + 1]
    bend = low - 2.0 * top + high
    if bend >= 0.0:
        return extents[k]
    shift = min(max(0.5 * (low - high) / bend, -0.5), 0.5)
    to = k + (1 if shift > 0.0 else -1)
    return extents[k] + abs(shift) * (extents[to] - extents[k])
