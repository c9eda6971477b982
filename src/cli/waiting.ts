/** Waiting that ends when the process shall end. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when the signal is aborted. */
export function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Waits so long, or until the signal is aborted. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {}) // Aborted is as good as waited.
}

/**
 * Does something at once and then again and again, with a pause between, until the signal is
 * aborted.
 */
export async function repeat(
  everyMs: number,
  stop: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  while (!stop.aborted) {
    await act()
    await pause(everyMs, stop)
  }
}

/** Whether the promise settled in time. */
export async function isSettledWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const settled = promise.then(
    () => true,
    () => true,
  )
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false)
  const isSettled = await Promise.race([settled, late])
  timer.abort()
  return isSettled
}
