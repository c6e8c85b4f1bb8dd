import type { TaskList } from "./task";

/** The list in numbers, and how much of it is done. */
export function Figures({ list }: { list: TaskList }) {
  const rate = list.total === 0 ? 0 : Math.round((100 * list.completed) / list.total);
  const figures = [
    { label: "Total", value: list.total },
    { label: "Pending", value: list.pending },
    { label: "Completed", value: list.completed },
  ];
  return (
    <section aria-label="Figures" className="card p-4 sm:p-5">
      <dl className="grid grid-cols-3 gap-2">
        {figures.map(({ label, value }) => (
          <div key={label} className="flex flex-col-reverse">
            <dt className="text-sm text-muted">{label}</dt>
            <dd className="text-2xl font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="mt-4 flex items-center gap-3 text-sm text-muted">
        <progress
          value={rate}
          max={100}
          aria-label="Completion rate"
          className="h-2 flex-1 appearance-none overflow-hidden rounded-full bg-raised [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-raised [&::-webkit-progress-value]:rounded-full [&::-webkit-progress-value]:bg-accent [&::-webkit-progress-value]:transition-all"
        />
        <span className="tabular-nums">{rate} % done</span>
      </div>
    </section>
  );
}
