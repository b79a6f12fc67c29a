/** Vitest's matchers without their `any`. */
import { expect } from 'vitest';

export const textWith = (part: string): unknown => expect.stringContaining(part);
export const textMatching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const anyNumber: unknown = expect.any(Number);
export const objectWith = (fields: object): unknown => expect.objectContaining(fields);
