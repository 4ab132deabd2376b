"""The order of things in one run."""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import polars as pl
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings.appeal import Appeal
from embeddings.factors import Factors
from embeddings.model import Model
from training import als, propensity
from training.appeal import (
    AppealRule,
    Impressions,
    learn,
    read_impressions,
    without_deleted,
)
from training.assembly import Table, assemble, without_empty
from training.contest import CURRENT, Contest, current_scorer, hold, scorers_of
from training.errors import TrainingError
from training.gate import (
    DataFacts,
    Reason,
    judge_data,
    judge_drift,
    judge_figures,
    judge_numbers,
)
from training.matrix import (
    Forgotten,
    Inputs,
    Survey,
    build,
    homes_of,
    on_disk,
    open_inputs,
    spool_contacts,
    survey,
)
from training.memory import let_go, map_large_blocks
from training.pipeline.facts import (
    data_facts,
    facts_before,
    gate_figures,
    largest_cardholder,
    largest_merchant,
    warnings_of,
)
from training.pipeline.ground import Ground, made_report_folder
from training.pipeline.outcome import Outcome
from training.pipeline.request import Request
from training.propensity import Propensity, read_campaigns
from training.publication import Imprint, publish
from training.report import Material, Sketch, sketch_of, write_report
from training.split import Split, SplitFacts, iso_date, split, split_day
from training.stages import Stages
from training.weighting import ModelParameters


def run(request: Request, stages: Stages, now: datetime) -> Outcome:
    """Do the whole job.

    Raises
    ------
    TrainingError
        The job failed; the shelf is as before.
    """
    map_large_blocks()
    try:
        return _Run(request, stages, now).outcome()
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise TrainingError(
            f"failed: {error.strerror or error}{where}; the shelf is as it was. Free space, mend "
            "permissions or set TMPDIR to a larger disk, then run again"
        ) from error


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What is known before the whole window is fitted."""

    inputs: Inputs
    found: Survey
    table: Table
    split: SplitFacts
    contest: Contest
    data: DataFacts


class _Run:
    """One run: its request, and what it stands on."""

    def __init__(self, request: Request, stages: Stages, now: datetime) -> None:
        self.request, self.stages, self.now = request, stages, now
        self.settings = request.settings
        self.ground = Ground.of(request)
        self.campaigns = () if request.pushes is None else read_campaigns(request.pushes)

    def outcome(self) -> Outcome:
        """Evidence, gate, fit on the whole window, gate again, publish."""
        evidence = self._evidence()
        reasons = self._judge(evidence)
        evidence.table.matrix.let_go()
        if reasons and not self.request.force:
            return self._refused(evidence, reasons)
        factors = self._fit("fit", evidence.table.matrix.strength, self.settings.model)
        reasons += judge_numbers(factors, self.ground.n_factors, self.settings.gate)
        if reasons and not self.request.force:
            return self._refused(evidence, reasons)
        with self.stages.stage("assemble"):
            model = assemble(evidence.table, factors, evidence.found, evidence.inputs.catalog)
        let_go(*model.arrays().values())
        seen = self._impressions(model)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(1) as beside:
            sketch = beside.submit(sketch_of, evidence.contest, model)
            model = replace(model, appeal=self._appeal(model, seen))
            let_go(*model.arrays().values())
            foreseen = self._foresee(evidence)
            model = replace(model, scores=foreseen.scores)
            return self._published(evidence, model, reasons, foreseen.figures, sketch)

    def _impressions(self, model: Model) -> Impressions | None:
        """Who saw which item, of the cardholders that are learned from; None without responses."""
        request, most = self.request, AppealRule().max_cardholders
        if request.events is None:
            return None
        with self.stages.stage("read responses"):
            seen = read_impressions(
                request.events, model.cardholders, model.catalog, max_cardholders=most
            )
            return without_deleted(
                seen, self.ground.deleted, islice(model.cardholders, most), model.catalog
            )

    def _appeal(self, model: Model, seen: Impressions | None) -> Appeal | None:
        """What responses teach of items; None without enough of them."""
        if seen is None:
            return None
        with self.stages.stage("learn from responses"):
            return learn(model, seen, AppealRule(), self.request.n_threads)

    def _foresee(self, evidence: _Evidence) -> Propensity:
        """Whom it is worth waking, when that was asked for."""
        if not (self.request.scores or self.campaigns):
            return Propensity()
        usage = pl.concat([table.frame for table in evidence.inputs.usage])
        holders, (_, ends_at) = list(evidence.table.cardholders), evidence.found.window
        with self.stages.stage("learn whom to wake"):
            return propensity.fit(
                usage, holders, ends_at, seed=self.request.seed, campaigns=self.campaigns
            )

    def _evidence(self) -> _Evidence:
        request, stage = self.request, self.stages.stage
        with stage("check input"):
            files = (request.usage, request.catalog, request.events, request.profiles)
            inputs = open_inputs(*files, self.settings.model.events)
        with stage("survey usage"):
            found = survey(inputs, hash_key(request, inputs), self.ground.erased)
        day = split_day(found, request.split_at, self.settings.evaluation)
        model, columns = self.settings.model, len(found.columns)
        with stage("read usage"):
            forgotten = Forgotten.of(self.ground.deleted, found.cardholders, found.columns)
            spool = spool_contacts(inputs, found, forgotten)
            inputs = inputs.spent()
        with spool:
            with stage("build matrix"):
                homes = homes_of(spool, found, inputs.profiles)
                matrix = build(spool, columns, model.events, as_of_day=found.last_day)
                table = without_empty(matrix, found, homes)
                del matrix
            table.matrix.let_go()
            sample = self.settings.evaluation.max_cardholders
            with stage("split by time"):
                cut = split(spool, found, inputs.profiles, model, day=day, max_cardholders=sample)

            def rebuilt(used: ModelParameters) -> sparse.csr_matrix:
                rule, n = used.events, cut.train.strength.shape[0]
                return build(
                    spool, columns, rule, as_of_day=day - 1, before_day=day, n_cardholders=n
                ).strength

            contest = self._contest(cut, found, rebuilt)
            data = data_facts(table, found, spool.rows)
        inputs = replace(inputs, profiles=None)
        return _Evidence(inputs, found, table, cut.facts(), contest, data)

    def _contest(
        self,
        cut: Split,
        found: Survey,
        rebuilt: Callable[[ModelParameters], sparse.csr_matrix],
    ) -> Contest:
        model = self.settings.model
        factors = self._fit("fit the train part", cut.train.strength, model)
        scorers, current_is = scorers_of(cut, factors, model.blend), self.ground.current_fault
        current = self.ground.current
        if current is not None:

            def refit(used: ModelParameters) -> Factors:
                return self._fit("fit the bundle in use again", rebuilt(used), used)

            rival, current_is = current_scorer(current, cut, found.columns, model, refit)
            if rival is not None:
                scorers[CURRENT] = rival
        with self.stages.stage("evaluate"):
            plan, request = self.settings.evaluation, self.request
            return hold(cut, scorers, plan, request.seed, current_is, request.n_threads)

    def _fit(self, stage: str, strength: sparse.csr_matrix, model: ModelParameters) -> Factors:
        request = self.request
        with self.stages.stage(stage) as teller:
            factors = als.fit(strength, model, request.seed, teller.advance, request.n_threads)
            return replace(factors, cardholders=on_disk(factors.cardholders))

    def _judge(self, evidence: _Evidence) -> list[Reason]:
        """Everything the gate says before the whole window is fitted."""
        rule, table, before = self.settings.gate, evidence.table, facts_before(self.ground.current)
        figures = gate_figures(evidence.contest, self.ground.current)
        return [
            *judge_data(evidence.data, largest_cardholder(table), largest_merchant(table), rule),
            *(judge_drift(evidence.data, before, rule) if before is not None else []),
            *judge_figures(figures, rule),
        ]

    def _refused(self, evidence: _Evidence, reasons: list[Reason]) -> Outcome:
        """Leave the report beside the shelf; the shelf is untouched."""
        folder = made_report_folder(self.request, self.now)
        with self.stages.stage("report"):
            material = self._material(evidence, None, reasons, {})
            write_report(folder, material, sketch_of(evidence.contest, None))
        warnings = warnings_of(evidence.inputs)
        return Outcome(None, tuple(reasons), folder, evidence.contest, warnings, is_pinned=False)

    def _published(
        self,
        evidence: _Evidence,
        model: Model,
        reasons: list[Reason],
        foreseen: Mapping[str, object],
        sketch: Future[Sketch],
    ) -> Outcome:
        def report(folder: Path) -> None:
            material = self._material(evidence, model, reasons, foreseen)
            write_report(folder, material, sketch.result())

        imprint = self._imprint(evidence, reasons, foreseen)
        with self.stages.stage("publish"):
            bundle = publish(self.ground.shelf, model, imprint, report, self.ground.key)
        pinned = self.ground.shelf.current_version() != bundle.version
        return Outcome(
            bundle.version,
            tuple(reasons),
            bundle.folder,
            evidence.contest,
            warnings_of(evidence.inputs),
            is_pinned=pinned,
        )

    def _imprint(
        self, evidence: _Evidence, reasons: list[Reason], foreseen: Mapping[str, object]
    ) -> Imprint:
        request, found = self.request, evidence.found
        return Imprint(
            created_at=self.now,
            window=found.window,
            as_of_day=found.last_day,
            transactions=found.transactions,
            events=self.settings.model.events,
            composition=self.settings.composition,
            parameters={**self.settings.model.as_document(), "seed": request.seed},
            figures={
                "k": evidence.contest.k,
                "split_at": iso_date(evidence.split.day),
                "evaluation": evidence.contest.summary(),
                "data": evidence.data.as_document(),
                "propensity": dict(foreseen),
                "gate": {
                    "forced": bool(reasons) and request.force,
                    "reasons": [reason.as_document() for reason in reasons],
                },
            },
            data_fingerprint=evidence.inputs.fingerprint,
            events_through=evidence.inputs.events_through,
            interests_deleted_through=self.ground.deleted_through,
        )

    def _material(
        self,
        evidence: _Evidence,
        model: Model | None,
        reasons: list[Reason],
        foreseen: Mapping[str, object],
    ) -> Material:
        return Material(
            issuer_id=self.request.issuer_id,
            created_at=self.now,
            settings=self.settings,
            seed=self.request.seed,
            found=evidence.found,
            split=evidence.split,
            contest=evidence.contest,
            data=evidence.data,
            unknown_items=evidence.inputs.unknown_items,
            warnings=warnings_of(evidence.inputs),
            reasons=tuple(reasons),
            forced=bool(reasons) and self.request.force,
            foreseen=foreseen,
            model=model,
            stages=self.stages.as_document(),
        )


def hash_key(request: Request, inputs: Inputs) -> bytes:
    """Key of the vocabularies' hashes.

    The same for the same issuer, seed and input, so that a run can be repeated bit for bit; not
    known before the input is complete, so that nobody can choose ids that collide.
    """
    seal = f"{request.issuer_id}\n{request.seed}\n{inputs.fingerprint}"
    return hashlib.blake2b(seal.encode(), digest_size=16).digest()
