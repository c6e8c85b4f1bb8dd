"use client";

import { useEffect, useRef, useState } from "react";

import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icon";

import { Composer, writeInto } from "./composer";
import { ConversationList } from "./conversation-list";
import { Greeting } from "./greeting";
import { AssistantBubble, DraftBubble, UserBubble } from "./message-bubble";
import { ModelBadge } from "./model-badge";
import { TaskPanel } from "./task-panel";
import { takeUnsent } from "./unsent";
import { useChat } from "./use-chat";

/** How far from the end one may be and still follow it. */
const NEAR_END_PX = 80;

type Properties = { userId: string; firstName: string; conversation: string | null };

/**
 * The assistant, with earlier conversations on its left and the task list on its right. On a narrower screen the
 * conversations open as a dialog, and on a narrow one chat and tasks take turns.
 */
export function Chat({ userId, firstName, conversation }: Properties) {
  const input = useRef<HTMLTextAreaElement>(null);
  const end = useRef<HTMLDivElement>(null);
  // Whether the newest lines are in sight: who scrolled up to read is not pulled down by what still comes.
  const followed = useRef(true);
  const [tasksShown, setTasksShown] = useState(false);
  const [historyShown, setHistoryShown] = useState(false);

  const fill = (text: string) => {
    if (!input.current) return;
    writeInto(input.current, text);
    input.current.focus();
  };
  // What was written while the answer was awaited is kept, below the text that comes back.
  const giveBack = (text: string) => fill([text, input.current?.value ?? ""].join("\n").trimEnd());
  const chat = useChat({ userId, first: conversation, onRefused: giveBack });
  const { messages, busy, draft } = chat;
  const newest = messages.at(-1)?.key;
  const sending = busy === "sending";

  useEffect(() => {
    followed.current = true;
    end.current?.scrollIntoView({ block: "end" });
  }, [newest, sending]);

  useEffect(() => {
    if (followed.current) end.current?.scrollIntoView({ block: "end" });
  }, [draft]);

  useEffect(() => {
    const unsent = takeUnsent(userId);
    if (unsent !== null && input.current) writeInto(input.current, unsent);
  }, [userId]);

  const history = (
    <ConversationList
      userId={userId}
      active={chat.conversationId}
      onOpen={(id) => {
        setHistoryShown(false);
        void chat.open(id);
      }}
      onGone={chat.startNew}
    />
  );

  return (
    <main className="mx-auto grid min-h-0 w-full flex-1 max-w-7xl grid-rows-[minmax(0,1fr)] gap-5 px-4 py-3 sm:py-4 lg:grid-cols-[minmax(0,1fr)_20rem] xl:grid-cols-[14rem_minmax(0,1fr)_20rem]">
      <nav aria-label="Chats" className="flex min-h-0 flex-col gap-3 max-xl:hidden">
        <NewChat disabled={messages.length === 0} onClick={chat.startNew} />
        <div className="min-h-0 flex-1 overflow-y-auto">{historyShown ? null : history}</div>
      </nav>
      <section aria-label="Assistant" className={`flex min-h-0 flex-col gap-3 ${tasksShown ? "max-lg:hidden" : ""}`}>
        <header className="flex min-h-10 items-center gap-2">
          <h1 className="text-xl">Assistant</h1>
          {chat.model !== null && <ModelBadge model={chat.model} />}
          <span className="flex-1" />
          <button type="button" className="icon-button xl:hidden" onClick={() => setHistoryShown(true)} aria-label="Chats" title="Chats">
            <Icon name="history" />
          </button>
          <span className="xl:hidden">
            <NewChat short disabled={messages.length === 0} onClick={chat.startNew} />
          </span>
          <TasksSwitch shown={false} onSwitch={setTasksShown} />
        </header>
        <div
          // With the focus it scrolls by keyboard, also when nothing inside could take the focus.
          tabIndex={0}
          role="group"
          aria-label="What was said"
          className="min-h-0 flex-1 overflow-y-auto rounded-lg pr-1 focus-visible:-outline-offset-2"
          onScroll={({ currentTarget: box }) => {
            followed.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
          }}
        >
          {messages.length === 0 && busy !== "opening" && <Greeting firstName={firstName} onPick={fill} />}
          {chat.earlier && busy !== "opening" && (
            <p className="pb-4 text-center">
              <button type="button" className="button-quiet" onClick={() => void chat.showEarlier()}>
                Show what was said before
              </button>
            </p>
          )}
          <div role="log" aria-label="Conversation">
            <ol className="space-y-6">
              {messages.map((message) =>
                message.role === "user" ? (
                  <UserBubble key={message.key} message={message} />
                ) : (
                  <AssistantBubble key={message.key} message={message} />
                ),
              )}
            </ol>
          </div>
          {(sending || busy === "awaiting") && (
            <div className="mt-6">
              <DraftBubble draft={draft} />
            </div>
          )}
          <div ref={end} />
        </div>
        <Composer
          input={input}
          busy={busy !== null}
          waitUntil={chat.waitUntil}
          onSend={(text) => void chat.send(text)}
          onStop={sending ? chat.stop : null}
        />
      </section>
      <aside className={`flex min-h-0 flex-col gap-3 ${tasksShown ? "" : "max-lg:hidden"}`}>
        <TasksSwitch shown onSwitch={setTasksShown} />
        <TaskPanel userId={userId} />
      </aside>
      {historyShown && (
        <Dialog title="Chats" onClose={() => setHistoryShown(false)}>
          {history}
        </Dialog>
      )}
    </main>
  );
}

function NewChat({ short = false, disabled, onClick }: { short?: boolean; disabled: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      className={short ? "icon-button" : "button-quiet w-full"}
      title="New chat"
      aria-label="New chat"
      onClick={onClick}
      disabled={disabled}
    >
      <Icon name="plus" />
      {!short && "New chat"}
    </button>
  );
}

function TasksSwitch({ shown, onSwitch }: { shown: boolean; onSwitch: (shown: boolean) => void }) {
  return (
    <button type="button" className="button-quiet lg:hidden" onClick={() => onSwitch(!shown)}>
      <Icon name={shown ? "chat" : "list"} />
      {shown ? "Back to the chat" : "Tasks"}
    </button>
  );
}
