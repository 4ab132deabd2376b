"""The order of things in one run."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings.appeal import Appeal
from embeddings.model import Model
from training import propensity
from training.appeal import AppealRule, Impressions, learn
from training.assembly import assemble
from training.errors import TrainingError
from training.gate import Reason, judge_data, judge_drift, judge_figures, judge_numbers
from training.memory import let_go, map_large_blocks, what_is_loaded_spared
from training.pipeline.account import Account
from training.pipeline.evidence import Evidence, Gathering, fitted
from training.pipeline.facts import facts_before, gate_figures, largest_cardholder, largest_merchant
from training.pipeline.ground import Ground, made_report_folder
from training.pipeline.outcome import Outcome
from training.pipeline.request import Request
from training.propensity import Propensity, read_campaigns
from training.publication import publish
from training.report import Sketch, sketch_of, write_report
from training.stages import Stages


def run(request: Request, stages: Stages, now: datetime) -> Outcome:
    """Do the whole job.

    Raises
    ------
    TrainingError
        The job failed; the shelf is as before.
    """
    map_large_blocks()
    try:
        with what_is_loaded_spared():
            return _Run(request, stages, now).outcome()
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise TrainingError(
            f"failed: {error.strerror or error}{where}; the shelf is as it was. Free space, mend "
            "permissions or set TMPDIR to a larger disk, then run again"
        ) from error


class _Run:
    """One run: its request, and what it stands on."""

    def __init__(self, request: Request, stages: Stages, now: datetime) -> None:
        self.request, self.stages, self.now = request, stages, now
        self.settings = request.settings
        self.ground = Ground.of(request)
        self.campaigns = () if request.pushes is None else read_campaigns(request.pushes)

    def outcome(self) -> Outcome:
        """Evidence, gate, fit on the whole window, gate again, publish."""
        with ThreadPoolExecutor(1) as beside:
            return self._outcome(beside)

    def _outcome(self, beside: ThreadPoolExecutor) -> Outcome:
        evidence = Gathering(self.request, self.stages, self.ground, beside).evidence()
        reasons = self._judge(evidence)
        evidence.table.matrix.let_go()
        if reasons and not self.request.force:
            return self._refused(evidence, reasons)
        factors = fitted(
            "fit", evidence.table.matrix.strength, self.settings.model, self.request, self.stages
        )
        reasons += judge_numbers(factors, self.ground.n_factors, self.settings.gate)
        if reasons and not self.request.force:
            return self._refused(evidence, reasons)
        with self.stages.stage("assemble"):
            model = assemble(evidence.table, factors, evidence.found, evidence.inputs.catalog)
        let_go(*model.arrays().values())
        seen = self._impressions(evidence)
        with threadpool_limits(1, "blas"):
            sketch = beside.submit(sketch_of, evidence.contest, model)
            model = replace(model, appeal=self._appeal(model, seen))
            let_go(*model.arrays().values())
            foreseen = self._foresee(evidence)
            model = replace(model, scores=foreseen.scores)
            return self._published(evidence, model, reasons, foreseen.figures, sketch)

    def _impressions(self, evidence: Evidence) -> Impressions | None:
        """Who saw which item; None without responses. Most often they are read by now."""
        if self.request.events is None:
            return None
        with self.stages.stage("read responses"):
            return evidence.seen.result()

    def _appeal(self, model: Model, seen: Impressions | None) -> Appeal | None:
        """What responses teach of items; None without enough of them."""
        if seen is None:
            return None
        with self.stages.stage("learn from responses"):
            return learn(model, seen, AppealRule(), self.request.n_threads)

    def _foresee(self, evidence: Evidence) -> Propensity:
        """Whom it is worth waking, when that was asked for."""
        if not (self.request.scores or self.campaigns):
            return Propensity()
        usage = pl.concat([table.frame for table in evidence.inputs.usage])
        holders, (_, ends_at) = list(evidence.table.cardholders), evidence.found.window
        with self.stages.stage("learn whom to wake"):
            return propensity.fit(
                usage, holders, ends_at, seed=self.request.seed, campaigns=self.campaigns
            )

    def _judge(self, evidence: Evidence) -> list[Reason]:
        """Everything the gate says before the whole window is fitted."""
        rule, table, before = self.settings.gate, evidence.table, facts_before(self.ground.current)
        figures = gate_figures(evidence.contest, self.ground.current)
        return [
            *judge_data(evidence.data, largest_cardholder(table), largest_merchant(table), rule),
            *(judge_drift(evidence.data, before, rule) if before is not None else []),
            *judge_figures(figures, rule),
        ]

    def _account(
        self, evidence: Evidence, reasons: list[Reason], foreseen: Mapping[str, object]
    ) -> Account:
        return Account(
            request=self.request,
            now=self.now,
            evidence=evidence,
            reasons=tuple(reasons),
            foreseen=foreseen,
        )

    def _refused(self, evidence: Evidence, reasons: list[Reason]) -> Outcome:
        """Leave the report beside the shelf; the shelf is untouched."""
        folder, told = (
            made_report_folder(self.request, self.now),
            self._account(evidence, reasons, {}),
        )
        with self.stages.stage("report"):
            material = told.material(None, self.stages.as_document())
            write_report(folder, material, sketch_of(evidence.contest, None))
        return Outcome(None, told.reasons, folder, evidence.contest, told.warnings, is_pinned=False)

    def _published(
        self,
        evidence: Evidence,
        model: Model,
        reasons: list[Reason],
        foreseen: Mapping[str, object],
        sketch: Future[Sketch],
    ) -> Outcome:
        told = self._account(evidence, reasons, foreseen)

        def report(folder: Path) -> None:
            material = told.material(model, self.stages.as_document())
            write_report(folder, material, sketch.result())

        imprint, ground = told.imprint(self.ground.deleted_through), self.ground
        with self.stages.stage("publish"):
            bundle = publish(ground.shelf, model, imprint, report, ground.key)
        pinned = ground.shelf.current_version() != bundle.version
        return Outcome(
            bundle.version,
            told.reasons,
            bundle.folder,
            evidence.contest,
            told.warnings,
            is_pinned=pinned,
        )
