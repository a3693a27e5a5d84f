// The eval tab: its buttons tell the server what was pressed, through the door that `ui/evals.py` makes.
() => {
  const act = (data) => window.footnoteEval && window.footnoteEval.act(data);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#fn-tab-eval-button")) {
      window.footnoteEvalWanted = true; // the door looks here when the tab is drawn for the first time
      act({ do: "show" });
    }
    const pressed = event.target.closest("[data-eval]");
    if (pressed) act({ do: pressed.dataset.eval, run: pressed.dataset.run || "" });
  });
}
