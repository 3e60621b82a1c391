"""Errors of the Cortex stand-ins. The SQL function returns their messages to the client."""


class CortexError(ValueError):
    """The Cortex function rejects the input: unknown model, text too long, or invalid argument."""


class UnknownModelError(CortexError):
    """The function does not support the model."""

    def __init__(self, function: str, model: str, supported: list[str]) -> None:
        super().__init__(f"Unknown model '{model}' for {function}. Supported models: {', '.join(supported)}.")


class TooLongError(CortexError):
    """The text exceeds the context window of the function."""

    def __init__(self, function: str, tokens: int, limit: int) -> None:
        super().__init__(f"{function} accepts at most {limit} tokens; the text has {tokens}.")
