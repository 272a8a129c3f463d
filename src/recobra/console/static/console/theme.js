// Before the first paint: light or dark, as chosen on this machine, else as the system says.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("recobra-theme") || "auto";
    const dark = chosen === "dark" || (chosen === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    document.documentElement.dataset.themeChoice = chosen;
    document.dispatchEvent(new CustomEvent("recobra:theme"));
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  window.recobraTheme = (chosen) => { localStorage.setItem("recobra-theme", chosen); apply(); };
  apply();
})();
