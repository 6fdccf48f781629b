// Applies the chosen theme before the first paint, so that the other one does not flash.
(() => {
  const theme = localStorage.getItem("gatepost.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
