"""Typst · The printer that is built in: templates are Typst, data reach them as JSON and are never read as markup.

Nothing depends on the machine: the font is the packaged Noto Sans SC (OFL) or the file in `XIAODAI_FONT`, system fonts are
left out, and the document carries no time of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import justmytype_intl_cjk  # type: ignore[import-untyped]
import typst

from gateways.documents.port import DocumentError

PACKAGED = Path(justmytype_intl_cjk.__file__).parent / "fonts" / "ofl" / "notosanssc"
NO_TIME = 0


class TypstDocuments:
    """Prints in a thread, so that a long contract holds up nobody."""

    def __init__(self, font: Path | None = None) -> None:
        folder = PACKAGED if font is None else font.parent
        self._fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
        known = [shape.family for shape in self._fonts.fonts() if font is None or shape.path == str(font)]
        if not known:
            raise DocumentError(f"no font that can be used in {folder}")
        self._family = known[0]

    async def pdf(self, template: str, data: Mapping[str, Any]) -> bytes:
        """The PDF of a Typst template. It finds the data as `data` and the font as the default of its text."""
        return await asyncio.to_thread(self._compile, template, json.dumps(data, ensure_ascii=False, sort_keys=True))

    def _compile(self, template: str, data: str) -> bytes:
        head = (
            "#let data = json(bytes(sys.inputs.data))\n"
            f'#set text(font: "{self._family}", lang: "zh", region: "cn")\n#set document(date: none)\n'
        )
        compiler = typst.Compiler(font_paths=self._fonts, sys_inputs={"data": data})
        try:
            printed = compiler.compile(input=(head + template).encode(), format="pdf", timestamp=NO_TIME)
        except typst.TypstError as error:
            raise DocumentError(str(error)) from error
        assert isinstance(printed, bytes), "one PDF is asked for"
        return printed
