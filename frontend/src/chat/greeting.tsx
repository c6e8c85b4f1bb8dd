const SUGGESTIONS = ["Show all my tasks", "Show pending tasks", "Show completed tasks", "Show my high priority tasks"];

/** What an empty conversation shows: what one can say, and some of it ready to be sent. */
export function Greeting({ firstName, onPick }: { firstName: string; onPick: (text: string) => void }) {
  return (
    <div className="flex flex-col items-start gap-3 py-8 sm:py-14">
      <p className="font-serif text-2xl font-semibold tracking-tight">Hello {firstName}, what is on your mind?</p>
      <p className="max-w-lg text-pretty text-muted">
        Say it in your own words: “add call the dentist for tomorrow”, “complete buy milk”, “what is left to do?”
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        {SUGGESTIONS.map((text) => (
          <button key={text} type="button" className="chip" onClick={() => onPick(text)}>
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}
