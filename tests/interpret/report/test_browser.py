"""The page in a browser: nothing fails, nothing is fetched, figures are there, phones can read it.

Skips where playwright (extra [clients]) or the browser chromium is absent.
"""

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(CHROMIUM is None, reason="the browser chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (1200, "dark")], ids=["phone", "desk"]
)
def test_nothing_fails_and_all_is_shown(browser, write, width, scheme):
    page_file = write()
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    problems, requests = [], []
    page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri(), wait_until="load")
    assert problems == []
    assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()]
    assert page.title().startswith("Report <script>")
    sizes = page.eval_on_selector_all("img", "all => all.map(i => [i.naturalWidth, i.width])")
    assert len(sizes) == 2
    assert all(natural > 0 and shown > 200 for natural, shown in sizes)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Wide tables move in their own frame.
    inner, outer = page.eval_on_selector(".scroll", "one => [one.scrollWidth, one.clientWidth]")
    assert outer <= width < inner
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")
    page.click("nav a >> nth=1")
    assert page.url.endswith("-interventions")
    page.close()


def test_a_page_that_fails_is_noticed(browser, tmp_path):
    """The checks above see errors, and scripts that run."""
    bad = tmp_path / "bad.html"
    bad.write_text("<script>throw new Error('seen')</script><img src='missing.png'>")
    page = browser.new_page()
    problems, errors = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(bad.as_uri(), wait_until="load")
    assert any("seen" in error for error in errors)
    assert problems == [bad.with_name("missing.png").as_uri()]
    page.close()
