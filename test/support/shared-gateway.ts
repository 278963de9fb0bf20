import { after, before } from 'node:test';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';

/** One gateway for all tests of a `describe`: called in its body, and the returned function in its tests. */
export function shareGateway(
  options: TestGatewayOptions | (() => Promise<TestGatewayOptions>) = {},
): () => TestGateway {
  const cleanups: (() => unknown)[] = [];
  let gateway: TestGateway | undefined;
  before(async () => {
    const t = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    const chosen = typeof options === 'function' ? await options() : options;
    gateway = await startTestGateway(t as Parameters<typeof startTestGateway>[0], chosen);
  });
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  return () => {
    if (gateway === undefined) throw new Error('the gateway is there only inside a test');
    return gateway;
  };
}
