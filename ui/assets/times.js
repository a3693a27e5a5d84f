// Times as the reader's own clock has them: the server writes them in UTC. Without this they stay so, and say so.
() => {
  const words = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
  const translate = () => {
    for (const time of document.querySelectorAll("#fn-shell time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = words.format(new Date(time.dateTime)).replace(" at ", ", ");
    }
  };
  const wait = () => {
    const shell = document.getElementById("fn-shell");
    if (!shell) { setTimeout(wait, 50); return; }
    translate();
    new MutationObserver(translate).observe(shell, { childList: true, subtree: true });
  };
  wait();
}
