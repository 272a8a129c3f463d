// Ready answers, the newest message in sight, and lists that are narrowed as soon as something is chosen.
(() => {
  const down = () => { const thread = document.getElementById("thread"); if (thread) thread.scrollTop = thread.scrollHeight; };
  down();
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "thread" || event.detail.elt?.id === "thread") down(); });
  document.addEventListener("change", (event) => {
    const chosen = event.target;
    if (chosen.matches("[data-canned]") && chosen.value) {
      const area = document.getElementById(chosen.dataset.canned);
      area.setRangeText(chosen.value, area.selectionStart, area.selectionEnd, "end");
      chosen.value = "";
      area.focus();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (chosen.matches("[data-submits]")) chosen.form.submit();
    // Another channel has other templates: the page is asked for again.
    if (chosen.matches("[data-goes]")) location.search = new URLSearchParams({ [chosen.dataset.goes]: chosen.value }).toString();
  });
  // A text area is no button: its key puts the writer into it.
  document.getElementById("text")?.addEventListener("click", (event) => event.target.focus());
})();
