// The eval tab: its buttons tell the server what was pressed, through the door that `ui/evals.py` makes.
() => {
  const act = (data) => window.footnoteEval && window.footnoteEval.act(data);
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-eval]");
    if (pressed) act({ do: pressed.dataset.eval, run: pressed.dataset.run || "" });
  });
}
