import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export interface ShownSegment {
  readonly name: string;
  readonly text: string;
}

/** The captions page in a browser, and everything that went wrong there. */
export class CaptionPage {
  readonly page: Page;
  /** Warnings and errors of the console (what the Content-Security-Policy forbids is among them), and uncaught ones. */
  readonly problems: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(String(error)));
  }

  get status(): Promise<string> {
    return this.page.locator('#status').innerText();
  }

  /** Settled segments in the order in which they began. */
  get settled(): Promise<ShownSegment[]> {
    return readSegments(this.page, ':not(.open)');
  }

  get open(): Promise<ShownSegment[]> {
    return readSegments(this.page, '.open');
  }

  /** Distance from the lower edge of what is seen to the end of the captions. */
  get toEndPx(): Promise<number> {
    return this.page
      .locator('#scroller')
      .evaluate(({ scrollHeight, clientHeight, scrollTop }) => scrollHeight - clientHeight - scrollTop);
  }
}

/** A page of its own, without an address yet. Whoever asked for it closes `page.context()`. */
export async function newCaptionPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<CaptionPage> {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 }, ...options });
  return new CaptionPage(await context.newPage());
}

/** A segment may stand in several blocks; a name stands above the first of several by the same person. */
function readSegments(page: Page, state: ':not(.open)' | '.open'): Promise<ShownSegment[]> {
  return page.locator('.block[data-segment]').evaluateAll((blocks, wanted) => {
    const segments = new Map<string, { name: string; text: string; isWanted: boolean }>();
    let name = '';
    for (const block of blocks) {
      name = block.querySelector('.name')?.textContent ?? name;
      const lines = [...block.querySelectorAll('.line')].map((line) =>
        [...line.childNodes]
          .filter((node) => !(node instanceof Element && node.classList.contains('name')))
          .map((node) => node.textContent)
          .join('')
          .trim(),
      );
      const key = block.getAttribute('data-segment') ?? '';
      const known = segments.get(key);
      const text = [known?.text ?? '', ...lines].filter((part) => part !== '').join(' ');
      segments.set(key, { name: known?.name ?? name, text, isWanted: block.matches(wanted) });
    }
    return [...segments.values()]
      .filter(({ isWanted }) => isWanted)
      .map((segment) => ({ name: segment.name, text: segment.text }));
  }, state);
}
