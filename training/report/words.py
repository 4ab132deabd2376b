"""The report in a few lines, for a terminal."""

from typing import Any


def lines_of(document: dict[str, Any]) -> list[str]:
    """What it was trained on, how good it is, and what the gate says."""
    counts, evaluation = document["counts"], document["evaluation"]
    return [
        f"{document['issuer_id']}: {counts['transactions']:,} transactions of "
        f"{counts['cardholders']:,} cardholders, {document['window']['starts_at'][:10]} to "
        f"{document['window']['ends_at'][:10]}",
        *(
            line
            for task, found in evaluation["tasks"].items()
            for line in _task(task, evaluation["k"], found["models"])
        ),
        *(f"warning: {sentence}" for sentence in document.get("warnings", ())),
        *_gate(document["gate"]),
    ]


def _task(task: str, k: int, models: dict[str, Any]) -> list[str]:
    return [
        f"{task:>7} {name:<14} recall@{k} {figures['recall']:.4f} "
        f"({figures['recall_low']:.4f} to {figures['recall_high']:.4f})  "
        f"nDCG {figures['ndcg']:.4f}"
        for name, figures in models.items()
    ]


def _gate(gate: dict[str, Any]) -> list[str]:
    if gate["passed"]:
        return ["gate: passed"]
    word = "forced in spite of" if gate["forced"] else "refused"
    return [f"gate: {word}: {reason['sentence']}" for reason in gate["reasons"]]
