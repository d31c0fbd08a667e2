"""Progress bars: seen on a terminal, silent elsewhere, never in the way of the work."""

import sys

from icmass.progress import progress, track


class Terminal:
    """An error stream that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_silent_without_a_terminal(capsys):
    assert list(track(range(5), "counting")) == [0, 1, 2, 3, 4]
    with progress("working") as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_seen_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track([1, 2], "counting")) == [1, 2]
    assert list(track(iter([1, 2]), "of unknown length")) == [1, 2]
    assert "counting" in terminal.text
    assert "2/2" in terminal.text
    assert "of unknown length" in terminal.text
