type Properties = { figures: { total: number; pending: number; completed: number } | null };

/** The list in numbers, and how much of it is done; dashes until they are known. */
export function Figures({ figures: known }: Properties) {
  const { total, pending, completed } = known ?? { total: 0, pending: 0, completed: 0 };
  const rate = total === 0 ? 0 : Math.round((100 * completed) / total);
  const figures = [
    { label: "pending", value: pending },
    { label: "completed", value: completed },
    { label: "in total", value: total },
  ];
  return (
    <section aria-label="Figures">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 text-muted">
        <dl className="flex gap-x-4 sm:gap-x-5">
          {figures.map(({ label, value }) => (
            <div key={label} className="flex flex-row-reverse items-baseline gap-1.5">
              <dt>{label}</dt>
              <dd className="font-semibold text-ink tabular-nums">{known ? value : "–"}</dd>
            </div>
          ))}
        </dl>
        <span className="tabular-nums">{known ? rate : "–"}% done</span>
      </div>
      <progress
        value={rate}
        max={100}
        aria-label="Completion rate"
        className="mt-2 block h-1 w-full appearance-none overflow-hidden rounded-full bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:rounded-full [&::-webkit-progress-value]:bg-accent [&::-webkit-progress-value]:transition-all"
      />
    </section>
  );
}
