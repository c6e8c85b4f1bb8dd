import { Icon } from "@/ui/icon";

const SUGGESTIONS = ["Show all my tasks", "Show pending tasks", "Show completed tasks", "Show my high priority tasks"];

/** What an empty conversation shows: what one can say, and some of it ready to be sent. */
export function Greeting({ firstName, onPick }: { firstName: string; onPick: (text: string) => void }) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-10 text-center">
      <span className="flex size-12 items-center justify-center rounded-full bg-accent-soft text-accent">
        <Icon name="spark" className="size-6" />
      </span>
      <p className="text-lg font-semibold">Hello {firstName}, what is on your mind?</p>
      <p className="max-w-md text-sm text-muted">
        Say it in your own words: “add call the dentist for tomorrow”, “complete buy milk”, “what is left to do?”
      </p>
      <div className="mt-2 flex flex-wrap justify-center gap-2">
        {SUGGESTIONS.map((text) => (
          <button
            key={text}
            type="button"
            className="badge border border-line bg-surface px-3 py-1.5 hover:bg-raised"
            onClick={() => onPick(text)}
          >
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}
