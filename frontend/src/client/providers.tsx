"use client";

import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { ToastProvider } from "@/ui/toasts";

import { ConnectionBanner } from "./connection-banner";
import { ApiError } from "./request";
import { KeepSession } from "./keep-session";
import { signInAgain } from "./navigation";
import { onOtherTabs } from "./tabs";

const FRESH_MS = 30_000;
const MOST_RETRIES = 2;

function createClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (problem) => {
        if (problem instanceof ApiError && problem.status === 401) signInAgain();
      },
    }),
    defaultOptions: {
      // Asked even without a network: the answer, or the lack of one, is what the page goes by.
      queries: {
        staleTime: FRESH_MS,
        networkMode: "always",
        refetchOnReconnect: true,
        retry: (count, problem) => passing(problem) && count < MOST_RETRIES,
      },
      mutations: { networkMode: "always" },
    },
  });
}

/** Whether asking again may help: the server was not reached, or is not well. */
function passing(problem: Error): boolean {
  return problem instanceof ApiError && (problem.status === 0 || problem.status >= 502);
}

/** The cache of server data and the toasts, for the pages of a signed-in person. */
export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(createClient);
  useEffect(() => onOtherTabs(() => void client.invalidateQueries()), [client]);
  return (
    <QueryClientProvider client={client}>
      <KeepSession />
      <ConnectionBanner />
      <ToastProvider>{children}</ToastProvider>
    </QueryClientProvider>
  );
}
