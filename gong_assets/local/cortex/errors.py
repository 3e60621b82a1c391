"""What a Cortex stand-in refuses, in the words that a caller of the SQL function reads."""


class CortexError(ValueError):
    """The input is one that the Cortex function refuses (unknown model, text too long, bad argument)."""


class UnknownModelError(CortexError):
    """The named model is not one that the function offers."""

    def __init__(self, function: str, model: str, known: list[str]) -> None:
        super().__init__(f"Unknown model '{model}' for {function}. Known models: {', '.join(known)}.")


class TooLongError(CortexError):
    """The text has more tokens than the function's context window."""

    def __init__(self, function: str, tokens: int, limit: int) -> None:
        super().__init__(f"{function} reads at most {limit} tokens; the text has {tokens}.")
