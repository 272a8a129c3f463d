// A variable of the palette goes where the writer last was in the template.
(() => {
  let place = null;
  document.addEventListener("focusin", (event) => { if (event.target.matches("#template textarea, #template #subject")) place = event.target; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const area = button && (place || document.getElementById("text"));
    if (!area) return;
    area.setRangeText(button.dataset.insert, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
// Print a document page; choosing a column oneself means that the saved mapping is no longer meant as it is.
(() => {
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });
  document.addEventListener("change", (event) => {
    const asItIs = document.querySelector("[data-as-it-is]");
    if (asItIs && asItIs.form.contains(event.target) && event.target.matches("select")) asItIs.checked = false;
  });
})();
// Copy what stands in a field that may only be read.
(() => {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copies);
    field.select();
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    button.querySelector("span").textContent = button.dataset.copied;
  });
})();
