"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { signInAgain } from "./navigation";
import { ask } from "./request";

const EVERY_MS = 15 * 60_000;

/** Renews the session while the page is in use, and notices when it was ended elsewhere. */
export function KeepSession() {
  const { data } = useQuery({
    queryKey: ["session"],
    queryFn: async () => (await ask<object | null>("/api/auth/get-session")).body,
    refetchInterval: EVERY_MS,
    staleTime: 60_000,
  });

  useEffect(() => {
    if (data === null) signInAgain();
  }, [data]);

  return null;
}
