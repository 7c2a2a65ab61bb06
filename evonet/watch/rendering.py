"""Episodes of champions, rendered picture by picture in a worker process of low priority, so that no run waits."""

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
from evonet.watch.priority import lower_priority

_MAX_FRAMES = 750  # of an episode: its first half minute
_BATCH = 25  # frames of one call to the worker
_WIDTH = 600  # pixels
_QUALITY = 80  # of the pictures, JPEG
_PATIENCE = 60.0  # seconds for a batch, after which the environment counts as hanging


@dataclass
class Clip:
    """An episode of a champion as pictures, complete or still being rendered.

    Attributes:
        number: number of the clip; each champion of a run has its own.
        individual: id of the champion.
        generation: generation in which it was chosen.
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
    generation: int
    fps: float = 25.0
    pictures: list[bytes] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    every: int = 1
    over: bool = False
    ended: bool = False
    problem: str = ""


class Renderer:
    """Renders an episode of the newest champion in a worker process, and waits for a newer one.

    Args:
        seed: seed of the episodes, the same for all champions, so that they can be compared.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._changed = threading.Condition()
        self._next: Champion | None = None
        self._clip: Clip | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def clip(self) -> Clip | None:
        """The clip of the newest champion; None before the first."""
        return self._clip

    def show(self, champion: Champion) -> None:
        """Render an episode of `champion` next, unless the newest clip is of the same one."""
        with self._changed:
            if self._closed or (self._clip is not None and self._clip.individual == champion.id):
                return
            self._next = champion
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
        worker: Worker | None = None
        number = 0
        try:
            while (champion := self._wait()) is not None:
                number += 1
                clip = Clip(number, champion.id, champion.generation)
                self._clip = clip
                try:
                    worker = Worker() if worker is None or worker.gone else worker
                    self._render(worker, champion, clip)
                except (EvonetError, OSError) as error:
                    clip.problem = str(error)
                    if worker is not None:
                        worker.kill()
                clip.over = True
        finally:
            if worker is not None:
                worker.kill()

    def _wait(self) -> Champion | None:
        """The next champion; None if the renderer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next is not None)
            champion, self._next = self._next, None
            return None if self._closed else champion

    def _render(self, worker: Worker, champion: Champion, clip: Clip) -> None:
        rate = worker.call(_begin, (champion, self._seed), _PATIENCE)
        clip.fps, clip.every = rate.fps, rate.every
        while not (clip.ended or self._closed or len(clip.pictures) >= _MAX_FRAMES):
            pictures, clip.ended = worker.call(_advance, (), _PATIENCE)
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


def _advance() -> tuple[list[tuple[bytes, float]], bool]:
    """The next pictures of the episode with the returns up to them, and whether it is over; runs in the worker."""
    pictures: list[tuple[bytes, float]] = []
    assert _Playing.instance is not None
    with no_window_needed():
        for episode in _Playing.episode:
            if episode.steps % _Playing.rate.every == 0:
                pictures.append((_jpeg(_Playing.instance.render()), episode.total))
                if len(pictures) == _BATCH:
                    break
    lower_priority()  # from the first second of film on
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
