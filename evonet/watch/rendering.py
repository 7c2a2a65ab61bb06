"""Episodes of champions and elites, rendered as pictures in a worker process of low priority, so that no run waits."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from evonet.champion import Champion
from evonet.environments.instance import Instance
from evonet.errors import CannotRender, EvonetError
from evonet.extras import optional_package
from evonet.processes.worker import Worker
from evonet.replay.animation import FrameRate
from evonet.replay.episodes import Episode, no_window_needed, steps
from evonet.replay.pictures import rgb
from evonet.watch.priority import LOWEST, lower_priority

_MAX_FRAMES = 750  # of an episode: its first half minute
_BATCH = 25  # frames of one call to the worker
_WIDTH = 600  # pixels
_QUALITY = 80  # of the pictures, JPEG
_AT_ONCE = 10  # niceness of an episode that somebody waits for: a tenth of a busy processor
_PATIENCE = 60.0  # seconds for a batch, after which the environment counts as hanging


@dataclass
class Clip:
    """An episode of an individual as pictures, complete or still being rendered.

    Attributes:
        number: number of the clip; each individual that is shown has its own.
        individual: id of the individual that plays.
        shows: what the individual is, such as "champion of generation 3".
        fps: pictures a second.
        pictures: JPEG files.
        totals: return up to each picture.
        every: steps from one picture to the next.
        over: whether there will be no more pictures.
        ended: whether the episode came to its end; otherwise the clip is truncated.
        problem: why there are no more pictures; "" if nothing went wrong.
    """

    number: int
    individual: int
    shows: str
    fps: float = 25.0
    pictures: list[bytes] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    every: int = 1
    over: bool = False
    ended: bool = False
    problem: str = ""


class Renderer:
    """Renders an episode of the individual last asked for in a worker process, and waits for another one.

    Args:
        seed: seed of the episodes, the same for all individuals, so that they can be compared.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._changed = threading.Condition()
        self._next: tuple[Champion, str, bool] | None = None
        self._clip: Clip | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._worker: Worker | None = None

    @property
    def clip(self) -> Clip | None:
        """The newest clip; None before the first."""
        return self._clip

    def show(self, champion: Champion, shows: str | None = None, *, at_once: bool = False) -> None:
        """Render an episode of `champion` next, unless the newest clip is of the same individual.

        Args:
            champion: the individual.
            shows: what it is; by default the champion of its generation.
            at_once: whether somebody waits for it: an episode that is being rendered is abandoned, and a new process
                has a higher priority.
        """
        shows = f"champion of generation {champion.generation:,}" if shows is None else shows
        with self._changed:
            if self._closed:
                return
            if self._clip is not None and (self._clip.individual, self._clip.shows) == (champion.id, shows):
                self._next = None
                return
            self._next = champion, shows, at_once
            if at_once and self._worker is not None:
                self._worker.interrupt()
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the worker process; a picture that is being rendered is abandoned."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        number = 0
        try:
            while (asked := self._wait()) is not None:
                champion, shows, at_once = asked
                number += 1
                clip = Clip(number, champion.id, shows)
                self._clip = clip
                try:
                    if at_once:  # the priority of a process cannot be raised again
                        self._kill_worker()
                    if self._worker is None or self._worker.gone:
                        self._worker = Worker()
                    self._render(self._worker, champion, clip, _AT_ONCE if at_once else LOWEST)
                except (EvonetError, OSError) as error:
                    clip.problem = str(error)
                    self._kill_worker()
                clip.over = True
        finally:
            self._kill_worker()

    def _kill_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()

    def _wait(self) -> tuple[Champion, str, bool] | None:
        """The next individual, what it is, and whether somebody waits for it; None if the renderer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next is not None)
            asked, self._next = self._next, None
            return None if self._closed else asked

    def _render(self, worker: Worker, champion: Champion, clip: Clip, niceness: int) -> None:
        rate = worker.call(_begin, (champion, self._seed), _PATIENCE)
        clip.fps, clip.every = rate.fps, rate.every
        while not (clip.ended or self._closed or len(clip.pictures) >= _MAX_FRAMES):
            pictures, clip.ended = worker.call(_advance, (niceness,), _PATIENCE)
            clip.totals += [total for _, total in pictures]
            clip.pictures += [picture for picture, _ in pictures]


class _Playing:
    """The episode that this worker process plays."""

    instance: Instance | None = None
    rate = FrameRate(1, 25.0)
    episode: Iterator[Episode] = iter(())


def _begin(champion: Champion, seed: int) -> FrameRate:
    """Begin an episode; runs in the worker."""
    _pillow()
    if _Playing.instance is not None:
        _Playing.instance.close()
    policy = champion.policy_for(champion.task)
    with no_window_needed():
        instance = _Playing.instance = policy.task.instance("rgb_array")
        instance.open()
        _Playing.rate = FrameRate.of(instance.metadata)
        _Playing.episode = steps(policy, instance, seed)
    return _Playing.rate


def _advance(niceness: int) -> tuple[list[tuple[bytes, float]], bool]:
    """The next pictures of the episode with the returns up to them, and whether it is over; runs in the worker."""
    pictures: list[tuple[bytes, float]] = []
    assert _Playing.instance is not None
    with no_window_needed():
        for episode in _Playing.episode:
            if episode.steps % _Playing.rate.every == 0:
                pictures.append((_jpeg(_Playing.instance.render()), episode.total))
                if len(pictures) == _BATCH:
                    break
    lower_priority(niceness)  # from the first second of film on
    return pictures, len(pictures) < _BATCH


def _jpeg(picture: Any) -> bytes:
    image = _pillow()
    frame = image.fromarray(rgb(picture))
    if frame.width > _WIDTH:
        frame = frame.resize((_WIDTH, max(1, round(frame.height * _WIDTH / frame.width))), image.Resampling.HAMMING)
    file = io.BytesIO()
    frame.save(file, format="JPEG", quality=_QUALITY)
    return file.getvalue()


def _pillow() -> Any:
    return optional_package("PIL.Image", "pictures of the champion need Pillow", "report", CannotRender)
