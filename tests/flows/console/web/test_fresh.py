"""What was made a moment ago is given again, and made once for all who wait."""

from __future__ import annotations

import threading
import time

from flows.console.web.fresh import SECONDS, Fresh


def test_it_is_made_anew_for_another_key_and_after_a_moment() -> None:
    now = [0.0]
    fresh, made = Fresh(lambda: now[0]), iter(range(10))
    assert [fresh.get(key, lambda: next(made)) for key in (1, 1, 2, 1)] == [0, 0, 1, 0]
    now[0] = SECONDS + 0.01
    assert fresh.get(1, lambda: next(made)) == 2


def test_what_fails_is_not_kept() -> None:
    fresh = Fresh()
    for _ in range(2):
        try:
            fresh.get(1, lambda: 1 / 0)
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert fresh.get(1, lambda: 3) == 3


def test_all_who_come_meanwhile_get_the_one_that_is_made() -> None:
    fresh, made = Fresh(), []

    def slow() -> int:
        time.sleep(0.2)
        made.append(1)
        return len(made)

    got: list[int] = []
    readers = [threading.Thread(target=lambda: got.append(fresh.get(1, slow))) for _ in range(8)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert got == [1] * 8
