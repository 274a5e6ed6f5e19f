// Before the first paint, so that a chosen theme does not flash: what theme.js kept.
try {
  const kept = localStorage.getItem("ganatomy-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // Storage is off: automatic.
}
