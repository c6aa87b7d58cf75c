/** Closes a <details> menu on a click elsewhere, on Escape, and when another one opens. */

export function attachMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      if (!(event.target instanceof Node) || !menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      event.preventDefault();
    }
  });
}

function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")];
}
