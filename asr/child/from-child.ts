import type { Token } from '../token.js';
import type { DecodedPiece, FromChild } from './messages.js';

/**
 * Checks what came over the channel from a child: another process, with native code in it. Undefined when it is no
 * message of the contract in `messages.ts`.
 */
export function parseFromChild(received: unknown): FromChild | undefined {
  return isFromChild(received) ? received : undefined;
}

function isFromChild(value: unknown): value is FromChild {
  if (!isRecord(value)) return false;
  switch (value['kind']) {
    case 'hello':
      return isFiniteNumber(value['version']);
    case 'ready':
      return (
        isFiniteNumber(value['loadMs']) &&
        (value['engine'] === 'zipformer' || value['engine'] === 'sherpa') &&
        isAbsentOr('string', value['refusal'])
      );
    case 'pong':
      return isFiniteNumber(value['id']);
    case 'utteranceFailed':
      return (
        isFiniteNumber(value['utterance']) &&
        typeof value['code'] === 'string' &&
        typeof value['message'] === 'string'
      );
    case 'decoded':
      return (
        isFiniteNumber(value['callMs']) &&
        isFiniteNumber(value['batchSize']) &&
        isListOf(value['pieces'], isPiece)
      );
    default:
      return false;
  }
}

function isPiece(value: unknown): value is DecodedPiece {
  return (
    isRecord(value) &&
    isFiniteNumber(value['utterance']) &&
    isListOf(value['appended'], isToken) &&
    isListOf(value['provisional'], isToken) &&
    isFiniteNumber(value['decodedThroughSample']) &&
    typeof value['isFinal'] === 'boolean' &&
    isAbsentOr('string', value['punctuatedText'])
  );
}

function isToken(value: unknown): value is Token {
  return (
    isRecord(value) &&
    typeof value['text'] === 'string' &&
    isFiniteNumber(value['atSample']) &&
    isAbsentOr('number', value['logProbability'])
  );
}

const isListOf = <Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] =>
  Array.isArray(value) && value.every(isItem);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

const isAbsentOr = (type: 'string' | 'number', value: unknown): boolean =>
  value === undefined || typeof value === type;
