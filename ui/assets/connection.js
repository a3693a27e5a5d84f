// The connection to the server. Where it is lost, a line says so. Once it is back the line goes; where another process
// answers, or a stream broke off that Gradio does not take up again, the page is loaded anew, with what was typed and not
// asked yet. The conversation itself is kept by the server and found by the page's address.
() => {
  const LOOK_MS = 5000;
  const LOOK_AGAIN_MS = 1000;
  const ANSWERS_WITHIN_MS = 20000; // a network that swallows what is sent tells nothing for minutes
  const KEY = "footnote-unsent";
  const LOST = "Connection to Footnote lost; your conversation is kept. Trying again…";
  const BACK = "Footnote is back. What you have typed in a form would be lost: copy it, then load the page again.";
  const box = () => document.querySelector("#fn-box textarea");
  const claims = () => document.querySelectorAll("#fn-mode input")[1];

  const notice = Object.assign(document.createElement("div"), { id: "fn-connection" });
  notice.setAttribute("role", "status");
  document.getElementById("fn-header").after(notice);

  let isLost = false;
  let isBroken = false;
  const lost = () => {
    if (!isLost) notice.textContent = LOST;
    isLost = true;
  };
  const back = (isAnother) => {
    if (!isAnother && !isBroken) {
      isLost = false;
      notice.replaceChildren();
      next = setTimeout(look, LOOK_MS);
      return;
    }
    const forms = [...document.querySelectorAll(".fn-form textarea, #fn-lib-pasted textarea")];
    if (!forms.some((field) => field.value.trim())) {
      location.reload();
      return;
    }
    const again = Object.assign(document.createElement("button"), { type: "button", className: "fn-chip", textContent: "Load again" });
    again.addEventListener("click", () => location.reload());
    notice.replaceChildren(BACK, again);
  };

  // One look at a time: it may have to wait for one of the six connections that a browser opens to a server. A process
  // that took the place of another has another id.
  let isLooking = false;
  let isLeaving = false;
  let next = 0;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    clearTimeout(next);
    const seen = await fetch(new URL("gradio_api/app_id", document.baseURI), { cache: "no-store", signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })
      .then((answer) => (answer.ok ? answer.json() : null))
      .catch(() => null);
    isLooking = false;
    if (!seen && !isLeaving) lost();
    const isAnother = seen && seen.app_id !== window.gradio_config.app_id;
    if (seen && (isLost || isAnother)) back(isAnother);
    else next = setTimeout(look, isLost ? LOOK_AGAIN_MS : LOOK_MS);
  };
  next = setTimeout(look, LOOK_MS);
  addEventListener("offline", () => { lost(); look(); });
  addEventListener("online", look);
  addEventListener("beforeunload", () => { // breaks off what is being loaded; a link to a program does not leave
    isLeaving = true;
    setTimeout(() => { isLeaving = false; }, LOOK_MS);
  });
  // Gradio notices when it sends something, and when a stream breaks off.
  const toasts = document.querySelector(".toast-wrap");
  new MutationObserver(() => {
    if (isLeaving || !toasts.textContent.includes("Connection Lost")) return;
    isBroken = true;
    lost();
    look();
  }).observe(toasts, { childList: true, subtree: true });

  // Nothing is sent that would be lost.
  const hold = (event) => {
    if (!isLost) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("submit", hold, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#fn-ask, [data-ask], [data-weigh]")) hold(event);
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && event.target === box()) hold(event);
  }, true);

  // What is typed comes through a reload, but not to somebody else who signs in on the same tab.
  let isSignedOut = false;
  document.addEventListener("click", (event) => { if (event.target.closest("[data-leave]")) isSignedOut = true; }, true);
  addEventListener("pagehide", () => {
    const tab = document.querySelector("#fn-tabs [role=tab][aria-selected=true]");
    const unsent = { typed: box() ? box().value : "", isClaim: Boolean(claims() && claims().checked), tab: tab ? tab.id : "" };
    try {
      if (isSignedOut) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, JSON.stringify(unsent));
    } catch { /* a browser that keeps nothing for this page */ }
  });
  let unsent = {};
  try { unsent = JSON.parse(sessionStorage.getItem(KEY) || "{}"); } catch { /* as above */ }
  const restore = () => {
    if (!box() || !window.footnote) {
      setTimeout(restore, 50);
      return;
    }
    if (unsent.isClaim && claims()) claims().click();
    if (unsent.typed && !box().value) {
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box(), unsent.typed);
      box().dispatchEvent(new Event("input", { bubbles: true }));
    }
    const tab = document.getElementById(unsent.tab);
    if (tab) tab.click();
  };
  const [loaded] = performance.getEntriesByType("navigation");
  if (loaded.type === "reload" && !document.getElementById("fn-missing")) restore();
}
