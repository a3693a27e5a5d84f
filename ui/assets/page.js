// What HTML alone can't do on the page: markers lead to sentences, sentences back to markers, a drawer on a phone.
// Gradio runs this function once when the page has loaded. Everything is delegated from the document, because the
// parts it acts on come and go. Without it the links are still links.
() => {
  const narrow = window.matchMedia("(max-width: 999px)");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const root = document.documentElement;
  let cameFrom = null;

  const behaviour = () => (calm.matches ? "auto" : "smooth");
  const all = (selector) => [...document.querySelectorAll(selector)];

  const pulse = (elements) => {
    all(".fn-pulse").forEach((element) => element.classList.remove("fn-pulse"));
    elements.forEach((element) => {
      void element.offsetWidth; // restarts the animation on a second click
      element.classList.add("fn-pulse");
    });
  };

  const openDrawer = () => {
    if (narrow.matches) root.classList.add("fn-drawer-open");
  };

  const closeDrawer = () => {
    root.classList.remove("fn-drawer-open");
  };

  const goTo = (id) => {
    const target = document.getElementById(id);
    if (!target) return;
    const section = target.closest(".fn-sources");
    if (section) {
      all(".fn-sources").forEach((other) => { other.hidden = other !== section; });
      openDrawer();
    }
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.focus({ preventScroll: true });
    const whole = target.classList.contains("fn-sources");
    target.scrollIntoView({ block: whole ? "start" : "center", behavior: behaviour() });
    const pieces = all(`[data-cites~="${CSS.escape(id)}"]`);
    if (!whole) pulse(pieces.length ? pieces : [target]);
  };

  const goBack = (id) => {
    const marker = document.getElementById(id);
    if (!marker) return;
    closeDrawer();
    for (let fold = marker.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    marker.focus({ preventScroll: true });
    marker.scrollIntoView({ block: "center", behavior: behaviour() });
    pulse([marker]);
  };

  const boxed = (question) => {
    const box = document.querySelector("#fn-box textarea");
    if (!box) return null;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, question);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    return box;
  };

  // Asks in the chat, from whatever tab, or weighs a claim there. While an answer is on its way it waits in the box.
  const askInChat = (question, isClaim) => {
    const tab = document.getElementById("fn-tab-chat-button");
    if (tab) tab.click();
    const mode = document.querySelectorAll("#fn-mode input")[isClaim ? 1 : 0];
    if (mode && !mode.checked) mode.click();
    closeDrawer();
    const box = boxed(question);
    if (!box) return;
    box.focus();
    setTimeout(() => { const ask = document.getElementById("fn-ask"); if (ask) ask.click(); }, 50);
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-leave]")) {
      location.assign(`${(window.gradio_config || {}).root || ""}/logout?all_session=false`);
      return;
    }
    const asking = event.target.closest("[data-ask], [data-weigh]");
    if (asking) {
      event.preventDefault();
      askInChat(asking.dataset.ask || asking.dataset.weigh, !asking.dataset.ask);
      return;
    }
    const about = document.querySelector(".fn-about[open]");
    if (about && !about.contains(event.target)) about.open = false;
    const link = event.target.closest("a[data-goto], a[data-back]");
    if (link) {
      // The page has a <base>, so a plain "#id" would drop ?__theme=dark from the address and reload.
      event.preventDefault();
      if (link.dataset.goto) {
        cameFrom = link;
        goTo(link.dataset.goto);
      } else {
        goBack(link.dataset.back);
      }
    } else if (event.target.closest("#fn-close-drawer, #fn-shade")) {
      closeDrawer();
      if (cameFrom && cameFrom.isConnected) cameFrom.focus();
    }
  });

  // A question about one paper: where its name is not in it, it is put before it.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-about]");
    if (!form) return;
    event.preventDefault();
    const question = form.elements.question.value.trim();
    const { about } = form.dataset;
    if (!question) return;
    askInChat(question.toLowerCase().includes(about.toLowerCase()) ? question : `About ${about}: ${question}`);
  });

  document.addEventListener("keydown", (event) => {
    const about = document.querySelector(".fn-about[open]");
    if (event.key === "Escape" && about) {
      about.open = false;
      about.querySelector("summary").focus();
      return;
    }
    if (event.key === "Escape" && root.classList.contains("fn-drawer-open")) {
      closeDrawer();
      if (cameFrom && cameFrom.isConnected) cameFrom.focus();
    }
  });

  // A new question moves to the top of the view once; its answer then grows into the empty space below it, so that
  // nothing jumps while it streams. At once, not smoothly: a smooth scroll goes on to where the question was before
  // the empty state above it went away. Again in the next frames, because Gradio draws its parts one by one.
  let shown = "";
  const bringUp = () => {
    const turn = document.querySelector("#fn-live .fn-turn");
    const welcome = document.getElementById("fn-welcome");
    if (!turn) shown = "";
    if (!turn || turn.id === shown || (welcome && welcome.checkVisibility())) return;
    shown = turn.id;
    const scroll = () => turn.scrollIntoView({ block: "start", behavior: "instant" });
    scroll();
    requestAnimationFrame(() => { scroll(); requestAnimationFrame(scroll); });
  };

  // A question that could not be answered goes back into the box, to be changed and asked again: once, where it is the
  // last that was typed there and nothing stands there now.
  let typed = "";
  let givenBack = "";
  document.addEventListener("input", (event) => {
    if (event.target.matches("#fn-box textarea") && event.target.value.trim()) typed = event.target.value.trim();
  });
  const putBack = () => {
    const turn = document.querySelector("#fn-live .fn-turn");
    const failed = turn && turn.dataset.stage === "failed" ? turn.id : "";
    if (failed && failed !== givenBack && !document.querySelector("#fn-box textarea").value) {
      const question = turn.querySelector(".fn-question").textContent;
      if (question === typed) boxed(question);
    }
    givenBack = failed;
  };

  // The tab is called by the first question, and so is a file that the conversation is printed to.
  const callTab = () => {
    const first = document.querySelector("#fn-scroll .fn-question");
    const title = first ? `${first.textContent.slice(0, 60)} · Footnote` : "Footnote";
    if (document.title !== title) document.title = title;
  };

  // Gradio draws a part anew as a whole, its folds shut: what the reader has opened is opened again. A fold is known by
  // its turn, the question and its place, for the turns of another conversation have the same numbers.
  const opened = new Set();
  const nameOf = (fold) => {
    const part = fold.closest(".fn-turn, .fn-sources");
    if (!part) return null;
    const question = document.querySelector(`#${part.id.split("-")[0]} .fn-question`);
    const alike = [...part.querySelectorAll("details")].filter((other) => other.className === fold.className);
    return JSON.stringify([part.id, question ? question.textContent : "", fold.className, alike.indexOf(fold)]);
  };
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    const name = fold instanceof HTMLDetailsElement && fold.isConnected ? nameOf(fold) : null;
    if (name === null) return;
    if (fold.open) opened.add(name); else opened.delete(name);
  }, true);
  const openAgain = () => {
    if (!opened.size) return;
    all("#fn-scroll details:not([open]), #fn-evidence details:not([open])").forEach((fold) => {
      if (opened.has(nameOf(fold))) fold.open = true;
    });
  };

  // Screen readers pass over a live region that comes with its text. What is drawn with the class `fn-say` is said by
  // one that was there before: in the dialog around it, outside of which nothing is heard, or on the page. What takes
  // the focus is read for that.
  const sayer = (within) => {
    const found = within.querySelector(":scope > .fn-sayer");
    if (found) return found;
    const made = Object.assign(document.createElement("div"), { className: "fn-heard fn-sayer" });
    made.setAttribute("role", "status");
    within.append(made);
    return made;
  };
  const sayDrawn = (changes) => {
    const drawn = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node instanceof Element);
    const lines = drawn.flatMap((node) => (node.matches(".fn-say") ? [node] : [...node.querySelectorAll(".fn-say")]));
    lines.forEach((line) => {
      const region = sayer(line.closest("dialog") || document.getElementById("fn-shell"));
      setTimeout(() => {
        if (line.checkVisibility() && line !== document.activeElement) region.textContent = line.innerText;
      }, 100);
    });
  };

  const prepare = () => {
    const conversation = document.getElementById("fn-scroll");
    const status = document.getElementById("fn-status");
    if (!conversation || !status) return false;
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
    const evidence = document.getElementById("fn-evidence");
    evidence.setAttribute("role", "complementary");
    evidence.setAttribute("aria-label", "Evidence");
    const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["id", "class", "style"] };
    new MutationObserver(() => { bringUp(); putBack(); callTab(); }).observe(conversation, changes);
    const shell = document.getElementById("fn-shell");
    sayer(shell);
    new MutationObserver(sayDrawn).observe(shell, { childList: true, subtree: true });
    const drawn = new MutationObserver(openAgain);
    [conversation, evidence].forEach((part) => drawn.observe(part, { childList: true, subtree: true }));
    return true;
  };
  const wait = () => { if (!prepare()) setTimeout(wait, 50); };
  wait();
}
