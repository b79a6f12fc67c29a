/** An element that the page has. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${type.name} #${id}`);
}

/** Where the gateway is that this page comes from: it may be below a path of a proxy. */
export const ownBase = (): string => new URL('.', location.href).href;

/** Puts the texts of a page's wording into the elements whose `data-text` names them. */
export function showTexts(wording: object): void {
  const texts: ReadonlyMap<string, unknown> = new Map(Object.entries(wording));
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const text = texts.get(element.dataset['text'] ?? '');
    if (typeof text === 'string') element.textContent = text;
  }
}
