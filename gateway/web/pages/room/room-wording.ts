/** What the room page says around the captions, in three languages. Keys are those of `data-text` in room.html. */
import { firstLanguage } from '../../wording/first-language.js';

const ENGLISH = {
  title: 'LiveKit room',
  titleOf: (room: string): string => `${room} – live captions`,
  why: 'This page joins a LiveKit room as a viewer: it shows captions while people talk, and lets you listen. It needs the address of the LiveKit server and an access token for the room.',
  demo: 'A link that has both is printed by',
  address: 'Address of the LiveKit server',
  token: 'Access token',
  stays: 'Both stay in this browser, after the # of the address. Only the LiveKit server is shown the token.',
  join: 'Join',
  noAddress: 'The link has no address of a LiveKit server (#url=…).',
  noToken: 'The link has no access token (#token=…).',
  people: 'In the room',
  controls: 'What this page does',
  listen: 'Listen',
  listening: 'Listening',
  noSound: 'Listen (this browser plays no sound)',
  compare: 'Compare all three roads',
  channel: 'Data channel',
  streams: 'Text streams',
  legacy: 'Legacy packets',
  muted: 'muted',
  self: 'You, watching',
  notLoaded: 'a part of this page could not be loaded. Load it again.',
  openedElsewhere: 'this link was opened somewhere else. It is for one page at a time.',
  removed: 'somebody removed this page from the room.',
  closed: 'the room was closed.',
  serverStopped: 'the LiveKit server was stopped.',
  lostForGood: 'the connection to the LiveKit server was lost for good. Load this page again.',
  otherServer: (url: string): string =>
    `pages of this gateway may connect to its own LiveKit server only (LIVEKIT_URL), and ${url} is another one.`,
  tokenRefused:
    'the LiveKit server does not take the access token of this link: it is no token of this server, or has expired.',
  unreachable: (url: string): string => `no LiveKit server can be reached at ${url}.`,
};

export type RoomWording = typeof ENGLISH;

const FRENCH: RoomWording = {
  title: 'Salle LiveKit',
  titleOf: (room) => `${room} – sous-titres en direct`,
  why: 'Cette page rejoint une salle LiveKit en spectatrice : elle affiche les sous-titres pendant que l’on parle, et permet d’écouter. Il lui faut l’adresse du serveur LiveKit et un jeton d’accès pour la salle.',
  demo: 'Un lien qui contient les deux est affiché par',
  address: 'Adresse du serveur LiveKit',
  token: 'Jeton d’accès',
  stays:
    'Les deux restent dans ce navigateur, après le # de l’adresse. Seul le serveur LiveKit voit le jeton.',
  join: 'Rejoindre',
  noAddress: 'Le lien n’a pas d’adresse de serveur LiveKit (#url=…).',
  noToken: 'Le lien n’a pas de jeton d’accès (#token=…).',
  people: 'Dans la salle',
  controls: 'Ce que fait cette page',
  listen: 'Écouter',
  listening: 'À l’écoute',
  noSound: 'Écouter (ce navigateur ne joue aucun son)',
  compare: 'Comparer les trois voies',
  channel: 'Canal de données',
  streams: 'Flux de texte',
  legacy: 'Anciens paquets',
  muted: 'micro coupé',
  self: 'Vous, en spectateur',
  notLoaded: 'une partie de cette page n’a pas pu être chargée. Rechargez-la.',
  openedElsewhere: 'ce lien a été ouvert ailleurs. Il ne sert qu’à une page à la fois.',
  removed: 'quelqu’un a retiré cette page de la salle.',
  closed: 'la salle a été fermée.',
  serverStopped: 'le serveur LiveKit a été arrêté.',
  lostForGood: 'la connexion au serveur LiveKit est définitivement perdue. Rechargez cette page.',
  otherServer: (url) =>
    `les pages de cette passerelle ne peuvent joindre que son propre serveur LiveKit (LIVEKIT_URL), et ${url} en est un autre.`,
  tokenRefused:
    'le serveur LiveKit n’accepte pas le jeton d’accès de ce lien : il n’est pas de ce serveur, ou il a expiré.',
  unreachable: (url) => `aucun serveur LiveKit ne répond à ${url}.`,
};

const GERMAN: RoomWording = {
  title: 'LiveKit-Raum',
  titleOf: (room) => `${room} – Live-Untertitel`,
  why: 'Diese Seite betritt einen LiveKit-Raum als Zuschauerin: Sie zeigt Untertitel, während gesprochen wird, und lässt Sie zuhören. Sie braucht die Adresse des LiveKit-Servers und ein Zugangstoken für den Raum.',
  demo: 'Einen Link, der beides enthält, gibt aus:',
  address: 'Adresse des LiveKit-Servers',
  token: 'Zugangstoken',
  stays:
    'Beides bleibt in diesem Browser, hinter dem # der Adresse. Nur der LiveKit-Server bekommt das Token zu sehen.',
  join: 'Betreten',
  noAddress: 'Der Link hat keine Adresse eines LiveKit-Servers (#url=…).',
  noToken: 'Der Link hat kein Zugangstoken (#token=…).',
  people: 'Im Raum',
  controls: 'Was diese Seite tut',
  listen: 'Zuhören',
  listening: 'Sie hören zu',
  noSound: 'Zuhören (dieser Browser spielt keinen Ton)',
  compare: 'Alle drei Wege vergleichen',
  channel: 'Datenkanal',
  streams: 'Textströme',
  legacy: 'Ältere Pakete',
  muted: 'stumm',
  self: 'Sie, als Zuschauer',
  notLoaded: 'ein Teil dieser Seite konnte nicht geladen werden. Laden Sie sie neu.',
  openedElsewhere: 'dieser Link wurde anderswo geöffnet. Er gilt für eine Seite zur gleichen Zeit.',
  removed: 'jemand hat diese Seite aus dem Raum entfernt.',
  closed: 'der Raum wurde geschlossen.',
  serverStopped: 'der LiveKit-Server wurde angehalten.',
  lostForGood:
    'die Verbindung zum LiveKit-Server ist endgültig verloren gegangen. Laden Sie diese Seite neu.',
  otherServer: (url) =>
    `Seiten dieses Gateways dürfen sich nur mit dessen eigenem LiveKit-Server verbinden (LIVEKIT_URL), und ${url} ist ein anderer.`,
  tokenRefused:
    'der LiveKit-Server nimmt das Zugangstoken dieses Links nicht an: Es ist keines dieses Servers, oder es ist abgelaufen.',
  unreachable: (url) => `unter ${url} ist kein LiveKit-Server zu erreichen.`,
};

const LANGUAGES = new Map([
  ['en', ENGLISH],
  ['fr', FRENCH],
  ['de', GERMAN],
]);

/** The first of `wanted` (BCP 47) in which there are words; English for none. */
export function roomWording(wanted: readonly string[]): { tag: string; wording: RoomWording } {
  const { language: tag, wording } = firstLanguage(wanted, LANGUAGES) ?? { language: 'en', wording: ENGLISH };
  return { tag, wording };
}
