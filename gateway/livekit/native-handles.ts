/** What the SDK's objects in JavaScript hold of its native library, so that all of it can be freed before the library is. */

interface Handle {
  readonly handle: bigint;
  dispose(): void;
}
export interface HandleBindings {
  FfiHandle: new (handle: bigint) => Handle;
}

const held = new Set<WeakRef<Handle>>();
const collected = new FinalizationRegistry<WeakRef<Handle>>((reference) => held.delete(reference));

/** Once, before the first handle. */
export function watchHandles(bindings: HandleBindings): void {
  bindings.FfiHandle = class extends bindings.FfiHandle {
    readonly #reference = new WeakRef<Handle>(this);

    constructor(handle: bigint) {
      super(handle);
      held.add(this.#reference);
      collected.register(this, this.#reference, this);
    }

    override dispose(): void {
      held.delete(this.#reference);
      collected.unregister(this);
      super.dispose();
    }
  };
}

/** Those that were not freed. */
export function heldHandles(): readonly object[] {
  return [...held].flatMap((reference) => reference.deref() ?? []);
}

/**
 * One that is left until after the library was disposed of throws in its finaliser, which ends the process (livekit-ffi 0.12.80 forgets
 * all handles when it shuts down).
 */
export function freeHandles(): void {
  for (const reference of held) {
    try {
      reference.deref()?.dispose();
    } catch {
      // The library has forgotten it by itself.
    }
  }
  held.clear();
}
