import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { useToast } from "@/ui/toasts";

import { deleteConversation, listConversations, renameConversation } from "./chat-api";

export const conversationsKey = (userId: string) => ["conversations", userId] as const;

/** A person's conversations, latest activity first, and what can be done to them. */
export function useConversations(userId: string) {
  const client = useQueryClient();
  const toast = useToast();
  const queryKey = conversationsKey(userId);
  const after = {
    onError: (problem: Error) => toast("failure", problem.message),
    onSettled: () => client.invalidateQueries({ queryKey }),
  };

  const list = useQuery({ queryKey, queryFn: ({ signal }) => listConversations(userId, signal) });
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) => renameConversation(userId, id, title),
    ...after,
  });
  const remove = useMutation({ mutationFn: (id: string) => deleteConversation(userId, id), ...after });
  return { list, rename, remove };
}
