import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CaptionError } from '../../protocol/index.js';
import { CONTENT_TYPES } from '../report/render-request.js';
import { parseReportQuery, QUERY_NAMES, type ReportQuery } from '../report/report-query.js';
import type { LatencyReport } from '../report/start-report.js';
import type { RefusalLog } from '../bounds/refusal-log.js';
import { sendError, sendJson } from './http-answers.js';
import type { OriginPolicy } from './origin-policy.js';
import { wallClockMs } from '../clock.js';

const PATH = '/v1/report';
/** A report runs nothing and loads nothing, whatever a room may be called. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export interface ReportRequestsOptions {
  /** Undefined with CAPTION_REPORT=off. */
  readonly report: LatencyReport | undefined;
  /** Empty for none: then only a gateway without keys, which is on loopback, answers. */
  readonly operatorToken: string;
  readonly isOpen: boolean;
  readonly origins: OriginPolicy;
  readonly refusals: RefusalLog;
}

/** `GET /v1/report`: for those who operate the gateway. Tokens of rooms do not open it. */
export class ReportRequests {
  readonly #options: ReportRequestsOptions;

  constructor(options: ReportRequestsOptions) {
    this.#options = options;
  }

  /** False when the address is another. */
  async answer(url: URL, exchange: { request: IncomingMessage; response: ServerResponse }): Promise<boolean> {
    if (url.pathname !== PATH) return false;
    const { request, response } = exchange;
    try {
      await this.#answer(url, request, response);
    } catch (thrown) {
      this.#options.refusals.refused(sendError(response, thrown), PATH);
    }
    return true;
  }

  async #answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      sendJson(response, 405, { code: 'method_not_allowed', message: 'Only GET is answered here.' });
      return;
    }
    this.#options.origins.check(request);
    this.#requireOperator(request, response);
    const query = queryOf(url);
    const { report } = this.#options;
    if (report === undefined)
      throw new CaptionError('report_off', 'No report is kept: CAPTION_REPORT is off.');
    const body = await report.render(query);
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[query.format],
      'Content-Disposition': `inline; filename="caption-latency.${query.format}"`,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(method === 'HEAD' ? undefined : body);
  }

  /** Throws CaptionError `unauthorised` or `forbidden`. */
  #requireOperator(request: IncomingMessage, response: ServerResponse): void {
    const { operatorToken, isOpen } = this.#options;
    if (operatorToken === '') {
      if (isOpen) return;
      throw new CaptionError(
        'forbidden',
        'Reports are for operators: set CAPTION_OPERATOR_TOKEN and bring it along.',
      );
    }
    const given = tokenOf(request);
    if (given !== undefined && isSame(given, operatorToken)) return;
    // A browser asks for a password then: any name, and the token.
    response.setHeader('WWW-Authenticate', ['Bearer', 'Basic realm="caption-gateway", charset="UTF-8"']);
    throw new CaptionError(
      'unauthorised',
      'The operator’s token is needed: "Authorization: Bearer <token>", or as the password in a browser.',
    );
  }
}

function queryOf(url: URL): ReportQuery {
  const names: readonly string[] = QUERY_NAMES;
  for (const name of url.searchParams.keys())
    if (!names.includes(name))
      throw new CaptionError('query_invalid', `A report is asked for with ${QUERY_NAMES.join(', ')} only.`);
  const raw = Object.fromEntries(url.searchParams);
  return parseReportQuery(raw, wallClockMs());
}

function tokenOf(request: IncomingMessage): string | undefined {
  const header = request.headers.authorization ?? '';
  const bearer = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic\s+(\S+)$/i.exec(header)?.[1];
  if (basic === undefined) return undefined;
  return /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8'))?.[1];
}

/** Takes as long whatever is given. */
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
