/** Stands in for the database that counts; what the functions do there is tested on PostgreSQL, in the backend's suite. */
export class Counting {
  readonly used = new Map<string, number>();
  broken = false;

  query = (statement: string, [key, most, seconds]: [string, number, number]) => {
    if (this.broken) return Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
    const before = this.used.get(key) ?? 0;
    if (statement.includes("give_back")) {
      this.used.set(key, Math.max(0, before - 1));
      return Promise.resolve({ rows: [] });
    }
    this.used.set(key, before + 1);
    return Promise.resolve({ rows: [{ wait: before + 1 > most ? seconds : 0 }] });
  };
}
