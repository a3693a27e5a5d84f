// What a reader does beside asking: sheets that open over the page, forms in place, copying, the reason at a footnote.
// The server is told through `window.footnote`, which the door of `ui/doing.py` makes. Everything is delegated from the
// document, because the parts it acts on come and go.
() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const act = (data) => window.footnote && window.footnote.act(data);
  const button = (label, className) => make("button", { type: "button", className, textContent: label });

  // Sheets: the browser's own dialog keeps focus inside, closes on Escape and gives focus back.
  const makeDialogs = () => {
    document.querySelectorAll(".fn-sheet").forEach((sheet) => {
      if (sheet.closest("dialog")) return;
      const heading = find("h2", sheet);
      heading.id = `${sheet.id}-title`;
      const close = button("Close", "fn-chip fn-close");
      const dialog = make("dialog", { className: "fn-dialog", id: `${sheet.id}-dialog` }, close, sheet);
      dialog.setAttribute("aria-labelledby", heading.id);
      close.addEventListener("click", () => dialog.close());
      // Closed by a click beside it: not on its own edge, nor by what was pressed within and let go outside.
      const isBeside = (event) => {
        const { left, right, top, bottom } = dialog.getBoundingClientRect();
        const { clientX: x, clientY: y, target } = event;
        return target === dialog && (x < left || x > right || y < top || y > bottom);
      };
      let wasPressedBeside = false;
      dialog.addEventListener("pointerdown", (event) => { wasPressedBeside = isBeside(event); });
      dialog.addEventListener("click", (event) => { if (wasPressedBeside && isBeside(event)) dialog.close(); });
      find("#fn-shell").append(dialog);
    });
  };
  const openSheet = (id) => {
    const dialog = document.getElementById(`${id}-dialog`);
    if (dialog && !dialog.open) dialog.showModal();
  };
  const closeSheets = () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());

  // Whatever changes the list sends along what is searched for, so that it stays the list that is looked at.
  const actOnList = (data) => act({ ...data, search: (find("#fn-search") || {}).value || "" });
  const list = () => actOnList({ do: "list" });

  const statusLine = () => find("#fn-status .html-container > div") || find("#fn-status");
  const say = (line, place = statusLine()) => {
    if (place) place.replaceChildren(make("span", { className: "fn-said", textContent: line }));
  };

  // What came of it is said beside the button where that has a place for it: not every tab shows the line below the box.
  const copy = async (words, pressed) => {
    const place = pressed.parentElement.querySelector("[role=status]") || statusLine();
    try {
      await navigator.clipboard.writeText(words);
    } catch { // no clipboard where the page is not served over HTTPS or from this machine
      const had = document.activeElement;
      const area = make("textarea", { value: words });
      (had.closest("dialog") || document.body).append(area);
      area.select();
      const isCopied = document.execCommand("copy");
      area.remove();
      had.focus({ preventScroll: true });
      if (!isCopied) {
        say("The browser did not let it be copied.", place);
        return;
      }
    }
    say("Copied.", place);
  };

  // A form in the place of what it changes. `send` gets the text; a blank one is not sent.
  const formFor = (place, { label, value, go, send, optional = false }) => {
    const before = place.nextElementSibling;
    if (before && before.matches(".fn-form")) {
      if (find("span", before).textContent === label) {
        find("textarea", before).focus();
        return;
      }
      before.remove();
    }
    const pressed = document.activeElement;
    const area = make("textarea", { value, rows: 2 });
    const cancel = button("Cancel", "fn-chip");
    const ready = make("button", { type: "submit", className: "fn-chip fn-go", textContent: go });
    const form = make("form", { className: "fn-form" }, make("label", {}, make("span", { textContent: label }), area), ready, cancel);
    const end = () => {
      form.remove();
      const back = place.contains(pressed) ? pressed : find("button", place);
      if (back) back.focus();
    };
    cancel.addEventListener("click", end);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); end(); } // the dialog around stays
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (area.value.trim() || optional) { form.remove(); send(area.value); }
    });
    place.after(form);
    area.focus({ preventScroll: true });
    area.select();
    form.scrollIntoView({ block: "nearest" });
  };

  const edit = (number, pressed) => {
    const turn = pressed.closest(".fn-turn");
    formFor(pressed.closest(".fn-corrections"), {
      label: "Ask this instead; what stands here now is kept as a version",
      value: find(".fn-question", turn).textContent,
      go: "Ask again",
      send: (question) => window.footnote.ask({ turn: number, question }),
    });
  };
  const restate = (number, pressed) => {
    const turn = pressed.closest(".fn-turn");
    formFor(pressed.closest(".fn-corrections"), {
      label: "What the question means, in words that stand by themselves",
      value: find(".fn-standalone", turn).textContent,
      go: "Ask again",
      send: (restated) => window.footnote.ask({ turn: number, restated }),
    });
  };

  // All turns are drawn anew, so that the focus has to be brought to the same button of the turn that stands there then,
  // unless something else is used by then.
  const goTo = (pressed) => {
    const turns = () => [...document.querySelectorAll(".fn-turn")];
    const before = pressed.closest(".fn-turn");
    const place = turns().indexOf(before);
    const label = pressed.getAttribute("aria-label");
    const isNext = window.footnoteNext();
    let left = 100;
    const follow = () => {
      const turn = turns()[place];
      if (!turn || turn.id === before.id) {
        left -= 1;
        if (left) setTimeout(follow, 50);
        return;
      }
      if (!isNext()) return;
      const back = find(`.fn-versions [aria-label="${label}"]:enabled`, turn) || find(".fn-versions :enabled", turn);
      if (back) back.focus({ preventScroll: true });
      const up = () => turn.scrollIntoView({ block: "nearest", behavior: "instant" });
      up();
      requestAnimationFrame(() => { up(); requestAnimationFrame(up); }); // after page.js brought up the newest turn
    };
    act({ do: "version", turn: pressed.dataset.turn, version: pressed.dataset.version });
    follow();
  };

  const judge = (pressed) => {
    const taken = pressed.getAttribute("aria-pressed") === "true";
    const group = pressed.closest(".fn-opinions");
    group.querySelectorAll("[data-opinion]").forEach((other) => other.setAttribute("aria-pressed", "false"));
    const opinion = taken ? "" : pressed.dataset.opinion;
    pressed.setAttribute("aria-pressed", String(!taken));
    act({ do: "opinion", turn: pressed.dataset.turn, opinion });
    const actions = pressed.closest(".fn-actions");
    if (actions.nextElementSibling && actions.nextElementSibling.matches(".fn-form")) actions.nextElementSibling.remove();
    if (!opinion || opinion === "up") return;
    formFor(actions, {
      label: "What is wrong with it? Kept on this machine, with the answer.",
      value: "",
      go: "Keep note",
      optional: true,
      send: (note) => act({ do: "opinion", turn: pressed.dataset.turn, opinion, note }),
    });
  };

  const rename = (id, pressed) => {
    const entry = pressed.closest(".fn-entry");
    formFor(find(".fn-entry-tools", entry), {
      label: "New name",
      value: find(".fn-entry-title", entry).textContent,
      go: "Rename",
      send: (title) => actOnList({ do: "rename", id, title }),
    });
  };

  const lens = (number) => {
    const body = find("#fn-lens");
    body.classList.add("fn-loading");
    openSheet("fn-sheet-lens");
    act({ do: "lens", turn: number });
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    const { sheet, edit: edited, restate: restated, copy: words, lens: looked, opinion, rename: renamed, reset } = pressed.dataset;
    if (sheet) {
      openSheet(sheet);
      if (sheet === "fn-sheet-history") {
        find("#fn-search").value = "";
        list();
      }
    } else if (edited) edit(edited, pressed);
    else if (restated) restate(restated, pressed);
    else if (words !== undefined) copy(words, pressed);
    else if (looked) lens(looked);
    else if (opinion) judge(pressed);
    else if (pressed.dataset.version) goTo(pressed);
    else if (renamed) rename(renamed, pressed);
    else if (reset === "knobs") {
      event.preventDefault();
      act({ do: "knobs", knobs: {} });
    } else if (pressed.dataset.do) {
      actOnList({ do: pressed.dataset.do, id: pressed.dataset.id, format: pressed.dataset.format });
      if (pressed.dataset.do === "open") closeSheets();
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest(".fn-knobs");
    if (form) act({ do: "knobs", knobs: Object.fromEntries(new FormData(form)) });
  });

  let typing = 0;
  document.addEventListener("input", (event) => {
    if (event.target.id !== "fn-search") return;
    clearTimeout(typing);
    typing = setTimeout(list, 200);
  });

  // The reason of a verdict, and at a footnote the quote: on hover and on focus, gone with Escape or on leaving. A tap
  // on a footnote follows the link, one on the words of a verdict shows the reason.
  const tip = make("div", { id: "fn-tip", className: "fn-tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  let described = null;
  let hiding = 0;
  const hide = () => {
    clearTimeout(hiding);
    tip.hidden = true;
    if (described) described.removeAttribute("aria-describedby");
    described = null;
  };
  const show = (marker) => {
    clearTimeout(hiding);
    if (described === marker) return;
    hide();
    described = marker;
    const { reason, quote, paper } = marker.dataset;
    tip.replaceChildren(
      make("p", { className: "fn-tip-reason", textContent: reason }),
      ...(quote ? [make("p", { className: "fn-tip-quote", textContent: `“${quote}”` })] : []),
      ...(paper ? [make("p", { className: "fn-tip-paper", textContent: paper })] : []),
    );
    tip.hidden = false;
    marker.setAttribute("aria-describedby", "fn-tip");
    place(marker);
  };
  const place = (marker) => {
    const at = marker.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = tip;
    const below = at.bottom + 8 + height < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(at.left - 16, innerWidth - width - 8))}px`;
    tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - height - 6)}px`;
  };
  const markerOf = (event) => event.target instanceof Element && event.target.closest(":is(.fn-marker, .fn-why)[data-reason]");
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const marker = markerOf(event);
    if (marker) show(marker);
    else if (event.target.closest("#fn-tip")) clearTimeout(hiding);
    else if (described) { // in a moment: there is a gap on the way to it
      clearTimeout(hiding);
      hiding = setTimeout(hide, 200);
    }
  });
  document.addEventListener("focusin", (event) => {
    const marker = markerOf(event);
    if (marker && marker.matches(":focus-visible")) show(marker);
    else if (described) hide();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("click", (event) => {
    const why = event.target instanceof Element && event.target.closest(".fn-why");
    hide();
    if (why) show(why);
  });
  // Moving to a marker with Tab scrolls it into view: its reason goes along. With the mouse it would point at nothing.
  document.addEventListener("scroll", () => {
    if (!described) return;
    if (described === document.activeElement) place(described);
    else hide();
  }, true);

  // The open conversation stands in the address, so that a reload and a bookmark find it again.
  const opened = () => (find("#fn-state [data-conversation]") || { dataset: {} }).dataset.conversation || "";
  const inAddress = () => (location.hash.match(/^#c=([0-9a-f]{32})$/) || [])[1] || "";
  const keepAddress = () => {
    if (opened() === inAddress()) return;
    const place = location.pathname + location.search;
    history.replaceState(history.state, "", opened() ? `${place}#c=${opened()}` : place);
  };

  // An option that was picked by hand does not follow the HTML any more when the settings are drawn anew.
  const keepKnobs = () => {
    document.querySelectorAll(".fn-knobs select").forEach((select) => {
      const drawn = find("option[selected]", select);
      select.value = drawn ? drawn.value : select.options[0].value;
    });
  };

  const prepare = () => {
    const state = find("#fn-state");
    const sheets = document.querySelectorAll(".fn-sheet h2");
    if (!state || sheets.length < 3 || !window.footnote) return false;
    find("#fn-shell").append(tip);
    makeDialogs();
    const body = find("#fn-lens");
    new MutationObserver(() => body.classList.remove("fn-loading")).observe(body, { childList: true, subtree: true });
    new MutationObserver(keepKnobs).observe(find("#fn-knobs"), { childList: true, subtree: true, attributes: true });
    if (inAddress() && !opened()) act({ do: "open", id: inAddress() });
    addEventListener("hashchange", () => {
      if (!inAddress() || inAddress() === opened()) return;
      act({ do: "open", id: inAddress() });
      find("#fn-tab-chat-button")?.click();
    });
    new MutationObserver(keepAddress).observe(state, { childList: true, subtree: true, attributes: true });
    return true;
  };
  const wait = () => { if (!prepare()) setTimeout(wait, 50); };
  if (document.getElementById("fn-missing") === null) wait();
}
