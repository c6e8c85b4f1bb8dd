"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { Icon } from "@/ui/icon";

import { useConnection } from "./connection";

const TEXTS = {
  offline: "You are offline. What you see may be out of date, and nothing can be changed until you are back.",
  unreachable: "The server does not answer. This page asks again every few seconds.",
};

/** Says that the connection is gone, for as long as it is; afterwards everything shown is loaded again. */
export function ConnectionBanner() {
  const state = useConnection();
  const client = useQueryClient();
  const before = useRef(state);

  useEffect(() => {
    if (before.current !== "online" && state === "online") void client.invalidateQueries();
    before.current = state;
  }, [state, client]);

  return (
    <div role="status">
      {state !== "online" && (
        <p className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-2 text-sm text-warn">
          <Icon name="alert" className="size-4" />
          {TEXTS[state]}
        </p>
      )}
    </div>
  );
}
