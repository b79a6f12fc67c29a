import { encodeUtf8 } from './utf8.js';

/** Bytes of `value` as JSON in UTF-8. `value` must be something that JSON can say. */
export const jsonBytes = (value: object): number => encodeUtf8(JSON.stringify(value)).length;

/**
 * Cuts a list, in order, into as few groups as possible whose JSON, with a comma after each item, stays within
 * `roomBytes`. A group has at least one item, also where that item alone is too large. No groups for no items.
 */
export const packByBytes = <Item extends object>(items: readonly Item[], roomBytes: number): Item[][] => {
  const groups: Item[][] = [];
  let leftBytes = 0;
  for (const item of items) {
    const itemBytes = jsonBytes(item) + 1;
    const group = groups.at(-1);
    if (group !== undefined && itemBytes <= leftBytes) {
      group.push(item);
      leftBytes -= itemBytes;
    } else {
      groups.push([item]);
      leftBytes = roomBytes - itemBytes;
    }
  }
  return groups;
};
