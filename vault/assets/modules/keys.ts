/** Links that a key follows too: `data-key="ArrowLeft"` on the way to the previous picture. */

export function attachKeys(): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("a[data-key]")];
  if (links.length === 0) return;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (document.querySelector("dialog[open], details[data-menu][open]") !== null || isTyping(event.target)) return;
    links.find((link) => link.dataset["key"] === event.key)?.click();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, video, [contenteditable]") !== null;
}
