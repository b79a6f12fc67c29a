"""LiveKit Agents as La Suite Meet's subtitle agent uses it: one hidden agent a room, one AgentSession a participant, text only.

The speech-to-text node runs the model in the room's own process, all participants of the room in one batch: the cheapest way there is.
Settings: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, AGENT_NAME, MODEL_FILES (JSON with encoder, decoder, joiner, tokens).
Prints "session IDENTITY" on standard output when a participant is listened to.
"""

import asyncio
import json
import math
import os
import sys
from pathlib import Path

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    AutoSubscribe,
    JobContext,
    JobProcess,
    JobRequest,
    RoomIO,
    WorkerOptions,
    WorkerPermissions,
    cli,
    room_io,
    stt,
)
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import AudioBuffer
from livekit.plugins import silero

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from streams import SAMPLE_RATE_HZ, Streams  # noqa: E402

AGENT_NAME = os.environ["AGENT_NAME"]


class SherpaStt(stt.STT):
    def __init__(self, streams: Streams) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True, offline_recognize=False))
        self._streams = streams

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        raise NotImplementedError("streams only")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return SherpaRecognizeStream(self, self._streams, conn_options)


class SherpaRecognizeStream(stt.RecognizeStream):
    def __init__(self, node: SherpaStt, streams: Streams, conn_options: APIConnectOptions) -> None:
        self._streams = streams
        super().__init__(stt=node, conn_options=conn_options, sample_rate=SAMPLE_RATE_HZ)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def told(text: str, is_final: bool) -> None:
            kind = stt.SpeechEventType.FINAL_TRANSCRIPT if is_final else stt.SpeechEventType.INTERIM_TRANSCRIPT
            event = stt.SpeechEvent(type=kind, alternatives=[stt.SpeechData(language="en", text=text)])
            loop.call_soon_threadsafe(self._send, event)

        stream = self._streams.open(told, lambda: loop.call_soon_threadsafe(ended.set))
        try:
            async for frame in self._input_ch:
                if isinstance(frame, rtc.AudioFrame):
                    self._streams.accept(stream, bytes(frame.data))
        finally:
            self._streams.finish(stream)
        await ended.wait()

    def _send(self, event: stt.SpeechEvent) -> None:
        if not self._event_ch.closed:
            self._event_ch.send_nowait(event)


class Transcriber:
    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._sessions: dict[str, AgentSession] = {}
        self._tasks: set[asyncio.Task] = set()

    def on_joined(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity in self._sessions:
            return
        session = AgentSession(vad=self._ctx.proc.userdata["vad"])
        self._sessions[participant.identity] = session
        self._keep(self._listen(participant, session))

    def on_left(self, participant: rtc.RemoteParticipant) -> None:
        session = self._sessions.pop(participant.identity, None)
        if session is not None:
            self._keep(session.aclose())

    async def aclose(self) -> None:
        await asyncio.gather(*(session.aclose() for session in self._sessions.values()))

    async def _listen(self, participant: rtc.RemoteParticipant, session: AgentSession) -> None:
        io = RoomIO(
            agent_session=session,
            room=self._ctx.room,
            participant=participant,
            options=room_io.RoomOptions(text_input=False, audio_output=False, text_output=True),
        )
        await io.start()
        await session.start(agent=Agent(instructions="not-needed", stt=SherpaStt(self._ctx.proc.userdata["streams"])))
        print(f"session {participant.identity}", flush=True)

    def _keep(self, work) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def entrypoint(ctx: JobContext) -> None:
    transcriber = Transcriber(ctx)
    ctx.room.on("participant_connected", transcriber.on_joined)
    ctx.room.on("participant_disconnected", transcriber.on_left)
    await ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    for participant in ctx.room.remote_participants.values():
        transcriber.on_joined(participant)
    ctx.add_shutdown_callback(transcriber.aclose)


async def accept(request: JobRequest) -> None:
    await request.accept(identity=f"{AGENT_NAME}-{request.room.name}")


def prewarm(process: JobProcess) -> None:
    process.userdata["vad"] = silero.VAD.load()
    process.userdata["streams"] = Streams(json.loads(os.environ["MODEL_FILES"]))


if __name__ == "__main__":
    cli.run_app(
        WorkerOptions(
            entrypoint_fnc=entrypoint,
            request_fnc=accept,
            prewarm_fnc=prewarm,
            agent_name=AGENT_NAME,
            permissions=WorkerPermissions(hidden=True),
            # By default it reports the machine's load, and gets no more rooms at 70 %: here it is to be measured there.
            load_fnc=lambda: 0.0,
            load_threshold=math.inf,
            num_idle_processes=1,
            initialize_process_timeout=60,
            host="127.0.0.1",
            port=0,
        )
    )
