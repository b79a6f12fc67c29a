/**
 * onnxruntime-node, with nothing sent to anybody: since 1.29 it reports its use to its maker unless this variable is set
 * before the first session. Everything that runs ONNX files imports it from here.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';

export { InferenceSession, Tensor } from 'onnxruntime-node';
