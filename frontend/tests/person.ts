import userEvent, { PointerEventsCheckLevel } from "@testing-library/user-event";

/** Types and clicks without pauses. */
export const person = userEvent.setup({ delay: null, pointerEventsCheck: PointerEventsCheckLevel.Never });
