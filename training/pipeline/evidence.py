"""What is known before the whole window is fitted: the data, and how the model does on a split."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import islice

from scipy import sparse

from embeddings.factors import Factors
from training import als
from training.appeal import AppealRule, Impressions, read_impressions, without_deleted
from training.assembly import Table, without_empty
from training.contest import CURRENT, Contest, current_scorer, hold, scorers_of
from training.gate import DataFacts
from training.matrix import (
    Forgotten,
    Inputs,
    Spool,
    Survey,
    build,
    homes_of,
    on_disk,
    open_inputs,
    spool_contacts,
    survey,
)
from training.pipeline.facts import data_facts
from training.pipeline.ground import Ground
from training.pipeline.request import Request
from training.split import Split, SplitFacts, split, split_day
from training.stages import Stages
from training.weighting import ModelParameters


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known before the whole window is fitted.

    Parameters
    ----------
    inputs : Inputs
    found : Survey
    table : Table
    split : SplitFacts
    contest : Contest
    data : DataFacts
    seen : future of Impressions or None
        Who saw which item, of the cardholders that are learned from; None without responses.
    """

    inputs: Inputs
    found: Survey
    table: Table
    split: SplitFacts
    contest: Contest
    data: DataFacts
    seen: Future[Impressions | None]


@dataclass(frozen=True, slots=True, eq=False)
class Gathering:
    """Gathers the evidence of one run.

    Parameters
    ----------
    request : Request
    stages : Stages
    ground : Ground
    beside : Executor
        Reads who saw what while the model is held against its rivals: each leaves a core idle now
        and then.
    """

    request: Request
    stages: Stages
    ground: Ground
    beside: Executor

    def evidence(self) -> Evidence:
        """Read, add up, split, and hold the model against its rivals."""
        request, stage = self.request, self.stages.stage
        with stage("check input"):
            files = (request.usage, request.catalog, request.events, request.profiles)
            inputs = open_inputs(*files, self.request.settings.model.events)
        with stage("survey usage"):
            found = survey(inputs, hash_key(request, inputs), self.ground.erased)
        day = split_day(found, request.split_at, self.request.settings.evaluation)
        model, columns = self.request.settings.model, len(found.columns)
        with stage("read usage"):
            forgotten = Forgotten.of(self.ground.deleted, found.cardholders, found.columns)
            spool = spool_contacts(inputs, found, forgotten)
            inputs = inputs.spent()
        with spool:
            with stage("build matrix"):
                table = self._table(spool, found, inputs)
            table.matrix.let_go()
            seen = self.beside.submit(self._impressions, table, inputs)
            sample = self.request.settings.evaluation.max_cardholders
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
        return Evidence(inputs, found, table, cut.facts(), contest, data, seen)

    def _table(self, spool: Spool, found: Survey, inputs: Inputs) -> Table:
        """The matrix of the whole window, and who belongs together."""
        homes, rule = homes_of(spool, found, inputs.profiles), self.request.settings.model.events
        matrix = build(spool, len(found.columns), rule, as_of_day=found.last_day)
        return without_empty(matrix, found, homes)

    def _impressions(self, table: Table, inputs: Inputs) -> Impressions | None:
        """Impressions less those of deleted interests, put aside on disk until after the fit."""
        if self.request.events is None:
            return None
        catalog, most = inputs.catalog, AppealRule().max_cardholders
        seen = read_impressions(
            self.request.events, table.cardholders, catalog, max_cardholders=most
        )
        deleted, holders = self.ground.deleted, islice(table.cardholders, most)
        return without_deleted(seen, deleted, holders, catalog).each(on_disk)

    def _contest(
        self,
        cut: Split,
        found: Survey,
        rebuilt: Callable[[ModelParameters], sparse.csr_matrix],
    ) -> Contest:
        model = self.request.settings.model
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
            plan, request = self.request.settings.evaluation, self.request
            return hold(cut, scorers, plan, request.seed, current_is, request.n_threads)

    def _fit(self, stage: str, strength: sparse.csr_matrix, model: ModelParameters) -> Factors:
        return fitted(stage, strength, model, self.request, self.stages)


def fitted(
    stage: str,
    strength: sparse.csr_matrix,
    model: ModelParameters,
    request: Request,
    stages: Stages,
) -> Factors:
    """Vectors of a matrix, as one stage of the run; those of cardholders lie on disk."""
    with stages.stage(stage) as teller:
        factors = als.fit(strength, model, request.seed, teller.advance, request.n_threads)
        return replace(factors, cardholders=on_disk(factors.cardholders))


def hash_key(request: Request, inputs: Inputs) -> bytes:
    """Key of the vocabularies' hashes.

    The same for the same issuer, seed and input, so that a run can be repeated bit for bit; not
    known before the input is complete, so that nobody can choose ids that collide.
    """
    seal = f"{request.issuer_id}\n{request.seed}\n{inputs.fingerprint}"
    return hashlib.blake2b(seal.encode(), digest_size=16).digest()
