/** What the page says around the captions; what the component says is its own. */
import type { MicrophoneFailure } from '../../microphone/microphone.js';
import { firstLanguage } from '../../wording/first-language.js';

export interface IndexWording {
  readonly title: string;
  readonly titleOf: (room: string) => string;
  readonly whichRoom: string;
  readonly showCaptions: string;
  readonly whatHappens: string;
  readonly liveRooms: string;
  readonly noRooms: string;
  readonly roomsUnknown: string;
  readonly tokenNeeded: string;
  readonly roomsOmitted: (rooms: number) => string;
  readonly speakers: (speakers: number) => string;
  readonly since: (time: string) => string;
  readonly tryIt: string;
  readonly tryWhat: string;
  readonly otherRoom: string;
  readonly yourName: string;
  readonly guest: string;
  readonly captionMe: string;
  readonly stopCaptioningMe: string;
  readonly ownVoice: string;
  readonly loudness: string;
  readonly starting: string;
  readonly on: string;
  readonly interrupted: string;
  readonly silent: string;
  readonly waiting: string;
  readonly stopping: string;
  readonly failures: Readonly<Record<MicrophoneFailure, string>>;
  readonly notTaken: (reason: string) => string;
  readonly transcript: string;
  readonly download: string;
  readonly formats: Readonly<Record<TranscriptFormatName, string>>;
  readonly nothingSaid: string;
  readonly notKept: string;
  readonly downloadFailed: (reason: string) => string;
  readonly noAnswer: string;
}

export const TRANSCRIPT_FORMAT_NAMES = ['vtt', 'srt', 'txt', 'md', 'json'] as const;
export type TranscriptFormatName = (typeof TRANSCRIPT_FORMAT_NAMES)[number];

const ENGLISH: IndexWording = {
  title: 'Live captions',
  titleOf: (room) => `${room} – live captions`,
  whichRoom: 'Which room?',
  showCaptions: 'Show captions',
  whatHappens: 'What is said there appears on this page while it is being said.',
  liveRooms: 'Live now',
  noRooms: 'Nobody is speaking in any room at the moment.',
  roomsUnknown: 'The gateway does not answer; the list will be back when it does.',
  tokenNeeded: 'This gateway wants an access token: open the link that your application gives you.',
  roomsOmitted: (rooms) => `and ${rooms} more`,
  speakers: (speakers) => (speakers === 1 ? '1 speaker' : `${speakers} speakers`),
  since: (time) => `since ${time}`,
  tryIt: 'Try it with my microphone',
  tryWhat: 'Opens a room of your own and captions what you say. Nothing leaves this gateway.',
  otherRoom: 'Another room',
  yourName: 'Your name',
  guest: 'Guest',
  captionMe: 'Caption my voice',
  stopCaptioningMe: 'Stop captioning me',
  ownVoice: 'Your own voice',
  loudness: 'How loud you are',
  starting: 'Waiting for your microphone. Your browser may ask whether this page may use it.',
  on: 'Your voice is being captioned.',
  interrupted:
    'Your microphone is interrupted: what you say is not being captioned. Captions resume when it is available again.',
  silent: 'Nothing is to be heard. Is the right microphone chosen, and is it on?',
  waiting:
    'No connection: what you say is kept for up to a minute, and captioned when the connection is back.',
  stopping: 'Finishing your last words…',
  failures: {
    insecure:
      'Browsers give microphones to secure pages alone: open this page by https, or on the gateway’s own machine by http://127.0.0.1.',
    unsupported: 'This browser has no microphone to give to this page.',
    refused:
      'This page may not use your microphone. Allow it next to the address of the page, or in your system’s settings, then try again.',
    no_device: 'No microphone was found. Plug one in, then try again.',
    in_use: 'The microphone cannot be opened: another program may be using it.',
    gone: 'The microphone was unplugged or taken away.',
    broken: 'The microphone could not be started. Load this page again.',
  },
  notTaken: (reason) => `The gateway does not take your voice: ${reason}`,
  transcript: 'Transcript',
  download: 'Download',
  formats: {
    vtt: 'Subtitles (WebVTT)',
    srt: 'Subtitles (SubRip)',
    txt: 'Text',
    md: 'Markdown',
    json: 'JSON, with all times',
  },
  nothingSaid: 'Nothing that was said is final yet.',
  notKept: 'No transcript of this room is kept.',
  downloadFailed: (reason) => `No transcript: ${reason}`,
  noAnswer: 'the gateway does not answer.',
};

const FRENCH: IndexWording = {
  title: 'Sous-titres en direct',
  titleOf: (room) => `${room} – sous-titres en direct`,
  whichRoom: 'Quelle salle ?',
  showCaptions: 'Afficher les sous-titres',
  whatHappens: 'Ce qui s’y dit apparaît sur cette page pendant que l’on parle.',
  liveRooms: 'En direct',
  noRooms: 'Personne ne parle dans aucune salle en ce moment.',
  roomsUnknown: 'La passerelle ne répond pas ; la liste reviendra avec elle.',
  tokenNeeded: 'Cette passerelle exige un jeton d’accès : ouvrez le lien que vous donne votre application.',
  roomsOmitted: (rooms) => `et ${rooms} autres`,
  speakers: (speakers) => (speakers <= 1 ? `${speakers} personne` : `${speakers} personnes`),
  since: (time) => `depuis ${time}`,
  tryIt: 'Essayer avec mon micro',
  tryWhat: 'Ouvre une salle à vous et sous-titre ce que vous dites. Rien ne sort de cette passerelle.',
  otherRoom: 'Autre salle',
  yourName: 'Votre nom',
  guest: 'Invité',
  captionMe: 'Sous-titrer ma voix',
  stopCaptioningMe: 'Ne plus me sous-titrer',
  ownVoice: 'Votre propre voix',
  loudness: 'Votre volume',
  starting: 'En attente de votre micro. Votre navigateur demande peut-être si cette page peut l’utiliser.',
  on: 'Votre voix est sous-titrée.',
  interrupted:
    'Votre microphone est interrompu : ce que vous dites n’est pas sous-titré. Le sous-titrage reprendra dès qu’il sera de nouveau disponible.',
  silent: 'On n’entend rien. Le bon micro est-il choisi, et allumé ?',
  waiting:
    'Pas de connexion : ce que vous dites est gardé une minute au plus, puis sous-titré au retour de la connexion.',
  stopping: 'Vos derniers mots arrivent…',
  failures: {
    insecure:
      'Les navigateurs n’ouvrent le micro qu’aux pages sécurisées : ouvrez celle-ci en https, ou sur la machine de la passerelle par http://127.0.0.1.',
    unsupported: 'Ce navigateur n’a pas de micro à donner à cette page.',
    refused:
      'Cette page n’a pas le droit d’utiliser votre micro. Autorisez-la à côté de l’adresse de la page, ou dans les réglages du système, puis réessayez.',
    no_device: 'Aucun micro n’a été trouvé. Branchez-en un, puis réessayez.',
    in_use: 'Le micro ne s’ouvre pas : un autre programme l’utilise peut-être.',
    gone: 'Le micro a été débranché ou retiré.',
    broken: 'Le micro n’a pas pu démarrer. Rechargez cette page.',
  },
  notTaken: (reason) => `La passerelle n’accepte pas votre voix : ${reason}`,
  transcript: 'Transcription',
  download: 'Télécharger',
  formats: {
    vtt: 'Sous-titres (WebVTT)',
    srt: 'Sous-titres (SubRip)',
    txt: 'Texte',
    md: 'Markdown',
    json: 'JSON, avec tous les temps',
  },
  nothingSaid: 'Rien de ce qui a été dit n’est encore définitif.',
  notKept: 'Aucune transcription de cette salle n’est gardée.',
  downloadFailed: (reason) => `Pas de transcription : ${reason}`,
  noAnswer: 'la passerelle ne répond pas.',
};

const GERMAN: IndexWording = {
  title: 'Live-Untertitel',
  titleOf: (room) => `${room} – Live-Untertitel`,
  whichRoom: 'Welcher Raum?',
  showCaptions: 'Untertitel zeigen',
  whatHappens: 'Was dort gesagt wird, erscheint auf dieser Seite, während es gesagt wird.',
  liveRooms: 'Gerade live',
  noRooms: 'Im Moment spricht in keinem Raum jemand.',
  roomsUnknown: 'Das Gateway antwortet nicht; die Liste kommt mit ihm zurück.',
  tokenNeeded: 'Dieses Gateway verlangt ein Zugangstoken: Öffnen Sie den Link aus Ihrer Anwendung.',
  roomsOmitted: (rooms) => `und ${rooms} weitere`,
  speakers: (speakers) => (speakers === 1 ? '1 Person' : `${speakers} Personen`),
  since: (time) => `seit ${time}`,
  tryIt: 'Mit meinem Mikrofon ausprobieren',
  tryWhat: 'Öffnet einen eigenen Raum und untertitelt, was Sie sagen. Nichts verlässt dieses Gateway.',
  otherRoom: 'Anderer Raum',
  yourName: 'Ihr Name',
  guest: 'Gast',
  captionMe: 'Meine Stimme untertiteln',
  stopCaptioningMe: 'Nicht mehr untertiteln',
  ownVoice: 'Ihre eigene Stimme',
  loudness: 'Wie laut Sie sind',
  starting: 'Warten auf Ihr Mikrofon. Ihr Browser fragt vielleicht, ob diese Seite es benutzen darf.',
  on: 'Ihre Stimme wird untertitelt.',
  interrupted:
    'Ihr Mikrofon ist unterbrochen: Was Sie sagen, wird nicht untertitelt. Sobald es wieder verfügbar ist, geht es weiter.',
  silent: 'Es ist nichts zu hören. Ist das richtige Mikrofon gewählt und eingeschaltet?',
  waiting:
    'Keine Verbindung: Was Sie sagen, wird bis zu einer Minute aufgehoben und untertitelt, sobald sie zurück ist.',
  stopping: 'Ihre letzten Worte kommen noch…',
  failures: {
    insecure:
      'Browser geben Mikrofone nur sicheren Seiten: Öffnen Sie diese Seite über https oder auf dem Rechner des Gateways über http://127.0.0.1.',
    unsupported: 'Dieser Browser hat kein Mikrofon für diese Seite.',
    refused:
      'Diese Seite darf Ihr Mikrofon nicht benutzen. Erlauben Sie es neben der Adresse der Seite oder in den Einstellungen des Systems und versuchen Sie es noch einmal.',
    no_device: 'Es wurde kein Mikrofon gefunden. Schließen Sie eines an und versuchen Sie es noch einmal.',
    in_use: 'Das Mikrofon lässt sich nicht öffnen: Vielleicht benutzt es ein anderes Programm.',
    gone: 'Das Mikrofon wurde ausgesteckt oder weggenommen.',
    broken: 'Das Mikrofon ließ sich nicht starten. Laden Sie diese Seite neu.',
  },
  notTaken: (reason) => `Das Gateway nimmt Ihre Stimme nicht an: ${reason}`,
  transcript: 'Mitschrift',
  download: 'Herunterladen',
  formats: {
    vtt: 'Untertitel (WebVTT)',
    srt: 'Untertitel (SubRip)',
    txt: 'Text',
    md: 'Markdown',
    json: 'JSON, mit allen Zeiten',
  },
  nothingSaid: 'Noch ist nichts Gesagtes endgültig.',
  notKept: 'Von diesem Raum wird keine Mitschrift aufgehoben.',
  downloadFailed: (reason) => `Keine Mitschrift: ${reason}`,
  noAnswer: 'das Gateway antwortet nicht.',
};

const LANGUAGES: ReadonlyMap<string, IndexWording> = new Map([
  ['en', ENGLISH],
  ['fr', FRENCH],
  ['de', GERMAN],
]);

/** The first of `wanted` (BCP 47) in which there are words; English for none. */
export function indexWording(wanted: readonly string[]): { tag: string; wording: IndexWording } {
  return firstLanguage(wanted, LANGUAGES) ?? { tag: 'en', wording: ENGLISH };
}
