"use client";

import { useState } from "react";

import { inUtc } from "@/tasks/day";
import { ListError, ListSkeleton } from "@/tasks/list-states";
import { Confirm } from "@/ui/confirm";
import { Icon } from "@/ui/icon";

import { ago } from "./ago";
import { type Conversation, conversationTitle } from "./message";
import { RenameDialog } from "./rename-dialog";
import { useConversations } from "./use-conversations";

type Properties = {
  userId: string;
  active: string | null;
  onOpen: (id: string) => void;
  /** The active conversation was deleted. */
  onGone: () => void;
};

type Asked = { kind: "rename" | "delete"; conversation: Conversation } | null;

/** Earlier conversations: open, rename, delete. */
export function ConversationList({ userId, active, onOpen, onGone }: Properties) {
  const { list, rename, remove } = useConversations(userId);
  const [asked, setAsked] = useState<Asked>(null);
  const close = () => setAsked(null);
  const now = new Date();

  if (list.isPending) return <ListSkeleton rows={3} />;
  if (list.error && !list.data) return <ListError text={list.error.message} onRetry={() => void list.refetch()} />;
  if (list.data.length === 0) return <p className="px-3 py-4 text-sm text-muted">Your conversations will be here.</p>;
  return (
    <>
      <ul className="space-y-0.5">
        {list.data.map((conversation) => {
          const title = conversationTitle(conversation);
          return (
            <li
              key={conversation.id}
              data-testid="conversation"
              className="group flex items-center rounded-xl hover:bg-raised has-[[aria-current]]:bg-accent-soft"
            >
              <button
                type="button"
                className="min-w-0 flex-1 rounded-xl px-3 py-2 text-left text-sm"
                aria-current={conversation.id === active ? "true" : undefined}
                onClick={() => onOpen(conversation.id)}
              >
                <span className="block truncate">{title}</span>
                <span className="block text-xs text-muted">{ago(inUtc(conversation.updated_at), now)}</span>
              </button>
              <span className="flex opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 [@media(hover:none)]:opacity-100">
                <button
                  type="button"
                  className="icon-button size-8"
                  aria-label={`Rename ${title}`}
                  title="Rename"
                  onClick={() => setAsked({ kind: "rename", conversation })}
                >
                  <Icon name="pencil" className="size-4" />
                </button>
                <button
                  type="button"
                  className="icon-button size-8 hover:text-danger"
                  aria-label={`Delete ${title}`}
                  title="Delete"
                  onClick={() => setAsked({ kind: "delete", conversation })}
                >
                  <Icon name="trash" className="size-4" />
                </button>
              </span>
            </li>
          );
        })}
      </ul>
      {asked?.kind === "rename" && (
        <RenameDialog
          title={asked.conversation.title ?? ""}
          onClose={close}
          onSave={(title) => {
            rename.mutate({ id: asked.conversation.id, title });
            close();
          }}
        />
      )}
      {asked?.kind === "delete" && (
        <Confirm
          title="Delete this conversation?"
          text={`“${conversationTitle(asked.conversation)}” will be gone for good. Your tasks stay.`}
          action="Delete"
          onClose={close}
          onConfirm={() => {
            const { id } = asked.conversation;
            remove.mutate(id, { onSuccess: () => id === active && onGone() });
            close();
          }}
        />
      )}
    </>
  );
}
