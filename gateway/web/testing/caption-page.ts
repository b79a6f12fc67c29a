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

  /** Settled segments in the order in which they settled. */
  get settled(): Promise<ShownSegment[]> {
    return readSegments(this.page, '#settled .segment');
  }

  get open(): Promise<ShownSegment[]> {
    return readSegments(this.page, '#open .segment');
  }

  /** Distance from the lower edge of what is seen to the end of the page. */
  get toEndPx(): Promise<number> {
    return this.page.evaluate(
      () => document.documentElement.scrollHeight - window.innerHeight - window.scrollY,
    );
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

function readSegments(page: Page, selector: string): Promise<ShownSegment[]> {
  return page.locator(selector).evaluateAll((elements) =>
    elements.map((element) => ({
      name: element.querySelector('.name')?.textContent ?? '',
      text: element.querySelector('.text')?.textContent.trim() ?? '',
    })),
  );
}
