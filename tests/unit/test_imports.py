"""The import rule of the project: one way, and nothing heavy at the door."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("rag", "prompts", "ui", "eval")
PUBLIC = {
    "rag.trained.adapter_fitting",
    "rag.trained.adapters",
    "rag.export",
    "rag",
    "rag.cli",
    "rag.errors",
    "rag.trained.bearing",
    "rag.language.list_question",
    "rag.schema",
    "rag.trained.scope",
    "rag.settings",
    "rag.weights",
    "prompts",
}


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports_of(path: Path, known: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in known else node.module for a in node.names
            }
    return {name for name in found if name.split(".")[0] in PACKAGES}


def test_imports_form_no_cycle():
    known = modules()
    graph = {name: imports_of(path, known) - {name} for name, path in known.items() if name != "rag"}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_rag_and_prompts_never_import_the_page_or_the_eval_suite():
    known = modules()
    for name, path in known.items():
        if name.startswith(("rag", "prompts")):
            assert not {i for i in imports_of(path, known) if i.startswith(("ui", "eval"))}, name


@pytest.mark.parametrize("package", ["ui", "eval"])
def test_the_page_and_the_eval_suite_use_only_public_names_of_rag(package):
    known = modules()
    for name, path in known.items():
        if name.split(".")[0] == package:
            foreign = {i for i in imports_of(path, known) if i.split(".")[0] in ("rag", "prompts")}
            assert foreign <= PUBLIC, name


@pytest.mark.parametrize("package", ["rag.language", "rag.inference", "rag.corpus", "rag.weights"])
def test_text_models_readers_and_weights_know_nothing_of_what_is_built_on_them(package):
    known = modules()
    members = [name for name in known if name == package or name.startswith(f"{package}.")]
    assert len(members) > 4
    for name in members:
        assert imports_of(known[name], known) <= {*members, "rag.schema", "rag.errors"}, name


@pytest.mark.parametrize(
    ("package", "below"),
    [
        ("ui.conversations", ()),
        ("ui.views", ("ui.conversations", "ui.work")),
        ("ui.serving", ("ui.asking", "ui.theme")),
    ],
)
def test_what_is_shown_and_kept_knows_nothing_of_the_tabs(package, below):
    known = modules()
    members = [name for name in known if name == package or name.startswith(f"{package}.")]
    assert len(members) > 4
    for name in members:
        allowed = (
            package,
            "ui.markup",
            "ui.private",
            *below,
            *(("ui.views.header",) if package == "ui.serving" else ()),
        )
        inside = {i for i in imports_of(known[name], known) if i.split(".")[0] == "ui"}
        assert not {i for i in inside if not i.startswith(allowed)}, name


def test_the_page_uses_one_module_of_the_eval_suite_and_the_eval_suite_none_of_the_page():
    known = modules()
    for name, path in known.items():
        imported = imports_of(path, known)
        if name.startswith("ui"):
            assert {i for i in imported if i.split(".")[0] == "eval"} <= {"eval.board"}, name
        if name.startswith("eval"):
            assert not {i for i in imported if i.split(".")[0] == "ui"}, name


def test_the_vocabulary_modules_stand_on_the_standard_library_alone():
    known = modules()
    for name in ("rag.schema", "rag.errors", "prompts"):
        tree = ast.parse(known[name].read_text())
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(n.split(".")[0] in sys.stdlib_module_names for n in names), (name, names)


def test_the_command_line_starts_without_numpy():
    code = "import rag.cli, sys; rag.cli._parser(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


def test_no_module_gives_a_name_at_its_top_twice():
    for name, path in modules().items():
        given = [
            target.id
            for node in ast.parse(path.read_text()).body
            for target in (node.targets if isinstance(node, ast.Assign) else [])
            if isinstance(target, ast.Name)
        ]
        assert len(given) == len(set(given)), (name, [one for one in given if given.count(one) > 1])


def test_importing_rag_loads_nothing_heavy():
    code = "import rag, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    roots = {name.split(".")[0] for name in loaded.split()}
    assert not roots & {
        "torch",
        "transformers",
        "sentence_transformers",
        "chromadb",
        "gradio",
        "langchain_core",
        "numpy",
    }


def test_every_public_name_can_be_had():
    import rag

    assert all(getattr(rag, name) is not None for name in rag.__all__)
    with pytest.raises(AttributeError):
        _ = rag.nothing_of_the_kind
