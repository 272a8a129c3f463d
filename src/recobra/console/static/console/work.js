// Print a document page; choosing a column oneself means that the saved mapping is no longer meant as it is.
(() => {
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });
  document.addEventListener("change", (event) => {
    const asItIs = document.querySelector("[data-as-it-is]");
    if (asItIs && asItIs.form.contains(event.target) && event.target.matches("select")) asItIs.checked = false;
  });
})();
