/** A name in an element that keeps its writing direction, and overrides of it, to itself. */
export function nameElement(name: string): HTMLElement {
  const element = document.createElement('bdi');
  element.className = 'name';
  element.textContent = name;
  // Long names are cut off for the eye.
  element.title = name;
  return element;
}
