"""Which model checks: says whether evidence answers a question and whether it bears a sentence out.

The trained parts (`trained`) and the calibrations of `answerability` and `survey` belong to one small model; any model
may write. Where another one does, a larger one on a GPU, a remote one, or a smaller one for speed, the small one is
opened beside it to check, if this machine has room for both. Else the writer checks itself, as far as it can: without
a calibration it declines only what the library has nothing about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.assembly import LazyModel, Report, default_names, memory_short_of, model_weights, open_model
from rag.description import model_id_of
from rag.errors import ModelError, WeightsMissing
from rag.trained.adapters import MODEL

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.settings import Settings
    from rag.weights import Weights


def checker_name(settings: Settings) -> str:
    """The local model that is to check what any other writes; "" where every model is to check itself.

    The setting `model.checker` is "self", a name, or "auto": the model that was trained to, where this machine can run
    it. Ask before anything is opened: after that less memory is free.
    """
    wanted = settings.model.checker
    if wanted == "auto":
        return MODEL if MODEL in default_names(settings) else ""
    return "" if wanted == "self" else wanted


def checker_beside(settings: Settings, writer: LazyModel, *, report: Report) -> LazyModel:
    """The model that checks what `writer` writes, opened when it is first needed; `writer` where it checks itself."""
    name = checker_name(settings)
    return LazyModel(lambda: _opened(name, settings, writer, report)) if name else writer


def fetched(settings: Settings, *, report: Report) -> list[Weights]:
    """The weights that answering with these settings needs, fetched where they are not here yet.

    Raises:
        WeightsMissing, WeightsCorrupt: some are not to be had.
    """
    from rag import weights

    found = [weights.ensure(settings.embedding.name, settings.home, report=report)]
    if settings.model.is_remote:
        return found
    name = checker_name(settings)
    found.append(model_weights(settings, report=report))
    if name and name != found[-1].name:
        try:
            found.append(_weights(name, settings, report))
        except WeightsMissing as error:
            if settings.model.checker != "auto":
                raise
            report(f"{error.problem} {found[-1].name} checks itself.")
    return found


def _opened(name: str, settings: Settings, writer: LazyModel, report: Report) -> BaseChatModel:
    model = writer.get()
    if model_id_of(model) == name and not settings.model.is_remote:
        return model
    try:
        _weights(name, settings, report)
        if short := memory_short_of(name, settings):
            raise ModelError(f"{name}, which is to check, {short}.", "Set model.checker to self, or close what runs.")
    except (WeightsMissing, ModelError) as error:
        if settings.model.checker != "auto":
            raise
        report(f"{error.problem} {model_id_of(model)} checks itself.")
        return model
    alone = {"name": name, "base_url": None, "provider": None, "dtype": "auto"}
    return open_model(settings.model_copy(update={"model": settings.model.model_copy(update=alone)}), report=report)


def _weights(name: str, settings: Settings, report: Report) -> Weights:
    """Weights of the checker, fetched if it was named, or along with a model that "auto" chose; else not unasked.

    Raises:
        WeightsMissing: they are not here, or not to be had.
    """
    from rag import weights

    found = weights.find(name, settings.home)
    if found is not None:
        return found
    if settings.model.checker != "auto" or (settings.model.name == "auto" and not settings.model.is_remote):
        return weights.ensure(name, settings.home, report=report)
    raise WeightsMissing(f"{name}, which is to check, is not on this machine.", f"footnote models fetch {name}")
