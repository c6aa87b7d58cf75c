/** Says anew how many pictures an album holds, after some were added to it. */

export async function refreshCounts(): Promise<void> {
  for (const place of document.querySelectorAll<HTMLElement>("[data-album-count]")) {
    try {
      const answer = await fetch(place.dataset["albumCount"] ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok) continue;
      const count = ((await answer.json()) as { media_count: number }).media_count;
      place.textContent = `${count.toLocaleString("en")} ${count === 1 ? "picture" : "pictures"}`;
    } catch {
      // The old number stays until the page is opened again.
    }
  }
}
