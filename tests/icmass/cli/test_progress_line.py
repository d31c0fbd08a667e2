"""Progress on the error stream."""

from icmass.cli.progress_line import _line, show_progress
from icmass.simulate.production import Progress


def test_progress_says_rate_and_rest(capsys, monkeypatch):
    progress = Progress(rows=1000, done=300, before=100, failed=2, seconds=10.0)
    line = "300 of 1,000 clusters, 2 failed, 20 per second, 0:00:35 left"
    assert _line(progress, "clusters") == line
    begun = Progress(rows=1000, done=100, before=100, failed=0, seconds=0.0)
    assert _line(begun, "clusters") == "100 of 1,000 clusters, 0 per second"
    monkeypatch.setattr("icmass.cli.progress_line._LINE_EVERY_S", 0.0)
    with show_progress("clusters") as report:
        report(progress)
    assert capsys.readouterr().err == line + "\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress("clusters") as report:
        report(progress)
    assert capsys.readouterr().err == f"\r\x1b[K{line}\r\x1b[K"
