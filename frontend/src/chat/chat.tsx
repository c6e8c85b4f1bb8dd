"use client";

import { useEffect, useRef, useState } from "react";

import { Icon } from "@/ui/icon";

import { Composer, writeInto } from "./composer";
import { AssistantBubble, UserBubble, WaitingBubble } from "./message-bubble";
import { TaskPanel } from "./task-panel";
import { useChat } from "./use-chat";

const SUGGESTIONS = ["Show all my tasks", "Show pending tasks", "Show completed tasks", "Show my high priority tasks"];

type Properties = { userId: string; firstName: string; conversation: string | null };

/** The assistant, with the task list beside it. */
export function Chat({ userId, firstName, conversation }: Properties) {
  const input = useRef<HTMLTextAreaElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const [tasksShown, setTasksShown] = useState(false);

  const fill = (text: string) => {
    if (!input.current) return;
    writeInto(input.current, text);
    input.current.focus();
  };
  const { messages, model, busy, send, open, startNew } = useChat({ userId, onRefused: fill });

  useEffect(() => {
    if (conversation === null) return;
    const leaving = new AbortController();
    void open(conversation, leaving.signal);
    return () => leaving.abort();
  }, [conversation, open]);

  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [messages, busy]);

  return (
    <main className="mx-auto grid h-[calc(100dvh-3.5rem-1px)] w-full max-w-6xl grid-rows-[minmax(0,1fr)] gap-4 px-4 py-3 sm:py-4 lg:grid-cols-[minmax(0,1fr)_21rem]">
      <section aria-label="Assistant" className={`flex min-h-0 flex-col gap-3 ${tasksShown ? "max-lg:hidden" : ""}`}>
        <header className="flex items-center gap-3">
          <h1 className="text-lg font-semibold">Assistant</h1>
          {model !== null && <ModelBadge model={model} />}
          <span className="flex-1" />
          <TasksSwitch shown={false} onSwitch={setTasksShown} />
          <button type="button" className="button-quiet" onClick={startNew} disabled={messages.length === 0 || busy !== null}>
            <Icon name="plus" />
            <span className="max-sm:sr-only">New chat</span>
          </button>
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto pr-1">
          {messages.length === 0 && busy !== "opening" && <Greeting firstName={firstName} onPick={fill} />}
          <ol role="log" aria-label="Conversation" className="space-y-4">
            {messages.map((message) =>
              message.role === "user" ? (
                <UserBubble key={message.key} message={message} />
              ) : (
                <AssistantBubble key={message.key} message={message} />
              ),
            )}
            {busy !== null && <WaitingBubble />}
          </ol>
          <div ref={end} />
        </div>
        <Composer input={input} busy={busy !== null} onSend={(text) => void send(text)} />
      </section>
      <aside className={`flex min-h-0 flex-col gap-3 ${tasksShown ? "" : "max-lg:hidden"}`}>
        <TasksSwitch shown onSwitch={setTasksShown} />
        <TaskPanel userId={userId} />
      </aside>
    </main>
  );
}

/** On a narrow screen chat and tasks take turns. */
function TasksSwitch({ shown, onSwitch }: { shown: boolean; onSwitch: (shown: boolean) => void }) {
  return (
    <button type="button" className="button-quiet lg:hidden" onClick={() => onSwitch(!shown)}>
      <Icon name={shown ? "chat" : "list"} />
      {shown ? "Back to the chat" : "Tasks"}
    </button>
  );
}

/** Who answered; the stand-in without a real model behind it says so. */
function ModelBadge({ model }: { model: string }) {
  const offline = model.startsWith("offline-model");
  return (
    <span
      data-testid="model"
      className={`badge ${offline ? "bg-warn-soft text-warn" : "bg-raised text-muted"}`}
      title={offline ? "Answers come from the stand-in that runs without a model service" : "The model that answers"}
    >
      {offline ? "offline model" : model}
    </span>
  );
}

function Greeting({ firstName, onPick }: { firstName: string; onPick: (text: string) => void }) {
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
          <button key={text} type="button" className="badge border border-line bg-surface px-3 py-1.5 hover:bg-raised" onClick={() => onPick(text)}>
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}
