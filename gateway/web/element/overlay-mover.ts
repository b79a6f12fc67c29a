import type { SettingChanges, Settings } from '../settings/settings.js';

const STEP_PERCENT = 2;

export interface OverlayMoverOptions {
  /** What is dragged, or has the focus while arrow keys are pressed. */
  readonly handle: HTMLElement;
  /** What moves. */
  readonly box: HTMLElement;
  /** In what it moves. */
  readonly area: HTMLElement;
  readonly settings: () => Settings;
  readonly moved: (changes: SettingChanges) => void;
}

/** Where the middle of the overlay is: percent of the room that it has from the left and from above. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** Lets the reader put the overlay elsewhere: with a pointer, or with arrow keys. */
export function makeMovable({ handle, box, area, settings, moved }: OverlayMoverOptions): void {
  const roomPx = (): { x: number; y: number } => ({
    x: area.clientWidth - box.offsetWidth,
    y: area.clientHeight - box.offsetHeight,
  });
  const place = (): Place => {
    const { position, x, y } = settings();
    if (position === 'free') return { x, y };
    const { left, top } = box.getBoundingClientRect();
    const corner = area.getBoundingClientRect();
    const room = roomPx();
    return { x: percent(left - corner.left, room.x), y: percent(top - corner.top, room.y) };
  };
  const move = ({ x, y }: Place): void => {
    moved({ position: 'free', x: within(Math.round(x)), y: within(Math.round(y)) });
  };

  handle.addEventListener('keydown', (event) => {
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-STEP_PERCENT, 0],
      ArrowRight: [STEP_PERCENT, 0],
      ArrowUp: [0, -STEP_PERCENT],
      ArrowDown: [0, STEP_PERCENT],
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const { x, y } = place();
    move({ x: x + step[0], y: y + step[1] });
  });

  handle.addEventListener('pointerdown', (down) => {
    const from = place();
    handle.setPointerCapture(down.pointerId);
    const drag = (now: PointerEvent): void => {
      const room = roomPx();
      move({
        x: from.x + percent(now.clientX - down.clientX, room.x, 0),
        y: from.y + percent(now.clientY - down.clientY, room.y, 0),
      });
    };
    const end = (): void => {
      handle.removeEventListener('pointermove', drag);
      handle.removeEventListener('pointerup', end);
      handle.removeEventListener('pointercancel', end);
    };
    handle.addEventListener('pointermove', drag);
    handle.addEventListener('pointerup', end);
    handle.addEventListener('pointercancel', end);
  });
}

/** `otherwise` where there is no room at all. */
const percent = (px: number, roomPx: number, otherwise = 50): number =>
  roomPx < 1 ? otherwise : (100 * px) / roomPx;

const within = (value: number): number => Math.min(100, Math.max(0, value));
