/**
 * Where the queue is: on Redis when a URL of one is given, else on PostgreSQL, in a schema of its
 * own.
 *
 * BullMQ types its classes by backend. Both backends are bound here once, and the rest of the room
 * does not ask.
 */
import {
  createPostgresBackend,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq'
import { Redis } from 'ioredis'
import { Refusal } from '../core/errors.ts'
import { type Bell, type BellSide, queueName, queueSchema } from './bell.ts'
import type { DoorbellConfig } from './doorbell.ts'

/** The part of BullMQ's queue that rings. */
export type Ringer = {
  add(name: 'bell', data: Bell, options: { jobId: string }): Promise<unknown>
  addBulk(bells: { name: 'bell'; data: Bell; opts: { jobId: string } }[]): Promise<unknown>
  close(): Promise<void>
}

/** The part of BullMQ's worker that is used once it listens. */
export type Listener = { close(isForced?: boolean): Promise<void> }

const onPostgres = withBackend(createPostgresBackend)
const postgresConnectionsMax = 2
/** The queue's own trail of events; nobody reads it. */
const eventsMax = 100

/**
 * Makes sure that the queue's server can be relied on. One that cannot be reached is told of and stops nobody from starting:
 * all work is done without it, some seconds later.
 *
 * @throws {Refusal} `queue-refused` when Redis may drop entries under memory pressure, or when no
 *   URL is given.
 */
export async function requireUsableQueue(config: DoorbellConfig): Promise<void> {
  if (config.redisUrl === undefined) {
    if (config.databaseUrl !== undefined) return
    throw new Refusal('queue-refused', 'The queue needs the URL of a Redis or PostgreSQL server.')
  }
  const redis = new Redis(config.redisUrl, {
    lazyConnect: true,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  redis.on('error', () => {}) // `connect` rejects with the same.
  try {
    await redis.connect()
    const memory = await redis.info('memory')
    if (!/^maxmemory_policy:noeviction\r?$/m.test(memory)) {
      throw new Refusal(
        'queue-refused',
        'The Redis server may drop entries when memory is short. Set its maxmemory-policy to noeviction.',
      )
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    config.onError(error)
  } finally {
    redis.disconnect()
  }
}

/** Opens the ringing end of a side's queue. */
export function openRinger(config: DoorbellConfig, side: BellSide): Ringer {
  const options = {
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true, sizeLimit: 256 },
    streams: { events: { maxLen: eventsMax } },
  } satisfies Omit<QueueOptions, 'connection'>
  const queue =
    config.redisUrl === undefined
      ? new onPostgres.Queue<Bell, void, 'bell'>(queueName(side), {
          ...options,
          connection: postgresConnection(config),
        })
      : new Queue<Bell, void, 'bell'>(queueName(side), {
          ...options,
          connection: redisConnection(config),
        })
  queue.on('error', config.onError)
  return queue
}

/**
 * Opens the listening end. A bell stays with its listener while `onBell` runs, and goes to another
 * when the listener has not been heard of for `lockDuration`.
 */
export function openListener(
  config: DoorbellConfig,
  side: BellSide,
  options: { concurrency: number; onBell: (payload: unknown) => Promise<void> },
): Listener {
  const settings = {
    concurrency: options.concurrency,
    lockDuration: 15_000,
    lockRenewTime: 5_000,
    stalledInterval: 5_000,
    maxStalledCount: 3,
    drainDelay: 5,
    runRetryDelay: 1_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  } satisfies Omit<WorkerOptions, 'connection'>
  const process = (job: { data: unknown }): Promise<void> => options.onBell(job.data)
  const worker =
    config.redisUrl === undefined
      ? new onPostgres.Worker(queueName(side), process, {
          ...settings,
          connection: postgresConnection(config),
        })
      : new Worker(queueName(side), process, { ...settings, connection: redisConnection(config) })
  worker.on('error', config.onError)
  return worker
}

function redisConnection(config: DoorbellConfig): { url: string } & Record<string, unknown> {
  return {
    url: config.redisUrl ?? '',
    connectTimeout: 5_000,
    maxRetriesPerRequest: null, // BullMQ waits at the server; a lost connection is made anew, for ever.
    retryStrategy: (attempt: number) => Math.min(attempt * 200, 5_000),
  }
}

function postgresConnection(config: DoorbellConfig): Record<string, unknown> {
  return {
    connectionString: config.databaseUrl ?? '',
    schema: queueSchema,
    migrate: false,
    max: postgresConnectionsMax,
    application_name: 'gyeol queue',
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 30_000,
    query_timeout: 35_000,
  }
}
