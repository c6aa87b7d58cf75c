/** Finds out whether this page still speaks for whoever it was loaded for, and takes over the token that counts now. */

export type Renewal = "same" | "renewed" | "signed-out" | "somebody-else" | "unreachable";

/** `page` is any page of the vault that only people who are signed in see; `person` whom this page was loaded for. */
export async function renew(page: string, person: string): Promise<Renewal> {
  let answer: Response;
  try {
    answer = await fetch(page);
    if (answer.redirected || answer.status === 401) return "signed-out";
    if (!answer.ok) return "unreachable";
    // Parsed and not shown: nothing of it runs, and nothing of it is put into this page.
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.body.dataset["person"] !== person) return "somebody-else";
    const token = fresh.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    const place = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
    if (place === null || token === "" || place.content === token) return "same";
    for (const field of document.querySelectorAll<HTMLInputElement>('input[name="csrf_token"]')) field.value = token;
    place.content = token;
    return "renewed";
  } catch {
    return "unreachable";
  }
}
