// Light or dark: as the system says, unless one has chosen.

const KEY = "why412-theme";
const ORDER = ["system", "light", "dark"];

/** What is chosen, and what comes after it. */
export function theme() {
  const now = document.documentElement.dataset.theme ?? "system";
  return { now, next: ORDER[(ORDER.indexOf(now) + 1) % ORDER.length] };
}

/** Takes the next one. */
export function chooseTheme() {
  const { next } = theme();
  localStorage.setItem(KEY, next);
  applyTheme();
}

/** Applies what was chosen before. */
export function applyTheme() {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}
