// Light or dark: what the address asks for (?__theme=dark), else what the reader has chosen in the header, else what the
// system says. Stands in the head of every page, so that nothing is painted in the wrong one. Gradio sets `.dark` on the
// body, too, from address and system alone; that is put right before the next paint.
(() => {
  const KEY = "footnote-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  let chosen = null; // where the browser forbids to keep it, a choice holds until the page is left
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return chosen;
    }
  };
  const choice = () => {
    const asked = new URL(location).searchParams.get("__theme");
    return [asked, kept()].find((one) => one === "light" || one === "dark") || "system";
  };

  let shown = "system";
  const mark = () => {
    const field = document.querySelector("[data-theme-choice]");
    if (field && field.value !== shown) field.value = shown;
  };
  const show = () => {
    shown = choice();
    const isDark = shown === "dark" || (shown === "system" && system.matches);
    document.body.classList.toggle("dark", isDark && !paper.matches);
    mark();
  };
  const choose = (theme) => {
    chosen = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch { /* it was said above */ }
    const address = new URL(location);
    if (address.searchParams.has("__theme")) { // it would overrule the choice
      address.searchParams.delete("__theme");
      history.replaceState(history.state, "", address);
    }
    show();
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-theme-choice]")) choose(event.target.value);
  });
  system.addEventListener("change", show);
  paper.addEventListener("change", show);
  addEventListener("storage", (event) => { if (event.key === KEY) show(); }); // chosen in another tab
  const awaitBody = new MutationObserver(() => {
    if (!document.body) return;
    awaitBody.disconnect();
    show();
    new MutationObserver(show).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    // The header is drawn when Gradio's scripts have loaded, and again when the server has greeted.
    new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });
  });
  awaitBody.observe(document.documentElement, { childList: true });
})();
