import { Icon } from "@/ui/icon";

const TURNS = [
  { said: "Send the invoice tomorrow, urgent", did: "added “Send the invoice”", answer: "I added it, with high priority, due tomorrow." },
  { said: "Done with the library books", did: "completed “Return library books”", answer: "Well done. Two tasks are left for this week." },
];

/** A few lines of a conversation, as the chat shows them. */
export function Demo() {
  return (
    <figure id="demo" aria-label="Example of a conversation" className="card scroll-mt-8 p-5 sm:p-6">
      <ol className="space-y-4">
        {TURNS.map(({ said, did, answer }) => (
          <li key={said} className="space-y-3">
            <p className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-sm bg-accent px-4 py-2 text-on-accent">{said}</p>
            <div className="max-w-[92%] space-y-1.5">
              <p className="flex items-center gap-1.5 text-sm text-accent">
                <Icon name="check" className="size-4" />
                {did}
              </p>
              <p>{answer}</p>
            </div>
          </li>
        ))}
      </ol>
      <figcaption className="mt-5 border-t border-line pt-3 text-sm text-muted">An example. Yours begins empty.</figcaption>
    </figure>
  );
}
