"""Whether a failed attempt is tried again by itself, and when."""

import zlib
from collections.abc import Iterable

from studio.model.failure import Failure
from studio.model.policies import Retry


def retries(policy: Retry, failure: Failure, tries: int) -> bool:
    """Whether the policy allows another attempt.

    Args:
        policy: the node's policy.
        failure: how the last attempt ended.
        tries: attempts made so far in this series.
    """
    if policy.strategy == "none" or tries >= policy.max_attempts:
        return False
    names = {failure.type, failure.category, *failure.bases}
    if names & _bare(policy.do_not_retry_on):
        return False
    if policy.retry_on:
        return bool(names & _bare(policy.retry_on))
    return failure.category != "validation"


def _bare(names: Iterable[str]) -> set[str]:
    """Names without the module before them: a failure knows classes by their own name, and a library may keep one
    in another module than the one it is imported from."""
    return {name.rpartition(".")[2] for name in names}


def delay(policy: Retry, tries: int, seed: str) -> float:
    """Seconds to wait before the next attempt.

    ``fixed`` waits the initial delay, ``linear`` delay × n, ``exponential`` delay × multiplierⁿ⁻¹ with n the
    number of attempts made; the cap applies before the jitter, which is drawn from ``seed`` so that the same
    history gives the same moment again.

    Args:
        policy: the node's policy.
        tries: attempts made so far in this series, at least 1.
        seed: run, path and attempt.
    """
    if policy.strategy == "linear":
        base = policy.initial_delay * tries
    elif policy.strategy == "exponential":
        base = policy.initial_delay * policy.multiplier ** (tries - 1)
    else:
        base = policy.initial_delay
    base = min(base, policy.max_delay)
    return max(0.0, base * (1.0 + policy.jitter * (2.0 * fraction(seed) - 1.0)))


def fraction(seed: str) -> float:
    """A number in [0, 1) that depends on nothing but the seed."""
    return zlib.crc32(seed.encode()) / 2**32
