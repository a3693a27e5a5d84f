// The keyboard, where redrawing and Gradio's controls (6.31.0) would lose it. What is drawn anew takes the focus over; where
// a control is gone, what came of it does.
() => {
  // What is no control has a tabindex in its own markup: one set here is gone, and the focus with it, when Gradio writes
  // the part anew.
  const LANDINGS = [
    "dialog[open] .fn-undo button", "dialog[open] input[type=search]", "dialog[open] .fn-close",
    "[role=alertdialog] button:last-of-type", "#fn-lib-running progress", "#fn-lib-preview .fn-lib-error",
    "#fn-lib-status :is(.fn-lib-done, .fn-lib-error)", "[data-eval=stop]", "#fn-ev-said .fn-lib-error", "[data-card] h2",
    "#fn-box textarea",
  ];
  const ELSE = ["#fn-lib-box textarea", "#fn-ev-begin"];
  const alike = (element) =>
    element.id ? `#${CSS.escape(element.id)}` : Object.entries(element.dataset)
      .map(([name, value]) => `[data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}="${CSS.escape(value)}"]`).join("");

  // What was asked for and comes late takes the focus only if it still comes next: `isNext = footnoteNext()`, when it is
  // asked for, and `isNext()`, when it comes, tells whether no key and no button was pressed in between.
  let nPressed = 0;
  window.footnoteNext = () => {
    const then = nPressed;
    return () => nPressed === then;
  };
  ["pointerdown", "keydown"].forEach((pressed) => document.addEventListener(pressed, () => { nPressed += 1; }, true));

  let had = null; // what had the focus by keyboard, and what finds its like
  let isPointed = false;
  document.addEventListener("focusin", (event) => {
    had = isPointed ? null : { element: event.target, selector: alike(event.target) };
  });
  document.addEventListener("pointerdown", () => { had = null; isPointed = true; }, true);
  const canTake = (element) => {
    const dialog = document.querySelector("dialog[open]");
    return element.checkVisibility() && !element.disabled && (!dialog || dialog.contains(element));
  };
  const keep = () => {
    if (!had || document.activeElement !== document.body || (had.element.isConnected && canTake(had.element))) return;
    const isBusy = had.element.isConnected && had.element.checkVisibility(); // it cannot be pressed for a while
    const target = [had.selector, ...LANDINGS, ...(isBusy ? [] : ELSE)].filter(Boolean)
      .flatMap((selector) => [...document.querySelectorAll(selector)]).find(canTake);
    if (target) target.focus();
  };
  // Expected: the radio buttons of a choice are one group. Actual: each has a name of its own, another when drawn anew.
  const group = () => document.querySelectorAll("#fn-shell .block input[type=radio]").forEach((radio) => {
    radio.name = radio.closest(".block").id;
  });
  const drawn = () => {
    group();
    keep();
  };
  let awaited = 0;
  new MutationObserver(() => {
    cancelAnimationFrame(awaited);
    awaited = requestAnimationFrame(() => setTimeout(drawn)); // only then the browser has taken it from what is disabled
  }).observe(document.getElementById("fn-shell"), { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "class"] });

  document.addEventListener("keydown", (event) => {
    isPointed = false;
    // Expected: Tab leaves a list of choices and closes it. Actual: its handler waits for a tick and opens it again.
    if (event.key === "Tab" && event.target.matches("[role=combobox]")) event.stopPropagation();
    // Expected: arrows go from tab to tab. Actual: only Tab does.
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !event.target.matches("[role=tab]")) return;
    const tabs = [...event.target.parentElement.querySelectorAll("[role=tab]")];
    tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length].focus();
  }, true);
}
