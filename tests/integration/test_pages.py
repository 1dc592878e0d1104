"""What the pages say stands in the product: their links lead somewhere, and names that they list are all that there are."""
import os
import re

import pytest

from harness.process import ROOT, run

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "src/README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors_of(page):
    """Of its headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page):
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not os.path.exists(target) or (anchor and anchor not in anchors_of(target)):
            lost.append(link)
    assert not lost


def test_every_page_is_in_the_table_of_pages():
    listed = (ROOT / "docs/README.md").read_text()
    assert [page.name for page in PAGES if page.parent.name == "docs" and page.name != "README.md" and f"({page.name})" not in listed] == []


def test_the_configuration_of_the_first_page_is_good(tmp_path):
    (written,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    (tmp_path / "fairlead.yaml").write_text(written)
    secrets = {"DEEPSEEK_API_KEY": "x", "OPENAI_API_KEY": "x", "CHECKOUT_KEY_HASH": "sha256:" + 64 * "0"}
    done = run("check", tmp_path / "fairlead.yaml", env=secrets)
    assert done.returncode == 0 and ": good, 0 warnings;" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("source, name", [("observe.cpp", r'"(fairlead_\w+)"'), ("*.cpp", r'log\(Level::\w+, "(\w+)"'),
                                          ("admin.cpp", r"/(?:healthz|readyz|metrics|admin/v1/\w+)")], ids=["metrics", "events", "paths"])
def test_what_there_is_to_see_is_listed(source, name):
    names = {one for file in (ROOT / "src/daemon").glob(source) for one in re.findall(name, file.read_text())}
    listed = "".join((ROOT / "docs" / page).read_text() for page in ("observing.md", "operating.md"))
    assert len(names) > 5
    assert {one for one in names if not re.search(re.escape(one) + r"\b", listed)} == set()
