import { LiveKitRoom, useTranscriptions } from '@livekit/components-react';
import { createElement, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import type { Client } from './clients.js';

/** What LiveKit's examples do with the hook: an entry is a segment, under the one who spoke it. */
function Transcriptions(): ReactElement[] {
  return useTranscriptions().map(({ text, participantInfo, streamInfo }) =>
    createElement(
      'p',
      {
        key: streamInfo.attributes?.['lk.segment_id'] ?? streamInfo.id,
        'data-speaker': participantInfo.identity,
      },
      text,
    ),
  );
}

/** A React application that joins, audio and all, and shows what the hook gives. */
export function joinWithTranscriptions({ url, token, section }: Client): Promise<void> {
  const root = createRoot(section);
  return new Promise((resolve, reject) => {
    const onConnected = (): void => {
      section.dataset['joined'] = 'yes';
      resolve();
    };
    root.render(
      createElement(
        LiveKitRoom,
        { serverUrl: url, token, audio: false, video: false, onConnected, onError: reject },
        createElement(Transcriptions),
      ),
    );
  });
}
