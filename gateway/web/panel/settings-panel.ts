import { html, nothing, type TemplateResult } from 'lit';
import { hexOf } from '../colours/colour.js';
import type { ResolvedAppearance } from '../settings/appearance.js';
import { type SettingChanges, type SettingName, SETTINGS, type Settings } from '../settings/settings.js';
import type { Wording } from '../wording/wording.js';

const GROUPS: Readonly<Record<keyof Wording['groups'], readonly SettingName[]>> = {
  layout: ['layout', 'lines', 'position', 'x', 'y', 'width'],
  text: ['size', 'font', 'line-height', 'edge'],
  colours: ['text', 'text-opacity', 'background', 'background-opacity', 'window', 'window-opacity'],
  words: ['names', 'partial', 'delay', 'mask'],
  other: ['lang', 'announce'],
};

export interface PanelOptions {
  readonly settings: Settings;
  /** What those settings come to that are left to the layout. */
  readonly resolved: ResolvedAppearance;
  readonly wording: Wording;
  readonly changed: (changes: SettingChanges) => void;
  readonly reset: () => void;
  readonly close: () => void;
}

/** Every setting as a control, with a sample of what comes of them; the captions themselves change at once too. */
export function settingsPanel(options: PanelOptions): TemplateResult {
  const { wording, reset, close } = options;
  const groups = Object.entries(GROUPS) as [keyof Wording['groups'], readonly SettingName[]][];
  return html`<div id="panel" part="panel" role="dialog" aria-labelledby="panel-title" tabindex="-1">
    <div class="head">
      <h2 id="panel-title">${wording.settings}</h2>
      <button id="close-settings" type="button" @click=${close}>${wording.close}</button>
    </div>
    ${preview(options)}
    ${groups.map(
      ([group, names]) =>
        html`<fieldset>
          <legend>${wording.groups[group]}</legend>
          ${names.filter((name) => isOfUse(name, options.settings)).map((name) => settingRow(name, options))}
        </fieldset>`,
    )}
    <p><button id="reset" type="button" @click=${reset}>${wording.reset}</button></p>
  </div>`;
}

/** What has no effect as things are is not asked. */
function isOfUse(name: SettingName, { layout, position, partial }: Settings): boolean {
  if (name === 'lines' || name === 'position') return layout === 'overlay';
  if (name === 'x' || name === 'y') return layout === 'overlay' && position === 'free';
  return name === 'delay' ? partial : true;
}

function settingRow(name: SettingName, options: PanelOptions): TemplateResult {
  return html`<div class="setting">
    <label for=${`setting-${name}`}>${options.wording.settingNames[name]}</label>
    <span class="value">${control(name, options)}</span>
  </div>`;
}

function control(name: SettingName, options: PanelOptions): TemplateResult {
  const { settings, wording, changed } = options;
  const setting = SETTINGS[name];
  const id = `setting-${name}`;
  const change = (value: string | number | boolean | undefined): void => changed({ [name]: value });
  switch (setting.kind) {
    case 'choice':
      return html`<select id=${id} @change=${(event: Event) => change(valueOf(event))}>
        ${setting.choices.map(
          (choice) =>
            html`<option value=${choice} ?selected=${settings[name] === choice}>
              ${wording.choiceNames[choice]}
            </option>`,
        )}
      </select>`;
    case 'switch':
      return html`<input
        id=${id}
        type="checkbox"
        .checked=${settings[name] === true}
        @change=${(event: Event) => change((event.target as HTMLInputElement).checked)}
      />`;
    case 'number': {
      const value = numberShown(name, options);
      return html`<input
          id=${id}
          type="range"
          min=${setting.min}
          max=${setting.max}
          step=${setting.step}
          .value=${String(value)}
          aria-valuetext=${numberText(name, value)}
          @input=${(event: Event) => change(Number(valueOf(event)))}
        /><output for=${id}>${numberText(name, value)}</output>`;
    }
    case 'colour':
      return html`<input
          id=${id}
          type="color"
          .value=${hexOf(options.resolved[name as 'text' | 'background' | 'window'])}
          @input=${(event: Event) => change(valueOf(event))}
        />${
          settings[name] === undefined
            ? nothing
            : html`<button
                type="button"
                aria-label=${`${wording.settingNames[name]}: ${wording.automatic}`}
                @click=${() => change(undefined)}
              >
                ${wording.automatic}
              </button>`
        }`;
  }
}

function numberShown(name: SettingName, { settings, resolved }: PanelOptions): number {
  switch (name) {
    case 'background-opacity':
      return resolved.backgroundOpacityPercent;
    case 'window-opacity':
      return resolved.windowOpacityPercent;
    case 'width':
      return resolved.widthPercent;
    default:
      return Number(settings[name]);
  }
}

function numberText(name: SettingName, value: number): string {
  if (name === 'lines') return String(value);
  if (name === 'line-height') return value.toFixed(1);
  return name === 'delay' ? `${(value / 1000).toFixed(1)} s` : `${value} %`;
}

const valueOf = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** On a pattern, so that what shows through does. */
function preview({ wording, settings }: PanelOptions): TemplateResult {
  const [settled, unsettled] = wording.previewWords.split(', ');
  const name = settings.names ? html`<b class="name">${wording.previewName}:</b> ` : nothing;
  const words = settings.partial ? html`<span class="unsettled">${unsettled}</span>` : nothing;
  return html`<figure class="preview" aria-label=${wording.preview}>
    <div class="sample speaker-0">
      <span class="lines">${name}${settled}${settings.partial ? ', ' : ''}${words}</span>
    </div>
  </figure>`;
}
