/** The name of a download: the one in UTF-8 where the header has it (RFC 6266), else the one in ASCII. */
export function downloadName(contentDisposition: string | null): string | undefined {
  const encoded = /filename\*=UTF-8''([^;\s]+)/i.exec(contentDisposition ?? '')?.[1];
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded);
  } catch {
    // Not UTF-8 after all.
  }
  return /filename="([^"]+)"/.exec(contentDisposition ?? '')?.[1];
}
