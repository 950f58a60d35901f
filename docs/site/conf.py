"""Sphinx's settings for the site that `python3 course.py site` makes of the course's pages.

`helpers/commands/site.py` gathers the pages, and says what Sphinx is to read in place of each.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

import helpers
from helpers.commands import site

project = "Transfer learning with TensorFlow and Keras"
author = "The course's authors"
copyright = "prose under CC BY 4.0, code under the Apache License 2.0"
release = helpers.__version__
html_title = "Transfer learning"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
root_doc = Path(site.FRONT_PAGE).stem
nb_execution_mode = "off"  # the stored outputs are what is shown
nb_number_source_lines = False
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = html_logo = "static/icon.svg"
html_sourcelink_suffix = ""  # a notebook is downloaded as .ipynb, not as .ipynb.txt
html_last_updated_fmt = None
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": html_title, "alt_text": ""},
    "use_download_button": True,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search stands at the side
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_selector = "div.highlight pre:not(.output pre)"


def setup(app: Sphinx) -> None:
    """Have each page prepared as it is read."""
    app.connect("source-read", prepare)


def prepare(app: Sphinx, page: str, content: list[str]) -> None:
    """Put the prepared text in place of the file's."""
    file = Path(app.env.doc2path(page)).relative_to(app.srcdir).as_posix()
    content[0] = site.prepare(file, content[0])
