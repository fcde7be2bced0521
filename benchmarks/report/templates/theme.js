"use strict";

// Themes: automatic follows the system; a choice is kept where the browser allows it.
const themes = ["automatic", "light", "dark"];
const themeButton = document.getElementById("theme");

function stored() {
  try { return localStorage.getItem("gliozoo-theme") || "automatic"; } catch { return "automatic"; }
}

function setTheme(name) {
  if (name === "automatic") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  themeButton.textContent = `Theme: ${name}`;
  try { localStorage.setItem("gliozoo-theme", name); } catch { /* a page without storage */ }
}

setTheme(themes.includes(stored()) ? stored() : "automatic");
themeButton.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme || "automatic";
  setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
});

