"""SQL that decides what a run sends: the texts that wait, in batches, within the budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from gong_assets.cortex.batching import batched
from gong_assets.cortex.budget import BudgetLeft
from gong_assets.cortex.enrichments import Enrichment
from gong_assets.cortex.estimates import input_tokens, output_tokens, part_estimates
from gong_assets.cortex.prices import Prices
from gong_assets.cortex.sent_texts import SentTexts
from gong_assets.cortex.tables import ANSWERS, ATTEMPTS, BATCHES
from gong_assets.cortex.texts import Scope
from gong_assets.warehouse.literals import literal


@dataclass(frozen=True)
class Plan:
    """The statements of an enrichment in a run.

    Attributes:
        run_key: scope of the budget of a run.
        invocation: unique for each attempt of the step.
        started_on: UTC date of the attempt.
    """

    enrichment: Enrichment
    scope: Scope
    prices: Prices
    run_key: str
    invocation: str
    started_on: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def queue(self) -> str:
        """The table of the texts that are sent. Each attempt has its own, because two runs can overlap."""
        return f"{self.enrichment.queue}_{self.started_on:%Y%m%d}_{self.invocation[:12].upper()}"

    @property
    def sent(self) -> SentTexts:
        return SentTexts(self.enrichment, self.scope)

    @property
    def _name(self) -> str:
        return literal(self.enrichment.name)

    @property
    def _request(self) -> str:
        return literal(self.enrichment.request(self.scope.functions))

    def _of_enrichment(self, days: str = "CALL_DATE") -> str:
        return f"ENRICHMENT = {self._name} AND {self.scope.in_days(days)}"

    def _of_batches(self) -> str:
        return f"RUN_KEY = {literal(self.run_key)} AND MODEL_NAME = {literal(self.enrichment.model)}"

    def _waiting(self) -> str:
        """Return CTEs up to `waiting`: texts without an answer to the current request, and attempts left."""
        return f"""texts AS (

    {self.enrichment.texts(self.scope)}

),

tried AS (

    SELECT CALL_ID, TEXT_HASH, MAX(ATTEMPT) AS ATTEMPTS, COUNT(*) AS CLAIMS
    FROM {ATTEMPTS}
    WHERE {self._of_enrichment()} AND CORTEX_REQUEST = {self._request}
    GROUP BY CALL_ID, TEXT_HASH

),

answered AS (

    SELECT DISTINCT CALL_ID, TEXT_HASH
    FROM {ANSWERS}
    WHERE {self._of_enrichment()} AND CORTEX_REQUEST = {self._request} AND CORTEX_ERROR IS NULL

),

waiting AS (

    SELECT
        texts.CALL_ID, texts.CALL_DATE, texts.TEXT_HASH,
        COALESCE(tried.ATTEMPTS, 0) AS ATTEMPTS,
        COALESCE(tried.CLAIMS, 0) AS CLAIMS
    FROM texts
    LEFT JOIN tried ON texts.CALL_ID = tried.CALL_ID AND texts.TEXT_HASH = tried.TEXT_HASH
    LEFT JOIN answered ON texts.CALL_ID = answered.CALL_ID AND texts.TEXT_HASH = answered.TEXT_HASH
    WHERE
        texts.CAN_BE_SENT
        AND answered.CALL_ID IS NULL
        AND COALESCE(tried.ATTEMPTS, 0) < {self.scope.max_attempts}

)"""

    def survey(self, kept_days: int) -> str:
        """Return SQL for one row with what there is to do: WAITING texts, and those of `SentTexts.counts`."""
        return f"""WITH {self._waiting()}

SELECT
    (SELECT COUNT(*) FROM waiting) AS WAITING,
    {self.sent.counts(kept_days)}"""

    def delete_unsent(self) -> str:
        """Return the statement that forgets batches which an earlier attempt planned and did not send."""
        return f"DELETE FROM {BATCHES} WHERE {self._of_batches()} AND STATUS IN ('Planned', 'Over Budget')"

    def create_queue(self, left: BudgetLeft) -> str:
        """Return the statement that creates the queue, whose BATCH is NULL for texts that are not sent.

        Texts that were never sent come first, so that failing texts do not block them, and the latest days
        before earlier ones. A text that failed is sent in a batch of a fiftieth of the size, and alone in its
        last attempt. TOKENS is NULL if counting failed.
        """
        return f"""CREATE OR REPLACE TRANSIENT TABLE {self.queue} AS
WITH {self._waiting()},

parts AS (

    {self.enrichment.parts(self.scope)}

),

counted AS (

    SELECT parts.*, {part_estimates(self.enrichment, self.scope.functions, self.prices)}
    FROM parts

),

{self._requests()},

{batched(self.scope, self.enrichment.batch_size, left)}

SELECT
    counted.*,
    batched.CALL_DATE,
    batched.ATTEMPTS,
    batched.CLAIMS,
    batched.TOKENS,
    batched.CREDITS,
    batched.BATCH,
    first_answers.FIRST_ANSWERED_AT
FROM counted
INNER JOIN batched ON counted.CALL_ID = batched.CALL_ID AND counted.TEXT_HASH = batched.TEXT_HASH
LEFT JOIN first_answers ON counted.CALL_ID = first_answers.CALL_ID"""

    def _requests(self) -> str:
        """Return CTEs with the tokens and credits of each text, and the first answer for each call."""
        return f"""sized AS (

    SELECT waiting.*, requests.TOKENS, requests.CREDITS
    FROM waiting
    INNER JOIN (
        SELECT
            CALL_ID,
            TEXT_HASH,
            IFF(COUNT(PART_TOKENS) = COUNT(*), SUM(PART_TOKENS), NULL) AS TOKENS,
            SUM(PART_CREDITS) AS CREDITS
        FROM counted
        GROUP BY CALL_ID, TEXT_HASH
    ) AS requests
        ON waiting.CALL_ID = requests.CALL_ID AND waiting.TEXT_HASH = requests.TEXT_HASH

),

first_answers AS (

    SELECT CALL_ID, MIN(FIRST_ANSWERED_AT) AS FIRST_ANSWERED_AT
    FROM {ANSWERS}
    WHERE {self._of_enrichment()}
    GROUP BY CALL_ID

)"""

    def record_batches(self) -> str:
        """Return the statement that records the planned batches with their estimated costs."""
        rows = "\nUNION ALL\n".join(self._planned(capability) for capability in self.enrichment.capabilities)
        return f"""INSERT INTO {BATCHES} (
    RUN_KEY, INVOCATION_ID, MODEL_NAME, BATCH, FUNCTION_NAME, CORTEX_MODEL, CALLS, INPUT_TOKENS,
    OUTPUT_TOKENS, ESTIMATED_CREDITS, ESTIMATED_DOLLARS, STATUS, PLANNED_AT
)
{rows}"""

    def _planned(self, capability: str) -> str:
        function = self.scope.functions.of(capability)  # type: ignore[arg-type]
        tokens_in = f"{function.calls} * SUM({input_tokens(self.scope.functions, capability)})"
        tokens_out = f"{function.calls} * SUM({output_tokens(self.scope.functions, capability)})"
        price = self.prices.of(function)
        credits = "NULL"
        if price is not None:
            credits = f"({tokens_in} + {tokens_out}) / 1000000 * {price.credits}"
        return f"""SELECT
    {literal(self.run_key)}, '{self.invocation}', '{self.enrichment.model}', BATCH, '{function.name}',
    NULLIF('{function.model}', ''), {function.calls} * COUNT(*), {tokens_in}, {tokens_out},
    {credits}, {credits} * {self.prices.dollars_per_credit}, IFF(BATCH IS NULL, 'Over Budget', 'Planned'),
    CURRENT_TIMESTAMP()
FROM {self.queue}
WHERE TOKENS IS NOT NULL
GROUP BY BATCH"""

    def estimates(self) -> str:
        """Return SQL for the planned and the deferred calls, with their estimated cost, by function."""
        return (
            "SELECT STATUS, FUNCTION_NAME, SUM(CALLS) AS CALLS, SUM(INPUT_TOKENS + OUTPUT_TOKENS) AS TOKENS, "
            "SUM(ESTIMATED_CREDITS) AS CREDITS, SUM(ESTIMATED_DOLLARS) AS DOLLARS "
            f"FROM {BATCHES} WHERE {self._of_batches()} AND STATUS IN ('Planned', 'Over Budget') "
            "GROUP BY STATUS, FUNCTION_NAME ORDER BY STATUS DESC, FUNCTION_NAME"
        )

    def _batch_id(self, batch: int) -> str:
        return f"'{self.invocation}/{self.enrichment.name}/{batch}'"

    def claim(self, batch: int) -> str:
        """Return the statement that records the attempt, not counted yet, before the batch is sent.

        A text that another run has claimed since the batches were planned is left out, and `send` leaves it
        out too.
        """
        return f"""INSERT INTO {ATTEMPTS}
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, ATTEMPT, BATCH_ID, ATTEMPTED_AT)
SELECT DISTINCT
    {self._name}, planned.CALL_ID, planned.CALL_DATE, planned.TEXT_HASH, {self._request},
    planned.ATTEMPTS, {self._batch_id(batch)}, CURRENT_TIMESTAMP()
FROM {self.queue} AS planned
LEFT JOIN (
    SELECT CALL_ID, TEXT_HASH, COUNT(*) AS CLAIMS
    FROM {ATTEMPTS}
    WHERE {self._of_enrichment()} AND CORTEX_REQUEST = {self._request}
    GROUP BY CALL_ID, TEXT_HASH
) AS known
    ON planned.CALL_ID = known.CALL_ID
    AND planned.TEXT_HASH = known.TEXT_HASH
WHERE planned.BATCH = {batch} AND COALESCE(known.CLAIMS, 0) <= planned.CLAIMS
ORDER BY planned.CALL_DATE"""

    def count_attempts(self, batch: int) -> str:
        """Return the statement that counts the attempt, after Cortex has answered or failed.

        An attempt that was interrupted, for example by an outage of the warehouse, is never counted.
        """
        return (
            f"UPDATE {ATTEMPTS} SET ATTEMPT = ATTEMPT + 1 "
            f"WHERE {self._of_enrichment()} AND BATCH_ID = {self._batch_id(batch)}"
        )

    def send(self, batch: int) -> str:
        """Return the statement that sends a batch and keeps its answers."""
        functions = self.scope.functions
        columns = self.enrichment.result_columns(functions)
        version = literal(str(functions.variables["enrichment_version"]))
        return f"""INSERT INTO {ANSWERS} (
    ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, {", ".join(columns)}, CORTEX_MODEL,
    ENRICHMENT_VERSION, CORTEX_ERROR, BATCH_ID, ANSWERED_AT, FIRST_ANSWERED_AT
)
WITH {self._claimed(batch)},

sent AS (

    SELECT DISTINCT CALL_ID, TEXT_HASH, CALL_DATE, FIRST_ANSWERED_AT
    FROM {self.queue}
    WHERE BATCH = {batch}

),

answered AS (
{self.enrichment.results(functions)}

)

SELECT
    {self._name}, answered.CALL_ID, sent.CALL_DATE, answered.TEXT_HASH, {self._request},
    {", ".join(f"answered.{column}" for column in columns)}, {self.enrichment.result_model(functions)},
    {version}, answered.CORTEX_ERROR, {self._batch_id(batch)}, CURRENT_TIMESTAMP(),
    COALESCE(sent.FIRST_ANSWERED_AT, IFF(answered.CORTEX_ERROR IS NULL, CURRENT_TIMESTAMP(), NULL))
FROM answered
INNER JOIN sent ON answered.CALL_ID = sent.CALL_ID AND answered.TEXT_HASH = sent.TEXT_HASH
ORDER BY sent.CALL_DATE"""

    def _claimed(self, batch: int) -> str:
        """Return CTEs up to `batch`: the parts of the texts that `claim` has claimed."""
        return f"""claimed AS (

    SELECT CALL_ID, TEXT_HASH
    FROM {ATTEMPTS}
    WHERE {self._of_enrichment()} AND BATCH_ID = {self._batch_id(batch)}

),

batch AS (

    SELECT planned.CALL_ID, planned.TEXT_HASH, planned.PART, planned.SENT_TEXT, planned.ASKED
    FROM {self.queue} AS planned
    INNER JOIN claimed ON planned.CALL_ID = claimed.CALL_ID AND planned.TEXT_HASH = claimed.TEXT_HASH
    WHERE planned.BATCH = {batch}

)"""

    def set_status(self, batch: int, status: str) -> str:
        """Return the statement that records that a batch is Sent or Answered."""
        return (
            f"UPDATE {BATCHES} SET STATUS = '{status}', {status.upper()}_AT = CURRENT_TIMESTAMP() "
            f"WHERE {self._of_batches()} AND INVOCATION_ID = '{self.invocation}' AND BATCH = {batch}"
        )
