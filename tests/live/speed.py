"""How fast a page is for a person: the figures that a browser keeps of its own navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_TIMINGS = """() => new Promise((resolve) => {
    const seen = { lcp: 0, cls: 0 };
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.lcp = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.cls += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    // Buffered entries are delivered before the next frames are drawn.
    requestAnimationFrame(() => requestAnimationFrame(() => {
        const [navigation] = performance.getEntriesByType("navigation");
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        const bytes = performance.getEntriesByType("resource").reduce((sum, each) => sum + each.transferSize, 0);
        resolve({
            ttfb: navigation.responseStart,
            fcp: paint ? paint.startTime : 0,
            lcp: seen.lcp,
            cls: seen.cls,
            load: navigation.loadEventEnd,
            kilobytes: (navigation.transferSize + bytes) / 1000,
        });
    }));
})"""


def figures(page: Page) -> dict[str, float]:
    """Of the page as it was loaded last: times in milliseconds since the navigation began, layout shift as a sum.

    `ttfb` first byte, `fcp` first contentful paint, `lcp` largest contentful paint, `cls` cumulative layout shift,
    `load` load event, `kilobytes` sent over the network.
    """
    page.wait_for_load_state("load")
    return {name: round(float(value), 3) for name, value in page.evaluate(_TIMINGS).items()}
