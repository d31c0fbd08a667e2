"""One picture of a catalog: masses and redshifts, proxies against mass, a gallery of images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from icmass.catalog.reading import CatalogReader

__all__ = ["catalog_figure", "save_figure"]

_SUFFIXES: Final = ("png", "pdf", "svg")
_MASS: Final = "m500c_msun"
# Panels of the first row, the first that are known: column and label.
_PROXIES: Final = (
    ("n_phot_500", r"photons in $R_{500c}$"),
    ("lx_bolometric_erg_s", r"$L_X$ bolometric [erg s$^{-1}$]"),
    ("n_gal", "galaxies"),
    ("gas_mass_msun", r"$M_\mathrm{gas}$ [$M_\odot$]"),
    ("n_phot", "photons in the image"),
    ("kt_mass_weighted_kev", r"$kT$ mass-weighted [keV]"),
    ("sigma_v_clipped_km_s", r"$\sigma_v$ [km s$^{-1}$]"),
)
_MASS_LABEL: Final = r"$M_{500c}$ [$10^{14}\,M_\odot$]"
_PANELS: Final = 3
_GALLERY: Final = 12
_GALLERY_COLUMNS: Final = 6
_MOST_POINTS: Final = 20_000
_PLAIN_BELOW: Final = 1e4  # smaller numbers are written out, not as powers
_SMOOTHING_PIXELS: Final = 1.0
_STEEPNESS: Final = 10.0  # of the asinh scale: faint gas shows beside a bright core
_WHITE_QUANTILE: Final = 0.999


def save_figure(catalog: "CatalogReader", path: Path, *, overwrite: bool = False) -> None:
    """Draw a catalog into a file; the same catalog gives the same bytes.

    Parameters
    ----------
    catalog : Catalog
        At least one row.
    path : Path
        Ends in .png, .pdf or .svg.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InputError
        If the catalog is empty, or the suffix of the file is of no known format.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix not in _SUFFIXES:
        raise InputError(f"{path}: must end in .{', .'.join(_SUFFIXES)}; got '{path.suffix}'.")
    figure = catalog_figure(catalog)
    with atomic_write(path, overwrite=overwrite) as stage:
        # No date and no name of the program: the same catalog gives the same bytes.
        metadata: dict[str, Any] = {
            "png": {"Software": None},
            "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
            "svg": {"Date": None},
        }
        figure.savefig(stage, dpi=120, metadata=metadata[suffix])


def catalog_figure(catalog: "CatalogReader") -> "Figure":
    """Draw a catalog.

    Parameters
    ----------
    catalog : Catalog
        At least one row.

    Returns
    -------
    matplotlib Figure
        Not shown, and unknown to pyplot.

    Raises
    ------
    InputError
        If the catalog has no rows.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to import)

    if not len(catalog):
        raise InputError(f"{catalog.path}: must hold clusters to be drawn; it is empty.")
    gas = "icm" in catalog.spec.origins and len(catalog.spec.origins) > 1
    chosen = _gallery_rows(catalog)
    blocks = np.array_split(chosen, -(-len(chosen) // _GALLERY_COLUMNS))
    n_rows = len(blocks) * (2 if gas else 1)
    figure = Figure(figsize=(15.0, 4.2 + 2.7 * n_rows), layout="constrained")
    top, bottom = np.asarray(figure.subfigures(2, 1, height_ratios=(4.0, 2.7 * n_rows)))
    _draw_columns(top, catalog)
    axes = bottom.subplots(n_rows, _GALLERY_COLUMNS, squeeze=False)
    sources: list[tuple[str, list[str] | None]] = [("all photons", None), ("gas alone", ["icm"])]
    shown = [
        (label, origins, block) for block in blocks for label, origins in sources[: 1 + int(gas)]
    ]
    for line, (label, origins, block) in zip(axes, shown, strict=True):
        line[0].set_ylabel(label)
        for place, axis in enumerate(line):
            axis.set_xticks([])
            axis.set_yticks([])
            if place < len(block):
                _draw_cluster(axis, catalog, int(block[place]), origins, titled=origins is None)
            else:
                axis.set_frame_on(False)
    return figure


def _draw_columns(figure: Any, catalog: "CatalogReader") -> None:
    names = {column.name for column in catalog.columns}
    mass, redshift = catalog.column(_MASS) / 1e14, catalog.column("redshift")
    shown = slice(None, None, -(-len(catalog) // _MOST_POINTS))
    known = [
        (name, label)
        for name, label in _PROXIES
        if name in names and np.any(np.isfinite(catalog.column(name)))
    ][:_PANELS]
    axes = np.atleast_1d(figure.subplots(1, 1 + len(known)))
    style = {"s": 9.0, "c": redshift[shown], "cmap": "viridis", "linewidths": 0.0}
    points = axes[0].scatter(redshift[shown], mass[shown], **style)
    axes[0].set(xlabel="redshift", ylabel=_MASS_LABEL, yscale="log")
    _write_out(axes[0].yaxis)
    axes[0].set_title(f"{len(catalog):,} clusters")
    for axis, (name, label) in zip(axes[1:], known, strict=True):
        values = catalog.column(name).astype(np.float64)
        values[values <= 0] = np.nan
        axis.scatter(mass[shown], values[shown], **style)
        axis.set(xscale="log", yscale="log", xlabel=_MASS_LABEL, ylabel=label)
        _write_out(axis.xaxis)
        if np.nanmax(values, initial=1.0) < _PLAIN_BELOW:
            _write_out(axis.yaxis)
    figure.colorbar(points, ax=axes[-1], label="redshift")


def _write_out(axis: "Axis") -> None:
    """Write the numbers of a logarithmic axis out, few enough to be apart."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _gallery_rows(catalog: "CatalogReader") -> NDArray[np.int64]:
    """Return rows evenly spread in rank of mass, light ones first."""
    order = np.argsort(catalog.column(_MASS), kind="stable")
    places = np.linspace(0, len(order) - 1, min(_GALLERY, len(order))).round().astype(int)
    return order[places]


def _draw_cluster(
    axis: "Axes", catalog: "CatalogReader", row: int, origins: list[str] | None, *, titled: bool
) -> None:
    from matplotlib.patches import Circle  # noqa: PLC0415

    geometry = catalog.spec.geometry
    colours = _colours(catalog.images([row], dtype=np.float64)[0])
    picture = _colours(
        catalog.images([row], origins=origins, dtype=np.float64)[0], like=colours[1]
    )[0]
    half_x, half_y = (0.5 * n * geometry.pixel for n in (geometry.n_x, geometry.n_y))
    axis.imshow(
        picture,
        origin="lower",
        extent=(half_x, -half_x, -half_y, half_y),  # east to the left
        interpolation="nearest",
    )
    one = catalog.select([row])
    if geometry.unit == "kpc":
        radius = float(one.column("r500c_kpc")[0])
        axis.add_patch(Circle((0, 0), radius, fill=False, color="white", lw=0.8, ls="--"))
    if titled:
        mass, redshift = float(one.column(_MASS)[0]), float(one.column("redshift")[0])
        photons = int(one.column("n_phot")[0])
        axis.set_title(
            f"{mass / 1e14:.2f}e14 $M_\\odot$, z {redshift:.2f}\n{photons:,} photons", fontsize=9
        )


def _colours(
    images: NDArray[np.float64], like: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a picture (n_y, n_x, 3) of bands, soft red and hard blue, and the counts at white.

    Fewer or more than three bands are added and shown in grey.
    """
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415

    if len(images) != 3:
        images = np.repeat(images.sum(axis=0, keepdims=True), 3, axis=0)
    smooth = np.stack([gaussian_filter(image, _SMOOTHING_PIXELS) for image in images], axis=-1)
    if like is None:
        like = np.maximum(np.quantile(smooth, _WHITE_QUANTILE, axis=(0, 1)), 1e-12)
    scaled = np.arcsinh(_STEEPNESS * smooth / like) / np.arcsinh(_STEEPNESS)
    return np.clip(scaled, 0.0, 1.0), like
