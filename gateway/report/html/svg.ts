/** Text of SVG and HTML elements. */

type Attributes = Readonly<Record<string, string | number | undefined>>;

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** An element; `children` are elements already, or text that was escaped. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${escapeText(typeof value === 'number' ? short(value) : String(value))}"`,
    );
  return `<${name}${written.join('')}>${children.join('')}</${name}>`;
}

/** A hundredth of a pixel is enough. */
const short = (value: number): string => String(Math.round(value * 100) / 100);

/** A picture that grows with the page; `label` says what it shows to those who cannot see it. */
export function picture(
  { width, height, label }: { width: number; height: number; label: string },
  ...children: readonly string[]
): string {
  return element(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': label,
      xmlns: 'http://www.w3.org/2000/svg',
    },
    ...children,
  );
}

export interface LabelPlace {
  readonly x: number;
  readonly text: string;
  readonly className: string;
}

/** Rough, for text of 12 pixels. */
const widthOf = (text: string): number => text.length * 6.6 + 10;

/** Labels beside vertical lines, each in the first row in which it has room. */
export function labelRows<Label extends LabelPlace>(
  labels: readonly Label[],
  maxX: number,
): (Label & { row: number; isLeft: boolean })[] {
  const rowEnds: number[] = [];
  return labels
    .toSorted((a, b) => a.x - b.x)
    .map((label) => {
      const isLeft = label.x + widthOf(label.text) > maxX;
      const from = isLeft ? label.x - widthOf(label.text) : label.x;
      let row = rowEnds.findIndex((end) => end <= from);
      if (row === -1) row = rowEnds.length;
      rowEnds[row] = from + widthOf(label.text);
      return { ...label, row, isLeft };
    });
}
