import { gatewayAddress } from '../../../../protocol/index.js';
import { byId, ownBase } from '../page-elements.js';
import { downloadName } from './download-name.js';
import { type IndexWording, TRANSCRIPT_FORMAT_NAMES } from './index-wording.js';

export interface TranscriptDownloadOptions {
  readonly room: string;
  /** Access token; undefined for none. */
  readonly token: () => string | undefined;
  readonly wording: () => IndexWording;
  /** BCP 47. */
  readonly language: () => string;
}

/** The transcript so far, in the format of one's choice. Fetched, and not linked to: what is wrong is told on the page. */
export class TranscriptDownload {
  readonly #options: TranscriptDownloadOptions;
  readonly #format = byId('format', HTMLSelectElement);
  readonly #status = byId('download-status', HTMLElement);

  constructor(options: TranscriptDownloadOptions) {
    this.#options = options;
    this.#format.replaceChildren(...TRANSCRIPT_FORMAT_NAMES.map((format) => new Option(format, format)));
    byId('download', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#download();
    });
  }

  /** Again, as after the language changed. */
  show(): void {
    const { formats } = this.#options.wording();
    for (const format of TRANSCRIPT_FORMAT_NAMES) {
      const option = [...this.#format.options].find(({ value }) => value === format);
      if (option !== undefined) option.text = formats[format];
    }
  }

  async #download(): Promise<void> {
    const { room, wording, language } = this.#options;
    const token = this.#options.token();
    this.#status.textContent = '';
    const path = `v1/rooms/${encodeURIComponent(room)}/transcript.${this.#format.value}`;
    const address = gatewayAddress(ownBase(), path, { lang: language() });
    try {
      const response = await fetch(address, {
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      });
      if (response.ok)
        save(
          await response.blob(),
          downloadName(response.headers.get('content-disposition')) ?? `transcript.${this.#format.value}`,
        );
      else this.#status.textContent = problemOf((await response.json()) as Problem, wording());
    } catch {
      this.#status.textContent = wording().downloadFailed(wording().noAnswer);
    }
  }
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

function problemOf({ code, message }: Problem, wording: IndexWording): string {
  switch (code) {
    case 'transcript_missing':
      return wording.nothingSaid;
    case 'transcript_off':
      return wording.notKept;
    default:
      return wording.downloadFailed(message);
  }
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // Not before the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
