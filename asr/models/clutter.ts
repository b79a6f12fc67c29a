const CLUTTER: ReadonlySet<string> = new Set(['__MACOSX', 'Thumbs.db', 'desktop.ini', '$RECYCLE.BIN']);

/** Whether a file or folder of that name is what a system leaves beside what people mean: `._name` and `.DS_Store` of macOS, … */
export const isClutter = (name: string): boolean => /^\.[^.]/.test(name) || CLUTTER.has(name);
