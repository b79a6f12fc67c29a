import { type ChosenSettings, putSettings, type SettingName, settingsIn } from './settings.js';

const STORAGE_KEY = 'live-captions';

/** What the reader chose: kept in the browser and, where the page wants it, in its address. The address wins. */
export class SettingsStore {
  readonly #isInAddress: boolean;

  constructor({ isInAddress }: { isInAddress: boolean }) {
    this.#isInAddress = isInAddress;
  }

  read(): ChosenSettings {
    return {
      ...stored(),
      ...(this.#isInAddress ? settingsIn(new URLSearchParams(location.search)) : {}),
    };
  }

  /** `chosen` is all that counts now, of which `changed` are new: only those are kept for other visits. */
  write(chosen: ChosenSettings, changed: readonly SettingName[]): void {
    const kept = new URLSearchParams();
    const news = Object.fromEntries(changed.map((name) => [name, chosen[name]]));
    putSettings(kept, { ...stored(), ...news });
    store(kept.toString());
    if (!this.#isInAddress) return;
    const address = new URL(location.href);
    putSettings(address.searchParams, chosen);
    history.replaceState(history.state, '', address);
  }
}

/** Browsers may forbid it (private windows, embedded pages): then nothing is kept. */
function stored(): ChosenSettings {
  try {
    return settingsIn(new URLSearchParams(localStorage.getItem(STORAGE_KEY) ?? ''));
  } catch {
    return {};
  }
}

function store(settings: string): void {
  try {
    if (settings === '') localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, settings);
  } catch {
    // As above.
  }
}
