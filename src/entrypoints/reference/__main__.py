"""Write docs/reference from the code, or check that it still says what the code says.

python -m entrypoints.reference [--check]
"""

from __future__ import annotations

from pathlib import Path

import click

from entrypoints.reference.contents import contents
from entrypoints.reference.folder import differences, write

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where docs/reference differs.")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, help="Instead of docs/reference.")
def main(check: bool, folder: Path) -> None:
    """Write docs/reference from the code."""
    expected = contents()
    if not check:
        write(folder, expected)
        return
    found = differences(folder, expected)
    for line in found:
        click.echo(f"{line}; run python -m entrypoints.reference", err=True)
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
