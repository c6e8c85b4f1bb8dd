import { afterEach, vi } from "vitest";

if (typeof window !== "undefined") {
  const { cleanup, configure } = await import("@testing-library/react");
  configure({ asyncUtilTimeout: 15_000 });
  afterEach(cleanup);
  // jsdom knows the element but not its methods.
  window.HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  window.HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  window.Element.prototype.scrollIntoView = vi.fn();
}
