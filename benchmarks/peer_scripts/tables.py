"""Tables of the comparison, as aligned text and as Markdown."""

from typing import Any

__all__ = ["AIMS", "agreement_lines", "markdown", "text", "timing_table"]

Table = tuple[list[str], list[list[str]]]

# Aims for a million particles: times faster than the peers, per core, by exposure in seconds.
AIMS = {(1_000_000, 1_600.0): 100.0, (1_000_000, 100_000.0): 15.0}

_HEADER = [
    "program", "particles", "ks", "stages [s]", "total [s]", "CPU [s]", "photons/s", "peak MB",
    "faster", "in CPU", "observe", "with file", "aim",
]  # fmt: skip
_STAGES = {"pyXSIM+SOXS": ("make", "project", "detect"), "ICMass": ("fold", "draw")}


def timing_table(rows: list[dict[str, Any]]) -> Table:
    """Two lines per case; the second says how many times faster ICMass is."""
    lines = []
    for row in rows:
        aim = AIMS.get((row["particles"], row["exposure_s"]))
        last = {
            "pyXSIM+SOXS": [""] * 5,
            "ICMass": [
                f"{row['faster']:.1f}",
                f"{row['faster_cpu']:.1f}",
                f"{row['faster_observe']:.1f}",
                f"{row['faster_with_file']:.1f}",
                "" if aim is None else f"{aim:.0f}",
            ],
        }
        for program, stages in _STAGES.items():
            side = row[program]
            lines.append(
                [
                    program,
                    f"{row['particles']:,}",
                    f"{row['exposure_s'] / 1000:.1f}",
                    ", ".join(f"{stage} {side['seconds'][stage]:.3f}" for stage in stages),
                    f"{side['seconds']['total']:.3f}",
                    f"{side['seconds']['cpu']:.3f}",
                    f"{side['photons_per_s']:,.0f}",
                    f"{side['peak_mb']:,.0f}",
                    *last[program],
                ]
            )
    return _HEADER, lines


def agreement_lines(found: list[dict[str, Any]], fold: dict[str, Any]) -> list[str]:
    """One line per comparison, each with what it says of something slightly wrong."""
    lines = []
    for case in found:
        where = f"{case['particles']:,} particles, 100 ks, seeds: {case['seeds']}"
        for name in ("ICMass", "pyXSIM+SOXS"):
            total = case["counts"][name]
            lines.append(
                f"{where}: counts of {name} {total['counts']:,.0f}, expected "
                f"{total['expected']:,.0f}: {100 * total['excess']:+.3f}%, {total['sigma']:+.1f} "
                f"sigma ({total['sigma_if_high']:+.1f} if 1% more were expected)"
            )
        for name in ("spectrum", "profile"):
            shape = case[name]
            lines.append(
                f"{where}: {name}, chi2 {shape['chi2']:.1f} for {shape['freedom']} degrees of "
                f"freedom: {shape['sigma']:+.1f} sigma ({shape['sigma_if_stretched']:+.1f} if 1% "
                "wider)"
            )
    for name, what in (("folded", "folded spectrum"), ("drawn", "spectrum photons are drawn from")):
        largest, total = fold[name]
        lines.append(
            f"Sherpa fake_pha against the {what}: largest difference per channel {largest:.1e}, "
            f"total {abs(total):.1e}"
        )
    return lines


def text(table: Table) -> str:
    """Columns aligned with blanks: words to the left, numbers to the right."""
    header, rows = table
    width = [max(len(line[k]) for line in [header, *rows]) for k in range(len(header))]
    lines = []
    for line in [header, *rows]:
        cells = [
            cell.ljust(width[k]) if header[k] in ("program", "stages [s]") else cell.rjust(width[k])
            for k, cell in enumerate(line)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(table: Table) -> str:
    """Return the table for a page of the documentation."""
    header, rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
