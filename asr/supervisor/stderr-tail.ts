/** More than this of a child's standard error is not kept, however much it writes. */
const MAX_TAIL_CHARACTERS = 4000;

/** The end of what a child wrote to standard error: sherpa-onnx tells its reasons nowhere else. */
export class StderrTail {
  #tail = '';

  append(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-MAX_TAIL_CHARACTERS);
  }

  get text(): string {
    return this.#tail.trim();
  }
}
