/**
 * The captioner's page: `/captioner?room=NAME&name=…&language=…&lang=en|fr|de`. `#token=` in the address is an access token of
 * a captioner; its identity and name are then those of the token.
 */
import { participantIdentity } from '../../../../protocol/index.js';
import { CaptionerDesk } from './captioner-desk.js';
import { captionerWording } from './captioner-wording.js';
import { PageToken } from '../page-token.js';
import { byId, ownBase, showTexts } from '../page-elements.js';

const query = new URLSearchParams(location.search);
const token = new PageToken();
const { tag, wording } = captionerWording([query.get('lang') ?? '', ...navigator.languages]);
document.documentElement.lang = tag;
document.title = wording.title;
showTexts(wording);
askWho();

function askWho(): void {
  const form = byId('join', HTMLFormElement);
  const room = byId('room', HTMLInputElement);
  const name = byId('name', HTMLInputElement);
  const language = byId('language', HTMLInputElement);
  const { owner } = token;
  room.value = query.get('room') ?? '';
  name.value = owner?.name ?? query.get('name') ?? '';
  language.value = query.get('language') ?? '';
  byId('name-field', HTMLElement).hidden = owner !== undefined;
  form.hidden = false;
  (room.value === '' ? room : owner === undefined && name.value === '' ? name : language).focus();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    form.hidden = true;
    const start = form.querySelector<HTMLInputElement>('input[name=start]:checked')?.value;
    new CaptionerDesk({
      wording,
      gateway: ownBase(),
      room: room.value.trim(),
      token,
      captioner: {
        identity: participantIdentity(owner?.identity ?? name.value.trim()),
        name: owner?.name ?? name.value.trim(),
      },
      language: language.value.trim(),
      replacesEverybody: start === 'everybody',
    }).open();
  });
}
