"""Opens the concrete parts that the settings ask for: embedder, index, chat model.

The only place that knows which class serves which setting and where on disk things lie.
"""

from __future__ import annotations

import gc
import hashlib
import re
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rag.corpus import read_library
from rag.description import model_id_of
from rag.errors import FootnoteError, IndexMissing, IndexOutdated, ModelError, SettingsError, WeightsMissing
from rag.index import LibraryIndex, PassageEncoder
from rag.language.counts import counted
from rag.library.ledger import Ledger, applied
from rag.library.shelf import Shelf, is_current
from rag.weights.progress import Progress

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.embedding import SentenceEmbeddings
    from rag.schema import Paper
    from rag.settings import Settings
    from rag.weights import Weights

Report = Callable[[str], None]


class LazyModel:
    """A chat model that is opened when it is first needed: searching and reading evidence never wait for it."""

    def __init__(self, opener: Callable[[], BaseChatModel]) -> None:
        self._opener = opener
        self._model: BaseChatModel | None = None
        self._lock = threading.Lock()

    @property
    def opened(self) -> BaseChatModel | None:
        """The model, if it is open."""
        return self._model

    def open_beside(self) -> None:
        """Begin to open the model in a thread; `get` waits for it. What fails there fails again in `get`."""
        # Here, so that two threads never import parts of torch and transformers that need each other.
        import_module("rag.chat_models")
        # Not a daemon: torch aborts a process that ends while a thread computes.
        threading.Thread(target=self._open_quietly, name="footnote-opening").start()

    def _open_quietly(self) -> None:
        with suppress(FootnoteError):
            self.get()

    def get(self) -> BaseChatModel:
        """The model, opened at the first call; a failed opening is tried again at the next."""
        with self._lock:
            if self._model is None:
                self._model = self._opener()
            return self._model


OPEN_SHARE = 1.4
"""Memory of a model while it is opened, in sizes of its files (two bytes a parameter): the 1.5B's process peaks at
4.2 GiB for 2.9 GiB of files."""
FLOAT32_SHARE = 2.4


class OtherModels:
    """Local chat models on this machine beside the usual one; the last that was asked for stays open."""

    def __init__(self, settings: Settings, usual: LazyModel, *, report: Report) -> None:
        self._settings = settings
        self._usual = usual
        # Now: "auto" goes by the memory that is free, and once the usual model is open less is.
        self._candidates = () if settings.model.is_remote else tuple(model_names(settings))
        self._report = report
        self._last: tuple[str, LazyModel] = ("", usual)
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Those whose weights are here."""
        from rag import weights

        usual = self._usual_name
        rows = weights.available(self._settings.home)
        return tuple(row.name for row in rows if row.present and row.use == "chat" and row.name != usual)

    def get(self, name: str) -> LazyModel:
        """The model of that name, which opens when it is first needed; nothing is fetched for it.

        Raises:
            SettingsError: its weights are not here.
        """
        if name in (self._usual_name, self._settings.model.name):  # the latter may be "auto"
            return self._usual
        if name not in self.names:
            here = ", ".join(self.names) or "none"
            raise SettingsError(
                f"There are no weights of {name!r} here; other models that are: {here}.",
                f"footnote models fetch {name}",
            )
        with self._lock:
            if self._last[0] != name:
                self._last = (name, LazyModel(lambda: self._open(name)))
            return self._last[1]

    @property
    def _usual_name(self) -> str:
        from rag import weights

        if self._usual.opened is not None:
            return model_id_of(self._usual.opened)
        return next((name for name in self._candidates if weights.find(name, self._settings.home)), "")

    def _open(self, name: str) -> BaseChatModel:
        gc.collect()  # the other one before it, where nothing answers with it any more
        if short := memory_short_of(name, self._settings):  # the usual one stays open beside it
            raise ModelError(f"{name} {short}.", "Go back to the usual model, or close what else runs.")
        model = self._settings.model.model_copy(update={"name": name, "base_url": None, "provider": None})
        return open_model(self._settings.model_copy(update={"model": model}), report=self._report)


def memory_short_of(name: str, settings: Settings) -> str:
    """In words, where there is no room to open one more model, whose weights are here; "" where there is."""
    from rag import weights
    from rag.inference import hardware

    found = weights.find(name, settings.home)
    size = sum(file.stat().st_size for file in found.path.glob("model*.safetensors")) if found else 0
    needed = size * (FLOAT32_SHARE if settings.model.dtype == "float32" else OPEN_SHARE)
    on_gpu = _gpu_free(settings)
    free = hardware.available_ram() if on_gpu is None else on_gpu
    if needed <= free:
        return ""
    return f"needs about {needed / hardware.GIB:.1f} GB of memory, and {free / hardware.GIB:.1f} GB are free"


def _gpu_free(settings: Settings) -> int | None:
    """Free memory of the GPU that models are opened on; None where they run on the CPU, also for want of it."""
    from rag.inference import hardware

    if settings.model.device == "cpu":
        return None
    free = hardware.gpu_free_bytes()
    is_too_small = free is not None and free < hardware.LEAST_GPU
    return None if is_too_small and settings.model.device == "auto" else free


def index_folder(settings: Settings) -> Path:
    """Where the index of the settings' library lies: one folder a library, named after it."""
    place = hashlib.sha256(str(settings.library.resolve()).encode()).hexdigest()[:8]
    name = re.sub(r"[^\w-]+", "-", settings.library.stem) or "library"
    return settings.home / "index" / f"{name}-{place}"


def ledger_of(settings: Settings) -> Ledger:
    """What was added to the settings' library and removed from it: a reader's own work, so not in the cache."""
    return Ledger(settings.data_folder / "library" / index_folder(settings).name / "changes.jsonl")


def library_papers(settings: Settings, pass_over: Callable[[str], None] = lambda _where: None) -> tuple[Paper, ...]:
    """The settings' library as it stands, changes included; needs neither index nor weights.

    `pass_over` is told of each entry without an abstract, see `rag.corpus.read_library`.

    Raises:
        CorpusError: the file or the ledger cannot be read.
    """
    return applied(read_library(settings.library, pass_over), ledger_of(settings).changes())


def shelf_of(settings: Settings, encoder: PassageEncoder) -> Shelf:
    """The settings' library with its changes and its index."""
    return Shelf(settings.library, ledger_of(settings), index_folder(settings), encoder)


def open_encoder(settings: Settings, *, report: Report) -> SentenceEmbeddings:
    """The embedder of the settings, its weights fetched if they are not here yet."""
    from rag import weights
    from rag.embedding import SentenceEmbeddings

    found = weights.ensure(settings.embedding.name, settings.home, report=report)
    return SentenceEmbeddings(
        found.path,
        name=settings.embedding.name,
        revision=found.revision,
        device=settings.embedding.device,
        batch_size=settings.embedding.batch_size,
    )


def open_index(
    settings: Settings, *, report: Report = lambda _line: None, rebuild: bool = False
) -> tuple[LibraryIndex, Shelf]:
    """The index of the settings' library, built or updated where the library changed, and the shelf it lies on.

    Raises:
        CorpusError, WeightsError, IndexCorrupt, IndexMismatch: see `Rag.open`.
    """
    encoder = open_encoder(settings, report=report)
    shelf = shelf_of(settings, encoder)
    papers = shelf.papers()
    if shelf.left_out:
        told_by = f"footnote library add --dry-run {shlex.quote(str(settings.library))}"
        report(f"{said_of_left_out(shelf.left_out)}: {told_by} names them.")
    if shelf.n_merged:
        were = "was" if shelf.n_merged == 1 else "were"
        report(f"{counted(shelf.n_merged, 'entry')} {were} merged with another of the same paper.")
    try:
        index = None if rebuild else shelf.open()
    except (IndexMissing, IndexOutdated):
        index = None
    if index is None or not is_current(index, papers):
        if index is not None:
            index.close()
        report(f"Indexing {counted(len(papers), 'paper')} from {settings.library.name} …")
        done = shelf.update(rebuild=rebuild, report=embedding_progress(report))
        report(f"Indexed: {counted(done.embedded, 'passage')} embedded, {done.kept} kept, {done.removed} removed.")
        index = shelf.open()
    return index, shelf


def said_of_left_out(left_out: Sequence[str]) -> str:
    """In words: how many entries of a library's file have no abstract."""
    have = "has no abstract and is" if len(left_out) == 1 else "have no abstract and are"
    return f"{counted(len(left_out), 'entry')} {have} left out"


def embedding_progress(report: Report) -> Callable[[int, int], None]:
    """Tells `report` how many passages are embedded and how long the others take."""
    started = time.monotonic()

    def tell(done: int, total: int) -> None:
        if 0 < done <= total:
            left = (time.monotonic() - started) / done * (total - done)
            report(Progress(f"{done:,} of {total:,} passages embedded, about {left:,.0f} s left", done / total))

    return tell


def open_model(settings: Settings, *, report: Report = lambda _line: None) -> BaseChatModel:
    """The chat model of the settings; "auto" takes the best that fits this machine and is to be had.

    Raises:
        WeightsMissing: none of the candidates is here or to be had.
        ModelError, MissingExtra: it cannot be opened.
    """
    from rag.chat_models import open_chat_model

    wanted = settings.model
    if wanted.is_remote:
        report(f"Questions and abstracts go to {wanted.base_url or wanted.provider} (model.base_url, model.provider).")
        return open_chat_model(wanted)
    found = model_weights(settings, report=report)
    report(f"Loading {found.name} …")
    device = "cpu" if wanted.device == "auto" and _gpu_free(settings) is None else wanted.device
    model = open_chat_model(wanted.model_copy(update={"name": found.name, "device": device}), found.path)
    report(f"Loaded {model.describe()}")  # type: ignore[attr-defined]
    return model


def model_weights(settings: Settings, *, report: Report) -> Weights:
    """Weights of the chat model that are here, the preferred ones first; only where there are none is anything fetched.

    A machine that cannot reach the hub would otherwise ask for the preferred model again at every start.

    Raises:
        WeightsMissing: none of the candidates is here or to be had.
    """
    from rag import weights

    names = model_names(settings)
    for name in names:
        found = weights.find(name, settings.home)
        if found is not None:
            return found
    for name in names[:-1]:
        try:
            return weights.ensure(name, settings.home, report=report)
        except WeightsMissing as error:
            report(f"{error.problem} Trying the next smaller model.")
    return weights.ensure(names[-1], settings.home, report=report)


def has_model(settings: Settings) -> bool:
    """Whether the chat model can be opened without fetching anything, and here."""
    from rag import weights

    return not settings.model.is_remote and any(weights.find(name, settings.home) for name in model_names(settings))


def model_names(settings: Settings) -> list[str]:
    """Local chat models that would serve, the preferred one first."""
    return default_names(settings) if settings.model.name == "auto" else [settings.model.name]


def default_names(settings: Settings) -> list[str]:
    """What "auto" stands for on this machine: the local chat models that it can run, the preferred one first."""
    from rag.inference import hardware

    return list(hardware.choose_models(_gpu_free(settings), hardware.cpu_capability(), hardware.available_ram()))


def default_weights(settings: Settings) -> list[str]:
    """What has to be on this machine before a question can be answered here: of the chat models the one that is."""
    from rag import weights

    names = [settings.embedding.name]
    if settings.model.is_remote:
        return names
    usual = model_names(settings)
    return [*names, next((name for name in usual if weights.find(name, settings.home)), usual[0])]
