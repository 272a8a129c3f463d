// Keyboard, menus and dialogs. Every page works without this file; it only makes it faster.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Colours
  const theme = $("#theme");
  const order = ["auto", "light", "dark"];
  const showTheme = () => {
    if (!theme) return;
    const chosen = document.documentElement.dataset.themeChoice;
    theme.setAttribute("aria-label", theme.dataset[chosen]);
    theme.title = theme.dataset[chosen];
    $$("[data-theme-icon]", theme).forEach((each) => { each.hidden = each.dataset.themeIcon !== chosen; });
  };
  theme?.addEventListener("click", () => {
    const chosen = document.documentElement.dataset.themeChoice;
    recobraTheme(order[(order.indexOf(chosen) + 1) % order.length]);
  });
  document.addEventListener("recobra:theme", showTheme);
  showTheme();

  // Menus and dialogs
  const menu = $("#menu");
  const side = (open) => {
    document.body.classList.toggle("side-open", open);
    menu?.setAttribute("aria-expanded", String(open));
  };
  menu?.addEventListener("click", () => side(!document.body.classList.contains("side-open")));
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) { const dialog = document.getElementById(opener.dataset.opens); side(false); dialog.showModal(); return; }
    const toggle = event.target.closest("[data-toggles]");
    if (toggle) {
      const open = document.getElementById(toggle.dataset.toggles).classList.toggle("unfolded");
      toggle.setAttribute("aria-expanded", String(open));
    }
    if (event.target.closest("[data-closes]") || event.target.nodeName === "DIALOG") event.target.closest("dialog")?.close();
    $$("details.menu[open]").filter((each) => !each.contains(event.target)).forEach((each) => { each.open = false; });
    if (document.body.classList.contains("side-open") && !event.target.closest("#side, #menu")) side(false);
  });

  // Links and forms that carry the list's present conditions
  const query = () => location.search.replace(/^\?/, "");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-with-query]");
    if (link) link.href = link.href.split("?")[0] + location.search;
  }, true);
  document.addEventListener("submit", (event) => $$("[data-query]", event.target).forEach((each) => { each.value = query(); }), true);
  document.addEventListener("htmx:configRequest", (event) => {
    // Empty filters stay out of the address, so that a saved view says only what was chosen.
    for (const [name, value] of [...event.detail.formData.entries()]) if (value === "") event.detail.formData.delete(name);
  });

  // A page does not outlive its session: what it shows goes, and what is asked for then leads to the sign-in. What
  // happens in another tab keeps the session, so the tabs tell each other when.
  const limits = document.body.dataset;
  if (limits.sessionSeconds) {
    const last = Date.now() + limits.sessionSeconds * 1000;
    let seenAt = 0;
    const seen = () => {
      seenAt = Date.now();
      localStorage.setItem("recobra-seen", String(seenAt));
    };
    const leave = () => {
      const idle = Date.now() - Math.max(seenAt, Number(localStorage.getItem("recobra-seen")));
      if (Date.now() < last && idle < limits.idleSeconds * 1000) return;
      document.body.replaceChildren();
      location.replace(location.href);
    };
    seen();
    document.addEventListener("htmx:afterRequest", (event) => {
      if (!event.detail.requestConfig.headers["X-Automatic"]) seen();
    });
    document.addEventListener("visibilitychange", leave);
    setInterval(leave, 15000);
  }

  // The HTML of a message is asked for by the frame that shows it.
  document.addEventListener("htmx:afterSettle", () => $$("[data-submits-itself]").forEach((each) => {
    each.removeAttribute("data-submits-itself");
    each.hidden = true;
    each.submit();
  }));

  // Keyboard
  const on = () => localStorage.getItem("recobra-keys") !== "off";
  const box = $("#keys-on");
  if (box) {
    box.checked = on();
    box.addEventListener("change", () => localStorage.setItem("recobra-keys", box.checked ? "on" : "off"));
  }
  const actions = {};
  $$("[data-key]").forEach((each) => { actions[each.dataset.key] = each; });
  const extra = $("#page-keys");
  $$("[data-key]").filter((each) => !each.dataset.key.startsWith("g ") && extra).forEach((each) => {
    const line = document.createElement("div");
    const key = document.createElement("kbd");
    key.textContent = each.dataset.key;
    const said = document.createElement("dd");
    said.textContent = each.dataset.keyLabel || each.textContent.trim();
    line.append(document.createElement("dt"), said);
    line.firstChild.append(key);
    extra.before(line);
  });
  extra?.remove();
  const rows = () => $$("[data-rows] [data-row]");
  const move = (step) => {
    const all = rows();
    const here = all.indexOf(document.activeElement);
    all[here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1)]?.focus();
  };
  let first = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      $$("details.menu[open]").forEach((each) => { each.open = false; $("summary", each).focus(); });
      side(false);
      if (typing) typing.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !on() || $("dialog[open]")) return;
    const pressed = first ? `${first} ${event.key}` : event.key;
    first = "";
    if (actions[pressed]) { event.preventDefault(); actions[pressed].click(); }
    else if (pressed === "g") first = "g";
    else if (pressed === "/") { event.preventDefault(); $("#search")?.focus(); $("#search")?.select(); }
    else if (pressed === "?") { event.preventDefault(); $("#keys")?.showModal(); }
    else if (pressed === "j") move(1);
    else if (pressed === "k") move(-1);
  });
})();
