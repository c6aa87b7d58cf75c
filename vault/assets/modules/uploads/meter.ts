/** How fast bytes go out, and how long the rest will take. */

const WINDOW_MS = 8000;
/** Before this much has passed a speed is a guess. */
const SOONEST_MS = 1500;

export class Meter {
  private samples: { at: number; bytes: number }[] = [];
  private total = 0;

  add(bytes: number, now = performance.now()): void {
    this.total += bytes;
    const last = this.samples.at(-1);
    // One sample for each tenth of a second is enough to draw from.
    if (last !== undefined && now - last.at < 100) last.bytes = this.total;
    else this.samples.push({ at: now, bytes: this.total });
    while (this.samples.length > 2 && now - (this.samples[0]?.at ?? now) > WINDOW_MS) this.samples.shift();
  }

  /** Begin anew: after a pause the time in between counts for nothing. */
  reset(): void {
    this.samples = [];
  }

  /** Bytes a second over the last few seconds; null while too little is known. */
  speed(now = performance.now()): number | null {
    const first = this.samples[0];
    if (first === undefined || now - first.at < SOONEST_MS) return null;
    return ((this.total - first.bytes) * 1000) / (now - first.at);
  }
}

export function inBytes(count: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let [amount, unit] = [count, 0];
  while (amount >= 1000 && unit < units.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${amount.toFixed(unit === 0 || amount >= 100 ? 0 : 1)} ${units[unit] ?? ""}`;
}

/** Words for a stretch of time, no more exact than one believes. */
export function inTime(seconds: number): string {
  if (seconds < 10) return "a few seconds";
  if (seconds < 55) return `${Math.ceil(seconds / 10) * 10} seconds`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return minutes <= 1 ? "1 minute" : `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  return hours < 36 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
