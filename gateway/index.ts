/** Rooms, speakers, captions over WebSocket. */
export { type Gateway, type GatewayOptions, startGateway } from './gateway.js';
export { type Environment, environmentWith, readEnvironment } from './config/environment.js';
export type { Settings } from './config/settings.js';
export { createLogger, type Logger } from './log.js';
export { type CaptionClient, connectCaptions } from './client/caption-client.js';
export { connectIngest, type IngestClient } from './client/ingest-client.js';
export { locateModels } from './commands/locate-model.js';
export { EXIT, exitCodeOnceSettled, reportFailure } from './commands/exit-codes.js';
export { formatColumns } from './text-columns.js';
export { CaptionWatch } from './meeting/caption-measurement.js';
export { readSpeech, type SpokenWord } from './meeting/meeting.js';
export { playPaced } from './meeting/paced-playback.js';
export { element, escapeText, picture } from './report/html/svg.js';
export { PAGE_STYLE } from './report/html/page-style.js';
export type { ReportData } from './report/report-data.js';
export { wallClockMs } from './clock.js';
