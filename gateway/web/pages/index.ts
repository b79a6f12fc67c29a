/** The captions page: `/?room=NAME` shows a room. `#token=` in the address is an access token. */
import { LiveCaptions } from '../live-captions.js';

const room = new URLSearchParams(location.search).get('room') ?? '';
const captions = new LiveCaptions();
captions.room = room;
captions.token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
document.getElementById('main')?.append(captions);
