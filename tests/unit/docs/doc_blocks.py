"""The code blocks of the documentation."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LANGUAGES = {"bash", "python", "yaml", "csv", "text"}
_FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """Where it stands, for the ids of tests."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_in(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["text"])
        for found in _FENCED.finditer(text)
    ]


def blocks_of(*languages: str) -> list[Block]:
    """Every block of the documentation in these languages."""
    return [block for page in PAGES for block in blocks_in(page) if block.language in languages]


def commands_in(text: str) -> list[list[str]]:
    """The words of each command of a shell block."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def nocigram_arguments(words: list[str]) -> list[str] | None:
    """What a command gives to `nocigram`; None for another program."""
    if words[:2] == ["python", "train_multitask.py"]:
        return ["train", *words[2:]]
    return words[1:] if words[0] == "nocigram" else None
