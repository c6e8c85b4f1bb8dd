/** Counts by key in the memory of this process: enough to blunt a flood, not a promise across replicas. */
export class RateLimit {
  private readonly seen = new Map<string, number[]>();

  /** At most `most` in `windowMs`. */
  constructor(
    private readonly most: number,
    private readonly windowMs: number,
  ) {}

  /** Count one; the seconds to wait where it is one too many, else 0. */
  count(key: string, now = Date.now()): number {
    for (const [other, times] of this.seen) {
      if ((times.at(-1) ?? 0) <= now - this.windowMs) this.seen.delete(other);
    }
    const recent = (this.seen.get(key) ?? []).filter((time) => time > now - this.windowMs);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= this.most) return Math.ceil((oldest + this.windowMs - now) / 1_000);
    this.seen.set(key, [...recent, now]);
    return 0;
  }
}
