/**
 * Light or dark as it was chosen, before anything is painted. It is no module, since those come too
 * late; who has chosen nothing has what the system says.
 */
try {
  const chosen = localStorage.getItem("relayq-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // The browser keeps nothing for this page; the system decides.
}
