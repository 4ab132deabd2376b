"""The rules about structure run: see `[tool.importlinter]` in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_import_rule_is_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_importing_the_service_loads_no_trainer() -> None:
    program = (
        "import sys, recsvc.app, recsvc.cli.serve, recsvc.cli.keys, embeddings.shelf;"
        "heavy = {'implicit', 'scipy', 'polars', 'pandas', 'sklearn'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
