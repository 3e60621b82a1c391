"""Random histories of a whole deployment, from Gong to what agents find, compared with a model of them.

What happens in Gong, runs, their failures and kills, retention and erasures come in any order. Whenever all
that is due has run, each layer must hold exactly what the model says, and no more.

    MODEL_EXAMPLES=50 MODEL_SEED=7 pytest gong_assets_tests/end_to_end/test_model.py

tries so many random histories; without them, the same few are tried each time. The shortest failing history
is printed as the calls of its rules.
"""

from __future__ import annotations

import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gong_assets.dates import DateRange
from gong_assets.defs.resumption import resume_tags
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.defs.ingestion_runs import why
from gong_assets_tests.end_to_end.gong_faults import Fault
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.end_to_end.interruptions import at_statement, killed_at
from gong_assets_tests.end_to_end.model_company import DEALS, PEOPLE, TODAY, Company, ModelCall, email
from gong_assets_tests.end_to_end.model_deployment import ModelDeployment, Runs
from gong_assets_tests.end_to_end.model_oracle import differences
from gong_assets_tests.instances import local_instance

pytestmark = [pytest.mark.extended, pytest.mark.slow]

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "2"))
SEED = os.environ.get("MODEL_SEED")
STEPS = 10

AGES = st.integers(0, 30)
CALLS = st.integers(0, 50)
PERSONS = st.integers(0, PEOPLE - 1)
READING = st.sampled_from(["ingestion", "reconciliation"])
JOBS = st.sampled_from(["ingestion", "reconciliation", "transformation"])
# A run that reads sends few statements, and a transformation some hundreds.
STATEMENTS = st.one_of(st.integers(1, 30), st.integers(30, 250))
FAULTS = st.sampled_from(["unavailable", "rate_limited", "reset", "quota"])


class Histories(RuleBasedStateMachine):
    """Changes in Gong, runs, and what goes wrong with them."""

    deployment: ModelDeployment
    steps = 0

    @initialize(ages=st.lists(AGES, min_size=2, max_size=5))
    def some_calls_are_there(self, ages: list[int]) -> None:
        self.deployment.reset()
        self.company = Company(self.deployment.gong)
        for number, age in enumerate(ages):
            self.company.add(age, number % PEOPLE, with_transcript=True)
        self.due()

    @invariant()
    def a_step_was_taken(self) -> None:
        self.steps += 1

    def teardown(self) -> None:
        # Nothing is left to compare after a failed step, or if no step followed the first calls.
        if sys.exc_info()[0] is None and self.steps > 1:
            self.due()

    def _call(self, index: int) -> ModelCall | None:
        calls = self.company.calls
        return calls[index % len(calls)] if calls else None

    # What happens in Gong.

    @rule(age=AGES, person=PERSONS, with_transcript=st.booleans())
    def a_call_arrives(self, age: int, person: int, with_transcript: bool) -> None:
        self.company.add(age, person, with_transcript=with_transcript)

    @rule()
    def a_late_transcript_arrives(self) -> None:
        if call := next((each for each in self.company.calls if not each.spoken), None):
            call.spoken, call.changed_out_of_sight = self.company.marker(), True
            self.company.said_anew(call)

    @rule(index=CALLS)
    def a_call_is_edited(self, index: int) -> None:
        if call := self._call(index):
            call.title = f"title{self.company.marker()}"
            self.company.publish()

    @rule(index=CALLS, deal=st.sampled_from(DEALS))
    def a_call_is_linked_to_another_deal(self, index: int, deal: str) -> None:
        if call := self._call(index):
            call.deal, call.changed_out_of_sight = deal, True
            self.company.publish()

    @rule(index=CALLS)
    def a_transcript_is_edited(self, index: int) -> None:
        if (call := self._call(index)) and call.spoken:
            call.spoken, call.changed_out_of_sight = self.company.marker(), True
            self.company.said_anew(call)

    @rule(index=CALLS)
    def a_call_is_deleted(self, index: int) -> None:
        if call := self._call(index):
            self.company.calls.remove(call)
            self.company.publish()

    @rule(index=CALLS)
    def a_call_becomes_private_or_public(self, index: int) -> None:
        if call := self._call(index):
            call.is_private = not call.is_private
            self.company.said_anew(call)

    # What runs.

    @rule(job=JOBS)
    def a_run_is_due(self, job: str) -> None:
        self.deployment.run(job)

    @rule(age=AGES, days=st.integers(1, 10))
    def a_range_is_backfilled(self, age: int, days: int) -> None:
        self._backfill(TODAY - timedelta(days=age), days)

    @rule()
    def all_that_is_due_has_run(self) -> None:
        self.due()

    # What goes wrong.

    @rule(job=READING, fault=FAULTS, after=st.integers(0, 3), times=st.integers(1, 2), resumes=st.booleans())
    def gong_fails(self, job: str, fault: Fault, after: int, times: int, resumes: bool) -> None:
        self.deployment.gong.faults.extend([*[None] * after, *[fault] * times])
        runs = self.deployment.run(job)
        self.deployment.end_faults()
        if resumes and job == "ingestion":
            for run in runs:
                if not run.success:
                    self.deployment.execute(
                        "gong_ingestion", dg.RunRequest(tags=resume_tags(run.dagster_run))
                    )

    @rule(job=JOBS, statement=STATEMENTS)
    def a_run_is_killed(self, job: str, statement: int) -> None:
        if job == "transformation":  # What is in flight is sent again.
            self.company.new_segments += len(self.company.segments())
        with killed_at(statement):
            self.deployment.run(job)
        self.deployment.fail_dead_runs()

    @rule(job=JOBS, other=READING, statement=STATEMENTS)
    def two_runs_overlap(self, job: str, other: str, statement: int) -> None:
        with at_statement(statement, lambda: self.deployment.run(other)):
            self.deployment.run(job)

    # What is removed for good.

    @rule(days=st.sampled_from([21, 10]))
    def calls_expire(self, days: int) -> None:
        first_day = TODAY - timedelta(days=days - 1)
        if first_day > self.company.first_day:
            self.company.first_day = first_day
            assert self.deployment.expire(first_day).success

    @rule(person=PERSONS)
    def a_person_is_erased(self, person: int) -> None:
        self.company.erased_people.add(person)
        self.company.said_anew(*(call for call in self.company.calls if call.person == person))
        assert self.deployment.erase([("email", email(person))], "redact").success

    @rule(index=CALLS)
    def a_call_is_erased(self, index: int) -> None:
        if call := self._call(index):
            self.company.erased_calls.add(call.id)
            assert self.deployment.erase([("call", call.id)], "delete").success

    def _backfill(self, first: date, days: int) -> Runs:
        first = max(first, self.company.first_day)
        window = DateRange(first, min(first + timedelta(days=days), TODAY + timedelta(days=1)))
        return [self.deployment.execute("gong_ingestion", dg.RunRequest(tags=window.as_run_tags()))]

    def due(self) -> None:
        """Run what the schedules and sensors request, and compare every layer with the model."""
        runs = self.deployment.run("ingestion") + self.deployment.run("reconciliation")
        out_of_sight = [call.day for call in self.company.visible if call.changed_out_of_sight]
        if out_of_sight:
            runs += self._backfill(min(out_of_sight), (max(out_of_sight) - min(out_of_sight)).days + 1)
        for call in self.company.calls:
            call.changed_out_of_sight = False
        runs += self.deployment.settle()
        assert not [why(run) for run in runs if not run.success]
        found = list(differences(self.deployment.warehouse, self.company))
        assert not found, "\n".join(found)


@pytest.mark.usefixtures("one_day")
def test_every_layer_equals_the_model_whatever_happened(warehouse: Warehouse, tmp_path: Path) -> None:
    local = local_instance(tmp_path)
    with Gong().served() as gong, local as instance:
        Histories.deployment = ModelDeployment.of(
            gong, warehouse, tmp_path, instance, gong_redact_transcripts=True, gong_max_vanished_share=1
        )
        histories: Any = seed(int(SEED))(Histories) if SEED else Histories
        run_state_machine_as_test(
            histories,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                phases=[Phase.generate, Phase.shrink],
                deadline=None,
                derandomize=not SEED,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
