/** The token that every change carries; the page's head holds it, or a form of a page that has no other use for it. */

export function csrfToken(): string {
  const head = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  return head ?? document.querySelector<HTMLInputElement>('input[name="csrf_token"]')?.value ?? "";
}
