import { readFile } from 'node:fs/promises';

/** What editors and shells put first: UTF-16 is what `>` writes in some of them. */
const BYTE_ORDER_MARKS: readonly { readonly mark: readonly number[]; readonly encoding: string }[] = [
  { mark: [0xff, 0xfe], encoding: 'utf-16le' },
  { mark: [0xfe, 0xff], encoding: 'utf-16be' },
];

/** The text of a file that somebody else wrote: UTF-8, or what its byte order mark says, without the mark; lines end in "\n". */
export function decodeText(bytes: Uint8Array): string {
  const marked = BYTE_ORDER_MARKS.find(({ mark }) => mark.every((byte, index) => bytes[index] === byte));
  return new TextDecoder(marked?.encoding ?? 'utf-8').decode(bytes).replace(/\r\n?/g, '\n');
}

export const readTextFile = async (path: string): Promise<string> => decodeText(await readFile(path));
