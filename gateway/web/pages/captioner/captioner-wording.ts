/** What the captioner's page says, in three languages. Keys are those of `data-text` in captioner.html. */
const EN = {
  title: 'Write captions',
  room: 'Room',
  name: 'Your name',
  language: 'Language of the captions',
  recognition: 'Automatic captions meanwhile',
  beside: 'go on; what I write stands beside them, under my name',
  everybody: 'stop for everybody',
  begin: 'Begin',
  view: 'What viewers see',
  lines: 'Your last lines: they can still be corrected',
  noLines: 'None at the moment.',
  write: 'Write',
  as: 'as',
  myself: 'myself',
  hint: 'Viewers see every word as you write it. Enter begins the next line.',
  commit: 'Next line',
  settle: 'All is right',
  auto: 'Next line by itself after a sentence',
  leave: 'Leave',
  keyboard: 'Keyboard',
  keyEnter: 'Next line; in an older line: send the correction and go on writing',
  keyUp: 'At the beginning of what you write: correct the line before',
  keyEscape: 'In an older line: leave it as it was and go on writing',
  keySettle: 'All lines are right: they do not change any more',
  keySpeaker: 'Write as the one before or after in the list',
  connecting: 'Connecting…',
  finishing: 'Waiting for what is still being recognised…',
  live: 'Live',
  lost: 'No connection. What you write is sent when it is back.',
  left: 'You have left. Automatic captions go on.',
  refused: 'Refused:',
  stopFor: 'stop for',
  line: 'Line',
};

export type CaptionerText = keyof typeof EN;
export type CaptionerWording = Readonly<Record<CaptionerText, string>>;

const FR: CaptionerWording = {
  title: 'Saisir les sous-titres',
  room: 'Salle',
  name: 'Votre nom',
  language: 'Langue des sous-titres',
  recognition: 'Pendant ce temps, les sous-titres automatiques',
  beside: 'continuent ; ce que j’écris s’affiche à côté, sous mon nom',
  everybody: 's’arrêtent pour tout le monde',
  begin: 'Commencer',
  view: 'Ce que voit le public',
  lines: 'Vos dernières lignes : encore modifiables',
  noLines: 'Aucune pour l’instant.',
  write: 'Écrire',
  as: 'au nom de',
  myself: 'moi-même',
  hint: 'Le public voit chaque mot pendant que vous l’écrivez. Entrée commence la ligne suivante.',
  commit: 'Ligne suivante',
  settle: 'Tout est juste',
  auto: 'Ligne suivante d’elle-même après une phrase',
  leave: 'Quitter',
  keyboard: 'Clavier',
  keyEnter: 'Ligne suivante ; dans une ligne précédente : envoyer la correction et continuer à écrire',
  keyUp: 'Au début de ce que vous écrivez : corriger la ligne précédente',
  keyEscape: 'Dans une ligne précédente : la laisser telle quelle et continuer à écrire',
  keySettle: 'Toutes les lignes sont justes : elles ne changent plus',
  keySpeaker: 'Écrire au nom de la personne précédente ou suivante de la liste',
  connecting: 'Connexion…',
  finishing: 'Fin de la reconnaissance en cours…',
  live: 'En direct',
  lost: 'Pas de connexion. Ce que vous écrivez sera envoyé à son retour.',
  left: 'Vous avez quitté. Les sous-titres automatiques continuent.',
  refused: 'Refusé :',
  stopFor: 's’arrêtent pour',
  line: 'Ligne',
};

const DE: CaptionerWording = {
  title: 'Untertitel schreiben',
  room: 'Raum',
  name: 'Ihr Name',
  language: 'Sprache der Untertitel',
  recognition: 'Automatische Untertitel währenddessen',
  beside: 'laufen weiter; was ich schreibe, steht daneben, unter meinem Namen',
  everybody: 'ruhen für alle',
  begin: 'Beginnen',
  view: 'Was die Zuschauer sehen',
  lines: 'Ihre letzten Zeilen: noch änderbar',
  noLines: 'Im Augenblick keine.',
  write: 'Schreiben',
  as: 'als',
  myself: 'ich selbst',
  hint: 'Die Zuschauer sehen jedes Wort, während Sie es schreiben. Eingabe beginnt die nächste Zeile.',
  commit: 'Nächste Zeile',
  settle: 'Alles stimmt',
  auto: 'Nächste Zeile von selbst nach einem Satz',
  leave: 'Verlassen',
  keyboard: 'Tastatur',
  keyEnter: 'Nächste Zeile; in einer früheren Zeile: Änderung senden und weiterschreiben',
  keyUp: 'Am Anfang des Geschriebenen: die Zeile davor ändern',
  keyEscape: 'In einer früheren Zeile: sie lassen, wie sie war, und weiterschreiben',
  keySettle: 'Alle Zeilen stimmen: sie ändern sich nicht mehr',
  keySpeaker: 'Als die Person davor oder danach in der Liste schreiben',
  connecting: 'Verbindung wird aufgebaut…',
  finishing: 'Warten auf das, was noch erkannt wird…',
  live: 'Live',
  lost: 'Keine Verbindung. Was Sie schreiben, wird gesendet, sobald sie zurück ist.',
  left: 'Sie haben verlassen. Die automatischen Untertitel laufen weiter.',
  refused: 'Abgelehnt:',
  stopFor: 'ruhen für',
  line: 'Zeile',
};

const LANGUAGES: Readonly<Record<string, CaptionerWording>> = { en: EN, fr: FR, de: DE };

/** The first of these languages that there is, else English; `tag` is its BCP 47 tag. */
export function captionerWording(wanted: readonly string[]): { tag: string; wording: CaptionerWording } {
  for (const language of wanted) {
    const tag = language.split('-')[0]?.toLowerCase() ?? '';
    const wording = LANGUAGES[tag];
    if (wording !== undefined) return { tag, wording };
  }
  return { tag: 'en', wording: EN };
}
