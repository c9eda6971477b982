/**
 * Asking the API whether it is ready, as a load balancer would: over TLS, checking its certificate.
 */
import { get } from 'node:https'
import { pause } from './waiting.ts'

const askTimeoutMs = 2_000
const askEveryMs = 50

/** Asks until GET /readyz answers 200. @throws when it has not by then. */
export async function untilReady(url: string, ca: Buffer, withinMs: number): Promise<void> {
  const end = AbortSignal.timeout(withinMs)
  while (!(await isReady(url, ca))) {
    if (end.aborted) throw new Error('the API was not ready in time')
    await pause(askEveryMs, end)
  }
}

function isReady(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const options = {
      ca,
      timeout: askTimeoutMs,
      agent: false,
      checkServerIdentity: () => undefined, // Ours, by whatever name others call it.
    }
    const request = get(`${url}/readyz`, options, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
