#!/usr/bin/env python3
"""Writes reference-features.f32, which ../feature-window.test.ts compares our features with.

Run once by hand with the packages kaldi-native-fbank and numpy from PyPI:
    python3 asr/zipformer/testing/reference-features.py
Three signals of 0.8 s after the other, 78 frames of 80 floats each: see `signals`.
"""
import pathlib, wave
import kaldi_native_fbank as knf
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = 12_800


def signals():
    with wave.open(str(HERE / "../../../fixtures/speech/short-01-claire.wav")) as file:
        assert file.getframerate() == 16_000 and file.getnchannels() == 1
        speech = np.frombuffer(file.readframes(SAMPLES), dtype="<i2").astype(np.float32) / 32768
    yield speech
    half_silent = speech.copy()
    half_silent[: SAMPLES // 2] = 0
    half_silent[SAMPLES // 2 :] = ((np.arange(SAMPLES // 2) * 7919 % 5) - 2) / 32768
    yield half_silent
    yield np.clip(np.round(speech * 40 * 32768), -32768, 32767).astype(np.float32) / 32768


def features(samples):
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = 16_000
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16_000, samples.tolist())
    # The last frames look at samples that come later.
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


rows = [features(samples)[:78] for samples in signals()]
np.concatenate(rows).astype("<f4").tofile(HERE / "reference-features.f32")
print([r.shape for r in rows])
