import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../core/config-values.ts';
import { FluxgateError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Health } from './health.ts';
import { type Answer, asFluxgateError, errorAnswer, respond } from './http/respond.ts';
import { listenFailure } from './listen-failure.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createServer } from './plain-http.ts';

export interface AdminListener {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Plain HTTP for the machine's own probes and scrapers: metrics and health, nothing of the fleet. */
export async function startAdmin(
  address: ListenAddress,
  health: Health,
  metrics: Metrics,
  log: Log,
  newRequestId: () => string,
): Promise<AdminListener> {
  const exposition = async (): Promise<Answer> => ({
    status: 200,
    body: await metrics.text(),
    contentType: metrics.contentType(),
  });
  /** What /ready says no to: probes ask every few seconds, and the log is told when it changes. */
  let told = '';
  const ready = async (): Promise<Answer> => {
    try {
      const answer = await health.ready();
      if (told !== '') log.info('ready again: /ready is 200');
      told = '';
      return answer;
    } catch (error) {
      // A drain has lines of its own.
      const details = asFluxgateError(error).details?.filter(({ field }) => field !== 'process') ?? [];
      const reasons = details.length === 0 ? told : JSON.stringify(details);
      if (reasons !== told) log.error({ details }, 'not ready: /ready is 503');
      told = reasons;
      throw error;
    }
  };
  const routes = new Map<string, () => Answer | Promise<Answer>>([
    ['/health', health.live],
    ['/ready', ready],
    ['/metrics', exposition],
  ]);
  const answer = async (method: string | undefined, url: string | undefined): Promise<Answer> => {
    const route = routes.get(url ?? '');
    if (route === undefined) {
      throw new FluxgateError('not_found', 'The admin listener serves /health, /ready and /metrics.');
    }
    if (method !== 'GET') {
      throw new FluxgateError('method_not_allowed', 'Use GET.', { headers: { Allow: 'GET' } });
    }
    return route();
  };
  const server = createServer(
    {
      maxHeaderSize: LIMITS.headerBytesMax,
      headersTimeout: LIMITS.headersTimeoutMs,
      requestTimeout: LIMITS.requestTimeoutMs,
      keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
      insecureHTTPParser: false,
    },
    (request, response) => {
      const requestId = newRequestId();
      answer(request.method, request.url)
        .catch((error: unknown) => {
          const known = asFluxgateError(error);
          if (known.code === 'unavailable' && known.details === undefined)
            log.error({ err: error, request_id: requestId }, 'admin request failed');
          return errorAnswer(known, requestId);
        })
        .then((result) => respond(response, result, { requestId, close: true }))
        .catch((error: unknown) => log.error({ err: error, request_id: requestId }, 'admin answer failed'));
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenFailure('ADMIN_ADDR', address, error));
    });
    server.listen(address.port, address.host, resolve);
  });
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
