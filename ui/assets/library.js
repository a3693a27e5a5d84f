// The library tab: buttons and dots tell the server what was pressed, through the door that `ui/library.py` makes; the
// map is read by pointer and by keyboard. Everything is delegated from the document, because its parts come and go.
() => {
  const act = (data) => window.footnoteLibrary && window.footnoteLibrary.act(data);
  const dots = (map) => [...map.querySelectorAll(".fn-dot")];

  const showTip = (dot) => {
    const frame = dot.closest(".fn-map-frame");
    const tip = frame.querySelector(".fn-map-tip");
    const [at, around] = [dot.getBoundingClientRect(), frame.getBoundingClientRect()];
    const title = Object.assign(document.createElement("strong"), { textContent: dot.getAttribute("aria-label") });
    const topic = Object.assign(document.createElement("span"), { textContent: dot.dataset.topic });
    const offer = Object.assign(document.createElement("span"), { textContent: "Click to read it and ask about it" });
    tip.replaceChildren(title, topic, offer);
    tip.hidden = false;
    const width = tip.offsetWidth;
    const left = at.left + at.width / 2 - around.left - width / 2;
    tip.style.left = `${Math.max(0, Math.min(left, around.width - width))}px`;
    const above = at.top - around.top - tip.offsetHeight - 8;
    tip.style.top = `${above >= 0 ? above : at.bottom - around.top + 8}px`;
  };
  const hideTips = () => document.querySelectorAll(".fn-map-tip").forEach((tip) => { tip.hidden = true; });

  // The nearest dot in a direction: how far it lies off the direction counts double.
  const neighbour = (dot, key) => {
    const place = (d) => [Number(d.getAttribute("cx")), Number(d.getAttribute("cy"))];
    const [x, y] = place(dot);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    let best = null;
    let least = Infinity;
    for (const other of dots(dot.closest(".fn-map"))) {
      const [ox, oy] = place(other);
      const along = (ox - x) * dx + (oy - y) * dy;
      const off = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (other !== dot && along > 0.5 && along + 2 * off < least) [best, least] = [other, along + 2 * off];
    }
    return best;
  };

  // What the map is coloured by stays when a search draws it anew.
  let colourBy = "topic";
  const colourMap = (map) => {
    map.dataset.colour = colourBy;
    for (const b of map.querySelectorAll("[data-colour-by]")) b.setAttribute("aria-pressed", b.dataset.colourBy === colourBy);
  };

  let awaited = null; // the paper that is to take the focus once it is drawn

  const press = (element) => {
    const open = element.dataset.lib === "open";
    if (open) awaited = { id: element.dataset.id, isAsked: element.matches(".fn-dot"), isNext: window.footnoteNext() };
    if (element.matches(".fn-dot")) {
      dots(element.closest(".fn-map")).forEach((dot) => dot.classList.toggle("fn-chosen", dot === element));
    }
    act({ do: element.dataset.lib, id: element.dataset.id || "" });
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-lib]");
    if (pressed) press(pressed);
    const colour = event.target.closest("[data-colour-by]");
    if (colour) {
      colourBy = colour.dataset.colourBy;
      colourMap(colour.closest(".fn-map"));
    }
    const topic = event.target.closest("[data-topic-number]");
    if (topic) {
      const map = topic.closest(".fn-map");
      const on = topic.getAttribute("aria-pressed") !== "true";
      map.querySelectorAll("[data-topic-number]").forEach((b) => b.setAttribute("aria-pressed", on && b === topic));
      const wanted = `fn-topic-${topic.dataset.topicNumber}`;
      dots(map).forEach((dot) => dot.classList.toggle("fn-away", on && !dot.classList.contains(wanted)));
    }
  });

  document.addEventListener("keydown", (event) => {
    const dot = event.target.closest && event.target.closest(".fn-dot");
    if (!dot) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press(dot);
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = neighbour(dot, event.key);
      if (!next) return;
      dot.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    } else if (event.key === "Escape") {
      hideTips();
    }
  });

  for (const [came, gone] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    document.addEventListener(came, (event) => {
      const dot = event.target.closest && event.target.closest(".fn-dot");
      if (dot) showTip(dot);
    });
    document.addEventListener(gone, (event) => {
      if (event.target.closest && event.target.closest(".fn-dot")) hideTips();
    });
  }

  // A paper that was opened takes the focus with its title, so that a reader of the screen hears it, unless something
  // else is used by then: a list of choices would close. Opened from the map, its question is ready instead: Enter asks
  // it, typing writes over it. By touch that would raise a keyboard.
  new MutationObserver(() => {
    const map = document.querySelector(".fn-map:has([data-colour-by])"); // without years there is nothing to choose
    if (map && map.dataset.colour !== colourBy) colourMap(map);
    const drawing = document.querySelector('[data-drawing="1"]');
    if (drawing) {
      drawing.dataset.drawing = "asked";
      act({ do: "draw" });
    }
    const paper = awaited && document.querySelector(`article[data-paper="${CSS.escape(awaited.id)}"]`);
    if (!paper) return;
    const { isAsked, isNext } = awaited;
    awaited = null;
    const aside = document.getElementById("fn-lib-aside");
    if (aside) aside.scrollTop = 0;
    if (!isNext()) return;
    const field = isAsked && matchMedia("(pointer: fine)").matches && paper.querySelector("input");
    (field || paper.querySelector("h2")).focus({ preventScroll: true });
    if (field) field.select();
  }).observe(document.body, { childList: true, subtree: true });
}
