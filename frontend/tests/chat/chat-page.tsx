import { render, screen } from "@testing-library/react";

import { Chat } from "@/chat/chat";
import { Providers } from "@/client/providers";

import { person } from "../person";

export const CONVERSATION = "5b0c6f0e-3c0a-4a53-9d29-0f5c9ad7a3c1";

export function show(conversation: string | null = null): void {
  render(
    <Providers>
      <Chat userId="u1" firstName="Ada" conversation={conversation} />
    </Providers>,
  );
}

export async function say(text: string): Promise<void> {
  await person.type(screen.getByLabelText("Message"), text);
  await person.click(screen.getByRole("button", { name: "Send" }));
}
