// What must hold before the first paint and before any module runs.

// The page's policy forbids code from text, and Firefox reports that Zod tries whether it may.
globalThis.__zod_globalConfig = { jitless: true };

// The chosen theme, so that the page does not flash.
try {
  const theme = localStorage.getItem('livepanty.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme holds.
}
