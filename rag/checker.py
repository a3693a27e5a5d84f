"""Which model checks: says whether evidence answers a question and whether it bears a sentence out.

The trained parts (`trained`) and the calibrations of `answerability` and `survey` belong to one small model; any model
may write. Where another one does, a larger one on a GPU, a remote one, or a smaller one for speed, the small one is
opened beside it to check, if this machine has room for both. Else the writer checks itself, as far as it can: without
a calibration it declines only what the library has nothing about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.assembly import LazyModel, Report, default_names, memory_short_of, open_model
from rag.description import model_id_of
from rag.errors import ModelError, WeightsMissing
from rag.trained import MODEL

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.settings import Settings
    from rag.weights import Weights


def checker_beside(settings: Settings, writer: LazyModel, *, report: Report) -> LazyModel:
    """The model that checks what `writer` writes, opened when it is first needed; `writer` where it checks itself.

    The setting `model.checker` is "self", the name of a local model, or "auto": the one that was trained to, where its
    weights are here, or are fetched along with a model that was itself chosen by "auto".
    """
    wanted = settings.model.checker
    # Asked now: once the writer is open, less memory is free.
    if wanted == "self" or (wanted == "auto" and MODEL not in default_names(settings)):
        return writer
    return LazyModel(lambda: _opened(settings, writer, report))


def _opened(settings: Settings, writer: LazyModel, report: Report) -> BaseChatModel:
    is_auto = settings.model.checker == "auto"
    name = MODEL if is_auto else settings.model.checker
    model = writer.get()
    if model_id_of(model) == name:
        return model
    try:
        found = _weights(name, settings, report)
        if short := memory_short_of(found.path, settings.model):
            raise ModelError(f"{name}, which is to check, {short}.", "Set model.checker to self, or close what runs.")
    except (WeightsMissing, ModelError) as error:
        if not is_auto:
            raise
        report(f"{error.problem} {model_id_of(model)} checks itself.")
        return model
    alone = {"name": name, "base_url": None, "provider": None, "dtype": "auto"}
    return open_model(settings.model_copy(update={"model": settings.model.model_copy(update=alone)}), report=report)


def _weights(name: str, settings: Settings, report: Report) -> Weights:
    """Weights of the checker. Of a model that was named nothing is fetched unasked beside it.

    Raises:
        WeightsMissing: they are not here, or not to be had.
    """
    from rag import weights

    found = weights.find(name, settings.home)
    if found is not None:
        return found
    by_default = settings.model.name == "auto" and not settings.model.is_remote
    if settings.model.checker != "auto" or by_default:
        return weights.ensure(name, settings.home, report=report)
    raise WeightsMissing(f"{name}, which is to check, is not on this machine.", f"footnote models fetch {name}")
