"""The Dockerfile, read as a builder would; there need be no engine here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
STEPS = re.sub(r"\\\n\s*", " ", TEXT).splitlines()


def stage(name: str) -> list[str]:
    """Lines of one stage, after those of the stage it stands on."""
    starts = {m[2]: (i, m[1]) for i, s in enumerate(STEPS) if (m := FROM.match(s))}
    at, parent = starts[name]
    end = next((i for i in range(at + 1, len(STEPS)) if STEPS[i].startswith("FROM ")), len(STEPS))
    return [*(stage(parent) if parent in starts else []), *STEPS[at:end]]


FROM = re.compile(r"FROM (\S+) AS (\S+)")


def test_the_last_stage_serves() -> None:
    assert [m[2] for s in STEPS if (m := FROM.match(s))][-1] == "serve"


@pytest.mark.parametrize("target", ["serve", "worker", "train"])
def test_an_image_runs_as_nobody_and_stops_on_term(target: str) -> None:
    lines = stage(target)

    assert "USER 10001:10001" in lines
    assert "STOPSIGNAL SIGTERM" in lines
    assert lines.index("USER 10001:10001") > max(
        i for i, line in enumerate(lines) if line.startswith(("COPY", "RUN"))
    )
    assert any(re.match(r'ENTRYPOINT \["', line) for line in lines)


@pytest.mark.parametrize("lock", ["serve", "worker", "train"])
def test_an_environment_is_built_from_hashes_and_wheels_only(lock: str) -> None:
    installs = [s for s in stage(f"{lock}-env") if f"/locks/{lock}.txt" in s and "pip install" in s]

    assert len(installs) == 1
    assert all(
        word in installs[0]
        for word in ("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir")
    )


@pytest.mark.parametrize("target", ["serve", "worker"])
def test_the_serving_image_carries_no_trainer(target: str) -> None:
    lines = "\n".join(stage(f"{target}-env"))

    assert "site-packages/training" in lines
    assert "bin/recsvc-train" in lines
    assert "train.txt" not in "\n".join(stage(target))


def test_both_images_hold_the_numeric_libraries_to_one_thread() -> None:
    environment = " ".join(line for line in stage("base") if line.startswith("ENV"))

    for name in ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1"):
        assert name in environment


def test_health_is_asked_without_a_tool_the_image_lacks() -> None:
    health = next(line for line in stage("serve") if line.startswith("HEALTHCHECK"))

    assert '"python", "-c"' in health
    assert "/livez" in health


def test_everything_copied_exists_and_is_not_ignored() -> None:
    copied = [s.split()[1:-1] for s in STEPS if s.startswith("COPY") and "--from" not in s]
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]

    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists(), source
        assert any(source == a or source.startswith(f"{a}/") for a in allowed), source
