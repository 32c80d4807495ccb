"""Progress of long jobs: ``progress=True | "tqdm" | callable(done, total, what)`` behind one small interface."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "make_progress"]


class Progress:
    """Counts steps and shows nothing. ``total`` is None where it is not known."""

    def __init__(self, total: int | None = None):
        self.total = total
        self.done = 0

    def step(self, what: str) -> None:
        """One more step is done; ``what`` names it."""
        self.done += 1
        self._show(what)

    def back(self, steps: int) -> None:
        """The last steps have to be done again."""
        self.done -= steps

    def _show(self, what: str) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Called(Progress):
    def __init__(self, call: Callable[[int, int | None, str], object], total: int | None):
        super().__init__(total)
        self._call = call

    def _show(self, what: str) -> None:
        self._call(self.done, self.total, what)


class _Bar(Progress):
    """A bar of tqdm on stderr. ``disable=None`` is tqdm's word for "only on a terminal"."""

    def __init__(self, total: int | None, unit: str, disable: bool | None):
        super().__init__(total)
        try:
            from tqdm import tqdm
        except ImportError as e:
            raise ImportError("a progress bar needs tqdm (apt: python3-tqdm); progress= takes a callable too") from e
        self._bar = tqdm(total=total, unit=unit, disable=disable, leave=False, dynamic_ncols=True)

    def back(self, steps: int) -> None:
        super().back(steps)
        self._bar.update(-steps)

    def _show(self, what: str) -> None:
        self._bar.set_postfix_str(what, refresh=False)
        self._bar.update(1)

    def close(self) -> None:
        self._bar.close()


def check_progress(progress: object) -> None:
    """TypeError for anything that ``make_progress`` would not take."""
    if not (progress is None or isinstance(progress, bool) or progress == "tqdm" or callable(progress)):
        raise TypeError(f'progress is None, True, "tqdm" or a callable(done, total, what), not {progress!r:.80}')


def make_progress(progress: object, total: int | None, unit: str = "step") -> Progress:
    """``True``: a bar if stderr is a terminal; ``"tqdm"``: a bar anyway; a callable is called after each step."""
    check_progress(progress)
    if progress is None or progress is False:
        return Progress(total)
    if progress is True:
        return _Bar(total, unit, None)
    if progress == "tqdm":
        return _Bar(total, unit, False)
    return _Called(progress, total)  # type: ignore[arg-type]
