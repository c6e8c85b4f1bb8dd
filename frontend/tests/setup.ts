import { afterEach, vi } from "vitest";

if (typeof window !== "undefined") {
  const { cleanup, configure } = await import("@testing-library/react");
  // Looking up roles among hidden elements too spares the computation of every element's style.
  configure({ asyncUtilTimeout: 15_000, defaultHidden: true });
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
