"""The panel that makes a folder of classes out of uploaded pictures."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from helpers.panels.panel import ROOM, STILL, Panel
from helpers.pictures import headers, uploads

# Decoding at this size says whether a file is a picture; nothing else is wanted of it here.
TRIED_AT = 8


def upload_panel(folder: str | Path) -> Panel:
    """Name a class, choose its pictures, add them to `folder/<class>/`.

    Files get new names; none is overwritten, none lands elsewhere. What is no picture is named with
    the reason and not kept.

    Args:
        folder: of all classes, as `pictures.load` takes it; it is made with the first picture.
    """
    name = widgets.Text(
        description="class",
        placeholder="such as: mug",
        tooltip="The name of a class, new or already there",
        style=ROOM,
    )
    upload = widgets.FileUpload(
        accept=headers.CHOOSER,
        multiple=True,
        description="Choose pictures",
        layout=widgets.Layout(width="auto"),
    )
    add = widgets.Button(description="Add to class", tooltip="Write them into the class's folder")
    said = widgets.HTML(listed(folder))

    def store(_: Any) -> None:
        said.value = f"{added(folder, name.value, upload.value)}{listed(folder)}"
        upload.value = ()

    add.on_click(store)
    return Panel(
        [widgets.HBox([name, upload, add], layout=widgets.Layout(flex_flow="row wrap")), said],
        still=lambda: {"text/html": f"{said.value}<p>{STILL}</p>"},
    )


def added(folder: str | Path, name: str, value: Any) -> str:
    """Store what was sent; what came of it, as HTML."""
    try:
        class_name = uploads.class_name(name)
        if not value:
            return "<p>No pictures chosen yet.</p>"
        sent = uploads.receive(value, TRIED_AT)
        written = uploads.store(folder, class_name, sent)
    except (ValueError, OSError) as error:
        return f"<p>{html.escape(str(error))}</p>"
    refused = [
        f"<li>{html.escape(one.name)}: {html.escape(one.reason)}</li>" for one in sent if one.reason
    ]
    list_of_refused = f"<ul>{''.join(refused)}</ul>" if refused else ""
    return f"<p>Added to {html.escape(class_name)}: {len(written)}.</p>{list_of_refused}"


def listed(folder: str | Path) -> str:
    """The classes of a folder and how many pictures each has, as HTML."""
    found = uploads.counts(folder)
    if not found:
        return "<p>No classes yet. You need at least two.</p>"
    rows = [f"<tr><td>{html.escape(name)}</td><td>{n}</td></tr>" for name, n in found.items()]
    return f"<table><tr><th>class</th><th>pictures</th></tr>{''.join(rows)}</table>"
