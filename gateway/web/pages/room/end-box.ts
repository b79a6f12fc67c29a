/** Closer to the end than this counts as being there. */
const AT_END_PX = 24;

/** Keeps the newest line of a box that scrolls by itself in view, until the reader scrolls up in it. */
export function followEndOf(box: HTMLElement): void {
  let isAtEnd = true;
  let isScrollDue = false;
  box.addEventListener(
    'scroll',
    () => {
      // What was just added is no scrolling of the reader's.
      if (!isScrollDue) isAtEnd = box.scrollHeight - box.clientHeight - box.scrollTop < AT_END_PX;
    },
    { passive: true },
  );
  const contentChanged = (): void => {
    if (isScrollDue || !isAtEnd) return;
    isScrollDue = true;
    requestAnimationFrame(() => {
      isScrollDue = false;
      box.scrollTop = box.scrollHeight;
    });
  };
  new MutationObserver(contentChanged).observe(box, { childList: true, subtree: true, characterData: true });
  new ResizeObserver(contentChanged).observe(box);
}
