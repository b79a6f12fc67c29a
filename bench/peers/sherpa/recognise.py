"""The floor: sherpa-onnx's streaming recogniser and nothing else. Audio on standard input, texts on standard output.

In: frames of a little-endian header (stream: u16, bytes: u32) and PCM16 at 16 kHz; a frame of no bytes ends its stream.
Out: JSON lines {"ready": true}, {"stream", "text", "isFinal"}, {"stream", "ended": true}.
"""

import json
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from streams import Stream, Streams  # noqa: E402

HEADER = struct.Struct("<HI")


def main() -> None:
    streams = Streams(json.loads(sys.argv[1]))
    speaking: dict[int, Stream] = {}
    writing = threading.Lock()

    def say(message: dict) -> None:
        with writing:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    def open_stream(number: int) -> Stream:
        return streams.open(
            told=lambda text, is_final: say({"stream": number, "text": text, "isFinal": is_final}),
            ended=lambda: say({"stream": number, "ended": True}),
        )

    say({"ready": True})
    audio = sys.stdin.buffer
    while len(header := audio.read(HEADER.size)) == HEADER.size:
        number, length = HEADER.unpack(header)
        if number not in speaking:
            speaking[number] = open_stream(number)
        if length > 0:
            streams.accept(speaking[number], audio.read(length))
        else:
            streams.finish(speaking.pop(number))


if __name__ == "__main__":
    main()
