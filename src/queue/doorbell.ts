/**
 * The doorbell between the database and the workers.
 *
 * The rule: a bell carries a job's id and nothing else, and says only "look". What to do, who may
 * do it and whether it is done is in the job's row, so bells may be lost, doubled or late, and the
 * queue may be flushed at any moment. The reconciler rings again for every job that nobody holds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type BellSide, bellSchema } from './bell.ts'
import { openListener, openRinger, type Ringer, requireUsableQueue } from './connection.ts'

/** Where the queue is. One of the URLs; Redis goes first. */
export type DoorbellConfig = {
  redisUrl?: string | undefined
  /** Of the process's own role; used when there is no Redis. */
  databaseUrl?: string | undefined
  /** Told of every failure of the queue. Nothing is lost by one: the reconciler rings again. */
  onError: (error: unknown) => void
}

/** The ringing end. */
export type Doorbell = {
  /**
   * Rings for jobs of a side, after the commit that stored them. Never rejects and takes at most
   * about a second: a bell that could not be rung is rung by the reconciler. A job's bell that
   * still waits, or is being answered, is not doubled.
   */
  ring(side: BellSide, jobIds: readonly string[]): Promise<void>
  close(): Promise<void>
}

const ringTimeoutMs = 1_000
const closeTimeoutMs = 5_000
const bellsAtOnceMax = 500

/**
 * Opens the ringing end for both sides.
 *
 * @throws {Refusal} `queue-refused` when the server is not fit for it.
 */
export async function openDoorbell(config: DoorbellConfig): Promise<Doorbell> {
  await requireUsableQueue(config)
  const lines = { key: newLine(config, 'key'), data: newLine(config, 'data') }
  return {
    ring: (side, jobIds) => lines[side].ring(jobIds),
    close: async () => {
      await Promise.all([lines.key.close(), lines.data.close()])
    },
  }
}

/**
 * Answers the bells of a side: calls `onJob` for each, at most `concurrency` at once.
 *
 * What `onJob` throws goes to `config.onError` and not into the queue, which would keep its text.
 * `close` takes no more bells and waits for the jobs in hand; the caller tells them to stop.
 *
 * @throws {Refusal} `queue-refused` when the server is not fit for it.
 */
export async function listenDoorbell(
  config: DoorbellConfig,
  side: BellSide,
  concurrency: number,
  onJob: (jobId: string) => Promise<void>,
): Promise<{ close(): Promise<void> }> {
  await requireUsableQueue(config)
  let running = 0
  const line = quietAfterClose(config)
  const listener = openListener(line.config, side, {
    concurrency,
    onBell: async (payload) => {
      running += 1
      try {
        await onJob(bellSchema.parse(payload).jobId)
      } catch (error) {
        config.onError(error)
      } finally {
        running -= 1
      }
    },
  })
  return {
    close: async () => {
      const closed = listener.close()
      line.close()
      while (running > 0) await sleep(20)
      await settledWithin(closed, closeTimeoutMs, config.onError)
    },
  }
}

/**
 * One side's line. While a ring hangs because the server is away, further rings are left to the
 * reconciler.
 */
function newLine(
  config: DoorbellConfig,
  side: BellSide,
): { ring(jobIds: readonly string[]): Promise<void>; close(): Promise<void> } {
  const line = quietAfterClose(config)
  const ringer = openRinger(line.config, side)
  let isHanging = false
  return {
    ring: async (jobIds) => {
      if (isHanging || jobIds.length === 0) return
      const rung = addBells(ringer, jobIds)
      if (await settledWithin(rung, ringTimeoutMs, config.onError)) return
      isHanging = true
      const release = (): void => {
        isHanging = false
      }
      rung.then(release, release)
    },
    close: async () => {
      line.close()
      await settledWithin(ringer.close(), closeTimeoutMs, config.onError)
    },
  }
}

/** Connections that are being closed may still complain; nobody needs to hear that. */
function quietAfterClose(config: DoorbellConfig): { config: DoorbellConfig; close(): void } {
  let isClosed = false
  const onError = (error: unknown): void => {
    if (!isClosed) config.onError(error)
  }
  return {
    config: { ...config, onError },
    close: () => {
      isClosed = true
    },
  }
}

async function addBells(ringer: Ringer, jobIds: readonly string[]): Promise<void> {
  for (let first = 0; first < jobIds.length; first += bellsAtOnceMax) {
    const bells = jobIds.slice(first, first + bellsAtOnceMax).map((jobId) => ({
      name: 'bell' as const,
      data: bellSchema.parse({ jobId }),
      opts: { jobId },
    }))
    const [only, ...others] = bells
    if (only && others.length === 0) await ringer.add(only.name, only.data, only.opts)
    else await ringer.addBulk(bells)
  }
}

/** Whether the promise settled in time. A rejection is told to `onError` and counts as settled. */
async function settledWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
  onError: (error: unknown) => void,
): Promise<boolean> {
  const timer = new AbortController()
  const settled = promise.then(
    () => true,
    (error: unknown) => {
      onError(error)
      return true
    },
  )
  const late = sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false)
  const isSettled = await Promise.race([settled, late])
  timer.abort()
  return isSettled
}
