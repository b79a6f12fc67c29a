/** Base64url without padding (RFC 4648, section 5). Both functions beneath are globals in Node and in browsers. */
declare const atob: (text: string) => string;
declare const btoa: (binary: string) => string;

const ONLY_BASE64URL = /^[A-Za-z0-9_-]*$/;

export const encodeBase64url = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
};

/** Undefined where `text` is not base64url. */
export const decodeBase64url = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  if (!ONLY_BASE64URL.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};
