"""Streaming recognition with sherpa-onnx, shared by the peers: many streams, decoded in batches by one thread."""

import threading
from collections.abc import Callable

import numpy as np
import sherpa_onnx

SAMPLE_RATE_HZ = 16_000
# As the gateway ends a sentence, so that finals can be compared.
ENDPOINT_SILENCE_S = 0.6
# Enough for the model to see the last word to its end, as sherpa-onnx's own server does it.
TAIL_S = 0.8
MAX_BATCH = 16


class Stream:
    """One speaker. `told(text, is_final)` is called on the decoding thread whenever the text has changed, and at its end."""

    def __init__(self, native: sherpa_onnx.OnlineStream, told: Callable[[str, bool], None], ended: Callable[[], None]):
        self.native = native
        self.told = told
        self.ended = ended
        self.audio: list[np.ndarray] = []
        self.is_finished = False
        self.text = ""


class Streams:
    """The recogniser and its thread. `model` has the paths encoder, decoder, joiner and tokens."""

    def __init__(self, model: dict[str, str]):
        self._recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(
            tokens=model["tokens"],
            encoder=model["encoder"],
            decoder=model["decoder"],
            joiner=model["joiner"],
            num_threads=1,
            enable_endpoint_detection=True,
            rule2_min_trailing_silence=ENDPOINT_SILENCE_S,
            decoding_method="greedy_search",
        )
        self._changed = threading.Condition()
        self._streams: list[Stream] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def open(self, told: Callable[[str, bool], None], ended: Callable[[], None]) -> Stream:
        stream = Stream(self._recogniser.create_stream(), told, ended)
        with self._changed:
            self._streams.append(stream)
        return stream

    def accept(self, stream: Stream, pcm16: bytes) -> None:
        samples = np.frombuffer(pcm16, dtype=np.int16).astype(np.float32) / 32768
        with self._changed:
            stream.audio.append(samples)
            self._changed.notify()

    def finish(self, stream: Stream) -> None:
        """No more audio; `ended` is called after the last final."""
        with self._changed:
            stream.is_finished = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not any(stream.audio or stream.is_finished for stream in self._streams):
                    self._changed.wait()
                streams = list(self._streams)
                arrived = [(stream, stream.audio, stream.is_finished) for stream in streams]
                for stream in streams:
                    stream.audio = []
            finished = []
            for stream, audio, is_finished in arrived:
                for samples in audio:
                    stream.native.accept_waveform(SAMPLE_RATE_HZ, samples)
                if is_finished:
                    stream.native.accept_waveform(SAMPLE_RATE_HZ, np.zeros(int(TAIL_S * SAMPLE_RATE_HZ), dtype=np.float32))
                    stream.native.input_finished()
                    finished.append(stream)
            self._decode(streams)
            for stream in finished:
                self._end(stream)

    def _decode(self, streams: list[Stream]) -> None:
        while True:
            ready = [stream for stream in streams if self._recogniser.is_ready(stream.native)]
            if not ready:
                return
            for first in range(0, len(ready), MAX_BATCH):
                batch = ready[first : first + MAX_BATCH]
                self._recogniser.decode_streams([stream.native for stream in batch])
                for stream in batch:
                    self._tell(stream)

    def _tell(self, stream: Stream) -> None:
        text = self._recogniser.get_result(stream.native).strip()
        is_final = self._recogniser.is_endpoint(stream.native)
        if is_final:
            self._recogniser.reset(stream.native)
            stream.text = ""
            if text:
                stream.told(text, True)
        elif text != stream.text:
            stream.text = text
            stream.told(text, False)

    def _end(self, stream: Stream) -> None:
        text = self._recogniser.get_result(stream.native).strip()
        if text:
            stream.told(text, True)
        with self._changed:
            self._streams.remove(stream)
        stream.ended()
